"""``-f concise``: one line a finding, as compilers write them, for editors and grep."""

from __future__ import annotations

from tlblint.report.text import clean, paint
from tlblint.report.view import Report, Style, shown


def render(report: Report, style: Style) -> str:
    """``path:line:col: CODE message`` for each finding. The health line is the caller's, on stderr."""
    if style.verbosity <= -2:
        return ""
    return "".join(
        f"{clean(style.place(f.path), style.unicode)}:{f.line}:{f.column}: {paint(f.rule, f.severity, style.color)} {clean(f.message, style.unicode)}\n"
        for f in shown(report, style)
    )
