"""A finding's path as one thread of a scenario: what it does, what it may go on with, and what it could not be told in.

One event becomes one step or none. Answers to questions about entry bits become branches: where the model says otherwise, the entry is
skipped, with all that is owed for it done properly. Behind the act that the finding is about, the path goes on as well as it still can:
changes are flushed, locks dropped, counts lowered. What goes wrong then is the finding's fault alone.
"""

from __future__ import annotations

import msgspec

from tlblint.model.finding import PathEvent

MARK = "fix.mark"
"""An event that only a mend puts in: dirty bits of what was taken out go to the pages."""


class Step(msgspec.Struct, frozen=True):
    """A line of the scenario language with the event that it stands for, if it stands for one."""

    text: str
    event: PathEvent | None = None
    words: str = ""


class Entry(msgspec.Struct, frozen=True):
    """A page-table entry of the program: its VA, the lock that guards it, the page it maps at the start (0: none), and what it holds then if
    that is neither a page nor nothing."""

    va: str
    lock: str
    page: int
    start: str = "0"


class Program(msgspec.Struct, frozen=True):
    """``steps`` in order; ``entries`` with the one that the finding is about first. ``changes``: indexes of steps that change entries.

    ``unmodelled`` names events that have no translation: with any, nothing can be said. ``needs``: what is assumed about the path.
    ``uses``: what adversaries may meet besides locks and entries ("tables", "notifier", "flag", "generation"), and what is known of the
    page ("anon", "file", "no-page", "folio-locked"), "huge" and "records" (machines without huge entries or dirty bits are out).
    ``given``: what is taken for granted of whoever calls. ``known``: what the path shows that rules others out, in words.
    """

    steps: tuple[Step, ...]
    entries: tuple[Entry, ...]
    locks: tuple[str, ...]
    uses: frozenset[str] = frozenset()
    changes: tuple[int, ...] = ()
    unmodelled: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    moved: bool = False
    two_locks: bool = False
    given: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


class Owed(msgspec.Struct):
    """What has been left open so far: at every skip and at the end it is settled."""

    locks: list[str] = msgspec.field(default_factory=list)
    lazy: int = 0
    paused: int = 0
    gathers: int = 0
    pending: int = 0
    notified: int = 0
    deferred: bool = False
    started: dict[str, str] = msgspec.field(default_factory=dict)
    """VA -> register of the value that was taken out and not put back yet."""
    dirty: dict[str, str] = msgspec.field(default_factory=dict)
    """VA -> register of a cleared value whose dirty bit nobody has passed on yet."""
    pages: list[str] = msgspec.field(default_factory=list)
    """Steps that give back pages when a gather has flushed."""
    generation: str = ""
    tables: bool = False
    """A page table waits in a gather to be freed."""

    def copy(self) -> Owed:
        """As it is now."""
        return Owed(
            list(self.locks),
            self.lazy,
            self.paused,
            self.gathers,
            self.pending,
            self.notified,
            self.deferred,
            dict(self.started),
            dict(self.dirty),
            list(self.pages),
            self.generation,
            self.tables,
        )
