"""``-f concise``: one line a finding, as compilers write them, for editors and grep."""

from __future__ import annotations

from tlblint.model.finding import Finding
from tlblint.report.text import clean, paint
from tlblint.report.view import Report, Style, shown


def render(report: Report, style: Style) -> str:
    """``path:line:col: CODE message`` for each finding. The health line is the caller's, on stderr."""
    if style.verbosity <= -2:
        return ""
    return "".join(_line(finding, style) for finding in shown(report, style))


def _line(f: Finding, style: Style) -> str:
    place = f"{clean(style.place(f.path), style.unicode)}:{f.line}:{f.column}"
    silenced = f" [suppressed by {f.suppressed_by}: {clean(f.suppressed_reason or '', style.unicode)}]" if f.suppressed_by else ""
    return f"{place}: {paint(f.rule, f.severity, style.color)} {clean(f.message, style.unicode)}{silenced}\n"
