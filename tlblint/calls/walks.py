"""Walks over page tables as functions: what ``walk_page_range(mm, start, end, &ops, private)`` calls, in C's own order.

A table of callbacks becomes one function with the parameters ``mm``, ``vma``, ``private`` and a body that opens the vma, calls
each callback any number of times, and closes the vma; a call that hands a function over becomes the same with one callback.
So a walk is analysed like any other call, and what a callback finds in ``walk->private`` is what the walk was given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from tlblint.calls.program import Program
from tlblint.model.ir import Block, Expr, Function, Instr, OpsTable
from tlblint.model.roles import Effect, Role

WALK = "walk"
"""The name by which a callback's descriptor goes inside a walk."""
PARAMS = (("mm", "struct mm_struct *"), ("vma", "struct vm_area_struct *"), ("private", "void *"))
KERNEL = "(&init_mm)"
"""Behind the name of a walk over the kernel's own tables."""
_UNKNOWN: Expr = ("?",)

Slots = Mapping[tuple[str, str], Mapping[str, str]]
"""(struct, slot) -> which argument of the callback is what, by operand: {"pte": "0", "mm": "3.mm"}."""


class Walk(msgspec.Struct, frozen=True):
    """A walk made into a function. ``slots`` maps the temp of a call inside to the (struct, slot) it goes through."""

    function: Function
    slots: Mapping[int, tuple[str, str]]


Filled = tuple[str, str, int, str, str]
"""A callback that a function puts into a table of its own: (table, struct, where it is declared, slot, callback)."""

Asked = tuple[Sequence[Filled], Sequence[Instr]]
"""What a function has to do with walks: assigned() and handing() of it."""


class Walks:
    """All walks of a program: those of its tables, and those of calls that are given a function. ``asked``: what the functions of the program are known to
    have to do with walks, by index."""

    def __init__(self, program: Program, slots: Slots, roles: Callable[[str, int], Role | None], asked: Sequence[Asked] | None = None) -> None:
        self._program = program
        self._slots = slots
        self._roles = roles
        self._effects: dict[tuple[str, int], Effect | None] = {}
        if asked is None:
            asked = [(assigned(fn, slots), handing(fn, self.effect)) for fn in program.functions]
        self._by_table: dict[tuple[str, str, str], int] = {}
        self._by_name: dict[tuple[str, str], list[int]] = {}
        self._handed: dict[tuple[str, int], int] = {}
        self.entries: dict[int, Mapping[int, tuple[str, str]]] = {}
        for table in self._tables([(index, filled) for index, (filled, _) in enumerate(asked) if filled]):
            index = self._add(table)
            if index is not None:
                self._by_table[(table.path, table.owner, table.name)] = index
                self._by_name.setdefault((table.type, table.name), []).append(index)
        for index, (_, calls) in enumerate(asked):
            for instr in calls:
                self._hand_over(instr, program.functions[index])

    def _tables(self, filled: Sequence[tuple[int, Sequence[Filled]]]) -> list[OpsTable]:
        """The tables of the program, with the callbacks that functions put into one of their own by assignment."""
        tables = {(table.path, table.owner, table.name): table for table in self._program.tables}
        for index, places in filled:
            fn = self._program.functions[index]
            for name, struct, pos, slot, value in places:
                place = (fn.path, fn.name, name)
                table = tables.get(place) or OpsTable(fn.path, name, struct, (), fn.name, pos)
                if (slot, value) not in table.slots:
                    tables[place] = OpsTable(table.path, table.name, table.type, (*table.slots, (slot, value)), table.owner, table.pos)
        return list(tables.values())

    def effect(self, instr: Instr) -> Effect | None:
        """The effect of a call that starts a walk, or None."""
        key = (instr[2], len(instr[3]))
        try:
            return self._effects[key]
        except KeyError:
            role = self._roles(*key)
            found = self._effects[key] = next((item for item in role.effects if item.kind == "walk.range"), None) if role is not None else None
            return found

    def target(self, instr: Instr, fn: Function) -> int | None:
        """The walk that a call in ``fn`` starts, or None when it starts none or one that is not known."""
        effect = self.effect(instr)
        if effect is None:
            return None
        ops = instr[3][int(dict(effect.bind)["ops"])]
        if ops[0] not in "&v":
            return None
        if "fn" in effect.attrs:
            target = self._program.resolve(ops[1], fn.path)
            return self._handed.get((_walker(instr), target)) if target is not None else None
        for owner in (fn.name, ""):
            if (fn.path, owner, ops[1]) in self._by_table:
                return self._by_table[(fn.path, owner, ops[1])]
        found = [i for (_, name), indexes in self._by_name.items() if name == ops[1] for i in indexes]
        return found[0] if len(found) == 1 else None

    def arguments(self, instr: Instr) -> tuple[Expr, ...]:
        """What a walk's three parameters get from the call that starts it."""
        effect = self.effect(instr)
        bind = dict(effect.bind) if effect is not None else {}
        args = {name: instr[3][int(bind[name])] for name in ("mm", "vma", "private") if bind.get(name, "x").isdigit()}
        if effect is not None and "rmap" in effect.attrs and instr[3][int(bind["ops"])][0] == "&":
            args["private"] = ("v", instr[3][int(bind["ops"])][1] + ".arg")
        return tuple(args.get(name, _UNKNOWN) for name, _ in PARAMS)

    def _hand_over(self, instr: Instr, fn: Function) -> None:
        """``apply_to_page_range(mm, addr, size, fn, data)``."""
        effect = self.effect(instr)
        if effect is None:
            return
        ops = instr[3][int(dict(effect.bind)["ops"])]
        target = self._program.resolve(ops[1], fn.path) if ops[0] in "&v" else None
        walker = _walker(instr)
        if target is None or (walker, target) in self._handed:
            return
        callback = self._program.functions[target]
        index = self._add(OpsTable(callback.path, f"{instr[2]}({callback.name})", walker, (("fn", callback.name),), "", callback.start))
        if index is not None:
            self._handed[(walker, target)] = index

    def _add(self, table: OpsTable) -> int | None:
        calls = [(slot, name) for slot, name in table.slots if (table.type, slot) in self._slots and self._program.resolve(name, table.path) is not None]
        if not calls:
            return None
        body = _Body(self._program, table, self._slots)
        index = self._program.add(body.function(calls))
        self.entries[index] = body.entries
        return index


