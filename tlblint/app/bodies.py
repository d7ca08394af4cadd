"""Bodies on demand: functions that name no page table API, found in the tree by name when a call graph leads to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from tlblint.calls.macros import DEPTH, naming
from tlblint.calls.program import Program
from tlblint.flow import facts_of
from tlblint.io import prefilter
from tlblint.io.tree import Tree, read_all
from tlblint.model.ir import FileFacts, Function, OpsTable
from tlblint.syntax.config import Config

_HEAD = re.compile(rb"^(?:[ \t]*#[ \t]*define[ \t]+|(?:[A-Za-z_][\w \t*]*[ \t*])?)([A-Za-z_]\w*)[ \t]*\(", re.M)
"""A name and a parenthesis on a line that starts in column 0, or a macro's definition."""

Over = Callable[[Callable[[str, bytes], FileFacts], Mapping[str, bytes]], list[FileFacts]]
"""A map over files (path -> bytes), in order of their paths, that no file can end."""


class Bodies:
    """The facts known so far, and ways to more. ``near``: the files where callees are looked for; ``far``: those where callers are."""

    def __init__(self, tree: Tree, near: Sequence[str], far: Sequence[str], where: prefilter.Where, config: Callable[[str], Config], over: Over) -> None:
        self.tree, self.near, self.far, self.where, self.config, self.over = tree, near, far, where, config, over
        self.facts: dict[str, FileFacts] = {}
        self.contents: dict[str, bytes] = {}
        self.unread: dict[str, str] = {}
        self._asked: set[str] = set()
        self._macros: dict[str, set[str]] = {}

    def add(self, facts: Iterable[FileFacts], contents: Mapping[str, bytes]) -> None:
        """Take over what was read already."""
        self.contents.update(contents)
        for fact in facts:
            self._merge(fact)

    def program(self) -> Program:
        """All that is known."""
        return Program(list(self.facts.values()))

    def mention(self, names: Iterable[str], files: Sequence[str] | None = None) -> None:
        """Read every function that mentions one of ``names``, a macro that expands to one, or is called so, in ``files`` (None: everywhere
        callers are looked for)."""
        words = frozenset(name.encode() for name in names)
        seen = words
        for _ in range(DEPTH):
            if not words:
                return
            paths = prefilter.survivors(self.tree, self.far, words, self.where) if files is None else files
            found: set[bytes] = set()
            contents = self._read(paths)
            self._parse(contents, words, dict.fromkeys(contents, words))
            for raw in contents.values():
                for macro, name in naming(raw, words):
                    self._macros.setdefault(name, set()).add(macro)
                    found.add(macro.encode())
            words = frozenset(found) - seen
            seen |= words

    def expanding(self, names: Iterable[str]) -> frozenset[str]:
        """``names`` and the macros known to expand to one of them."""
        out, work = set(names), list(names)
        while work:
            for macro in self._macros.get(work.pop(), ()):
                if macro not in out:
                    out.add(macro)
                    work.append(macro)
        return frozenset(out)

    def define(self, names: Iterable[str]) -> None:
        """Read the definitions of ``names`` near by; files that define macros of those names count as read. Each name is looked for once."""
        new = sorted(set(names) - self._asked)
        self._asked.update(new)
        places: dict[str, set[bytes]] = {}
        for name in new:
            for path in self._heads.get(name.encode(), ()):
                places.setdefault(path, set()).add(name.encode())
        self._parse(self._read(places), frozenset(), {path: frozenset(found) for path, found in places.items()})

    def names(self) -> list[str]:
        """Names of functions, to find what was meant by one that is not there."""
        return sorted({fn.name for fact in self.facts.values() for fn in fact.functions})

    @cached_property
    def _heads(self) -> Mapping[bytes, Sequence[str]]:
        contents, _ = read_all(self.tree, [path for path in self.where.cut(self.near) if path not in self.contents])
        found: dict[bytes, list[str]] = {}
        for path, raw in sorted({**contents, **{p: self.contents[p] for p in self.near if p in self.contents}}.items()):
            for name in sorted(set(_HEAD.findall(raw))):
                found.setdefault(name, []).append(path)
        return found

    def _parse(self, contents: Mapping[str, bytes], words: frozenset[bytes], also: Mapping[str, frozenset[bytes]]) -> None:
        for fact in self.over(lambda path, raw: facts_of(path, raw, self.config(path), words, also[path]), contents):
            self._merge(fact)

    def _read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(paths)
        contents, refused = read_all(self.tree, [path for path in wanted if path not in self.contents])
        self.contents.update(contents)
        self.unread.update(refused)
        return {path: self.contents[path] for path in wanted if path in self.contents}

    def _merge(self, fact: FileFacts) -> None:
        known = self.facts.get(fact.path)
        if known is None:
            self.facts[fact.path] = fact
            return
        have = {(fn.start, fn.variant) for fn in known.functions}
        more = [fn for fn in fact.functions if (fn.start, fn.variant) not in have]
        functions = tuple(sorted((*known.functions, *more), key=lambda fn: (fn.start, fn.variant)))
        missed = tuple(dict.fromkeys((*known.not_analysed, *fact.not_analysed)))
        self.facts[fact.path] = replace(known, functions=functions, not_analysed=missed)


