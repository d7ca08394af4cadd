"""Short ways to make findings."""

from __future__ import annotations

from typing import Any

import msgspec

from tlblint.model.finding import Finding, RawFinding


class OwnRule(msgspec.Struct, frozen=True):
    """A rule without a file."""

    code: str
    slug: str
    severity: str
    confidence: str
    title: str
    text: str
    path: str = ""
    status: str = "stable"


OWN = (
    OwnRule("TLB901", "unused-suppression", "warning", "high", "a suppression that suppressed nothing", "About TLB901.\n"),
    OwnRule("TLB902", "not-analysed", "note", "high", "a function or file in scope that could not be parsed or modelled", "About TLB902.\n"),
)
"""Stand-ins for the files of the tool's own codes."""

RULE = OwnRule("TLB003", "lazy-mode-unpaired", "error", "high", "title", "text", "rules/x.md")


def raw(path: str = "mm/a.c", pos: int = 0, function: str = "f", shape: tuple[str, ...] = ("lazy.enter",), **more: Any) -> RawFinding:
    values: dict[str, Any] = {"rule": "TLB003", "message": "m", "act": "return", "trace": (), "profiles": ()}
    return RawFinding(path=path, pos=pos, function=function, shape=shape, **{**values, **more})


def finding(path: str = "mm/a.c", line: int = 1, fingerprint: str = "00" * 8, **more: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "TLB003", "slug": "lazy-mode-unpaired", "severity": "error", "confidence": "high", "verdict": "not-run", "assumptions": (), "column": 1,
        "function": "f", "message": "m", "profiles": (), "trace": (),
    }  # fmt: skip
    return Finding(path=path, line=line, fingerprint=fingerprint, **{**values, **more})
