"""The view model: all that any printer may show of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tlblint.model.finding import Finding
from tlblint.report.graph_view import GraphView
from tlblint.report.predicates_view import Executed

SEVERITIES = ("error", "warning", "note")
"""From the worst down."""


class RuleView(msgspec.Struct, frozen=True):
    """What a report says of a rule. ``text`` is the manual in Markdown."""

    code: str
    slug: str
    severity: str
    confidence: str
    title: str
    text: str
    path: str


class Gap(msgspec.Struct, frozen=True):
    """Something in scope that was not analysed; ``function`` is "" for a whole file. ``line`` is 1-based."""

    path: str
    function: str
    line: int
    why: str


class Stale(msgspec.Struct, frozen=True):
    """A line of the baseline whose finding is gone."""

    fingerprint: str
    rule: str
    path: str
    function: str


class Excused(msgspec.Struct, frozen=True, order=True):
    """A function in which a contract silences the ``rules``; the first silent finding is on ``line`` (1-based)."""

    path: str
    line: int
    function: str
    rules: tuple[str, ...]
    reason: str


class Health(msgspec.Struct, frozen=True):
    """How much of the reported part was understood.

    ``listed`` C files, of which ``files`` mention anything of interest; they hold ``functions`` in scope:
    ``whole`` understood, ``partial`` with doubts, the rest in ``not_analysed``.
    """

    listed: int
    files: int
    functions: int
    whole: int
    partial: int
    not_analysed: tuple[Gap, ...]


Place = tuple[str, int, int, str, str]
"""What tells the findings of one result apart: path, line, column, rule, fingerprint."""


def place_of(finding: Finding) -> Place:
    """The key of a finding in Compared."""
    return finding.path, finding.line, finding.column, finding.rule, finding.fingerprint


class Compared(msgspec.Struct, frozen=True):
    """What became of an older result, ``named`` so. ``fresh`` findings are new; ``gone`` ones are no longer there; ``moved`` ones stood at
    another (path, line); ``same`` counts the rest."""

    named: str
    fresh: frozenset[Place]
    gone: tuple[Finding, ...]
    moved: Mapping[Place, tuple[str, int]]
    same: int


class PatchView(msgspec.Struct, frozen=True):
    """One patch of a series. ``index`` is 1-based. ``introduced``, ``fixed`` and ``existing`` count unsuppressed findings: those that it
    brings, those that it mends, and those of the base that are still there after it. ``notes`` are sentences about it. ``commit`` is None for a mail."""

    index: int
    subject: str
    introduced: int
    fixed: int
    existing: int
    notes: tuple[str, ...] = ()
    commit: str | None = None


class SeriesView(msgspec.Struct, frozen=True):
    """A series that was judged patch by patch. ``base`` says in one sentence what it was applied to; ``notes`` are sentences about the whole."""

    title: str
    base: str
    patches: tuple[PatchView, ...]
    notes: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """One run. ``findings`` are sorted and hold the suppressed ones too; ``sources`` has the bytes of the files they name."""

    version: str
    ruleset: str
    kind: str
    revision: str | None
    generation: str | None
    profiles: tuple[str, ...]
    health: Health
    findings: tuple[Finding, ...]
    rules: Mapping[str, RuleView]
    sources: Mapping[str, bytes]
    stale: tuple[Stale, ...] = ()
    excused: tuple[Excused, ...] = ()
    """Filled only when a run was asked to look."""
    submodules: tuple[str, ...] = ()
    """Paths of repositories of their own, which were not entered."""
    command: str = ""
    """The command line that makes this report again, or "" when it is not known."""
    compared: Compared | None = None
    graphs: Mapping[Place, GraphView] = msgspec.field(default_factory=dict)
    """Calls around findings, where a format that shows them was asked for."""
    series: SeriesView | None = None
    """None for a report on a tree."""
    executed: Executed | None = None
    """What the predicates of the tree were found to be, where any were executed."""
    sources_at: Mapping[int, Mapping[str, bytes]] = msgspec.field(default_factory=dict)
    """The bytes of the files that findings of a series name, by the number of the patch after which they are these; 0 is the base."""


def _same(path: str) -> str:
    return path


class Style(msgspec.Struct, frozen=True):
    """How to print. ``place`` turns a path of the tree into the one to show; ``verbosity`` is -2 to 2. ``templates`` are the files of
    reports/templates by name, for formats that ask for them."""

    color: bool = False
    unicode: bool = False
    width: int = 100
    verbosity: int = 0
    place: Callable[[str], str] = _same
    templates: Mapping[str, str] = msgspec.field(default_factory=dict)


def sources_of(report: Report, finding: Finding) -> Mapping[str, bytes]:
    """The files that a finding's lines count in: those after the patch that introduces it, or before the one that mends it."""
    mark = finding.patch
    if mark is None or not report.sources_at:
        return report.sources
    state = mark.index if mark.change == "introduced" else mark.index - 1 if mark.change == "fixed" else max(report.sources_at)
    return report.sources_at.get(state, report.sources)


def is_new(finding: Finding) -> bool:
    """Whether a finding is to be mended by whom the report is for: all of a tree, of a series only what it introduces."""
    return finding.patch is None or finding.patch.change == "introduced"


def remarks(report: Report, finding: Finding) -> list[str]:
    """What one line says of a finding besides its message: of several patches which it is, and the verdict of the simulation."""
    mark, found = finding.patch, []
    if mark is not None and (report.series is None or len(report.series.patches) > 1):
        found = [f"patch {mark.index}", *([f"mended by patch {mark.until}"] if mark.until is not None else [])]
    return found + ([finding.verdict] if finding.verdict != "not-run" else [])


def shown(report: Report, style: Style) -> list[Finding]:
    """The findings that a text report lists: no notes with -q, suppressed ones and what a series does not introduce only with -v."""
    return [
        finding
        for finding in report.findings
        if (style.verbosity >= 1 or (finding.suppressed_by is None and is_new(finding))) and (style.verbosity >= 0 or finding.severity != "note")
    ]


def brought(report: Report, style: Style) -> list[Finding]:
    """The findings that a checker of patches answers with: never suppressed ones, and of a series only what its patches introduce."""
    return [f for f in shown(report, style) if f.suppressed_by is None and is_new(f)]


def counts(report: Report) -> dict[str, int]:
    """Unsuppressed findings by severity, worst first; of a series those that it introduces."""
    live = [finding.severity for finding in report.findings if finding.suppressed_by is None and is_new(finding)]
    return {severity: live.count(severity) for severity in SEVERITIES}
