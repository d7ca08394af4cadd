"""Defects with a beginning and an end as a report on a series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.app.checking import health_of
from tlblint.app.spine import Spine
from tlblint.app.states import State
from tlblint.findings import own
from tlblint.findings.attribute import Life
from tlblint.findings.lines import Lines
from tlblint.findings.refine import order
from tlblint.model.finding import Finding
from tlblint.model.series import Base, Series
from tlblint.model.witness import PatchMark
from tlblint.report.view import PatchView, Report, RuleView, SeriesView


class About(msgspec.Struct, frozen=True):
    """What a report says of the run as a whole."""

    version: str
    spine: Spine
    series: Series
    base: Base
    generation: str | None
    revision: str | None
    notes: tuple[str, ...] = ()


def marked(about: About, found: Sequence[State], all_lives: Iterable[Life]) -> list[Finding]:
    """Each defect once, with the patch that it is about: as it stands after the patch that introduces it, or before the one that mends it."""
    out = []
    last = len(found) - 1
    for life in all_lives:
        mark = _mark(about, found, life, last)
        shape = life.shapes[0] if mark.change == "introduced" else life.shapes[-1]
        out.append(replace(shape, patch=mark))
    return order(out)


def _mark(about: About, found: Sequence[State], life: Life, last: int) -> PatchMark:
    if life.born and not life.doubtful:
        return _of(about, life.born, "introduced", life.last + 1 if life.last < last else None)
    if life.last < last:
        return _of(about, life.last + 1, "fixed")
    path = life.shapes[-1].path
    return _of(about, next((number for number, state in enumerate(found) if path in state.touched), 1), "existing")


def _of(about: About, index: int, change: str, until: int | None = None) -> PatchMark:
    patch = about.series.patches[index - 1]
    return PatchMark(index, patch.subject, change, until, patch.commit)


def assembled(about: About, found: Sequence[State], findings: Sequence[Finding]) -> Report:
    """The report. ``findings`` have their marks."""
    rules = own.by_code(about.spine.rules)
    final = found[-1]
    touched = sorted({path for state in found for path in state.touched})
    inside = [final.facts[path] for path in touched if path in final.facts]
    gaps = [gap for state in found[1:] for gap in state.gaps if gap.path in touched]
    lines = {fact.path: Lines(fact.newlines) for fact in inside}
    sources = {number: _sources(state, findings, number, len(found) - 1) for number, state in enumerate(found)}
    return Report(
        version=about.version,
        ruleset=about.spine.ruleset,
        kind="series",
        revision=about.revision,
        generation=about.generation,
        profiles=about.spine.profiles,
        health=health_of(inside, gaps, lines, len(touched)),
        findings=tuple(findings),
        rules={code: RuleView(r.code, r.slug, r.severity, r.confidence, r.title, r.text, r.path) for code, r in rules.items()},
        sources=sources[len(found) - 1],
        series=_view(about, found, findings),
        sources_at=sources,
    )


def _sources(state: State, findings: Sequence[Finding], number: int, last: int) -> dict[str, bytes]:
    """The files of one state that findings name which stand there, or on the other side of the patch that brings or mends them."""
    here = [f for f in findings if f.patch is not None and number in ((last,) if f.patch.change == "existing" else (f.patch.index - 1, f.patch.index))]
    paths = {path for finding in here for path in (finding.path, *(step.path for step in finding.trace))}
    return {path: state.contents[path] for path in sorted(paths) if path in state.contents}


def _view(about: About, found: Sequence[State], findings: Sequence[Finding]) -> SeriesView:
    live = [f.patch for f in findings if f.suppressed_by is None and f.patch is not None and f.rule != own.NOT_ANALYSED]  # these are notes of patches
    left = sum(mark.change == "existing" for mark in live)
    patches = []
    for number, (patch, state) in enumerate(zip(about.series.patches, found[1:], strict=True), 1):
        introduced = sum(mark.change == "introduced" and mark.index == number for mark in live)
        fixed = sum((mark.change == "fixed" and mark.index == number) or mark.until == number for mark in live)
        existing = left + sum(mark.change == "fixed" and mark.index > number for mark in live)
        patches.append(PatchView(number, patch.subject, introduced, fixed, existing, (*state.notes, *_lost(found[number - 1], state)), patch.commit))
    return SeriesView(about.series.title, about.base.text, tuple(patches), (*about.series.notes, *about.notes))


def _lost(before: State, state: State) -> list[str]:
    """What could be analysed before a patch and cannot be after it."""
    known = {(gap.path, gap.function, gap.why) for gap in before.gaps}
    new = sorted({(gap.path, gap.function, gap.why) for gap in state.gaps} - known)
    return [f"{path}: {f'{function}() ' if function else ''}not analysed after this patch: {why}" for path, function, why in new]
