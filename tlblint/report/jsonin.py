"""A stored ``-f json`` or ``-f jsonl`` back into a report, strictly: what does not follow schema tlblint-findings/1 is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import msgspec

from tlblint.model.finding import Finding, TraceStep
from tlblint.model.witness import Change, Fix, PatchMark, Witness, WitnessStep
from tlblint.report.predicates_view import Executed, Judged, PredicateView
from tlblint.report.text import clean
from tlblint.report.view import Gap, Health, PatchView, Report, SeriesView

Kind = TypeVar("Kind")
MOST = 2**53 - 1
"""The largest integer that every reader of JSON keeps exactly."""
At = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Rule = Annotated[str, msgspec.Meta(pattern=r"^TLB[0-9]{3}$")]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]*$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]


class BadResult(Exception):
    """Not a stored result. ``place`` is a JSON path ("$.findings[0].line"), ``what`` says what is wrong or was expected."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(place, what)
        self.place = place
        self.what = what


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """No key may be there that the schema does not know."""


class _Tool(_Strict):
    name: Literal["tlblint"]
    version: str
    ruleset: str


class _Tree(_Strict):
    kind: Literal["worktree", "revision", "series"]
    rev: str | None
    generation: str | None
    profiles: tuple[str, ...]


class _Gap(_Strict):
    path: str
    function: str | None
    line: At
    why: str


class _Health(_Strict):
    files: Count
    functions: Count
    whole: Count
    partial: Count
    not_analysed: tuple[_Gap, ...]


class _PatchView(_Strict):
    index: At
    subject: str
    commit: str | None
    introduced: Count
    fixed: Count
    existing: Count
    notes: tuple[str, ...]


class _Series(_Strict):
    title: str
    base: str
    notes: tuple[str, ...]
    patches: tuple[_PatchView, ...]


class _Step(_Strict):
    path: str
    line: At
    function: str | None
    event: str
    state: str | None
    note: str | None


class _Change(_Strict):
    thing: str
    before: str
    after: str


class _Actor(_Strict):
    name: str
    cpu: Count


class _WitnessStep(_Strict):
    number: Count
    actor: str
    cpu: Count
    text: str
    path: str | None
    line: At | None
    changes: tuple[_Change, ...]
    mark: Literal["birth", "missed", "violation"] | None
    note: str | None
    cause: At | None


class _Witness(_Strict):
    profile: str
    kind: str
    sentence: str
    actors: tuple[_Actor, ...]
    things: tuple[str, ...]
    assumptions: tuple[str, ...]
    steps: tuple[_WitnessStep, ...]


class _Fix(_Strict):
    note: str
    diff: str | None
    verified: bool
    added: Count
    useful: Count
    visited: Count


class _Patch(_Strict):
    index: Count
    subject: str
    change: Literal["introduced", "fixed", "existing"]
    until: At | None
    commit: str | None = None


class _Suppressed(_Strict):
    by: Literal["comment", "baseline"]
    reason: str | None


class _Finding(_Strict):
    rule: Rule
    slug: Slug
    severity: Literal["error", "warning", "note"]
    confidence: Literal["high", "medium", "low"]
    verdict: Literal["confirmed", "conditional", "refuted", "inconclusive", "not-run"]
    assumptions: tuple[str, ...]
    path: str
    line: At
    column: At
    function: str | None
    message: str
    fingerprint: Name
    profiles: tuple[str, ...]
    trace: tuple[_Step, ...]
    witness: _Witness | None
    fix: _Fix | None
    patch: _Patch | None
    suppressed: _Suppressed | None
    reason: str | None = None


class _Judged(_Strict):
    oracle: str
    verdict: Literal["unsafe", "conservative", "exact"]
    missing: Count
    redundant: Count
    smallest: str | None
    changes: tuple[str, ...]


class _Edit(_Strict):
    code: tuple[str, ...]
    does: str


class _Predicate(_Strict):
    profile: str
    name: str
    path: str
    line: At
    judged: tuple[_Judged, ...]
    edit: _Edit | None
    blocker: str | None


class _Head(_Strict):
    schema: Literal["tlblint-findings/1"]
    tool: _Tool
    tree: _Tree
    health: _Health
    series: _Series | None = None
    predicates: tuple[_Predicate, ...] = ()


class _Document(_Head, kw_only=True):
    findings: tuple[_Finding, ...]


