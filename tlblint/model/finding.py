"""Findings as they leave the engine and as they are printed."""

from __future__ import annotations

import msgspec

from tlblint.model.witness import Fix, PatchMark, Witness


class Step(msgspec.Struct, frozen=True):
    """One step of the path that makes a finding: where, what happened, and the automaton state after it."""

    path: str
    pos: int
    function: str
    event: str
    state: str
    note: str


class PathEvent(msgspec.Struct, frozen=True):
    """One event of the path to a violation, whether or not it changed the automaton's state.

    ``kind`` is a role's effect ("entry.clear"), "branch", "call" or "exit"; ``pos`` is a byte offset; ``text`` is the called name or
    the condition; ``note`` says which way a branch went. ``objects`` are (role of the argument, its canonical text) pairs: ("ptl", "ptl").
    """

    path: str
    pos: int
    function: str
    kind: str
    text: str
    note: str = ""
    objects: tuple[tuple[str, str], ...] = ()


class RawFinding(msgspec.Struct, frozen=True, eq=False):
    """What the engine reports. ``site`` is the obligation's byte offset, ``act`` the event that broke it.

    ``shape`` is the role sequence of the trace, the part of the fingerprint that survives moved lines. ``events`` is the whole path.
    """

    rule: str
    path: str
    pos: int
    function: str
    message: str
    act: str
    trace: tuple[Step, ...]
    shape: tuple[str, ...]
    profiles: tuple[str, ...]
    events: tuple[PathEvent, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawFinding) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[object, ...]:
        return (self.rule, self.path, self.pos, self.function, self.message, self.act, self.trace, self.shape, self.profiles)


class Finding(msgspec.Struct, frozen=True):
    """A finding ready to print. Lines and columns are 1-based. Absent things are None; see interfaces of -f json."""

    rule: str
    slug: str
    severity: str
    confidence: str
    verdict: str
    assumptions: tuple[str, ...]
    path: str
    line: int
    column: int
    function: str
    message: str
    fingerprint: str
    profiles: tuple[str, ...]
    trace: tuple[TraceStep, ...]
    suppressed_by: str | None = None
    suppressed_reason: str | None = None
    witness: Witness | None = None
    fix: Fix | None = None
    patch: PatchMark | None = None
    reason: str = ""
    """Why the simulation answered as it did, when ``verdict`` is "refuted", "conditional" or "inconclusive"."""


class TraceStep(msgspec.Struct, frozen=True):
    """A printable trace step; ``line`` is 1-based."""

    path: str
    line: int
    function: str
    event: str
    state: str
    note: str
