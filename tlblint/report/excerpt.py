"""The path of a finding through the source: for each function that it enters a piece of it, the steps in the margin, depth by indent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from tlblint.model.finding import Finding, TraceStep
from tlblint.report.text import clean, tabbed

AROUND = 2
"""Lines of context above and below a step."""
LONGEST = 200
"""Characters of a source line that are shown."""
OTHER = 20
"""Lines of the other side of a patch that are shown in one place."""
LARGEST = 1_000_000
"""Products of line counts up to which two texts are compared line by line."""
MOST = 60
"""Steps that get an excerpt; the rest of a longer path is only counted."""


class StepRow(msgspec.Struct, frozen=True):
    """A step. ``number`` is 1-based. ``state`` is the automaton's after it; ``before``, that before it when the step changes it, else "".
    ``bad``: it breaks the rule."""

    number: int
    event: str
    note: str
    before: str
    state: str
    bad: bool
    line: int


class LineRow(msgspec.Struct, frozen=True):
    """A source line. ``mark`` is "+", "-" or "", as in a diff. ``number`` 0: a line of the other side of the patch, or a hole of ``skipped`` lines."""

    number: int
    text: str
    steps: tuple[StepRow, ...] = ()
    mark: str = ""
    skipped: int = 0


class Segment(msgspec.Struct, frozen=True):
    """A stretch of the path in one function. ``depth`` counts calls from the first function. Without source ``lines`` is empty."""

    function: str
    path: str
    line: int
    depth: int
    steps: tuple[StepRow, ...]
    lines: tuple[LineRow, ...]


class Marks(msgspec.Struct, frozen=True):
    """A text against another: the 1-based lines that only it has, and before which of its lines the other has which more. ``signs`` are
    the marks of both kinds of lines, "+-" or "-+"."""

    own: frozenset[int]
    other: Mapping[int, tuple[bytes, ...]]
    signs: str = "+-"


Changed = Mapping[str, Marks]
"""By path, what the patch that a finding belongs to changes."""


@lru_cache(maxsize=64)
def marks(shown: bytes, other: bytes, signs: str = "+-") -> Marks:
    """What a diff tells apart. Texts that differ in too many lines are told apart as a whole: a patch must not make this slow."""
    new, old = shown.split(b"\n"), other.split(b"\n")
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(old) * len(new) > LARGEST:
        return Marks(frozenset(range(head + 1, head + 1 + len(new))), {head + 1: tuple(old)}, signs)
    own: set[int] = set()
    more: dict[int, tuple[bytes, ...]] = {}
    for kind, first, last, start, end in SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            own.update(range(head + start + 1, head + end + 1))
            more[head + start + 1] = tuple(old[first:last])
    return Marks(frozenset(own), {line: rows for line, rows in more.items() if rows}, signs)


def _alike(first: Sequence[bytes], second: Sequence[bytes]) -> int:
    """How many lines two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))


def segments(finding: Finding, sources: Mapping[str, bytes], around: int = AROUND, changed: Changed | None = None) -> list[Segment]:
    """The excerpts of a finding, in the order of its path; without a path, the line that it stands on. ``around`` below 0: no source."""
    trace = finding.trace[:MOST] or (TraceStep(finding.path, finding.line, finding.function, "", "", ""),)
    split: dict[str, list[bytes]] = {path: sources[path].split(b"\n") for path in {step.path for step in trace} if path in sources}
    rows = _steps(trace)
    found = []
    for first, last, depth in _runs(trace):
        step = trace[first]
        steps = tuple(rows[first:last])
        lines = _lines(steps, split.get(step.path), around, (changed or {}).get(step.path, Marks(frozenset(), {}))) if around >= 0 else ()
        found.append(Segment(clean(step.function), clean(step.path), step.line, min(depth, 8), steps if finding.trace else (), tuple(lines)))
    return found if finding.trace else [replace(one, lines=tuple(replace(line, steps=()) for line in one.lines)) for one in found]


def _steps(trace: Sequence[TraceStep]) -> list[StepRow]:
    rows, state = [], "clean"
    for number, step in enumerate(trace, 1):
        after = clean(step.state)
        rows.append(StepRow(number, clean(step.event), clean(step.note), state if after else "", after or state, step.state == "violated", step.line))
        state = "open" if after == "obligation starts" else after or state
    return rows


def _runs(trace: Sequence[TraceStep]) -> list[tuple[int, int, int]]:
    """(first, after last, depth) of the stretches in one function. A step in a function that is being called comes back to it."""
    found: list[tuple[int, int, int]] = []
    stack: list[tuple[str, str]] = []
    for at, step in enumerate(trace):
        here = (step.path, step.function)
        called = at > 0 and trace[at - 1].event == "call" and re.search(rf"\b{re.escape(step.function)}\(\)\Z", trace[at - 1].note) is not None
        if found and stack[-1] == here and not called:
            found[-1] = (found[-1][0], at + 1, found[-1][2])
            continue
        if here in stack and not called:
            del stack[stack.index(here) + 1 :]
        else:
            stack.append(here)
        found.append((at, at + 1, len(stack) - 1))
    return found


def _lines(steps: Sequence[StepRow], source: Sequence[bytes] | None, around: int, changed: Marks) -> list[LineRow]:
    if source is None:
        return []
    wanted = {n for step in steps for n in range(step.line - around, step.line + around + 1) if 1 <= n <= len(source)}
    if wanted:
        wanted |= {n for n in {*changed.own, *changed.other} if min(wanted) <= n <= max(wanted)}
    filled = sorted(wanted)
    rows: list[LineRow] = []
    for at, number in enumerate(filled):
        hole = number - filled[at - 1] - 1 if at else 0
        if hole > 1:
            rows.append(LineRow(0, "", skipped=hole))
        elif hole:
            rows += _line(number - 1, source, (), changed)
        rows += _line(number, source, tuple(step for step in steps if step.line == number), changed)
    return _trimmed(rows)


def _trimmed(rows: list[LineRow]) -> list[LineRow]:
    """Without empty lines at the ends."""
    while rows and _empty(rows[0]):
        rows = rows[1:]
    while rows and _empty(rows[-1]):
        rows = rows[:-1]
    return rows


def _empty(row: LineRow) -> bool:
    return not (row.text.strip() or row.steps or row.skipped or row.mark)


def _line(number: int, source: Sequence[bytes], steps: tuple[StepRow, ...], changed: Marks) -> list[LineRow]:
    """A line, and before it what the other side of the patch has there."""
    rows = [LineRow(0, _shown(text), mark=changed.signs[1]) for text in changed.other.get(number, ())[:OTHER]]
    return [*rows, LineRow(number, _shown(source[number - 1]), steps, changed.signs[0] if number in changed.own else "")]


def _shown(raw: bytes) -> str:
    text = tabbed(raw.rstrip(b"\r")[: 4 * LONGEST])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"
