"""Events that stand in no call of their own: flags that announce a flush, fields of a gather, ranges kept by hand, parameters that nobody reads.

A flag belongs to an address space if its path goes through an mm or a vma: other CPUs set it, too. Only flags that somebody in the program
takes back are followed. In the definition of an API function that stands for such a flag all fields are followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tlblint.engine import announced, members
from tlblint.model.ir import Block, Expr, Function, Instr
from tlblint.model.roles import Role

Resolver = Callable[[str, int], Role | None]
Mark = tuple[str, dict[str, Expr], frozenset[str], int]
"""(event kind, objects, attributes, byte offset)"""

_SPACE = re.compile(r"(?:^|->|\.|_)(?:\w*mm|vma)$")
_SPACES = ("struct mm_struct *", "struct vm_area_struct *")
_GATHER_FIELD = re.compile(r"(?P<tlb>.*?)(?P<arrow>->|\.)(?P<field>start|end|freed_tables|cleared_\w+|fullmm|need_flush_all)$")
_FIELDS = ("start", "end", "freed_tables", "fullmm", "need_flush_all")
_GATHER = re.compile(r"(?:^|->|\.)tlb$")
_GENERATION = re.compile(r"(?:^|_)gen(?:eration)?(?:$|_)|^(?:start|end)$")
_NONE: frozenset[str] = frozenset()
FLUSHY = re.compile(r"(?i)flush|tlb|pending|batch|inval|stale|shoot|defer|(?:^|_)gen(?:_|$)")
"""How flags are called that stand for a flush: an address space has many others, which flushes happen between, too."""
_RANGE = frozenset({"range"})
"""Of a store that says where to flush, and nothing of what."""
_OWN = frozenset({"own"})
_FLUSHED = frozenset({"flushed"})
NUMBERS, IGNORES = "numbers", "ignores:"


class Heard(NamedTuple):
    """What the functions of a program say together. ``cleared``: flags that somebody takes back; ``kept``: "name/operand" of ranges that somebody
    widens; ``ignored``: by (file, start) the parameters that no variant of a function reads before it overwrites them; ``unset``: see
    Members.sites, ``late``: see Announced.late; ``defining``: (file, name) of API functions that are judged by what they are for, and of their
    parts."""

    cleared: frozenset[str]
    kept: frozenset[str]
    ignored: Mapping[tuple[str, int], frozenset[str]]
    unset: Mapping[tuple[str, str], Mapping[str, bool]]
    late: Mapping[str, frozenset[tuple[str, str]]]
    defining: frozenset[tuple[str, str]]


class Marks:
    """What each function of a program says without a call, given what all of them say."""

    def __init__(self, roles: Resolver, heard: Heard) -> None:
        self._roles = roles
        self._known: dict[tuple[str, int], frozenset[str]] = {}
        """The kinds of effects by (name, number of arguments)."""
        self._cleared, self._kept, self._ignored, self._unset, self._late, self._defining = heard
        self._places = frozenset(place for places in heard.late.values() for place in places)

    def is_special(self, fn: Function) -> bool:
        """Whether the events of a function are those of no other one with its text."""
        place = (fn.path, fn.name)
        return (fn.path, fn.start) in self._ignored or place in self._defining or place in self._unset or place in self._places

    def clears_late(self, fn: Function) -> bool:
        """Whether ``fn`` takes back a flag behind the flush that it stands for."""
        return (fn.path, fn.name) in self._places

    def _effects(self, name: str, nargs: int) -> frozenset[str]:
        known = self._known.get((name, nargs))
        if known is None:
            role = self._roles(name, nargs)
            known = self._known[name, nargs] = frozenset(effect.kind for effect in role.effects) if role is not None else _NONE
        return known

    def followed(self, path: str, fn: Function, bit: Expr | None = None) -> frozenset[str] | None:
        """The attributes of events about a flag at ``path``, or a ``bit`` of it; None if it is none that is followed."""
        if self._late and (fn.path, fn.name) in self._late.get(announced.name_of(path), ()):
            return announced.LATE
        if bit is not None and bit[0] == "k" and not FLUSHY.search(bit[1]) and not self.is_definition(fn):
            return None
        if of_space(path, fn):
            return _NONE if last(path) in self._cleared or self.is_definition(fn) else None
        return _OWN if "->" in path and self.is_definition(fn) else None

    def is_definition(self, fn: Function) -> bool:
        """Whether ``fn`` is an API function that is to be judged by what it is for, or a part of one."""
        return (fn.path, fn.name) in self._defining

    def kept(self, binds: Iterable[tuple[str, Expr]], fn: Function) -> bool:
        """Whether a flush is given a range that code widens by hand."""
        return any(what in ("addr", "end") and expr[0] == "v" and f"{kept_name(expr[1], fn)}/{what}" in self._kept for what, expr in binds)

    def _flushed(self, instr: Instr) -> Iterable[list[tuple[str, Expr]]]:
        """What a call flushes at once, by operand."""
        role = self._roles(instr[2], len(instr[3])) if "flush.now" in self._effects(instr[2], len(instr[3])) else None
        for effect in role.effects if role is not None else ():
            if effect.kind == "flush.now":
                yield [(what, instr[3][int(how)]) for what, how in effect.bind if how.isdigit()]

    def after(self, instr: Instr, fn: Function) -> list[Mark]:
        """What an assignment says."""
        if instr[0] != "set":
            return []
        _, path, expr, pos = instr
        out: list[Mark] = []
        for read in reads(expr):
            out += self._read(read, fn, pos)
        if path.isidentifier() and not self._late:
            return out
        if path[-1] == "]" and expr[0] in "tv":
            out.append(("value.kept", {"value": expr}, _NONE, pos))
        own = self.followed(path, fn)
        if own is not None and expr[0] == "n":
            out.append(("flag.raise" if expr[1] else "flag.clear", {"flag": ("v", path)}, own, pos))
        if (tlb := gather(path, fn)) is not None and expr != ("n", 0):
            out.append(("gather.mark", {"tlb": tlb}, _RANGE if last(path) in ("start", "end") else _NONE, pos))
        return out

    def at_end(self, block: Block, fn: Function) -> list[Mark]:
        """What a condition asks."""
        out: list[Mark] = []
        if block.kind == "branch" and block.cond is not None:
            for read in reads(block.cond):
                out += self._read(read, fn, block.pos)
        return out

    def _read(self, path: str, fn: Function, pos: int) -> list[Mark]:
        if path.isidentifier() and not self._late:
            return []  # a variable is no flag of an address space, nor a part of a gather
        own = self.followed(path, fn)
        tlb = gather(path, fn)
        out: list[Mark] = [("flag.read", {"flag": ("v", path)}, own, pos)] if own is not None else []
        return [*out, ("gather.read", {"tlb": tlb}, _NONE, pos)] if tlb is not None and not path.endswith("fullmm") else out

    def standing(self, fn: Function) -> dict[int, list[Mark]]:
        """By block what a function leaves undone."""
        out = self.lost(fn)
        for at, mark in members.marks(fn, self._unset.get((fn.path, fn.name), {})):
            out.setdefault(at, []).append(mark)
        return out

    def lost(self, fn: Function) -> dict[int, list[Mark]]:
        """By block: parameters that are overwritten although nobody has read them. A part of a function that was made one of its own takes all
        variables with it, so of static functions only those count that say what to flush."""
        out: dict[int, list[Mark]] = {}
        for name in self._ignored.get((fn.path, fn.start), ()) if not fn.variant else ():
            attrs = _FLUSHED if "flush" in fn.name and _GENERATION.search(name) else _NONE
            if attrs is _NONE and fn.static:
                continue
            for number, pos in _first_stores(fn, name):
                out.setdefault(number, []).append(("argument.lost", {"argument": ("v", name)}, attrs, pos))
        return out

    def kinds(self, fn: Function, clears: bool) -> Iterable[str]:
        """All events of a function. ``clears``: it takes a flag back by a call."""
        if clears or self.clears_late(fn):
            yield "flag.clear"
        for block in fn.blocks:
            for instr in block.instrs:
                if instr[0] == "set":
                    for mark in self.after(instr, fn):
                        yield mark[0]
            for mark in self.at_end(block, fn):
                yield mark[0]
        flushes = [binds for block in fn.blocks for instr in block.instrs if instr[0] == "call" for binds in self._flushed(instr)]
        if len(flushes) > 1:
            yield "flush.twice"
        if any(self.kept(binds, fn) for binds in flushes):
            yield "flush.kept"
        for marks in self.standing(fn).values():
            yield from (mark[0] for mark in marks)


def of_space(path: str, fn: Function) -> bool:
    """Whether what is at a path belongs to an address space."""
    base, arrow, _ = path.rpartition("->")
    return bool(arrow) and ((base.endswith(("mm", "vma")) and bool(_SPACE.search(base))) or any(name == base and type_ in _SPACES for name, type_ in fn.params))


def last(path: str) -> str:
    """The member that a path names, or the variable."""
    return re.split(r"->|\.", path)[-1]


def kept_name(path: str, fn: Function) -> str:
    """What a range that is kept by hand goes by in all functions."""
    return last(path) if "->" in path or "." in path else f"{fn.path}:{fn.name}:{path}"


def gather(path: str, fn: Function) -> Expr | None:
    """The gather whose range or levels ``path`` holds."""
    if not path.endswith(_FIELDS) and "cleared_" not in path:
        return None
    found = _GATHER_FIELD.fullmatch(path)
    if found is None:
        return None
    tlb = found["tlb"]
    if not _GATHER.search(tlb) and not any(name == tlb and type_ == "struct mmu_gather *" for name, type_ in fn.params):
        return None
    return ("v", tlb) if found["arrow"] == "->" else ("&", tlb)


def reads(expr: Expr) -> tuple[str, ...]:
    """The paths that an expression reads to be told apart by their value."""
    if expr[0] == "v":
        return (expr[1],)
    if expr[0] == "op":
        return reads(expr[2]) + reads(expr[3])
    return reads(expr[1]) if expr[0] in ("!", "~", "-") else ()


def is_live(fn: Function, name: str) -> bool:
    """Whether some path reads the parameter before it is assigned."""
    return any(pos < 0 for _, pos in _first_stores(fn, name))


def _first_stores(fn: Function, name: str) -> Iterable[tuple[int, int]]:
    """(block, position) of the assignments of a parameter that paths come to first; the position is -1 where it is read before that."""
    seen, work = {0}, [0]
    while work:
        at = work.pop()
        block = fn.blocks[at]
        for instr in block.instrs:
            if any(_names(expr, name) for expr in _operands(instr)):
                yield at, -1
            if instr[0] in ("set", "havoc", "decl") and instr[1] == name:
                if instr[0] != "decl":  # that is another object of the same name
                    yield at, instr[-1]
                break
        else:
            if block.cond is not None and _names(block.cond, name):
                yield at, -1
            work.extend(new := [succ for succ in block.succs if succ not in seen])
            seen.update(new)


def _operands(instr: Instr) -> Iterable[Expr]:
    if instr[0] == "set":
        return (instr[2],)
    return instr[3] if instr[0] in ("call", "icall") else ()


def _names(expr: Expr, name: str) -> bool:
    """Whether an expression could read ``name``; one that is not understood could."""
    if expr[0] in ("v", "&"):
        path = expr[1]
        end = len(name) + (path[:1] == "*")
        return bool(path[end - len(name) : end] == name and not (path[end : end + 1].isalnum() or path[end : end + 1] == "_"))
    return expr[0] == "?" or any(_names(part, name) for part in expr[1:] if isinstance(part, tuple))
