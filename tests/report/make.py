"""A report with one of everything."""

from __future__ import annotations

from tlblint.model.finding import Finding, TraceStep
from tlblint.report.view import Gap, Health, Report, RuleView

SOURCE = b"void f(void)\n{\n\tint a;\tlazy_enter(a); /* \xe2\x80\xae \x1b[31m \xff */\n}\n"
RULE = RuleView("TLB003", "lazy-mode-unpaired", "error", "high", "t", "# t\n", "rules/x.md")


def finding(**changes: object) -> Finding:
    values: dict[str, object] = {
        "rule": "TLB003", "slug": "lazy-mode-unpaired", "severity": "error", "confidence": "high", "verdict": "not-run", "assumptions": (),
        "path": "mm/a.c", "line": 3, "column": 9, "function": "f", "message": "Lazy MMU mode is still on.", "fingerprint": "0123456789abcdef",
        "profiles": ("powerpc-hash",), "trace": (TraceStep("mm/a.c", 3, "f", "lazy.enter", "on", ""), TraceStep("mm/a.c", 4, "f", "return", "", "the end")),
    }  # fmt: skip
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


NOTE = finding(
    rule="TLB902", slug="not-analysed", severity="note", trace=(), profiles=(), line=1, column=1, message="Function g() was not analysed: why.", function="g"
)
HIDDEN = finding(line=4, column=1, suppressed_by="comment", suppressed_reason="known", fingerprint="ff" * 8)


def report(*findings: Finding, **changes: object) -> Report:
    values: dict[str, object] = {
        "version": "0.0", "ruleset": "aa", "kind": "worktree", "revision": None, "generation": "6.12", "profiles": ("x86-64", "powerpc-hash"),
        "health": Health(1234, 5, 6, 4, 1, (Gap("mm/a.c", "g", 1, "why"),)), "findings": findings, "rules": {"TLB003": RULE}, "sources": {"mm/a.c": SOURCE},
    }  # fmt: skip
    return Report(**{**values, **changes})  # type: ignore[arg-type]
