"""Runs every helper of a list from several start states, to say which the interpreter can execute and what stops the others."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.machine import Bounds, Machine
from tlblint.predicates.memory import Cell, Place, Pointer, Value
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Names
from tlblint.predicates.words import Space, Word

STARTS = 5
_VALUES = (0, 1, 2, 3, 4, 12, 4096, 0x1FF)
_IMPOSSIBLE = ("a null pointer", "a loop", "a shift by", "a division by zero", "more than")
"""How blockers begin that lie in a start state no kernel is ever in."""


class Ran(msgspec.Struct, frozen=True):
    """What came of one helper. ``blocker`` is empty when it was executed; ``where`` is its definition; ``events`` what it did."""

    name: str
    where: str
    blocker: str = ""
    at: str = ""
    completed: int = 0
    events: tuple[str, ...] = ()


def _mixed(seed: int, place: Place) -> int:
    total = 0x811C9DC5 ^ seed * 0x9E3779B1
    for part in place:
        for char in str(part):
            total = (total ^ ord(char)) * 0x01000193 & 0xFFFFFFFF
    return total >> 7


def start_value(seed: int, space: Space, place: Place) -> Word:
    """The number in a place at the start of run ``seed``: all 0, all 1, then mixed small numbers."""
    value = seed if seed < 2 else _VALUES[_mixed(seed, place) % len(_VALUES)]
    return space.constant(value, 64, False)


def setting(base: Setting, seed: int) -> Setting:
    """``base`` with the start values of a run."""
    return Setting(lambda space, place: start_value(seed, space, place), base.constants, base.features, base.sizes, True)


def run(names: Names, modelled: Models, base: Setting, name: str) -> Ran | None:
    """Execute a helper from STARTS start states; None when the unit does not have it."""
    macro = names.unit.last(name)
    try:
        function = names.function(name)
    except Inconclusive as stopped:
        return Ran(name, "", stopped.blocker)
    if function is None and (macro is None or macro.params is None):
        return None
    if function is not None:
        path, line = names.unit.where(function.at)
        params = [(param, ctype) for ctype, param in function.params if param != "..."]
    else:
        assert macro is not None and macro.params is not None
        path, line = macro.path, macro.line
        params = [(param, AUTO) for param in macro.params]
    events: dict[str, None] = {}
    completed, stopped_by = 0, Inconclusive("")
    for seed in range(STARTS):
        machine = Machine(names, modelled, setting(base, seed), Space(), Bounds(20_000, 60, 40))
        try:
            machine.execute(f"{name}({', '.join(f'a{i}__' for i in range(len(params)))})", _given(params, seed))
            completed += 1
            events.update(dict.fromkeys(event.name for event in machine.events))
        except Inconclusive as stopped:
            stopped_by = stopped
            if not stopped.blocker.startswith(_IMPOSSIBLE):
                return Ran(name, f"{path}:{line}", stopped.blocker, stopped.where, completed)
    return Ran(name, f"{path}:{line}", "" if completed else stopped_by.blocker, "" if completed else stopped_by.where, completed, tuple(events))


def _given(params: Sequence[tuple[str, CType]], seed: int) -> dict[str, tuple[Value, CType]]:
    given: dict[str, tuple[Value, CType]] = {}
    space = Space()
    for index, (param, ctype) in enumerate(params):
        place: Place = ("arg", param)
        value: Value = Pointer(place) if ctype.kind == "pointer" else start_value(seed, space, place) if ctype.kind == "int" else Cell(place)
        given[f"a{index}__"] = (value, AUTO)
    return given


def run_all(names: Names, modelled: Models, base: Setting, wanted: Sequence[str]) -> tuple[Ran, ...]:
    """All helpers of a list that the unit has."""
    return tuple(found for name in wanted if (found := run(names, modelled, base, name)) is not None)