def decode(raw: bytes) -> Report:
    """The report that was stored. It has no rules, no sources, and does not know how many files were listed. Raises BadResult."""
    first, _, rest = raw.partition(b"\n")
    if _whole(first) and b'"findings"' not in first:
        return _report(_parse(first, _Head), [_row(line, number) for number, line in enumerate(rest.split(b"\n")) if line.strip()])
    document = _parse(raw, _Document)
    return _report(document, document.findings)


def _whole(line: bytes) -> bool:
    """Whether a line is a JSON object by itself: then it is the head of JSON lines."""
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


def _row(line: bytes, number: int) -> _Finding:
    try:
        return _parse(line, _Finding)
    except BadResult as error:
        raise BadResult(error.place.replace("$", f"$.findings[{number}]", 1), error.what) from None


def _parse(raw: bytes, kind: type[Kind]) -> Kind:
    try:
        found = msgspec.json.decode(raw, type=kind)
        json.loads(raw, object_pairs_hook=_once)
        return found
    except _Twice as error:
        raise BadResult("$", f"key `{clean(str(error))}` stands twice in one object") from None
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `")
        raise BadResult(place.rstrip("`") or "$", what[:1].lower() + what[1:]) from None
    except msgspec.DecodeError as error:
        what = str(error).removeprefix("JSON is malformed: ")
        raise BadResult("$", f"expected JSON, {what[:1].lower()}{what[1:]}" if raw.strip() else "expected JSON, the file is empty") from None
    except (RecursionError, UnicodeDecodeError, ValueError):
        raise BadResult("$", "expected JSON that is not nested so deep, in UTF-8") from None


class _Twice(Exception):
    """A key that an object has more than once: readers differ on which they take."""


def _once(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twice(key)
        seen.add(key)


def _report(head: _Head, findings: Sequence[_Finding]) -> Report:
    health, tree, series = head.health, head.tree, head.series
    gaps = tuple(Gap(gap.path, gap.function or "", gap.line, gap.why) for gap in health.not_analysed)
    return Report(
        version=head.tool.version,
        ruleset=head.tool.ruleset,
        kind=tree.kind,
        revision=tree.rev,
        generation=tree.generation,
        profiles=tree.profiles,
        health=Health(0, health.files, health.functions, health.whole, health.partial, gaps),
        findings=tuple(map(_finding, findings)),
        rules={},
        sources={},
        series=SeriesView(series.title, series.base, tuple(map(_patch_view, series.patches)), series.notes) if series else None,
        executed=Executed(tuple(map(_predicate, head.predicates))) if head.predicates else None,
    )


def _predicate(p: _Predicate) -> PredicateView:
    judged = tuple(Judged(by.oracle, by.verdict, by.missing, by.redundant, by.smallest or "", by.changes) for by in p.judged)
    code, does = (p.edit.code, p.edit.does) if p.edit else ((), "")
    return PredicateView(p.profile, p.name, p.path, p.line, judged, code, does, p.blocker or "")


def _patch_view(patch: _PatchView) -> PatchView:
    return PatchView(patch.index, patch.subject, patch.introduced, patch.fixed, patch.existing, patch.notes, patch.commit)


def _finding(f: _Finding) -> Finding:
    return Finding(
        rule=f.rule, slug=f.slug, severity=f.severity, confidence=f.confidence, verdict=f.verdict, assumptions=f.assumptions, path=f.path,
        line=f.line, column=f.column, function=f.function or "", message=f.message, fingerprint=f.fingerprint, profiles=f.profiles,
        trace=tuple(TraceStep(s.path, s.line, s.function or "", s.event, s.state or "", s.note or "") for s in f.trace),
        suppressed_by=f.suppressed.by if f.suppressed else None, suppressed_reason=f.suppressed.reason if f.suppressed else None,
        witness=_witness(f.witness) if f.witness else None,
        fix=Fix(f.fix.note, f.fix.diff or "", f.fix.verified, f.fix.added, f.fix.useful, f.fix.visited) if f.fix else None,
        patch=PatchMark(f.patch.index, f.patch.subject, f.patch.change, f.patch.until, f.patch.commit) if f.patch else None,
        reason=f.reason or "",
    )  # fmt: skip


def _witness(w: _Witness) -> Witness:
    steps = tuple(
        WitnessStep(
            s.number, s.actor, s.cpu, s.text, s.path, s.line, tuple(Change(c.thing, c.before, c.after) for c in s.changes), s.mark or "", s.note or "", s.cause
        )
        for s in w.steps
    )
    return Witness(w.profile, w.kind, w.sentence, tuple((actor.name, actor.cpu) for actor in w.actors), w.things, steps, w.assumptions)
