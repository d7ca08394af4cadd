"""Two results of a check against each other: what is new, what is gone, what moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlblint.model.finding import Finding
from tlblint.report.text import clean
from tlblint.report.view import Compared, Place, Report, Style, place_of

NAMED = 20
"""Findings of each kind that are named without -v."""


def compare(old: Sequence[Finding], new: Sequence[Finding], named: str) -> Compared:
    """What became of ``old``. A finding keeps its fingerprint when lines move and files are renamed; one at the same path is preferred."""
    waiting: dict[tuple[str, str], list[Finding]] = {}
    for finding in old:
        waiting.setdefault((finding.fingerprint, finding.rule), []).append(finding)
    pairs: dict[int, Finding] = {}
    for same_file in (True, False):
        for at, finding in enumerate(new):
            left = waiting.get((finding.fingerprint, finding.rule), [])
            match = next((one for one in left if one.path == finding.path or not same_file), None) if at not in pairs else None
            if match is not None:
                left.remove(match)
                pairs[at] = match
    moved: dict[Place, tuple[str, int]] = {}
    for at, before in sorted(pairs.items()):
        if (before.path, before.line) != (new[at].path, new[at].line):
            moved[place_of(new[at])] = (before.path, before.line)
    fresh = frozenset(place_of(finding) for at, finding in enumerate(new) if at not in pairs)
    gone = tuple(finding for finding in old if any(finding is one for one in waiting[finding.fingerprint, finding.rule]))
    return Compared(named, fresh, gone, moved, len(pairs) - len(moved))


def unlike(report: Report, finding: Finding) -> bool:
    """Whether a finding is worth showing in full: in a comparison those that the older result does not have."""
    return report.compared is None or place_of(finding) in report.compared.fresh


def compared(report: Report, style: Style) -> Iterator[str]:
    """The comparison in lines of text; none without one."""
    result = report.compared
    if result is None:
        return
    fresh = [finding for finding in report.findings if place_of(finding) in result.fresh]
    moved = [finding for finding in report.findings if place_of(finding) in result.moved]
    numbers = f"{len(fresh):,} new, {len(result.gone):,} gone, {len(moved):,} moved, {result.same:,} as before"
    yield f"Compared with {clean(result.named, style.unicode)}: {numbers}."
    for word, findings in (("new", fresh), ("gone", result.gone), ("moved", moved)):
        shown = findings if style.verbosity >= 1 else findings[:NAMED]
        for finding in shown:
            before = result.moved.get(place_of(finding)) if word == "moved" else None
            was = f", was {clean(style.place(before[0]), style.unicode)}:{before[1]}" if before is not None else ""
            where = f"{clean(style.place(finding.path), style.unicode)}:{finding.line}"
            yield f"  {word}: {where} {finding.rule} {finding.slug}" + (f" in {clean(finding.function, style.unicode)}()" if finding.function else "") + was
        if len(shown) < len(findings):
            yield f"  {word}: {len(findings) - len(shown):,} more; -v names them all"
