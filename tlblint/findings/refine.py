"""Raw findings to findings: places, fingerprints, metadata, order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tlblint.findings.fingerprint import fingerprints
from tlblint.findings.lines import Lines
from tlblint.findings.own import RuleInfo
from tlblint.model.finding import Finding, RawFinding, Step, TraceStep


def refine(raw: Sequence[RawFinding], lines: Mapping[str, Lines], rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """Findings without doubles, in the order of ``order``. Every rule and path named must be in ``rules`` and ``lines``."""
    unique = list(dict.fromkeys(raw))
    names = fingerprints(unique)
    return order(_finding(finding, name, lines, rules[finding.rule]) for finding, name in zip(unique, names, strict=True))


def _finding(raw: RawFinding, fingerprint: str, lines: Mapping[str, Lines], rule: RuleInfo) -> Finding:
    line, column = lines[raw.path].locate(raw.pos)
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
        message=raw.message,
        fingerprint=fingerprint,
        profiles=tuple(sorted(raw.profiles)),
        trace=tuple(_step(step, lines) for step in raw.trace),
    )


def _step(step: Step, lines: Mapping[str, Lines]) -> TraceStep:
    line = lines[step.path].locate(step.pos)[0] if step.path in lines else 1
    return TraceStep(step.path, line, step.function, step.event, step.state, step.note)


def order(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by place, then by everything else, so that equal input gives equal bytes."""
    return sorted(findings, key=lambda f: (f.path, f.line, f.column, f.rule, f.function, f.message, f.fingerprint, f.profiles, repr(f.trace)))