def above(bodies: Bodies, names: Iterable[str], depth: int, structs: frozenset[str], everywhere: bool = True) -> None:
    """Read the callers of ``names`` over ``depth`` calls. What stands in a table of ``structs`` is called where that table is named.
    ``everywhere``: other files may define functions of the same names."""
    front = sorted(set(names))
    done: set[str] = set()
    if everywhere:
        bodies.mention(front)
    else:
        _mentioned(bodies, bodies.program(), front)
    for _ in range(depth):
        program = bodies.program()
        done.update(front)
        tables = [table for table in program.tables if table.type in structs and any(name in front for _, name in table.slots)]
        if tables:
            _named(bodies, tables)
            program = bodies.program()
        front = sorted(_callers(program, bodies.expanding(front), tables) - done)
        if not front:
            return
        _mentioned(bodies, program, front)


def _mentioned(bodies: Bodies, program: Program, names: Iterable[str]) -> None:
    private, public = _split(program, names)
    for path, statics in sorted(private.items()):
        bodies.mention(statics, [path])
    bodies.mention(public)


def below(bodies: Bodies, names: Iterable[str], depth: int, boring: Callable[[str], bool]) -> None:
    """Read the callees of ``names`` over ``depth`` calls. ``boring`` is true of names nobody wants to see the body of."""
    front = frozenset(names)
    done: set[str] = set()
    for _ in range(depth):
        program = bodies.program()
        done |= front
        called = {call for fn in program.functions if fn.name in front for call in _calls(fn)} - done
        called = {name for name in called if not boring(name)}
        bodies.define(called - {fn.name for fn in program.functions})
        front = frozenset(called)
        if not front:
            return


def walkers(bodies: Bodies, structs: frozenset[str]) -> None:
    """Read the functions that name a table of ``structs`` in which a function stands whose body is known."""
    program = bodies.program()
    tables = [table for table in program.tables if table.type in structs]
    _named(bodies, [table for table in tables if any(program.resolve(name, table.path) is not None for _, name in table.slots)])


def _named(bodies: Bodies, tables: Iterable[OpsTable]) -> None:
    """Read the functions that name one of the tables."""
    private: dict[str, set[str]] = {}
    public: set[str] = set()
    for table in tables:
        raw = bodies.contents.get(table.path, b"")
        line = raw[raw.rfind(b"\n", 0, table.pos) + 1 : table.pos]
        if table.owner or b"static" in line.split():
            private.setdefault(table.path, set()).add(table.owner or table.name)
        else:
            public.add(table.name)
    for path, names in sorted(private.items()):
        bodies.mention(names, [path])
    bodies.mention(public)


def _callers(program: Program, names: frozenset[str], tables: Sequence[OpsTable]) -> set[str]:
    """Functions that mention one of ``names``, or one of the tables."""
    wanted = names | {table.name for table in tables if not table.owner}
    owners = {table.owner for table in tables if table.owner}
    return owners | {fn.name for fn in program.functions if any(_mentions(instr, wanted) for block in fn.blocks for instr in block.instrs)}


def _mentions(item: object, names: frozenset[str]) -> bool:
    if isinstance(item, tuple):
        return any(_mentions(part, names) for part in item)
    return isinstance(item, str) and item in names


def _split(program: Program, names: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Names that only one file can call, by file, and the others."""
    private: dict[str, list[str]] = {}
    public: list[str] = []
    wanted = sorted(names)
    known: dict[str, list[Function]] = {name: [] for name in wanted}
    for fn in program.functions:
        if fn.name in known:
            known[fn.name].append(fn)
    for name in wanted:
        functions = known[name]
        if functions and all(fn.static and not fn.path.endswith(".h") for fn in functions):
            for path in sorted({fn.path for fn in functions}):
                private.setdefault(path, []).append(name)
        else:
            public.append(name)
    return private, public


def _calls(fn: Function) -> set[str]:
    return {instr[2] for block in fn.blocks for instr in block.instrs if instr[0] == "call"}
