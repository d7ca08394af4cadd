"""Everything on an HTML page but the findings: the verdict line, facts about the run, the series strip, filters, rules, the appendix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tlblint.model.finding import Finding
from tlblint.report import health
from tlblint.report.html_rows import SHAPES, STATES, VERDICTS, state
from tlblint.report.markdown import Block, blocks
from tlblint.report.predicates_view import Executed
from tlblint.report.text import clean, plural
from tlblint.report.view import SEVERITIES, PatchView, Report

LISTED = 200
"""Rows of a list in the appendix; the rest is counted."""


class Choice(msgspec.Struct, frozen=True):
    """A button of a filter. ``mark`` is a shape before the word."""

    value: str
    word: str
    count: int
    mark: str = ""


class Filter(msgspec.Struct, frozen=True):
    """A row of buttons. ``key`` is the attribute of a finding that they look at: "sev", "verdict", "state", "rule"."""

    key: str
    title: str
    choices: tuple[Choice, ...]


class RuleText(msgspec.Struct, frozen=True):
    """A rule's manual as blocks, without its first heading; the machine-readable block comes last."""

    code: str
    slug: str
    title: str
    severity: str
    confidence: str
    blocks: tuple[Block, ...]


class Listing(msgspec.Struct, frozen=True):
    """A list of the appendix: (place, text) rows and how many more there are."""

    title: str
    rows: tuple[tuple[str, str], ...]
    more: int


class Page(msgspec.Struct, frozen=True):
    """``facts`` are (name, value) pairs; ``notices`` sentences at the top of the page."""

    title: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    command: str
    notices: tuple[str, ...]
    strip: tuple[PatchView, ...]
    filters: tuple[Filter, ...]
    rules: tuple[RuleText, ...]
    appendix: tuple[Listing, ...]
    executed: Executed | None = None


def page(report: Report, notices: Sequence[str]) -> Page:
    """The page around the findings."""
    verdict, facts = verdict_line(report), tuple(_facts(report))
    strip, filters, rules, appendix = _strip(report), _filters(report), _rules(report), _appendix(report)
    return Page(f"tlblint: {verdict}", verdict, facts, clean(report.command), tuple(notices), strip, filters, rules, appendix, report.executed)


def verdict_line(report: Report) -> str:
    """What was found, in one sentence: "2 new, 1 known, 1 fixed by this series; 1 confirmed by simulation."."""
    counted = Counter(state(finding, report) for finding in report.findings)
    gone = len(report.compared.gone) if report.compared else 0
    if report.executed is not None and report.executed.alone:
        return report.executed.sentence
    if not report.findings and not gone:
        return "Nothing found."
    plain = set(counted) <= {"new"} and report.compared is None and not any(finding.patch for finding in report.findings)
    if plain:
        parts = [plural(sum(finding.severity == severity for finding in report.findings), severity) for severity in SEVERITIES]
        parts = [part for part in parts if not part.startswith("0 ")]
    else:
        parts = [f"{counted[name]:,} {word}" for name, word in STATES.items() if counted[name] or name == "new"]
        parts += [f"{gone:,} gone"] if report.compared else []
    return ", ".join(parts) + (f"; {said}" if (said := simulated(report)) else "") + "."


def simulated(report: Report) -> str:
    """What the simulation proved: "1 confirmed by simulation, 2 under assumptions"; "" when nothing."""
    verdicts = Counter(finding.verdict for finding in report.findings if finding.suppressed_by is None)
    proven, so = verdicts["confirmed"], verdicts["conditional"]
    if not proven:
        return f"{so:,} confirmed by simulation under assumptions" if so else ""
    return f"{proven:,} confirmed by simulation" + (f", {so:,} under assumptions" if so else "")


def _facts(report: Report) -> list[tuple[str, str]]:
    kinds = {"worktree": "work tree", "directory": "directory", "revision": "revision", "series": "series"}
    tree = f"{kinds.get(report.kind, report.kind)} {report.revision}" if report.revision else kinds.get(report.kind, report.kind)
    facts = [("Tree", clean(tree)), ("Kernel", clean(report.generation or "not the top of a kernel tree"))]
    facts += [("Profiles", clean(", ".join(sorted(report.profiles))))] if report.profiles else []
    facts += [("tlblint", clean(report.version + (f", rules and roles {report.ruleset}" if report.ruleset else "")))]
    facts += [("Health", " ".join(clean(part) for part in _health(report)))]
    if report.series is not None:
        facts[:1] = [("Series", clean(report.series.title)), ("Base", clean(report.series.base.removeprefix("base: ")))]
        facts += [("Note", clean(note)) for note in report.series.notes]
    facts += [("Compared with", clean(report.compared.named))] if report.compared else []
    return facts


