"""Findings with the simulator's verdict: what it confirms, what it refutes, what it cannot say, and mends that it has tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tlblint.findings.fingerprint import fingerprints
from tlblint.findings.lines import Lines
from tlblint.model.finding import Finding, PathEvent, RawFinding
from tlblint.model.witness import Fix

if TYPE_CHECKING:
    from tlblint.crosscheck.verdict import Judgement

RATE = 150
"""States that are counted as a millisecond: a budget must not depend on how busy the machine is."""
LOWER = {"error": "warning", "warning": "note", "note": "note"}


def simulated(findings: Sequence[Finding], raw: Sequence[RawFinding], contents: Mapping[str, bytes], lines: Mapping[str, Lines], budget: int) -> list[Finding]:
    """Every finding that is not suppressed, judged within ``budget`` milliseconds' worth of states each. ``raw`` holds what they were made of.

    Raises InputError when the simulator's machines are missing.
    """
    paths = dict(zip(fingerprints(list(dict.fromkeys(raw))), dict.fromkeys(raw), strict=True))
    if not any(finding.suppressed_by is None and finding.fingerprint in paths for finding in findings):
        return list(findings)
    from tlblint.app.simulate import machines
    from tlblint.crosscheck.verdict import Judge

    judge = Judge(machines(), _places(lines))
    out = []
    for finding in findings:
        path = paths.get(finding.fingerprint)
        if path is None or finding.suppressed_by is not None:
            out.append(finding)
            continue
        out.append(told(finding, judge.judge(path, budget * RATE), contents))
    return out


def _places(lines: Mapping[str, Lines]) -> Callable[[PathEvent], tuple[str, int]]:
    return lambda event: (event.path, lines[event.path].locate(event.pos)[0] if event.path in lines else 1)


def told(finding: Finding, judgement: Judgement, contents: Mapping[str, bytes]) -> Finding:
    """The finding with a judgement. One that is refuted is reported one level lower, never hidden."""
    severity = LOWER.get(finding.severity, finding.severity) if judgement.verdict == "refuted" else finding.severity
    return replace(
        finding,
        verdict=judgement.verdict,
        assumptions=judgement.assumptions,
        reason=judgement.reason,
        witness=judgement.witness,
        fix=_fix(judgement, contents),
        severity=severity,
    )


def _fix(judgement: Judgement, contents: Mapping[str, bytes]) -> Fix | None:
    from tlblint.crosscheck.fix import diff

    mended = judgement.mended
    if mended is None:
        return None
    edit = mended.edit
    text = diff(edit.at.path, contents[edit.at.path], edit) if edit is not None and edit.at.path in contents else ""
    return Fix(mended.note, text, True, judgement.added, judgement.useful, judgement.visited)
