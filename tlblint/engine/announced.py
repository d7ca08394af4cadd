"""Flags of which a function is asked whether a flush is due, and functions that take one back behind the flush that it stands for.

Like what is known of members this is a set of words of each function: "asks:NAME", "late:NAME".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from tlblint.calls.program import Program
from tlblint.model.ir import Block, Expr, Function, Instr
from tlblint.model.roles import Role

Resolver = Callable[[str, int], Role | None]
Words = frozenset[str]

FLUSHES = frozenset({"flush.now", "flush.gather", "flush.local", "unmap.flush"})
LATE = frozenset({"late"})


class Announced:
    """Which flags are asked for by one function before a flush and cleared by another one after its own. ``words[i]`` is told() of function i."""

    def __init__(self, program: Program, words: Sequence[Words]) -> None:
        late: dict[str, set[tuple[str, str]]] = {}
        asks: dict[str, set[tuple[str, str]]] = {}
        for fn, said in zip(program.functions, words, strict=True):
            for word in said:
                kind, _, name = word.partition(":")
                if kind in ("late", "asks"):
                    (late if kind == "late" else asks).setdefault(name, set()).add((fn.path, fn.name))
        self.late = {name: frozenset(places) for name in late if (places := {place for place in late[name] if asks.get(name, set()) - {place}})}
        """By flag the functions (file, name) that take it back too late."""
        self.flags = frozenset(f"late {function}:{name}" for name, places in self.late.items() for _, function in places)
        """The same as one set."""


def told(fn: Function, roles: Resolver, flag: Callable[[str], bool]) -> Words:
    """The flags that ``fn`` asks for with a flush behind that, and those that it clears with one before and none behind. ``flag``: whether
    what is at a path is called and placed like one."""
    reads: list[tuple[int, int, str]] = []
    clears: list[tuple[int, int, str]] = []
    flushes: list[tuple[int, int]] = []
    for at, block in enumerate(fn.blocks):
        for rank, instr in enumerate(block.instrs):
            for kind, path in _effects(instr, roles):
                if kind in FLUSHES:
                    flushes.append((at, rank))
                elif flag(path):
                    (clears if kind == "flag.clear" else reads).append((at, rank, name_of(path)))
        reads += [(at, len(block.instrs), name_of(path)) for path in _asked(block) if flag(path)]
    if not flushes or not (reads or clears):
        return frozenset()
    asks = {f"asks:{name}" for at, rank, name in reads if _reaches(fn, (at, rank), flushes)}
    late = {f"late:{name}" for at, rank, name in clears
            if any(_reaches(fn, flush, [(at, rank)]) for flush in flushes) and not _reaches(fn, (at, rank), flushes)}  # fmt: skip
    return frozenset(asks | late)


def shared(path: str, fn: Function) -> bool:
    """Whether ``path`` is that of a global variable, or in one: everybody's, as far as the function shows."""
    base = re.split(r"->|\.|\[", path.lstrip("*"))[0]
    own = {name for name, _ in fn.params}
    return base not in own and base != "current" and not any(
        instr[0] in ("set", "decl", "havoc") and instr[1] == base for block in fn.blocks for instr in block.instrs)  # fmt: skip


def name_of(path: str) -> str:
    """What a flag goes by in all functions: a member that is reached through a pointer without that, a global variable with all its path."""
    return path.rpartition("->")[2]


def _effects(instr: Instr, roles: Resolver) -> Iterable[tuple[str, str]]:
    """(kind, path of the flag if it is about one) of what an instruction does."""
    if instr[0] == "set" and instr[2] == ("n", 0):
        yield "flag.clear", instr[1]
    role = roles(instr[2], len(instr[3])) if instr[0] == "call" else None
    for effect in role.effects if role is not None else ():
        if effect.kind in FLUSHES:
            yield effect.kind, ""
        elif effect.kind in ("flag.read", "flag.clear") and "locked" not in effect.attrs:
            how = dict(effect.bind)["flag"]
            if how.isdigit() and int(how) < len(instr[3]) and instr[3][int(how)][0] in ("v", "&"):
                yield effect.kind, instr[3][int(how)][1]


def _asked(block: Block) -> Iterable[str]:
    work: list[Expr] = [block.cond] if block.kind == "branch" and block.cond is not None else []
    while work:
        expr = work.pop()
        if expr[0] == "v":
            yield expr[1]
        else:
            work += [part for part in expr[1:] if isinstance(part, tuple)]


def _reaches(fn: Function, start: tuple[int, int], places: Iterable[tuple[int, int]]) -> bool:
    """Whether control can come from ``start`` to one of ``places``, each a block and the rank of an instruction in it."""
    wanted = set(places)
    if any(at == start[0] and rank > start[1] for at, rank in wanted):
        return True
    blocks = {at for at, _ in wanted}
    seen: set[int] = set()
    work = list(fn.blocks[start[0]].succs)
    while work:
        at = work.pop()
        if at in blocks:
            return True
        if at not in seen:
            seen.add(at)
            work += fn.blocks[at].succs
    return False