def _health(report: Report) -> list[str]:
    if report.executed is not None and report.executed.alone:
        return [f"Helpers executed: {report.executed.helpers:,} of {report.executed.asked:,}."] if report.executed.asked else ["No helper was asked for."]
    return health.health(report).split("\n")


def _strip(report: Report) -> tuple[PatchView, ...]:
    """A cell for each patch; of a stored result, which does not hold the series, for each patch that a finding names."""
    if report.series is not None:
        return tuple(replace(patch, subject=clean(patch.subject), notes=tuple(map(clean, patch.notes))) for patch in report.series.patches)
    marks = [finding.patch for finding in report.findings if finding.patch is not None and finding.suppressed_by is None]
    subjects = {mark.index: mark.subject for mark in marks}
    cells = []
    for index in sorted({*subjects, *(mark.until for mark in marks if mark.until is not None)}):
        here = Counter(mark.change for mark in marks if mark.index == index)
        mended = sum(mark.until == index for mark in marks)
        cells.append(PatchView(index, clean(subjects.get(index, "")), here["introduced"], here["fixed"] + mended, here["existing"]))
    return tuple(cells)


def _filters(report: Report) -> tuple[Filter, ...]:
    found = report.findings
    severities = Counter(finding.severity for finding in found)
    verdicts = Counter(finding.verdict for finding in found)
    states = Counter(state(finding, report) for finding in found)
    rules = Counter(finding.rule for finding in found)
    every = (
        Filter("sev", "Severity", tuple(Choice(name, name, severities[name], SHAPES[name]) for name in SEVERITIES if severities[name])),
        Filter("state", "State", tuple(Choice(name, word, states[name]) for name, word in STATES.items() if states[name])),
        Filter("verdict", "Simulation", tuple(Choice(name, word, verdicts[name]) for name, word in VERDICTS.items() if verdicts[name])),
        Filter("rule", "Rule", tuple(Choice(name, name, rules[name]) for name in sorted(rules))),
    )
    return tuple(one for one in every if len(one.choices) > 1)


def _rules(report: Report) -> tuple[RuleText, ...]:
    used = sorted({finding.rule for finding in report.findings} & set(report.rules))
    texts = []
    for code in used:
        rule = report.rules[code]
        all_blocks = [block for block in blocks(rule.text) if not (block.kind == "heading" and block.level == 1)]
        machine = [block for block in all_blocks if block.kind == "code" and block.info == "toml"]
        told = [block for block in all_blocks if block not in machine]
        told += [Block("heading", 2, spans=blocks("The automaton")[0].spans), *machine] if machine else []
        texts.append(RuleText(code, clean(rule.slug), clean(rule.title), rule.severity, rule.confidence, tuple(told)))
    return tuple(texts)


def _appendix(report: Report) -> tuple[Listing, ...]:
    gaps = [(f"{gap.path}:{gap.line}", (f"{gap.function}(): " if gap.function else "") + gap.why) for gap in report.health.not_analysed]
    stale = [(entry.path, f"{entry.rule} {entry.fingerprint}" + (f" in {entry.function}()" if entry.function else "")) for entry in report.stale]
    excused = [(f"{one.path}:{one.line}", f"{one.function}() {', '.join(one.rules)}: {one.reason}") for one in report.excused]
    gone = [(f"{f.path}:{f.line}", _gone(f)) for f in (report.compared.gone if report.compared else ())]
    listings = [
        ("Gone since the older result", gone), ("Not analysed", gaps), ("No longer needed in the baseline", stale),
        ("Excused by contracts; nothing checks these reasons", excused), ("Submodules, not entered", [(path, "") for path in report.submodules]),
    ]  # fmt: skip
    return tuple(_listing(title, rows) for title, rows in listings if rows)


def _gone(finding: Finding) -> str:
    return f"{finding.rule} {finding.slug}" + (f" in {finding.function}()" if finding.function else "")


def _listing(title: str, rows: Sequence[tuple[str, str]]) -> Listing:
    return Listing(f"{title} ({len(rows):,})", tuple((clean(place), clean(text)) for place, text in rows[:LISTED]), max(0, len(rows) - LISTED))
