"""A shortest interleaving that shows what a finding warns of, a checked fix, and where in a series a finding stands."""

from __future__ import annotations

import msgspec


class Change(msgspec.Struct, frozen=True):
    """What a step did to one thing: ``thing`` in words ("PTE a", "TLB of CPU1", "page 1"), its value in words before and after."""

    thing: str
    before: str
    after: str


class WitnessStep(msgspec.Struct, frozen=True):
    """One row of an interleaving, in time order. ``number`` is 1-based; 0 for a birth, which is no step. ``actor`` is the thread, ``cpu`` where it runs.

    ``path`` and ``line`` (1-based) name the source that the step stands for, None when it stands for none. ``mark`` is "",
    "birth" (a translation that will be stale is cached), "missed" (what could have removed it did not) or "violation".
    ``cause`` is the number of an earlier step that made this one possible (unlock before lock, free before reuse), or None.
    """

    number: int
    actor: str
    cpu: int
    text: str
    path: str | None = None
    line: int | None = None
    changes: tuple[Change, ...] = ()
    mark: str = ""
    note: str = ""
    cause: int | None = None


class Witness(msgspec.Struct, frozen=True):
    """The shortest interleaving found. ``kind`` is the class of the violation, ``sentence`` says it in one sentence.

    ``actors`` are (thread, cpu) in the order of their columns. ``things`` names what changes, in the order of first change.
    """

    profile: str
    kind: str
    sentence: str
    actors: tuple[tuple[str, int], ...]
    things: tuple[str, ...]
    steps: tuple[WitnessStep, ...]
    assumptions: tuple[str, ...] = ()


class Fix(msgspec.Struct, frozen=True):
    """A suggested edit. ``diff`` is a unified diff against the source. ``verified``: the edited program was explored and holds.

    ``added`` flushes were useful in ``useful`` of ``visited`` states in which they ran.
    """

    note: str
    diff: str
    verified: bool
    added: int = 0
    useful: int = 0
    visited: int = 0


class PatchMark(msgspec.Struct, frozen=True):
    """Where in a series a finding stands: patch ``index`` (1-based), its ``subject``, and ``change``: "introduced", "fixed" or "existing".

    ``until`` is the index of the patch that mends what ``index`` introduced, or None. ``commit`` is the patch's full commit id, None for a mail.
    """

    index: int
    subject: str
    change: str
    until: int | None = None
    commit: str | None = None
