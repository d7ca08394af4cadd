"""A series in text: one line a patch, and what became of findings that are not to be mended."""

from __future__ import annotations

from collections.abc import Iterator

from tlblint.model.finding import Finding
from tlblint.report.text import clean, paint, plural
from tlblint.report.view import PatchView, Report, SeriesView, Style


def strip(series: SeriesView, style: Style) -> Iterator[str]:
    """The lines that a report on a series begins with."""
    title = f'"{clean(series.title, style.unicode)}"'
    yield f"{len(series.patches)} {'patch' if len(series.patches) == 1 else 'patches'}: {title}"
    for note in (series.base, *series.notes):
        if note:
            yield f"  {clean(note, style.unicode)}"
    width = min(60, max((len(clean(patch.subject, style.unicode)) for patch in series.patches), default=0))
    for patch in series.patches:
        yield from _row(patch, len(series.patches), width, style)


def _row(patch: PatchView, total: int, width: int, style: Style) -> Iterator[str]:
    subject = clean(patch.subject, style.unicode)
    subject = subject if len(subject) <= width else subject[: width - 3] + "..."
    counts = [paint(f"{patch.introduced} introduced", "error", style.color)] if patch.introduced else []
    counts += [f"{patch.fixed} fixed"] if patch.fixed else []
    yield f"  {patch.index:>{len(str(total))}}/{total} {subject:<{width}}  {', '.join(counts) or '-'}"
    for note in patch.notes:
        yield f"  {'':>{2 * len(str(total)) + 1}} {clean(note, style.unicode)}"


def fate(finding: Finding, series: SeriesView | None) -> str:
    """What a series does to a finding, in one sentence; "" for one of a tree."""
    mark = finding.patch
    if mark is None or series is None:
        return ""
    if mark.change == "existing":
        return "was there before the series"
    if mark.change == "fixed":
        return f"fixed by {_named(mark.index, series)}"
    if mark.until is None:
        return f"introduced by {_named(mark.index, series)}"
    return f"introduced by {_named(mark.index, series)}, mended by patch {mark.until}: a bisection can land between"


def _named(index: int, series: SeriesView) -> str:
    subject = next((patch.subject for patch in series.patches if patch.index == index), "")
    return f'patch {index}/{len(series.patches)} "{subject}"'


def fixed(report: Report, style: Style) -> Iterator[str]:
    """One line for each finding that the series mends."""
    for finding in report.findings:
        if finding.patch is not None and finding.patch.change == "fixed" and finding.suppressed_by is None:
            place = f"{clean(style.place(finding.path), style.unicode)}:{finding.line}"
            what = clean(fate(finding, report.series), style.unicode)
            yield f"{place}: {finding.rule} {finding.slug} in {clean(finding.function, style.unicode)}() is {what}"


def summary(report: Report, numbers: list[str]) -> str:
    """The beginning of the last lines: what the series introduces (``numbers`` by severity), fixes and leaves."""
    live = [finding.patch for finding in report.findings if finding.suppressed_by is None and finding.patch is not None]
    text = "Introduces " + (", ".join(numbers) or "nothing")
    broken = sum(mark.change == "introduced" and mark.until is not None for mark in live)
    text += f" ({broken} of them mended by a later patch)" if broken else ""
    mended, left = (sum(mark.change == change for mark in live) for change in ("fixed", "existing"))
    text += f"; fixes {mended}" if mended else ""
    return text + (f"; leaves {plural(left, 'finding')} in the code that it reaches (-v lists)" if left else "")
