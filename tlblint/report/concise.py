"""``-f concise``: one line a finding, as compilers write them, for editors and grep."""

from __future__ import annotations

from tlblint.model.finding import Finding
from tlblint.report.text import clean, paint
from tlblint.report.view import Report, Style, remarks, shown


def render(report: Report, style: Style) -> str:
    """``path:line:col: CODE message [patch, verdict]`` for each finding. The health line is the caller's, on stderr."""
    if style.verbosity <= -2:
        return ""
    return "".join(_line(report, finding, style) for finding in shown(report, style))


def _line(report: Report, f: Finding, style: Style) -> str:
    place = f"{clean(style.place(f.path), style.unicode)}:{f.line}:{f.column}"
    more = remarks(report, f)
    more += [f"suppressed by {f.suppressed_by}: {clean(f.suppressed_reason or '', style.unicode)}"] if f.suppressed_by else []
    told = f" [{', '.join(more)}]" if more else ""
    return f"{place}: {paint(f.rule, f.severity, style.color)} {clean(f.message, style.unicode)}{told}\n"
