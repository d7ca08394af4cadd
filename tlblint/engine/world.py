"""What the interpreter knows of the program and remembers of what it ran: the table of answers, and bounds on the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tlblint.engine.automata import Automata, Place
from tlblint.engine.compile import Code
from tlblint.engine.entries import Entry
from tlblint.engine.flows import Flows
from tlblint.engine.state import START, Auto, Exit, Record
from tlblint.engine.unsure import Unsure
from tlblint.model.finding import PathEvent

if TYPE_CHECKING:
    from tlblint.engine.shared import Shared

MAX_VISITS = 6000
"""Block visits of one function from one entry state."""
MAX_BUDGET = 30000
"""Block visits for one root with all that it calls; those of large states count for more."""
MAX_CONTEXTS = 120
"""Entry states of one function; from then on calls of it are opaque."""
MAX_STORIES = 8
"""Ways to one violation of which the shortest is told."""
MAX_DEPTH = 24


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


@dataclass(slots=True)
class World:
    """What the interpreter needs of the program."""

    code: Callable[[int], Code]
    automata: Automata
    says: Mapping[int, frozenset[str]]
    scope: Callable[[int], bool]
    events: list[frozenset[str]]
    promised: Callable[[int], Entry | None] = lambda index: None
    """How a contract says that a function is entered."""
    flows: Flows = field(init=False)
    """Worlds of one program may share them."""
    shared: Shared | None = None
    """Where other worlds of the program leave their answers."""
    table: dict[tuple[Any, ...], Summary] = field(default_factory=dict)
    stack: list[int] = field(default_factory=list)
    stopped: dict[int, str] = field(default_factory=dict)
    visited: set[int] = field(default_factory=set)
    contexts: dict[int, int] = field(default_factory=dict)
    asking: list[list[Summary]] = field(default_factory=list)
    """For each function that is being run the answers it got so far."""
    budget: int = MAX_BUDGET
    left: int = 4 * MAX_BUDGET
    """What all roots together may still use; one that comes after that gets little."""
    culprit: int | None = None
    """The innermost function in which an internal error arose."""

    def __post_init__(self) -> None:
        self.flows = Flows(self.code)

    def conditions(self, code: Code) -> Unsure:
        """What is known of a function's conditions."""
        found = self.flows.unsure.get(code.index)
        if found is None:
            found = self.flows.unsure[code.index] = Unsure(code, self.events)
        return found
