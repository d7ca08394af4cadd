"""Raw findings to findings: places, fingerprints, metadata, order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.findings.fingerprint import fingerprints
from tlblint.findings.lines import Lines
from tlblint.findings.own import RuleInfo
from tlblint.findings.steps import afterword, at_entry, header_name, told
from tlblint.model.finding import Finding, RawFinding, Step, TraceStep
from tlblint.model.ir import OpsTable


class Files(msgspec.Struct, frozen=True):
    """What is known of the files that findings name. ``lines`` must hold each; without its ``sources`` a finding stands where the
    engine put it; ``tables`` say who calls a callback."""

    lines: Mapping[str, Lines]
    sources: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    tables: Sequence[OpsTable] = ()


def refine(raw: Sequence[RawFinding], files: Files, rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """Findings without doubles, in the order of ``order``. Every rule named must be in ``rules``."""
    unique = list(dict.fromkeys(raw))
    names = fingerprints(unique)
    return order(_finding(finding, name, files, rules[finding.rule]) for finding, name in zip(unique, names, strict=True))


def _finding(raw: RawFinding, fingerprint: str, files: Files, rule: RuleInfo) -> Finding:
    raw = _placed(raw, files)
    line, column = files.lines[raw.path].locate(raw.pos)
    return Finding(
        rule=raw.rule,
        slug=rule.slug,
        severity=rule.severity,
        confidence=rule.confidence,
        verdict="not-run",
        assumptions=(),
        path=raw.path,
        line=line,
        column=column,
        function=raw.function,
        message=raw.message + afterword(raw),
        fingerprint=fingerprint,
        profiles=tuple(sorted(raw.profiles)),
        trace=tuple(_step(step, files.lines) for step in raw.trace),
    )


def _placed(raw: RawFinding, files: Files) -> RawFinding:
    """With the steps as they are told, and at the function's name when it is its entry that is meant."""
    source = files.sources.get(raw.path)
    pos = header_name(raw, source) if source is not None and raw.trace and at_entry(raw) else raw.pos
    return replace(raw, pos=pos, trace=told(replace(raw, pos=pos), files.tables, files.lines))


def _step(step: Step, lines: Mapping[str, Lines]) -> TraceStep:
    line = lines[step.path].locate(step.pos)[0] if step.path in lines else 1
    return TraceStep(step.path, line, step.function, step.event, step.state, step.note)


def order(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by place, then by everything else, so that equal input gives equal bytes."""
    return sorted(findings, key=lambda f: (f.path, f.line, f.column, f.rule, f.function, f.message, f.fingerprint, f.profiles, repr(f.trace)))
