"""What the engine is asked, and what it answers. A run that finds its answer remembered does without the rest of it, which takes long to load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tlblint.model.finding import RawFinding
from tlblint.model.ir import NotAnalysed
from tlblint.model.roles import Profile, Role
from tlblint.model.store import NOTHING, Store

if TYPE_CHECKING:
    from tlblint.engine.again import Memory
    from tlblint.engine.last import Before

_Map = Callable[[Callable[[Any], Any], Sequence[Any], Callable[[Any], Any]], list[Any]]


class Over(msgspec.Struct, frozen=True):
    """A map over items that keeps their order, on ``parts`` processes: (function, items, what an item gives that killed its process)."""

    way: _Map
    parts: int = 1

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any], died: Callable[[Any], Any]) -> list[Any]:
        """What ``function`` gives for each of ``items``."""
        return self.way(function, items, died)


DEFINED = {"flush.batched": "completes-flush", "unmap.flush": "completes-flush", "gather.end": "completes-flush", "unmap.defer": "defers-flush",
           "gather.begin": "begins-gather"}
"""What the definition of a function with such an effect has to do: said to the rules like a contract."""


in_order = Over(lambda function, items, died: [function(item) for item in items])
"""The map that stays in this process."""


class Entry(msgspec.Struct, frozen=True):
    """``ptl``: a lock held on entry, by the name the function uses for it, or "caller" for one it cannot name.
    ``lazy``: lazy MMU mode is on. ``walker``: the PTL belongs to a walk over a range, which this is called from for each
    entry. ``pending``: a tlb_flush_pending count is open. ``note`` says who does all that, for the trace. ``bind`` says which
    argument is what, by operand. ``given``: a condition, as it is written, that holds whenever anything is owed."""

    ptl: str = ""
    level: str = "pte"
    lazy: bool = False
    walker: bool = False
    pending: bool = False
    says: frozenset[str] = frozenset()
    note: str = ""
    bind: tuple[tuple[str, str], ...] = ()
    given: str = ""


class Context(msgspec.Struct, frozen=True):
    """What the engine must be told of the kernel: roles, profiles, contracts and their features, all from data files.

    ``entries`` maps a function name to how it is entered (from operation tables and contracts); ``slots`` maps
    (struct type, field) to the same for callbacks. ``outside`` is true of paths whose page tables are not user space's,
    ``skipped`` of those that are no subject at all.
    """

    roles: Callable[[str, int], Role | None]
    pure: Callable[[str], bool]
    features: frozenset[str]
    profiles: tuple[Profile, ...]
    says: Callable[[str, str], frozenset[str]]
    entries: Callable[[str, str], Entry | None]
    slots: Mapping[tuple[str, str], Entry]
    outside: Callable[[str, str], bool]
    skipped: Callable[[str], bool]


class Options(msgspec.Struct, frozen=True):
    """``only``: report only what lies in files for which this is true (None: all). ``over``: how to map over the roots;
    the findings do not depend on it."""

    only: Callable[[str], bool] | None = None
    over: Over = in_order
    memory: Memory[EngineResult] | None = None
    """What is known from an earlier state of the same tree; it says by itself what to judge."""
    store: Store = NOTHING
    """Remembers what was judged."""
    digest: bytes = b""
    """Says all that rules and context mean, where there is a store to ask."""
    before: Before | None = None
    """The run before that the store may know."""
    said: str = ""
    """Names the roles and slots under which functions were asked whose facts come with answers; "": ask all."""


class EngineResult(msgspec.Struct, frozen=True):
    """Findings in a total order, and the functions that reached a bound."""

    findings: tuple[RawFinding, ...]
    not_analysed: tuple[NotAnalysed, ...]
    contexts: int = 0
