"""Findings against the expectations written on the lines of annotated C."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from tlblint.model.finding import Finding


class Expected(Protocol):
    """One expectation: ``kind`` is "expect", "ok" (a remark: nothing unexpected may be found anyway) or "todo-expect"; ``line`` is 1-based."""

    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def line(self) -> int: ...


class Problem(msgspec.Struct, frozen=True, order=True):
    """A difference between what was expected and what was found."""

    line: int
    text: str


def compare(expected: Sequence[Expected], findings: Sequence[Finding]) -> tuple[Problem, ...]:
    """What is missing, what is there unasked, and what a ``todo-expect`` now finds; sorted.

    A code twice on a line means two findings there. Suppressed findings do not count.
    """
    there = Counter((finding.line, finding.rule) for finding in findings if finding.suppressed_by is None)
    messages = {(finding.line, finding.rule): finding.message for finding in findings}
    wanted = Counter((item.line, item.code) for item in expected if item.kind == "expect")
    hoped = Counter((item.line, item.code) for item in expected if item.kind == "todo-expect")
    problems = []
    for place in sorted({*there, *wanted}):
        line, code = place
        if wanted[place] > there[place]:
            problems.append(Problem(line, f"{code} expected and not found"))
        elif hoped[place] and there[place] == wanted[place] + hoped[place]:
            problems.append(Problem(line, f"{code} is found now: turn todo-expect into expect"))
        elif there[place] > wanted[place]:
            problems.append(Problem(line, f"{code} found and not expected: {messages[place]}"))
    return tuple(problems)
