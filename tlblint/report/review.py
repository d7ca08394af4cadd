"""``-f b4-review``: the JSON that ``b4 review`` takes from its check commands.

One entry a run: b4 keeps one result of a tool for each message. A run over several patches has a name of its own, because b4 files the
result for a series under its first message, where the result for that patch may stand already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from tlblint.report import mail
from tlblint.report.health import health
from tlblint.report.series import strip
from tlblint.report.text import clean, plural
from tlblint.report.view import SEVERITIES, Report, Style, brought

TOOL, SERIES = "tlblint", "tlblint-series"
STATUS = {"error": "fail", "warning": "warn", "note": "warn"}


def render(report: Report, style: Style, tool: str = "") -> str:
    """An array of one ``{tool, status, summary, url, details}``; ``details`` is the text of ``-f mail``. ASCII only. ``tool``: its name, when
    the number of patches does not tell it."""
    if style.verbosity <= -2:
        return ""
    style = replace(style, unicode=True, color=False)
    found = [finding.severity for finding in brought(report, style)]
    status = next((STATUS[severity] for severity in SEVERITIES if severity in found), "pass")
    several = report.series is not None and len(report.series.patches) > 1
    return entry(tool or (SERIES if several else TOOL), status, _said(report, style), "\n".join(_details(report, style)))


def _details(report: Report, style: Style) -> Iterator[str]:
    """Paragraphs: the patches of a series with what each brings, the findings, the health."""
    if report.series is not None:
        yield "".join(f"{line}\n" for line in strip(report.series, style))
    if text := mail.render(report, style):
        yield text
    yield f"{health(report)}\n"


def entry(tool: str, status: str, said: str, details: str) -> str:
    """The array as text; also for what could not be judged, where there is no report."""
    return json.dumps([{"tool": tool, "status": status, "summary": clean(said), "url": "", "details": details}], indent=2) + "\n"


def _said(report: Report, style: Style) -> str:
    findings = brought(report, style)
    if len(findings) == 1:
        [finding] = findings
        return f"{finding.rule} {finding.path}:{finding.line}: {finding.message}"
    numbers = {severity: sum(finding.severity == severity for finding in findings) for severity in SEVERITIES}
    return ", ".join(plural(count, severity) for severity, count in numbers.items() if count) or "nothing found"