def assigned(fn: Function, slots: Collection[tuple[str, str]]) -> list[Filled]:
    """What a function puts into tables of its own, of a type that has ``slots``."""
    known = {struct for struct, _ in slots}
    types: dict[str, tuple[str, int]] = {}
    out = []
    for block in fn.blocks:
        for instr in block.instrs:
            if instr[0] == "decl" and (struct := struct_of(instr[2])) in known:
                types[instr[1]] = (struct, instr[3])
            elif instr[0] == "set" and instr[2][0] == "v":
                name, _, slot = instr[1].partition(".")
                if name in types and (types[name][0], slot) in slots:
                    out.append((name, *types[name], slot, instr[2][1]))
    return out


def struct_of(type_: str) -> str:
    """The name of a structure in its type."""
    return type_.removeprefix("const ").removeprefix("struct ")


def handing(fn: Function, effect: Callable[[Instr], Effect | None]) -> list[Instr]:
    """The calls in a function that are given another one. ``effect``: that of a call that starts a walk."""
    calls = [instr for block in fn.blocks for instr in block.instrs if instr[0] == "call"]
    return [instr for instr in calls if (found := effect(instr)) is not None and "fn" in found.attrs]


def _walker(instr: Instr) -> str:
    """Under what struct the slot of a callback that is handed over stands: the name of what walks, for the kernel's own tables another one."""
    return instr[2] + KERNEL if ("&", "init_mm") in instr[3] else str(instr[2])


class _Body:
    """The body of one walk, block by block."""

    def __init__(self, program: Program, table: OpsTable, slots: Slots) -> None:
        self._program = program
        self._table = table
        self._slots = slots
        self.entries: dict[int, tuple[str, str]] = {}

    def function(self, calls: Sequence[tuple[str, str]]) -> Function:
        """0 sets up the descriptor, 1 takes the next vma or ends; a failing pre_vma ends the walk, and post_vma leads back to 1."""
        pos = self._table.pos
        opening = [call for call in calls if call[0] == "pre_vma"]
        closing = [call for call in calls if call[0] == "post_vma"]
        inner = [call for call in calls if call not in opening and call not in closing]
        end = 2 + len(opening) + 2 * len(inner) + len(closing) + 1
        fields = tuple(("set", f"{WALK}.{name}", ("v", name), pos) for name, _ in PARAMS)
        blocks = [Block((("decl", WALK, "struct mm_walk", pos), *fields), "jump", None, (1,), pos), Block((), "branch", _UNKNOWN, (2, end), pos)]
        for call in opening:
            instr = self._call(call)
            blocks.append(Block((instr,), "branch", ("t", instr[1]), (end, len(blocks) + 1), pos))
        for call in inner:
            at = len(blocks)
            blocks.append(Block((), "branch", _UNKNOWN, (at + 1, at + 2), pos))
            blocks.append(Block((self._call(call),), "jump", None, (at,), pos))
        for call in closing:
            blocks.append(Block((self._call(call),), "jump", None, (len(blocks) + 1,), pos))
        blocks.append(Block((), "jump", None, (1,), pos))
        blocks.append(Block((), "return", _UNKNOWN, (), pos))
        return Function(self._table.name, self._table.path, pos, pos, PARAMS, "int", True, tuple(blocks), frozenset())

    def _call(self, call: tuple[str, str]) -> Instr:
        """The call of one callback with what the walker hands it."""
        slot, name = call
        index = self._program.resolve(name, self._table.path)
        count = len(self._program.functions[index].params) if index is not None else 0
        args: list[Expr] = [_UNKNOWN] * count
        for what, operand in self._slots[(self._table.type, slot)].items():
            number, _, field = operand.partition(".")
            if int(number) >= count:
                continue
            if field in PARAMS[0]:
                args[int(number)] = ("&", WALK)
            elif not field and what in ("vma", "private"):
                args[int(number)] = ("v", what)
        temp = len(self.entries)
        self.entries[temp] = (self._table.type, slot)
        return ("call", temp, name, tuple(args), self._table.pos)
