"""``-f github``: workflow commands, which GitHub Actions shows as annotations at the lines of a change.

Every line is a command with its values escaped: a runner obeys commands wherever they stand in a log, so no other text may come from here.
"""

from __future__ import annotations

from collections.abc import Sequence

from tlblint.model.finding import Finding
from tlblint.report.health import health, summary
from tlblint.report.text import clean, plural
from tlblint.report.view import SEVERITIES, Report, Style, brought

LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
PER_STEP = 10
"""Annotations of a level that GitHub shows from one step of a job; one job shows 50. What is beyond stays in the log alone."""


def render(report: Report, style: Style) -> str:
    """One command a finding, the worst first, after a notice that holds summary and health (not with -q)."""
    if style.verbosity <= -2:
        return ""
    findings = sorted(brought(report, style), key=lambda finding: SEVERITIES.index(finding.severity))
    return (_closing(report, findings) if style.verbosity >= 0 else "") + "".join(_command(finding, style) for finding in findings)


def _closing(report: Report, findings: Sequence[Finding]) -> str:
    lines = [summary(report), *health(report).splitlines()]
    for severity, level in LEVELS.items():
        count = sum(finding.severity == severity for finding in findings)
        room = PER_STEP - (severity == "note")  # this notice is one
        if count > room:
            lines.append(f"GitHub shows {plural(room, f'{level} annotation')} of a step; {count - room:,} more stand in the log of this step.")
    return f"::notice title=tlblint::{_data(chr(10).join(lines))}\n"


def _command(finding: Finding, style: Style) -> str:
    values = {
        "file": clean(style.place(finding.path), style.unicode),
        "line": str(finding.line),
        "col": str(finding.column),
        "title": f"{finding.rule} {finding.slug}",
    }
    named = ",".join(f"{name}={_property(value)}" for name, value in values.items())
    return f"::{LEVELS[finding.severity]} {named}::{_data(_message(finding, style))}\n"


def _message(finding: Finding, style: Style) -> str:
    lines = [clean(finding.message, style.unicode)]
    for number, step in enumerate(finding.trace, 1):
        place = f"{clean(style.place(step.path), style.unicode)}:{step.line}"
        note = f" ({clean(step.note, style.unicode)})" if step.note else ""
        lines.append(f"{number}. {place}: {clean(step.event, style.unicode)}{note}")
    if finding.verdict != "not-run":
        lines.append(f"Simulation: {finding.verdict}" + (f": {clean(finding.reason, style.unicode)}" if finding.reason else ""))
    if finding.patch is not None:
        mended = f" (mended by patch {finding.patch.until})" if finding.patch.until is not None else ""
        lines.append(f"Patch {finding.patch.index}: {clean(finding.patch.subject, style.unicode)}{mended}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
