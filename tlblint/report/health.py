"""The lines that end every run: what was found, what was kept quiet, and how much was understood."""

from __future__ import annotations

from collections.abc import Iterator

from tlblint.report import series
from tlblint.report.compare import compared
from tlblint.report.text import clean, plural
from tlblint.report.view import Report, Style, counts

NAMED = 10
"""Lines of a baseline, and submodules, that are named without -v."""


def closing(report: Report, style: Style) -> str:
    """Everything that follows the findings; the last line is the health line."""
    told = [*compared(report, style), *_stale(report, style), *_excused(report, style), *_submodules(report, style)]
    return "".join(f"{line}\n" for line in [*told, summary(report), health(report)])


def _stale(report: Report, style: Style) -> Iterator[str]:
    """The lines of the baseline that can go, so that nobody has to look for them."""
    if not report.stale:
        return
    yield "No longer needed in the baseline:"
    shown = report.stale if style.verbosity >= 1 else report.stale[:NAMED]
    for entry in shown:
        where = f"{clean(entry.path, style.unicode)} {clean(entry.function, style.unicode)}()" if entry.function else clean(entry.path, style.unicode)
        yield f"  {entry.fingerprint} {entry.rule} {where}"
    if len(shown) < len(report.stale):
        yield f"  and {len(report.stale) - len(shown):,} more; -v names them all"


def _excused(report: Report, style: Style) -> Iterator[str]:
    """What a contract keeps quiet. Nothing checks contracts, so somebody has to be able to read them."""
    if not report.excused or style.verbosity < 1:
        return
    yield "Excused by contracts; nothing checks these reasons:"
    for item in report.excused:
        place = f"{clean(style.place(item.path), style.unicode)}:{item.line}"
        yield f"  {place} {clean(item.function, style.unicode)}() {', '.join(item.rules)}: {clean(item.reason, style.unicode)}"


def _submodules(report: Report, style: Style) -> Iterator[str]:
    """One line for the repositories in the repository: nobody may think that their code was checked."""
    if report.submodules:
        shown = report.submodules if style.verbosity >= 1 else report.submodules[:NAMED]
        more = len(report.submodules) - len(shown)
        named = ", ".join(clean(style.place(path), style.unicode) for path in shown) + (f" and {more:,} more; -v names them all" if more else "")
        yield f"Did not enter {plural(len(report.submodules), 'submodule')}: {named}"


def summary(report: Report) -> str:
    """One line: findings by severity, suppressed ones, stale baseline entries."""
    numbers = [plural(count, severity) for severity, count in counts(report).items() if count]
    hidden = {kind: sum(finding.suppressed_by == kind for finding in report.findings) for kind in ("comment", "baseline")}
    text = series.summary(report, numbers) if report.series is not None else "Found " + (", ".join(numbers) or "nothing")
    text += f"; {hidden['comment']} suppressed in source" if hidden["comment"] else ""
    text += f"; {hidden['baseline']} in the baseline" if hidden["baseline"] else ""
    text += f"; {plural(len(report.stale), 'baseline line')} no longer needed" if report.stale else ""
    text += f"; {plural(len(report.excused), 'function')} excused by contracts" if report.excused else ""
    return text + "."


def health(report: Report) -> str:
    """One line: the parse health of the run; a second one when it was no kernel tree."""
    state = report.health
    if not state.functions and not state.not_analysed:
        return f"Analysed nothing: no function in {plural(state.listed, 'C file')} uses a page table or TLB interface that tlblint knows." + _doubt(report)
    # A stored result does not say how many files were listed.
    place = f"{state.files:,} of {plural(state.listed, 'C file')}" if state.listed else plural(state.files, "C file")
    return (
        f"Analysed {plural(state.functions, 'function')} in {place}: "
        f"{state.whole:,} whole, {state.partial:,} partial, {len(state.not_analysed):,} not analysed." + _doubt(report)
    )


def _doubt(report: Report) -> str:
    """Contracts go by paths from the top of a kernel tree: elsewhere most of what is found is not to be believed."""
    if report.generation is not None:
        return ""
    return "\nThis is not the top of a kernel tree (no Makefile with VERSION): contracts do not apply and findings may be wrong; name the top with --tree."
