"""``-f json`` and ``-f jsonl``: the contract that other programs read, schema tlblint-findings/1.

Keys never vanish, absent things are null, arrays are sorted. Output is ASCII, so no encoding can break it.
"""

from __future__ import annotations

import json
from typing import Any

from tlblint.model.finding import Finding, TraceStep
from tlblint.model.witness import Fix, PatchMark, Witness
from tlblint.report.predicates_view import PredicateView
from tlblint.report.view import Report, SeriesView, Style

SCHEMA = "tlblint-findings/1"
_KINDS = {"directory": "worktree"}
"""The contract knows three kinds of tree; a plain directory is a work tree without a revision."""


def render(report: Report, style: Style) -> str:
    """One indented JSON document."""
    document = {**_head(report), "findings": [_finding(finding) for finding in report.findings]}
    return json.dumps(_safe(document), indent=2) + "\n"


def render_lines(report: Report, style: Style) -> str:
    """JSON lines: first everything but the findings, then one finding a line."""
    rows = [_head(report), *(_finding(finding) for finding in report.findings)]
    return "".join(json.dumps(_safe(row)) + "\n" for row in rows)


def _head(report: Report) -> dict[str, Any]:
    state = report.health
    gaps = [{"path": gap.path, "function": gap.function or None, "line": gap.line, "why": gap.why} for gap in state.not_analysed]
    return {
        "schema": SCHEMA,
        "tool": {"name": "tlblint", "version": report.version, "ruleset": report.ruleset},
        "tree": {
            "kind": _KINDS.get(report.kind, report.kind),
            "rev": report.revision,
            "generation": report.generation,
            "profiles": sorted(report.profiles),
        },
        "health": {"files": state.files, "functions": state.functions, "whole": state.whole, "partial": state.partial, "not_analysed": gaps},
        "series": _series(report.series) if report.series else None,
        "predicates": [_predicate(one) for one in report.executed.predicates] if report.executed else [],
    }


def _predicate(one: PredicateView) -> dict[str, Any]:
    judged = [
        {
            "oracle": by.oracle,
            "verdict": by.kind,
            "missing": by.missing,
            "redundant": by.redundant,
            "smallest": by.smallest or None,
            "changes": list(by.changes),
        }
        for by in one.judged
    ]
    return {
        "profile": one.profile,
        "name": one.name,
        "path": one.path,
        "line": one.line,
        "judged": judged,
        "edit": {"code": list(one.edit), "does": one.does} if one.edit else None,
        "blocker": one.blocker or None,
    }


def _series(series: SeriesView) -> dict[str, Any]:
    patches = [
        {
            "index": patch.index,
            "subject": patch.subject,
            "commit": patch.commit,
            "introduced": patch.introduced,
            "fixed": patch.fixed,
            "existing": patch.existing,
            "notes": list(patch.notes),
        }
        for patch in series.patches
    ]
    return {"title": series.title, "base": series.base, "notes": list(series.notes), "patches": patches}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "slug": finding.slug,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "verdict": finding.verdict,
        "assumptions": sorted(finding.assumptions),
        "reason": finding.reason or None,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "function": finding.function or None,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "profiles": sorted(finding.profiles),
        "trace": [_step(step) for step in finding.trace],
        "witness": _witness(finding.witness) if finding.witness else None,
        "fix": _fix(finding.fix) if finding.fix else None,
        "patch": _patch(finding.patch) if finding.patch else None,
        "suppressed": {"by": finding.suppressed_by, "reason": finding.suppressed_reason} if finding.suppressed_by else None,
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "profile": witness.profile,
        "kind": witness.kind,
        "sentence": witness.sentence,
        "actors": [{"name": name, "cpu": cpu} for name, cpu in witness.actors],
        "things": list(witness.things),
        "assumptions": sorted(witness.assumptions),
        "steps": [
            {
                "number": step.number,
                "actor": step.actor,
                "cpu": step.cpu,
                "text": step.text,
                "path": step.path,
                "line": step.line,
                "changes": [{"thing": change.thing, "before": change.before, "after": change.after} for change in step.changes],
                "mark": step.mark or None,
                "note": step.note or None,
                "cause": step.cause,
            }
            for step in witness.steps
        ],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {"note": fix.note, "diff": fix.diff or None, "verified": fix.verified, "added": fix.added, "useful": fix.useful, "visited": fix.visited}


def _patch(mark: PatchMark) -> dict[str, Any]:
    return {"index": mark.index, "subject": mark.subject, "change": mark.change, "until": mark.until, "commit": mark.commit}


def _step(step: TraceStep) -> dict[str, Any]:
    return {
        "path": step.path,
        "line": step.line,
        "function": step.function or None,
        "event": step.event,
        "state": step.state or None,
        "note": step.note or None,
    }


def _safe(value: Any) -> Any:
    r"""Lone surrogates (bytes of file names that are not UTF-8) as \xNN text: strict readers refuse them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list) else value
