"""Members that decisions about flushes read and that nothing initialises: of a gather, and generations whose siblings are.

All that is known of a function here is a set of words, "set:STRUCT.MEMBER" and so on, so that it can be remembered with the function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from tlblint.calls.program import Program, arch_of
from tlblint.model.ir import Block, Expr, Function
from tlblint.model.roles import Role

Resolver = Callable[[str, int], Role | None]
Words = frozenset[str]
Mark = tuple[str, dict[str, Expr], frozenset[str], int]

_GATHER = "mmu_gather"
_GENERATION = re.compile(r"(?:^|_)gen(?:eration)?(?:_|$)")
_PATH = re.compile(r"(?P<base>.*?)(?:->|\.)(?P<member>\w+)")
_TYPE = re.compile(r"(?:const )?struct (\w+)(?: \*)?$")
_NAMED = (("mm", "mm_struct"), ("vma", "vm_area_struct"))
"""How variables are called whose type is not in sight."""
_STORE = re.compile(r"(?:arch_)?atomic(?:64|_long)?_set(?:_release)?$")
LEFT_OUT = frozenset({"left-out"})


class Members:
    """Which members are read without being set, and where that is to be said. ``words[i]`` is told() of function i."""

    def __init__(self, program: Program, words: Sequence[Words], roles: Resolver) -> None:
        self.sites: dict[tuple[str, str], dict[str, bool]] = {}
        """(file, function) -> member -> whether it is left out there, else it is read."""
        self._functions, self._words, self._roles = program.functions, words, roles
        self._named: dict[str, list[int]] = {}
        self._speaking = [(index, said) for index, said in enumerate(words) if said]
        for index, _ in self._speaking:
            self._named.setdefault(self._functions[index].name, []).append(index)
        if self._named:
            self._gathers()
            self._generations()
        self.flags = frozenset(f"unset:{name}:{member}" for (_, name), members in self.sites.items() for member in members)
        """The same as one set."""

    def _gathers(self) -> None:
        ways = [self._closed(self._named[name]) for name in {self._functions[index].name for index in self._definitions("gather.begin")}]
        if not ways:
            return
        if any(self._resets_unseen(index) for way in ways for index in way):
            return  # a part of a tree: what it lacks may set anything
        begins = set.intersection(*ways)
        known = set.intersection(*(self._all("set:", way) for way in ways))
        told = self._all("set:", self._closed(self._definitions("gather.vma")))
        places: dict[str, list[int]] = {}
        for index, words in self._speaking:
            for member in _with("read:" + _GATHER, words) if index not in begins else ():
                kinds = self._kinds(index)
                if member not in known and "section.close" not in kinds and (member not in told or "flush.gather" in kinds):
                    places.setdefault(member, []).append(index)
        for member, found in places.items():
            self._say(member, found, left_out=False)

    def _generations(self) -> None:
        begun: dict[str, set[str]] = {}
        used: dict[str, set[str]] = {}
        first: dict[str, list[int]] = {}
        for index, words in self._speaking:
            starts = {owner for owner, member in _split("start:", words)}
            uses = {owner for owner, member in _split("use:", words)}
            for owner, member in (*_split("start:", words), *_split("store:", words)):
                begun.setdefault(owner, set()).add(member)
            for owner, member in _split("use:", words):
                used.setdefault(owner, set()).add(member)
            for owner in starts - uses:
                first.setdefault(owner, []).append(index)
        for owner, found in first.items():
            for member in sorted(used.get(owner, set()) - begun[owner]):
                self._say(member, found, left_out=True)

    def _say(self, member: str, places: Iterable[int], *, left_out: bool) -> None:
        """At one place: in generic code if there is one, else the first."""
        functions = self._functions
        index = min(places, key=lambda i: (functions[i].variant, bool(arch_of(functions[i].path)), functions[i].path, functions[i].start))
        self.sites.setdefault((functions[index].path, functions[index].name), {})[member] = left_out

    def _kinds(self, index: int) -> set[str]:
        fn = self._functions[index]
        role = self._roles(fn.name, len(fn.params))
        return {effect.kind for effect in role.effects} if role is not None else set()

    def _definitions(self, kind: str) -> list[int]:
        """API functions with an effect of ``kind`` that have words."""
        return [index for index, _ in self._speaking if kind in self._kinds(index)]

    def _closed(self, work: Iterable[int]) -> set[int]:
        """Functions with all that they call and that has words."""
        left, out = list(work), set[int]()
        while left:
            index = left.pop()
            if index not in out:
                out.add(index)
                called = {instr[2] for block in self._functions[index].blocks for instr in block.instrs if instr[0] == "call"}
                left += [other for name in called for other in self._named.get(name, ())]
        return out

    def _resets_unseen(self, index: int) -> bool:
        """Whether the function has a gather reset by one that is not among what is read."""
        calls = [instr for block in self._functions[index].blocks for instr in block.instrs if instr[0] == "call" and instr[2] not in self._named]
        roles = [role for call in calls if (role := self._roles(call[2], len(call[3]))) is not None]
        return any(effect.kind == "gather.reset" for role in roles for effect in role.effects)

    def _all(self, word: str, indexes: Iterable[int]) -> set[str]:
        return {member for index in indexes for member in _with(word + _GATHER, self._words[index])}


def marks(fn: Function, site: Mapping[str, bool]) -> Iterable[tuple[int, Mark]]:
    """(block, event) for each member that ``fn`` is the first to read, or leaves out when it sets the others: one of Members.sites."""
    for member, left_out in site.items():
        places = _stores(fn) if left_out else ((at, path, pos) for at, path, pos in _reads(fn) if _last(path) == member)
        place = next(iter(places), None)
        if place is not None:
            at, path, pos = place
            name = path[: -len(_last(path))] + member
            yield at, ("member.unset", {"member": ("v", name)}, LEFT_OUT if left_out else frozenset(), pos)


def told(fn: Function) -> Words:
    """What a function does to members of gathers, and to generations: "set:", "read:"; "start:" with a constant, "store:", "use:"."""
    types = _types(fn)
    out: set[str] = set()
    if _GATHER in types.values():
        out.add(_GATHER)
        for path in _stored(fn):
            out |= _words("set:", path, types, _GATHER)
        for path in _unset_reads(fn):
            out |= _words("read:", path, types, _GATHER)
    if _speaks_of_generations(fn):
        for _, path, _ in _stores(fn):
            out |= _words("start:", path, types)
        for path in _stored(fn):
            out |= _words("store:", path, types) if _GENERATION.search(_last(path)) else set()
        for _, path, _ in _reads(fn):
            out |= _words("use:", path, types) if _GENERATION.search(_last(path)) else set()
    return frozenset(out)


def _speaks_of_generations(fn: Function) -> bool:
    """Whether an instruction mentions a path on its surface that may be one."""
    for block in fn.blocks:
        for instr in block.instrs:
            if instr[0] == "call" or instr[0] == "icall":
                for arg in instr[3]:
                    if (arg[0] == "v" or arg[0] == "&") and "gen" in arg[1]:
                        return True
            elif instr[0] == "set" and ("gen" in instr[1] or (instr[2][0] in ("v", "&") and "gen" in instr[2][1])):
                return True
    return False


def _words(word: str, path: str, types: Mapping[str, str], only: str = "") -> set[str]:
    found = _PATH.fullmatch(path)
    if not word or found is None:
        return set()
    owner = _owner(found["base"], types)
    return {f"{word}{owner}.{found['member']}"} if owner and only in ("", owner) else set()


def _owner(base: str, types: Mapping[str, str]) -> str:
    """The structure that ``base`` is, or points to: by its type, else by its name."""
    if base in types:
        return types[base]
    last = _last(base)
    return next((struct for name, struct in _NAMED if last.endswith(name)), last if last != base else "")


def _types(fn: Function) -> dict[str, str]:
    local = [(instr[1], instr[2]) for block in fn.blocks for instr in block.instrs if instr[0] == "decl"]
    return {name: found[1] for name, type_ in (*fn.params, *local) if (found := _TYPE.match(type_))}


def _stores(fn: Function) -> Iterable[tuple[int, str, int]]:
    """(block, path, position) of each member that is set to a constant, generations only."""
    for at, block in enumerate(fn.blocks):
        for instr in block.instrs:
            path, value = _store(instr)
            if path and value[0] in ("n", "k") and _GENERATION.search(_last(path)):
                yield at, path, instr[-1]


def _stored(fn: Function) -> Iterable[str]:
    return (path for block in fn.blocks for instr in block.instrs if (path := _store(instr)[0]))


def _store(instr: tuple) -> tuple[str, Expr]:  # type: ignore[type-arg]
    """The member that an instruction sets, and the value."""
    if instr[0] == "set" and _PATH.fullmatch(instr[1]):
        return instr[1], instr[2]
    if instr[0] == "call" and len(instr[3]) == 2 and instr[3][0][0] in "v&" and _STORE.match(instr[2]) and _PATH.fullmatch(instr[3][0][1]):
        return instr[3][0][1], instr[3][1]
    return "", ("?",)


def _reads(fn: Function, tags: tuple[str, ...] = ("v", "&")) -> Iterable[tuple[int, str, int]]:
    """(block, path, position) of each member that is read, or whose address is handed on."""
    for at, block in enumerate(fn.blocks):
        for expr, pos in _asked(block):
            for path in _paths(expr, tags):
                if _PATH.fullmatch(path):
                    yield at, path, pos


def _unset_reads(fn: Function) -> set[str]:
    """Members that are read where not every way from the function's entry has set them."""
    reads = {path for _, path, _ in _reads(fn, ("v",))}
    stored = reads.intersection(_stored(fn))
    if not stored:
        return reads
    before: list[set[str] | None] = [set(), *(None for _ in fn.blocks[1:])]
    work = [0]
    out: set[str] = set()
    while work:
        at = work.pop()
        now = set(before[at] or ())
        for instr in fn.blocks[at].instrs:
            exprs = (instr[2],) if instr[0] == "set" else instr[3] if instr[0] in ("call", "icall") and not _store(instr)[0] else ()
            out.update(path for expr in exprs for path in _paths(expr, ("v",)) if path in stored and path not in now)
            now.add(_store(instr)[0])
        cond = fn.blocks[at].cond
        if cond is not None:
            out.update(path for path in _paths(cond, ("v",)) if path in stored and path not in now)
        for to in fn.blocks[at].succs:
            held = before[to]
            both = now if held is None else held & now
            if both != held:
                before[to] = set(both)
                work.append(to)
    return (reads - stored) | out


def _asked(block: Block) -> Iterable[tuple[Expr, int]]:
    for instr in block.instrs:
        if instr[0] == "set":
            yield instr[2], instr[3]
        elif instr[0] in ("call", "icall") and not _store(instr)[0]:
            yield from ((arg, instr[4]) for arg in instr[3])
    if block.cond is not None:
        yield block.cond, block.pos


def _paths(expr: Expr, tags: tuple[str, ...]) -> Iterable[str]:
    if expr[0] in tags:
        yield expr[1]
    elif expr[0] not in ("v", "&"):
        for part in expr[1:]:
            if isinstance(part, tuple):
                yield from _paths(part, tags)


def _with(word: str, words: Words) -> Iterable[str]:
    return (found[len(word) + 1 :] for found in sorted(words) if found.startswith(word + "."))


def _split(word: str, words: Words) -> list[tuple[str, str]]:
    """(structure, member) of each of the words that start with ``word``."""
    return [(owner, member) for found in sorted(words) if found.startswith(word) for owner, _, member in (found[len(word) :].rpartition("."),)]


def _last(path: str) -> str:
    return re.split(r"->|\.", path)[-1]
