"""What the interpreter leaves behind: the states it visited, what went wrong there, and the answer for a whole function."""

from __future__ import annotations

from typing import Any

import msgspec

from tlblint.engine.automata import Place
from tlblint.engine.state import START, Auto, Exit, Record
from tlblint.model.finding import PathEvent

NOTHING: frozenset[str] = frozenset()


class Hit(msgspec.Struct, frozen=True, eq=False):
    """A violation before it is turned into a finding. ``origin`` is a site number; negative: the caller's."""

    rule: int
    state: str
    origin: int
    keys: tuple[object, ...]
    act: int
    kind: str
    name: str
    say: str
    objects: tuple[tuple[str, object], ...]
    trail: tuple[tuple[int, str, str, str], ...]
    story: tuple[Record, ...] | tuple[PathEvent, ...] = ()
    """The trail with all that is known of each record; as events, in one frame's names, once its run is over."""
    entry: Auto = START
    """The state in which the outermost function of the trail was entered."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hit) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[object, ...]:
        return (self.rule, self.state, self.origin, self.keys, self.act, self.kind, self.name, self.say, self.objects, self.trail)


class Summary(msgspec.Struct):
    """What a function does from one entry state."""

    exits: tuple[Exit, ...] = ()
    hits: tuple[Hit, ...] = ()
    bounded: bool = False
    key: tuple[Any, ...] = ()
    """Where it stands in the table."""
    below: list[Summary] = msgspec.field(default_factory=list)
    """The answers that it was made from."""
    kinds: frozenset[str] = NOTHING
    """The events on the way."""
    met: frozenset[Place] = frozenset()
    """The states of instances that these met."""
    clean: bool = True
    """Nothing on the way to it met a bound or was cut short: it hangs on nothing but the key."""
    cost: int = 0
    """What it took of the budget, without the answers that it was made from."""
    height: int = 1
    """How deep calls went for it."""
