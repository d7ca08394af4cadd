"""``-f sarif``: SARIF 2.1.0, with the path and the interleaving of a finding as code flows.

Limits of GitHub's upload are kept, and the run says what was left out: results of a run, locations of a thread flow, tags of a rule.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tlblint.model.finding import Finding, TraceStep
from tlblint.model.witness import Witness, WitnessStep
from tlblint.report.sarif_rules import LEVELS, descriptor
from tlblint.report.text import clean, plural, source_line
from tlblint.report.timeline import MARKS
from tlblint.report.view import SEVERITIES, Report, Style, place_of, sources_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RESULTS, FLOW, NOTES = 25_000, 1_000, 1_000
"""Results of a run; thread flow locations of a result; notifications of a run."""
BASE = "SRCROOT"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-~+,@=")


def render(report: Report, style: Style) -> str:
    """One run. Output is ASCII; the same report gives the same bytes."""
    kept = _kept(report.findings)
    codes = sorted({finding.rule for finding in report.findings} | set(report.rules))
    place = {code: at for at, code in enumerate(codes)}
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(report, codes)},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {BASE: {"description": {"text": "The top of the tree that was checked."}}},
                "invocations": [_invocation(report, len(report.findings) - len(kept))],
                "results": [*(_result(report, finding, place) for finding in kept), *_absent(report, place)],
                "properties": _properties(report),
            }
        ],
    }
    return json.dumps(_safe(document), indent=1) + "\n"


def _kept(findings: Sequence[Finding]) -> list[Finding]:
    """The gravest findings up to the limit, in their own order."""
    if len(findings) <= RESULTS:
        return list(findings)
    grave = sorted(range(len(findings)), key=lambda at: (findings[at].suppressed_by is not None, SEVERITIES.index(findings[at].severity), at))
    return [findings[at] for at in sorted(grave[:RESULTS])]


def _driver(report: Report, codes: Sequence[str]) -> dict[str, Any]:
    rules = [descriptor(code, report.rules.get(code), next((f for f in report.findings if f.rule == code), None)) for code in codes]
    return {"name": "tlblint", "version": report.version, "properties": {"ruleset": report.ruleset}, "rules": rules}


def _properties(report: Report) -> dict[str, Any]:
    return {"tree": {"kind": report.kind, "rev": report.revision, "generation": report.generation, "profiles": sorted(report.profiles)}}


def _invocation(report: Report, left: int) -> dict[str, Any]:
    """What was not understood, and what was left out, as notifications."""
    gaps = report.health.not_analysed
    notes = [_note(f"{plural(left, 'result')} left out: a run holds {RESULTS:,} at most.", "warning")] if left else []
    long = sum(_flow_length(finding) > FLOW for finding in report.findings)
    notes += [_note(f"{plural(long, 'result')} with shortened code flows: one holds {FLOW:,} locations at most.", "note")] if long else []
    for gap in gaps[:NOTES]:
        subject = f"{gap.function}()" if gap.function else "The file"
        notes.append({**_note(f"{subject} was not analysed: {clean(gap.why)}", "warning"), "locations": [_location(gap.path, gap.line)]})
    notes += [_note(f"{plural(len(gaps) - NOTES, 'more gap')} not listed.", "warning")] if len(gaps) > NOTES else []
    return {"executionSuccessful": True, **({"commandLine": clean(report.command)} if report.command else {}), "toolExecutionNotifications": notes}


def _note(text: str, level: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}


def _result(report: Report, finding: Finding, place: dict[str, int]) -> dict[str, Any]:
    column = _column(sources_of(report, finding).get(finding.path), finding.line, finding.column)
    found: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": place[finding.rule],
        "level": LEVELS[finding.severity],
        "kind": "fail",
        "message": {"text": _message(finding)},
        "locations": [_location(finding.path, finding.line, column, finding.function)],
        "partialFingerprints": {"tlblint/v1": finding.fingerprint},
        "properties": _facts(finding),
    }
    most = FLOW if _flow_length(finding) <= FLOW else FLOW // 2
    flows = [flow for flow in (_path_flow(finding, most), _witness_flow(finding.witness, most)) if flow is not None]
    if flows:
        found["codeFlows"] = flows
    if finding.suppressed_by is not None:
        kind = "inSource" if finding.suppressed_by == "comment" else "external"
        found["suppressions"] = [{"kind": kind, "status": "accepted", "justification": finding.suppressed_reason or "no reason given"}]
    if report.compared is not None:
        place_now = place_of(finding)
        fresh, moved = place_now in report.compared.fresh, place_now in report.compared.moved
        found["baselineState"] = "new" if fresh else "updated" if moved else "unchanged"
    return found


def _absent(report: Report, place: dict[str, int]) -> list[dict[str, Any]]:
    """Findings of the older result that are gone."""
    gone = report.compared.gone if report.compared is not None else ()
    return [
        {
            "ruleId": finding.rule,
            **({"ruleIndex": place[finding.rule]} if finding.rule in place else {}),
            "level": LEVELS[finding.severity],
            "message": {"text": _message(finding)},
            "locations": [_location(finding.path, finding.line, None, finding.function)],
            "partialFingerprints": {"tlblint/v1": finding.fingerprint},
            "baselineState": "absent",
        }
        for finding in gone
    ]


def _message(finding: Finding) -> str:
    """The sentence, and what the simulation adds to it or takes from it: viewers show no properties."""
    parts = [finding.message]
    if finding.witness is not None:
        parts.append(finding.witness.sentence)
    if finding.assumptions:
        parts.append(f"This assumes: {'; '.join(sorted(finding.assumptions))}.")
    if finding.verdict in ("refuted", "inconclusive"):
        parts.append(f"Simulation: {finding.verdict}{f': {finding.reason}' if finding.reason else ''}".rstrip(".") + ".")
    return " ".join(map(clean, parts))


def _facts(finding: Finding) -> dict[str, Any]:
    mark, fix = finding.patch, finding.fix
    return {
        "slug": finding.slug,
        "confidence": finding.confidence,
        "verdict": finding.verdict,
        "reason": finding.reason or None,
        "assumptions": sorted(finding.assumptions),
        "profiles": sorted(finding.profiles),
        "patch": {"index": mark.index, "subject": mark.subject, "change": mark.change, "until": mark.until} if mark else None,
        "fix": {"note": fix.note, "diff": fix.diff or None, "verified": fix.verified} if fix else None,
    }


def _location(path: str, line: int, column: int | None = None, function: str = "", text: str = "") -> dict[str, Any]:
    region = {"startLine": line, **({"startColumn": column} if column is not None else {})}
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(path), "uriBaseId": BASE}, "region": region}}
    if function:
        found["logicalLocations"] = [{"name": clean(function), "kind": "function"}]
    if text:
        found["message"] = {"text": clean(text)}
    return found


def _uri(path: str) -> str:
    """A path of the tree as a relative reference: everything that could mean something else, a colon too, as %XX."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode("utf-8", "surrogateescape")) or "."


