"""``-f mail``: a finding as plain text for a reply on a mailing list, to be pasted under the quoted hunk.

No line is longer than 75 columns, none can be taken for a quote, a diff or the end of a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlblint.model.finding import Finding, TraceStep
from tlblint.model.witness import Witness
from tlblint.report.interleaving import diagram, wrapped
from tlblint.report.text import clean, cost
from tlblint.report.view import Report, Style, brought

WIDTH = 75
WEAKER = ("refuted", "inconclusive")
"""Verdicts that no interleaving shows: who reads the mail has to be told."""


def render(report: Report, style: Style) -> str:
    """The findings, an empty line between two; "" when there is none."""
    if style.verbosity <= -2:
        return ""
    return "\n".join("".join(f"{line}".rstrip() + "\n" for line in _block(finding, style)) for finding in brought(report, style))


def _block(finding: Finding, style: Style) -> Iterator[str]:
    """The first word of every line is ours or it is indented: a name in the code must not look like a line of another kind."""
    yield from _text(f"{finding.rule} {finding.slug}: {_place(finding.path, finding.line, finding.function)}", style)
    yield ""
    yield from _text(finding.message, style)
    yield from _path(finding.trace, style)
    if finding.witness is not None:
        yield from _witness(finding.witness, style)
    if finding.fix is not None and finding.fix.note:
        yield ""
        yield from _text(("A fix that holds in simulation: " if finding.fix.verified else "A possible fix: ") + finding.fix.note.rstrip(".") + ".", style)
        if worth := cost(finding.fix):
            yield from _text(worth, style)
    if finding.verdict in WEAKER:
        yield ""
        yield from _text(f"Simulation: {finding.verdict}{f': {finding.reason}' if finding.reason else ''}".rstrip(".") + ".", style)
    facts = ", ".join([*([f"on {', '.join(finding.profiles)}"] if finding.profiles else []), f"{finding.confidence} confidence"])
    yield ""
    yield from _text(f"({finding.severity}, {facts})", style)
    yield from _origin(finding, style)


def _text(text: str, style: Style, lead: str = "  ") -> Iterator[str]:
    """Wrapped, with a first line that starts with ``lead`` and others indented as far."""
    for at, line in enumerate(wrapped(clean(text, style.unicode), WIDTH - len(lead))):
        yield (lead if not at else " " * len(lead)) + line


def _place(path: str, line: int, function: str) -> str:
    """By its path in the tree, wherever the sender's tree may lie."""
    return f"{path}:{line}" + (f", {function}()" if function else "")


def _path(trace: Sequence[TraceStep], style: Style) -> Iterator[str]:
    """The steps by line, under the function that they are in; the file is named where it changes."""
    here: tuple[str, str] | None = None
    for number, step in enumerate(trace, 1):
        if here is None or here != (step.path, step.function):
            yield from [""] if here is None else []
            file = "" if here is not None and here[0] == step.path else step.path
            yield from _text((", ".join(filter(None, (f"{step.function}()" if step.function else "", file))) or "same file") + ":", style)
            here = (step.path, step.function)
        yield from _text(_step(step), style, f"{number:>5}. ")


def _step(step: TraceStep) -> str:
    """The note tells what the event is in words."""
    return f"line {step.line}: {step.note or step.event}" + (f" -> {step.state}" if step.state else "")


def _witness(witness: Witness, style: Style) -> Iterator[str]:
    yield ""
    yield from _text(f"{witness.sentence} On {witness.profile}:", style)
    yield ""
    yield from (f"  {line}" for line in diagram(witness, WIDTH - 2, style.unicode))
    if witness.assumptions:
        yield ""
        yield from _text(f"This assumes: {'; '.join(sorted(witness.assumptions))}.", style)


def _origin(finding: Finding, style: Style) -> Iterator[str]:
    """Which patch brought it, a commit as kernel mails name one."""
    mark = finding.patch
    if mark is None:
        return
    patch = f'{mark.commit[:12]} ("{mark.subject}")' if mark.commit else f'"{mark.subject}"'
    mended = f", mended by patch {mark.until}" if mark.until is not None else ""
    yield from _text(f"Introduced by patch {mark.index}, {patch}{mended}.", style)
