"""The whole path to a violation as events whose objects go by the names of the outermost function.

Records inside calls speak of parameters and number the caller's values anew; the Frame of each call undoes that. What only a callee
knows is called "callee::name". Entry values are "v" and a number, in the order in which they come up, "v?" and a number for one that was
there before the path began.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tlblint.engine.automata import OPEN_GATHER
from tlblint.engine.rename import Frame
from tlblint.engine.state import SHIFT, Record
from tlblint.engine.summary import Hit
from tlblint.model.finding import PathEvent
from tlblint.model.ir import Function

ENTERED = "entered"
"""The kind of the first event: what the outermost function is entered with."""


def with_events(hit: Hit, functions: Sequence[Function]) -> Hit:
    """The hit with its records told as events. Frames do not leave the process that made them."""
    names = _Names(functions)
    events = [_entered(hit, functions)] if hit.trail else []
    for record in hit.story:
        if isinstance(record, tuple) and record[0] >= 0 and (event := names.event(record)) is not None:
            events.append(event)
    return replace(hit, story=tuple(events))


def _entered(hit: Hit, functions: Sequence[Function]) -> PathEvent:
    fn = functions[hit.trail[0][0] >> SHIFT]
    auto = hit.entry
    held = [(("rmap-ptl" if mark == "rmap" else "ptl"), symbol) for symbol, _, mark in auto.held]
    depths = [(word, str(depth)) for word, depth in (("lazy", auto.lazy), ("paused", auto.paused), ("pending", auto.pending % OPEN_GATHER)) if depth > 0]
    return PathEvent(fn.path, fn.start, fn.name, ENTERED, fn.name, "", (*held, *depths))


class _Names:
    """Follows calls and returns by the functions that records lie in."""

    def __init__(self, functions: Sequence[Function]) -> None:
        self._functions = functions
        self._stack: list[tuple[int, Frame | None]] = []
        self._numbers: dict[int, int] = {}

    def event(self, record: Record) -> PathEvent | None:
        """One record as an event; None for what its neighbour tells as well."""
        site, kind, text, more = record
        index = site >> SHIFT
        while self._stack and self._stack[-1][0] != index:
            self._stack.pop()
        if not self._stack:
            self._stack.append((index, None))
        fn = self._functions[index]
        made = PathEvent(fn.path, (site & ((1 << SHIFT) - 1)) - 1, fn.name, kind, text)
        if kind == "call":
            self._stack.append((more.callee, more))
            return made
        if kind == "branch":
            return self._branch(made, text, more)
        return self._told(made, *more)

    def _branch(self, made: PathEvent, key: str, outcome: str) -> PathEvent | None:
        if key.startswith("same@"):
            one, other = (self._value(int(number)) for number in key[5:].split("="))
            return replace(made, text="same", note=outcome, objects=(("value", one), ("old", other)))
        return None if "#" in key else replace(made, note=outcome)

    def _told(self, made: PathEvent, objects: dict[str, object], attrs: frozenset[str], level: str, truth: bool | None, value: object) -> PathEvent:
        named = [(role, name) for role, held in objects.items() if (name := self._object(held))]
        if type(value) is tuple and value[0] == "e":
            named += [("from", self._value(value[1])), ("origin", value[2]), ("bits", value[3]), ("at", self._path(value[4].lstrip("~")) if value[4] else "")]
        named += [("attrs", " ".join(sorted(attrs))), ("level", level)]
        return replace(made, note="" if truth is None else str(truth).lower(), objects=tuple((role, name) for role, name in named if name))

    def _object(self, held: object) -> str:
        if isinstance(held, tuple):
            return ", ".join(self._path(str(name)) for name in held)
        if isinstance(held, int):
            return self._value(held) if held else ""
        return self._path(str(held)) if held else ""

    def _path(self, path: str) -> str:
        """A path in the outermost frame's names, as far out as it has one."""
        for at in range(len(self._stack) - 1, 0, -1):
            frame = self._stack[at][1]
            outer = frame.back(path) if frame is not None else None
            if outer is None:
                return f"{self._functions[self._stack[at][0]].name}::{path}"
            path = outer
        return path

    def _value(self, number: int) -> str:
        for at in range(len(self._stack) - 1, 0, -1):
            frame = self._stack[at][1]
            if number >= 0 or frame is None:
                break
            number = frame.number_out(number)
        return f"v{self._numbers.setdefault(number, len(self._numbers) + 1)}" if number >= 0 else f"v?{-number}"
