"""What the interpreter knows of the program and remembers of what it ran: the table of answers, and bounds on the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tlblint.engine.asked import Entry
from tlblint.engine.automata import Automata
from tlblint.engine.code import Code
from tlblint.engine.flows import Flows
from tlblint.engine.summary import Summary
from tlblint.engine.unsure import Unsure

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
MAX_DEPTH = 32


FLUSHLESS = frozenset({"flushless"})
_FLUSHING = frozenset({"flush.now", "flush.gather", "gather.end", "unmap.flush"})
_NOTHING: frozenset[str] = frozenset()


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

    def lacks(self, index: int) -> frozenset[str]:
        """"flushless" if a function counts pending flushes, and makes none."""
        kinds = self.events[index]
        return FLUSHLESS if "pending.dec" in kinds and "pending.inc" in kinds and kinds.isdisjoint(_FLUSHING) else _NOTHING

    def conditions(self, code: Code) -> Unsure:
        """What is known of a function's conditions."""
        found = self.flows.unsure.get(code.index)
        if found is None:
            found = self.flows.unsure[code.index] = Unsure(code, self.events)
        return found
