"""``-f checkpatch`` and ``-f b4``: what ``checkpatch.pl --terse --showfile`` prints, so that all who read that can read this.

Nothing found is nothing printed. ``b4 prep --check`` takes a line with ``ERROR:`` for a failure and every other line for a warning, so
no line but a finding may come, and no name in the checked code may put that word into a line.
"""

from __future__ import annotations

from tlblint.model.finding import Finding
from tlblint.report.text import clean
from tlblint.report.view import Report, Style, brought, remarks

KINDS = {"error": "ERROR", "warning": "WARNING", "note": "CHECK"}


def render(report: Report, style: Style) -> str:
    """``FILE:LINE: ERROR: CODE name: message (patch, verdict)`` for each finding; "" when there is none."""
    if style.verbosity <= -2:
        return ""
    return "".join(_line(report, finding, style) for finding in brought(report, style))


def _line(report: Report, finding: Finding, style: Style) -> str:
    place = clean(style.place(finding.path), style.unicode)
    more = remarks(report, finding)
    text = f"{finding.rule} {finding.slug}: {clean(finding.message, style.unicode)}" + (f" ({', '.join(more)})" if more else "")
    return f"{_tame(place)}:{finding.line}: {KINDS[finding.severity]}: {_tame(text)}\n"


def _tame(text: str) -> str:
    """Only the kind of a line may look like one."""
    for kind in KINDS.values():
        text = text.replace(f"{kind}:", f"{kind}\\x3a")
    return text
