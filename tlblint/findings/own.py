"""The two codes that are the tool's own: TLB901 unused or unusable suppression, TLB902 not analysed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from tlblint.findings.fingerprint import digest
from tlblint.findings.lines import Lines
from tlblint.model.finding import Finding
from tlblint.model.ir import NotAnalysed

UNUSED, NOT_ANALYSED = "TLB901", "TLB902"


class RuleInfo(Protocol):
    """What findings and reports need to know of a rule. ``status`` is "stable" or "preview", ``text`` its manual in
    Markdown, ``path`` its file."""

    @property
    def code(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def confidence(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def path(self) -> str: ...


def by_code(rules: Iterable[RuleInfo]) -> dict[str, RuleInfo]:
    """Rules by code, sorted. The files of the tool's own codes, UNUSED and NOT_ANALYSED, are rule files as well and must be among them."""
    return {rule.code: rule for rule in sorted(rules, key=lambda rule: rule.code)}


def not_analysed(gaps: Iterable[NotAnalysed], lines: Mapping[str, Lines], rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """A TLB902 finding for each gap. A file without ``lines`` (it could not be read) is reported at line 1."""
    found = []
    for gap in sorted(set(gaps), key=lambda gap: (gap.path, gap.pos, gap.function, gap.why)):
        line, column = lines[gap.path].locate(gap.pos) if gap.path in lines else (1, 1)
        subject = f"Function {gap.function}()" if gap.function else "This file"
        found.append(own_finding(rules[NOT_ANALYSED], gap.path, line, column, gap.function, f"{subject} was not analysed: {gap.why}.", gap.why))
    return found


def own_finding(rule: RuleInfo, path: str, line: int, column: int, function: str, message: str, *shape: str) -> Finding:
    """A finding of one of the tool's own codes; ``shape`` goes into the fingerprint."""
    return Finding(
        rule=rule.code,
        slug=rule.slug,
        severity=rule.severity,
        confidence=rule.confidence,
        verdict="not-run",
        assumptions=(),
        path=path,
        line=line,
        column=column,
        function=function,
        message=message,
        fingerprint=digest(rule.code, function, *shape),
        profiles=(),
        trace=(),
    )
