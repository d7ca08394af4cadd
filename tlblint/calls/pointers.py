"""Calls through tables and function arguments: who hands a callback to whom.

The edge goes from the function that names the table, or hands the function over, to the callback. What walks in between calls it
through a pointer that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from tlblint.calls.program import Program
from tlblint.model.ir import Expr, Function, Instr, OpsTable


class Handing(msgspec.Struct, frozen=True):
    """Function ``caller`` makes ``callee`` (indices) be called. ``pos``: where; ``struct`` and ``slot`` say as what: a field
    of a table, or ("apply_to_page_range", "fn"); ``table``: the table's name, "" where there is none."""

    caller: int
    callee: int
    pos: int
    struct: str
    slot: str
    table: str


class Handings:
    """All of a program. ``slots``: the (struct or taking function, slot) pairs that are described; tables of other types are no concern."""

    def __init__(self, program: Program, slots: Iterable[tuple[str, str]]) -> None:
        self._program = program
        self._takers = frozenset(struct for struct, slot in slots if slot == "fn")
        self._structs = frozenset(struct for struct, slot in slots if slot != "fn")
        self._fields = {slot: struct for struct, slot in sorted(slots, reverse=True) if slot != "fn"}
        self._here: dict[tuple[str, str], list[OpsTable]] = {}
        self._anywhere: dict[str, list[OpsTable]] = {}
        self._local: dict[tuple[str, str], list[OpsTable]] = {}
        for table in program.tables:
            if table.type in self._structs:
                self._here.setdefault((table.path, table.name), []).append(table)
                if table.owner:
                    self._local.setdefault((table.path, table.owner), []).append(table)
                else:
                    self._anywhere.setdefault(table.name, []).append(table)

    def of(self, index: int) -> Iterator[Handing]:
        """What function ``index`` hands over, each callback and slot once, at the first call that does."""
        fn = self._program.functions[index]
        seen: dict[tuple[int, str, str, str], Handing] = {}
        for handing in self._all(index, fn):
            key = (handing.callee, handing.struct, handing.slot, handing.table)
            seen.setdefault(key, handing)
        yield from seen.values()

    def _all(self, index: int, fn: Function) -> Iterator[Handing]:
        local = {name for name, _ in fn.params} | {instr[1] for instr in _instrs(fn) if instr[0] == "decl"}
        mentions = [(rank, instr, path) for instr in _instrs(fn) for rank, path in _mentions(instr)]
        for _, instr, path in sorted(mentions, key=lambda item: item[0]):  # a call that takes the table says more than an assignment
            for table in self._tables(fn, path, path in local):
                yield from self._slots(index, table, instr[4] if instr[0] == "call" else instr[3])
        for table in self._owned(fn):
            yield from self._slots(index, table, table.pos)
        taking = {path: instr[4] for rank, instr, path in reversed(mentions) if not rank}
        for instr in _instrs(fn):
            yield from self._arguments(index, fn, instr, local)
            yield from self._assigned(index, fn, instr, local, taking)

    def _tables(self, fn: Function, name: str, local: bool) -> Iterable[OpsTable]:
        here = [table for table in self._here.get((fn.path, name), ()) if table.owner in ("", fn.name)]
        own = [table for table in here if table.owner]
        if own or local:
            return own
        return here or (self._anywhere.get(name, ()) if len({t.path for t in self._anywhere.get(name, ())}) == 1 else ())

    def _owned(self, fn: Function) -> Iterable[OpsTable]:
        """Tables local to the function: they are for a callee, also where nobody saw how they are handed on."""
        return self._local.get((fn.path, fn.name), ())

    def _slots(self, index: int, table: OpsTable, pos: int) -> Iterator[Handing]:
        for slot, name in table.slots:
            callee = self._program.resolve(name, table.path)
            if callee is not None:
                yield Handing(index, callee, pos, table.type, slot, table.name)

    def _arguments(self, index: int, fn: Function, instr: Instr, local: set[str]) -> Iterator[Handing]:
        """Functions among the arguments of a call."""
        if instr[0] != "call":
            return
        for arg in instr[3]:
            name = arg[1] if arg[0] in ("v", "&") else ""
            callee = self._program.resolve(name, fn.path) if name and name not in local else None
            if callee is not None:
                yield Handing(index, callee, instr[4], instr[2], "fn" if instr[2] in self._takers else "argument", "")

    def _assigned(self, index: int, fn: Function, instr: Instr, local: set[str], taking: Mapping[str, int]) -> Iterator[Handing]:
        """``ops.pte_entry = f``: a slot that is filled by code; ``taking``: where an object is handed to a call."""
        if instr[0] != "set" or instr[2][0] not in ("v", "&") or instr[2][1] in local:
            return
        base, _, slot = instr[1].replace("->", ".").rpartition(".")
        struct = self._fields.get(slot) if base else None
        callee = self._program.resolve(instr[2][1], fn.path) if struct is not None else None
        if struct is not None and callee is not None:
            yield Handing(index, callee, taking.get(base, instr[3]), struct, slot, base)


def _mentions(instr: Instr) -> Iterator[tuple[int, str]]:
    """Addresses of objects in an instruction: (0 for a call, 1 for an assignment; lvalue path)."""
    if instr[0] == "call":
        yield from ((0, path) for arg in instr[3] for path in _addresses(arg))
    elif instr[0] == "set":
        yield from ((1, path) for path in _addresses(instr[2]))


def _addresses(expr: Expr) -> Iterator[str]:
    if expr[0] == "&":
        yield expr[1]
    for part in expr[1:]:
        if isinstance(part, tuple):
            yield from _addresses(part)


def _instrs(fn: Function) -> Iterator[Instr]:
    return (instr for block in fn.blocks for instr in block.instrs)


def by_slot(program: Program, structs: Iterable[str]) -> Mapping[str, int]:
    """How many functions stand in each slot of the tables of ``structs``: a call through that field means one of them."""
    wanted = frozenset(structs)
    found: dict[str, set[tuple[str, str]]] = {}
    for table in program.tables:
        if table.type in wanted:
            for slot, name in table.slots:
                found.setdefault(slot, set()).add((table.path, name))
    return {slot: len(names) for slot, names in found.items()}
