"""Findings as an HTML page shows them: rows of text, ready to be placed. Templates escape; nothing here is HTML but the picture of the calls."""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace

from tlblint.model.finding import Finding
from tlblint.report import graph_svg, mail
from tlblint.report.excerpt import Changed, Segment, marks, segments
from tlblint.report.graph_view import GraphView
from tlblint.report.html_graph import neighbourhood
from tlblint.report.repeat import repeat
from tlblint.report.swimlane import Table, table
from tlblint.report.text import clean, cost, plural, tabbed
from tlblint.report.timeline import timeline
from tlblint.report.view import Report, Style, place_of, sources_of

SHAPES = {"error": "\u25a0", "warning": "\u25b2", "note": "\u25cf"}
"""What marks a severity besides its word and its colour."""
VERDICTS = {
    "confirmed": "confirmed by simulation", "conditional": "conditional: confirmed under assumptions", "refuted": "refuted by simulation",
    "inconclusive": "inconclusive: simulation undecided", "not-run": "not simulated",
}  # fmt: skip
STATES = {
    "new": "new", "known": "known", "suppressed": "suppressed in source", "fixed": "fixed by this series", "existing": "there before this series",
    "moved": "moved", "same": "as before",
}  # fmt: skip
FULL, NEAR, CLOSE, SHORT, BARE = range(5)
"""How much of a finding is shown: everything; less context around the lines of the path; none; no graph and no mail; only places."""

MAIL = 20_000
"""Characters of a mail; a longer one is not offered."""


class TimeView(msgspec.Struct, frozen=True):
    """The interleaving; ``table`` is None where it is left out. ``assumptions`` are those that the finding does not name."""

    sentence: str
    profile: str
    assumptions: tuple[str, ...]
    table: Table | None


class FixView(msgspec.Struct, frozen=True):
    """A suggested edit; ``lines`` are (kind, text) of its diff, kind one of "+", "-", "@", " "."""

    note: str
    verified: bool
    effect: str
    lines: tuple[tuple[str, str], ...]


class FindingView(msgspec.Struct, frozen=True):
    """One finding. ``name`` is unique in the page and an HTML id; ``state`` a key of STATES; ``patch`` the index of its patch or 0."""

    name: str
    rule: str
    slug: str
    severity: str
    shape: str
    confidence: str
    verdict: str
    state: str
    patch: int
    subject: str
    until: int
    path: str
    line: int
    column: int
    function: str
    message: str
    reason: str
    fingerprint: str
    profiles: tuple[str, ...]
    assumptions: tuple[str, ...]
    silenced: str
    moved: str
    at_hand: bool
    steps: int
    segments: tuple[Segment, ...]
    time: TimeView | None
    graph: str
    calls: tuple[str, ...]
    mail: str
    fix: FixView | None
    repeat: str
    allow: str
    manual: bool
    bare: bool


def state(finding: Finding, report: Report) -> str:
    """A key of STATES."""
    if finding.suppressed_by is not None:
        return "suppressed" if finding.suppressed_by == "comment" else "known"
    if finding.patch is not None and finding.patch.change in ("fixed", "existing"):
        return finding.patch.change
    if report.compared is not None and place_of(finding) not in report.compared.fresh:
        return "moved" if place_of(finding) in report.compared.moved else "same"
    return "new"


def changed_by(report: Report, finding: Finding) -> Changed:
    """What the patch of a finding does to the files on its path, as far as both sides are at hand."""
    mark = finding.patch
    if mark is None or mark.change == "existing":
        return {}
    before, after = report.sources_at.get(mark.index - 1, {}), report.sources_at.get(mark.index, {})
    paths = {finding.path, *(step.path for step in finding.trace)} & set(before) & set(after)
    if mark.change == "introduced":
        return {path: marks(after[path], before[path], "+-") for path in sorted(paths)}
    return {path: marks(before[path], after[path], "-+") for path in sorted(paths)}


