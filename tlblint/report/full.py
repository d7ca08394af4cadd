"""``-f full``: for people. Source excerpt with caret, then the path step by step with the state after each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from msgspec.structs import replace

from tlblint.model.finding import Finding, TraceStep
from tlblint.report import series
from tlblint.report.compare import compared, unlike
from tlblint.report.health import closing
from tlblint.report.interleaving import diagram
from tlblint.report.text import clean, cost, display, paint, source_line, underline
from tlblint.report.view import Report, Style, shown, sources_of

WIDTH = 100
"""Columns of an interleaving at most."""


def render(report: Report, style: Style) -> str:
    """The whole report; its last line is the health line. Nothing at all with -qq. A comparison comes first, and after it what is new."""
    if style.verbosity <= -2:
        return ""
    findings = [finding for finding in shown(report, style) if style.verbosity >= 1 or unlike(report, finding)]
    text = "\n".join("".join(line + "\n" for line in _block(report, finding, style)) for finding in findings if not _bare(finding))
    bare = "".join(_line(finding, style) for finding in findings if _bare(finding))
    text += ("\n" if text and bare else "") + bare
    if report.series is not None:
        text = _series(report, text, style)
    if report.compared is not None and style.verbosity >= 0:
        text = "".join(line + "\n" for line in (*compared(report, style), *_left_out(report, style))) + ("\n" + text if text else "")
    if style.verbosity >= 0:
        text += ("\n" if text else "") + closing(replace(report, compared=None), style)
    return text


def _left_out(report: Report, style: Style) -> Iterator[str]:
    """How to see what the older result has, too."""
    old = sum(not unlike(report, finding) for finding in shown(report, style))
    if old and style.verbosity < 1:
        others = f"{old:,} others" if old > 1 else "other one"
        yield f"What is new follows; -v shows the {others}, too." if old < len(shown(report, style)) else "Nothing is new; -v shows what there is."


def _series(report: Report, text: str, style: Style) -> str:
    """The rows of the patches, the findings, and what is fixed."""
    assert report.series is not None
    head = "".join(line + "\n" for line in series.strip(report.series, style)) if style.verbosity >= 0 else ""
    mended = "".join(line + "\n" for line in series.fixed(report, style)) if style.verbosity == 0 else ""
    return "\n".join(part for part in (head, text, mended) if part)


def _bare(finding: Finding) -> bool:
    """Whether one line says it all: a note without a path, such as TLB902."""
    return finding.severity == "note" and not finding.trace and finding.suppressed_by is None


def _line(finding: Finding, style: Style) -> str:
    kind = f"{paint(finding.severity, finding.severity, style.color)} {paint(finding.rule, 'bold', style.color)} {finding.slug}"
    return f"{_place(finding, style)}: {kind}: {clean(finding.message, style.unicode)}\n"


def _place(finding: Finding, style: Style) -> str:
    return paint(f"{clean(style.place(finding.path), style.unicode)}:{finding.line}:{finding.column}", "bold", style.color)


def _block(report: Report, finding: Finding, style: Style) -> Iterator[str]:
    where = f", in {clean(finding.function, style.unicode)}()" if finding.function else ""
    kind = f"{paint(finding.severity, finding.severity, style.color)} {paint(finding.rule, 'bold', style.color)} {finding.slug}"
    yield f"{_place(finding, style)}: {kind}{where}"
    yield from textwrap.wrap(clean(finding.message, style.unicode), style.width, initial_indent="  ", subsequent_indent="  ", break_long_words=False)
    if fate := series.fate(finding, report.series):
        yield from textwrap.wrap(clean(fate, style.unicode), style.width, initial_indent="  ", subsequent_indent="  ", break_long_words=False)
    raw = sources_of(report, finding).get(finding.path)
    if raw is not None:
        yield from _excerpt(raw, finding, style)
    yield from _path(report, finding, style)
    yield from _verdict(finding, style)
    facts = [f"confidence {finding.confidence}", f"fingerprint {finding.fingerprint}"]
    if finding.profiles:
        facts.insert(0, "on " + clean(", ".join(finding.profiles), style.unicode))
    if finding.trace:
        yield paint("  " + "; ".join(facts), "dim", style.color)
    if finding.suppressed_by:
        yield f"  suppressed by {finding.suppressed_by}: {clean(finding.suppressed_reason or '', style.unicode)}"


def _excerpt(raw: bytes, finding: Finding, style: Style) -> Iterator[str]:
    line = source_line(raw, finding.line)
    if line is None:
        return
    gutter = f"{finding.line:>7} | "
    yield _cut(gutter + display(line, style.unicode), style)
    marks = underline(line, finding.column, style.unicode)
    if len(marks) < max(style.width, 80) * 2 - len(gutter):  # else its byte was cut off
        yield " " * (len(gutter) - 2) + "| " + paint(marks, "caret", style.color)


def _cut(text: str, style: Style) -> str:
    return text if len(text) <= max(style.width, 80) * 2 else text[: max(style.width, 80) * 2 - 3] + "..."


def _path(report: Report, finding: Finding, style: Style) -> Iterator[str]:
    if not finding.trace:
        return
    yield "  path:"
    sources = sources_of(report, finding)
    for number, step in enumerate(finding.trace, 1):
        yield _step(number, step, style)
        raw = sources.get(step.path)
        line = source_line(raw, step.line) if raw is not None else None
        if line is not None and line.strip():
            yield paint(_cut("         " + display(line.strip(), style.unicode), style), "dim", style.color)


def _verdict(finding: Finding, style: Style) -> Iterator[str]:
    """What the simulation says, and the shortest interleaving that shows it."""
    if finding.verdict == "not-run":
        return
    words = f"{finding.verdict}: {finding.reason}" if finding.reason else finding.verdict
    yield from _wrapped(f"simulation: {words}", style)
    for need in finding.assumptions:
        yield from _wrapped(f"provided that {need}", style, "      ")
    if finding.witness is not None:
        yield from (f"    {line}".rstrip() for line in diagram(finding.witness, min(style.width, WIDTH) - 4, style.unicode))
        yield from _wrapped(finding.witness.sentence, style)
    if finding.fix is not None:
        tried = "; with that every interleaving holds" if finding.fix.verified else ""
        yield from _wrapped(f"mend: {finding.fix.note}{tried}{'. ' if cost(finding.fix) else ''}{cost(finding.fix)}", style)
        tabs = (line.split("\t") for line in finding.fix.diff.splitlines())
        yield from ("    " + "\t".join(clean(part, style.unicode) for part in parts) for parts in tabs)


def _wrapped(text: str, style: Style, indent: str = "  ") -> list[str]:
    return textwrap.wrap(clean(text, style.unicode), style.width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False)


def _step(number: int, step: TraceStep, style: Style) -> str:
    arrow = "\u2192" if style.unicode else "->"
    place = f"{clean(style.place(step.path), style.unicode)}:{step.line}"
    where = f"{place} {clean(step.function, style.unicode)}()" if step.function else place
    text = f"  {number:>4}. {where}: {clean(step.event, style.unicode)}"
    text += f" {arrow} {clean(step.state, style.unicode)}" if step.state else ""
    return text + (f" ({clean(step.note, style.unicode)})" if step.note else "")
