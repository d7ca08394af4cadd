"""Whether a message names what it speaks of. Used with a report module whose fallbacks are made visible."""

from __future__ import annotations

import re

import pytest

from tlblint.engine import report
from tlblint.model.finding import Finding

OPEN = "<<open:"
_WRONG = re.compile(r"<<open:|[{}%^#]|  | [.,:]|\bline (?!\d)|lock the page table lock|under the page table lock on")


def make_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """A placeholder of ``say`` that an event does not carry shows as such instead of as "the value"."""
    monkeypatch.setattr(report._Names, "__missing__", lambda self, key: f"{OPEN}{key}>>")


def unnamed(findings: list[Finding], lines: int) -> list[str]:
    """Messages with something left open, or with a line that the file does not have; each with why."""
    out = []
    for finding in findings:
        found = _WRONG.search(finding.message)
        if found:
            out.append(f"{finding.path}:{finding.line} {finding.rule} {found[0]!r} in: {finding.message}")
        out.extend(f"{finding.path}:{finding.line} no line {n}" for n in re.findall(r"\bline (\d+)", finding.message) if not 1 <= int(n) <= lines)
    return out