def finding_view(report: Report, finding: Finding, name: str, level: int) -> FindingView:
    """All that the page says of a finding, shortened by ``level``."""
    mark, sources = finding.patch, sources_of(report, finding)
    around = {FULL: 2, NEAR: 1, CLOSE: 0, SHORT: 0, BARE: -1}[level]
    graph = (report.graphs.get(place_of(finding)) or neighbourhood(report, finding)) if level <= CLOSE and finding.trace else None
    return FindingView(
        name=name,
        rule=finding.rule,
        slug=clean(finding.slug),
        severity=finding.severity,
        shape=SHAPES[finding.severity],
        confidence=finding.confidence,
        verdict=finding.verdict,
        state=state(finding, report),
        patch=mark.index if mark else 0,
        subject=clean(mark.subject) if mark else "",
        until=mark.until or 0 if mark else 0,
        path=clean(finding.path),
        line=finding.line,
        column=finding.column,
        function=clean(finding.function),
        message=clean(finding.message),
        reason=clean(finding.reason),
        fingerprint=finding.fingerprint,
        profiles=tuple(map(clean, finding.profiles)),
        assumptions=tuple(map(clean, finding.assumptions)),
        silenced=clean(finding.suppressed_reason or "no reason given") if finding.suppressed_by else "",
        moved=_moved(report, finding),
        at_hand=finding.path in sources,
        steps=len(finding.trace),
        segments=tuple(segments(finding, sources, around, changed_by(report, finding))),
        time=_time(finding, level),
        graph=graph_svg.embedded(graph, f"Calls on the path of {finding.rule} in {finding.function}()") if graph else "",
        calls=_calls(graph, finding.path) if graph else (),
        mail=_mail(report, finding) if level <= CLOSE else "",
        fix=_fix(finding) if level < BARE else None,
        repeat=repeat(report, finding),
        allow=f"/* tlblint: allow {finding.rule} -- why this is right */",
        manual=finding.rule in report.rules,
        bare=level == BARE,
    )


def _mail(report: Report, finding: Finding) -> str:
    """Text for a reply, its columns begun with tabs: blanks would be a quarter of it. None for a finding that would not fit into one."""
    text = mail.render(replace(report, findings=(replace(finding, suppressed_by=None),)), Style())
    return re.sub(r"^(?: {8})+", lambda lead: "\t" * (len(lead[0]) // 8), text, flags=re.MULTILINE) if len(text) <= MAIL else ""


def _moved(report: Report, finding: Finding) -> str:
    """Where a finding was in the older result, "" unless it moved."""
    before = report.compared.moved.get(place_of(finding)) if report.compared is not None else None
    return clean(f"{before[0]}:{before[1]}") if before is not None else ""


def _time(finding: Finding, level: int) -> TimeView | None:
    witness = finding.witness
    if witness is None:
        return None
    more = tuple(clean(one) for one in witness.assumptions if one not in finding.assumptions)
    return TimeView(clean(witness.sentence), clean(witness.profile), more, table(timeline(witness), finding.path) if level < BARE else None)


def _calls(graph: GraphView, path: str) -> tuple[str, ...]:
    """The edges in words; places in the file ``path`` are told by their line."""
    names = [node.name + ("" if node.kind == "pointer" else "()") for node in graph.nodes]
    found = []
    for edge in graph.edges:
        caller = graph.nodes[edge.caller].path
        place = "" if edge.line is None else f", line {edge.line}" if caller == path else f", {caller}:{edge.line}"
        via = f" through {edge.via}" if edge.via else ""
        held = f", under {', '.join(edge.held)}" if edge.held else ""
        found.append(clean(f"{names[edge.caller]} calls {names[edge.callee]}{via}{place}{held}"))
    for name, node in zip(names, graph.nodes, strict=True):
        more = [plural(count, noun) for count, noun in ((node.above, "more caller"), (node.below, "more callee")) if count]
        found += [clean(f"{name} has {' and '.join(more)}")] if more else []
    return tuple(found)


def _fix(finding: Finding) -> FixView | None:
    fix = finding.fix
    if fix is None:
        return None
    lines = tuple((_kind(line), tabbed(line.encode("utf-8", "surrogateescape"))) for line in fix.diff.splitlines()[:200])
    return FixView(clean(fix.note).rstrip(".") + ".", fix.verified, cost(fix), lines)


def _kind(line: str) -> str:
    return line[0] if line[:1] in ("+", "-", "@") and not line.startswith(("+++", "---")) else " "