def _column(raw: bytes | None, line: int, column: int) -> int | None:
    """A byte column as a column of code points; None when the source is not at hand."""
    text = source_line(raw, line) if raw is not None else None
    return None if text is None else len(text[: column - 1].decode("utf-8", "replace")) + 1


def _flow_length(finding: Finding) -> int:
    return len(finding.trace) + (len(finding.witness.steps) if finding.witness is not None else 0)


def _path_flow(finding: Finding, most: int) -> dict[str, Any] | None:
    if not finding.trace:
        return None
    steps = finding.trace[:most]
    return {"message": {"text": "The path through the source."}, "threadFlows": [{"locations": [_path_step(step) for step in steps]}]}


def _path_step(step: TraceStep) -> dict[str, Any]:
    bad = step.state == "violated"
    text = clean(f"{step.event}: {step.note}" if step.note else step.event)
    found: dict[str, Any] = {"location": _location(step.path, step.line, None, step.function, text)}
    found["importance"] = "essential" if step.state else "important"
    if step.event:
        found["kinds"] = [clean(step.event)]
    if step.state:
        found["state"] = {"automaton": {"text": clean(step.state)}}
    return {**found, "properties": {"violation": True}} if bad else found


def _witness_flow(witness: Witness | None, most: int) -> dict[str, Any] | None:
    """The interleaving: a thread flow for each actor; executionOrder numbers the steps of all of them."""
    if witness is None or not witness.steps:
        return None
    steps = witness.steps[-most:]
    order = {id(step): place for place, step in enumerate(witness.steps, 1)}
    own: dict[tuple[str, int], list[WitnessStep]] = {actor: [] for actor in witness.actors}
    for step in steps:
        own.setdefault((step.actor, step.cpu), []).append(step)
    flows = []
    for (name, cpu), mine in own.items():
        if mine:
            title = clean(f"{name} on CPU{cpu}")
            flows.append({"id": title, "message": {"text": title}, "locations": [_witness_step(step, order[id(step)]) for step in mine]})
    return {"message": {"text": f"An interleaving on {clean(witness.profile)}: {clean(witness.sentence)}"}, "threadFlows": flows}


def _witness_step(step: WitnessStep, order: int) -> dict[str, Any]:
    said = step.note or MARKS.get(step.mark, "")
    text = (f"{step.number}. " if step.number else "") + step.text + (f" ({said})" if said else "")
    if step.path is not None and step.line is not None:
        location = _location(step.path, step.line, None, "", text)
    else:
        location = {"message": {"text": clean(text)}}
    found: dict[str, Any] = {"location": location, "executionOrder": order, "importance": "essential" if step.mark else "important"}
    if step.changes:
        found["state"] = {clean(change.thing): {"text": clean(f"{change.before} -> {change.after}")} for change in step.changes}
    return {**found, "properties": {"mark": step.mark}} if step.mark else found


def _safe(value: Any) -> Any:
    """Every string with control, format and surrogate characters as escapes: viewers show them. Line ends stay."""
    if isinstance(value, str):
        return "\n".join(map(clean, value.split("\n")))
    if isinstance(value, dict):
        return {_safe(key): _safe(item) for key, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list) else value
