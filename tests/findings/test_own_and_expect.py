"""TLB902 findings, and expectations against findings."""

from __future__ import annotations

import msgspec

from tests.findings.make import OWN, finding
from tlblint.findings.expect import compare
from tlblint.findings.lines import Lines
from tlblint.findings.own import by_code, not_analysed
from tlblint.model.ir import NotAnalysed


class Want(msgspec.Struct, frozen=True):
    kind: str
    code: str
    line: int


def texts(expected: list[Want], found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(p.line, p.text) for p in compare(expected, [finding(line=line, rule=rule, message="m") for line, rule in found])]


def test_gaps_become_notes_at_their_place() -> None:
    gaps = [NotAnalysed("mm/a.c", "f", 5, "too deep"), NotAnalysed("mm/gone.c", "", 0, "permission denied"), NotAnalysed("mm/a.c", "f", 5, "too deep")]
    found = not_analysed(gaps, {"mm/a.c": Lines((2,))}, by_code(OWN))
    assert [(f.rule, f.severity, f.path, f.line, f.column, f.message) for f in found] == [
        ("TLB902", "note", "mm/a.c", 2, 3, "Function f() was not analysed: too deep."),
        ("TLB902", "note", "mm/gone.c", 1, 1, "This file was not analysed: permission denied."),
    ]


def test_rules_come_by_code() -> None:
    assert list(by_code(reversed(OWN)).items()) == [("TLB901", OWN[0]), ("TLB902", OWN[1])]


def test_expectations() -> None:
    assert texts([Want("expect", "TLB003", 2)], [(2, "TLB003")]) == []
    assert texts([Want("expect", "TLB003", 2)], [(3, "TLB003")]) == [(2, "TLB003 expected and not found"), (3, "TLB003 found and not expected: m")]
    assert texts([Want("expect", "TLB003", 2)] * 2, [(2, "TLB003")]) == [(2, "TLB003 expected and not found")]
    assert texts([Want("ok", "TLB003", 2)], [(2, "TLB003")]) == [(2, "TLB003 found and not expected: m")]
    assert texts([Want("todo-expect", "TLB003", 2)], []) == []
    assert texts([Want("todo-expect", "TLB003", 2)], [(2, "TLB003")]) == [(2, "TLB003 is found now: turn todo-expect into expect")]
    assert texts([], [(1, "TLB001")]) == [(1, "TLB001 found and not expected: m")]
