"""The lines that end every run: what was found, and how much was understood."""

from __future__ import annotations

from tlblint.report.text import plural
from tlblint.report.view import Report, counts


def summary(report: Report) -> str:
    """One line: findings by severity, suppressed ones, stale baseline entries."""
    numbers = [plural(count, severity) for severity, count in counts(report).items() if count]
    hidden = {kind: sum(finding.suppressed_by == kind for finding in report.findings) for kind in ("comment", "baseline")}
    text = "Found " + (", ".join(numbers) or "nothing")
    text += f"; {hidden['comment']} suppressed in source" if hidden["comment"] else ""
    text += f"; {hidden['baseline']} in the baseline" if hidden["baseline"] else ""
    text += f"; {plural(report.stale, 'baseline line')} no longer needed" if report.stale else ""
    return text + "."


def health(report: Report) -> str:
    """One line: the parse health of the run."""
    state = report.health
    place = f"{state.files:,} of {plural(state.listed, 'C file')}"
    return (
        f"Analysed {plural(state.functions, 'function')} in {place}: "
        f"{state.whole:,} whole, {state.partial:,} partial, {len(state.not_analysed):,} not analysed." + _doubt(report)
    )


def _doubt(report: Report) -> str:
    """Contracts go by paths from the top of a kernel tree: elsewhere most of what is found is not to be believed."""
    if report.generation is not None:
        return ""
    return "\nThis is not the top of a kernel tree (no Makefile with VERSION): contracts do not apply and findings may be wrong; name the top with --tree."
