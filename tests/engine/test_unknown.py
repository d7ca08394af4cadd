"""Calls of which nothing is known, rule by rule: they neither keep a promise that the rule asks for nor break one.

Each rule has right code and its broken twin, and in both a call CALL(...) that is handed what the rule follows. It becomes a call of a
function without a body, through a pointer, with variable arguments, of one defined in the old style, of one that calls itself. What is
found must be the same with and without it. Where the deed itself is unknown (QUIET) nothing is found. Where half of a pair is in code that
is not read (HALVES), or in a helper that is given up (KNOWN_FALSE_ALARMS), the unknown is blamed today: those lists are exact.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.engine.unknown_cases import CASES, HALVES, HELPERS, OWN_HALF, QUIET, RECURSIVE, UNKNOWN, WIDE
from tlblint.app import spine as spines
from tlblint.app.generation import stand_in
from tlblint.app.ruletest import judge
from tlblint.app.spine import Spine, Wanted
from tlblint.engine import interp
from tlblint.findings.expect import compare
from tlblint.model.finding import Finding
from tlblint.rulefile.examples import expectations_of

_CALL = re.compile(r"\bCALL\(")


@cache
def spine(kernel: str) -> Spine:
    return spines.load(Wanted(headers=stand_in(kernel), preview=True))


def found_in(text: str, kernel: str = "6.12") -> list[Finding]:
    return judge(spine(kernel), "mm/unknown.c", text.encode())


def differences(text: str, kernel: str = "6.12") -> list[str]:
    lines = text.splitlines()
    return [f"{lines[p.line - 1].strip()}  -> {p.text}" for p in compare(expectations_of(text), found_in(text, kernel))]


def with_call(rule: str, kind: str) -> str:
    """The rule's code with each CALL replaced by the unknown; without a callee the statement goes."""
    before, callee = UNKNOWN[kind]
    code = CASES[rule]
    return before + (_CALL.sub(lambda _: callee, code) if callee else re.sub(r"\tCALL\(.*\);", "", code))


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("rule", CASES)
def test_an_unknown_call_changes_nothing(rule: str, kind: str) -> None:
    text = with_call(rule, kind)
    assert not _CALL.search(text)
    assert differences(text) == []


def in_helper(rule: str, kind: str) -> str:
    """The right code of a rule, with the deed it needs in a helper."""
    deed, type_, there, call = OWN_HALF[rule]
    good = re.split(r"\n(?=(?:static )?void \w+_bad\()", with_call(rule, "no call"))[0]
    assert there in good
    return HELPERS[kind].replace("TYPE", type_).replace("DEED", deed) + good.replace(there, call.replace("HELPER", "helper"))


def told(text: str) -> set[str]:
    return {f.rule for f in found_in(text)}


@pytest.mark.parametrize("kind", [kind for kind in UNKNOWN if kind != "no call"])
@pytest.mark.parametrize("title", QUIET)
def test_nothing_is_found_where_the_deed_is_unknown(title: str, kind: str) -> None:
    before, callee = UNKNOWN[kind]
    assert told(before + _CALL.sub(lambda _: callee, QUIET[title])) == set()


@pytest.mark.parametrize("title", HALVES)
def test_half_of_a_pair_that_is_not_read_is_a_known_false_alarm(title: str) -> None:
    lines = HALVES[title].splitlines()
    marked = [(n, line.split("FOUND ")[1][:6]) for n, line in enumerate(lines, 1) if "FOUND" in line]
    assert [(f.line, f.rule) for f in found_in(HALVES[title])] == marked and marked[0][1] == title[:6]


KNOWN_FALSE_ALARMS = {(rule, "old style") for rule in OWN_HALF} | {
    ("TLB003", "too deep a chain"),  # the end of the chain is judged by itself
    ("TLB006", "too deep a chain"),
}
"""A helper whose parameters are declared in the old style is not read and counts as one that does nothing."""
UNNAMED = {
    ("TLB002", "old style"),  # a function that only marks pages is not looked for among the lost ones
}
"""Helpers that are given up and get no note."""


def test_the_known_false_alarms_are_exactly_these() -> None:
    """A helper with the deed that the right code needs: no finding is right, whatever the helper looks like."""
    outcomes = {(rule, kind): told(in_helper(rule, kind)) for rule in OWN_HALF for kind in HELPERS}
    assert {case for case, rules in outcomes.items() if rules - {"TLB902"}} == KNOWN_FALSE_ALARMS
    assert all(rules <= {case[0], "TLB902"} for case, rules in outcomes.items()), "no other rule is drawn in"
    noted = {case for case, rules in outcomes.items() if "TLB902" in rules}
    assert noted == {(rule, kind) for rule in OWN_HALF for kind in ("old style", "too deep a chain")} - UNNAMED


def bounded(monkeypatch: pytest.MonkeyPatch, bound: str, value: int) -> list[tuple[str, str]]:
    monkeypatch.setattr(interp, bound, value)
    return [(f.rule, f.function) for f in found_in(WIDE)]


def test_no_bound_is_reached_here() -> None:
    assert differences(WIDE) == []


def test_callers_of_a_function_with_too_many_steps_are_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not known to return, so nothing behind the call is judged: count_behind() is missed, and only wide() is named."""
    assert bounded(monkeypatch, "MAX_VISITS", 12) == [("TLB006", "neighbour"), ("TLB902", "wide")]


def test_callers_of_a_function_with_too_many_entry_states_are_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is not entered settles what it might: only what wide() has no part in is judged, and wide() is named."""
    found = bounded(monkeypatch, "MAX_CONTEXTS", -1)
    assert sorted(found) == [("TLB006", "count_behind"), ("TLB006", "neighbour"), ("TLB902", "wide")]


@pytest.mark.parametrize("title", RECURSIVE)
def test_recursion_ends_and_defects_stand_where_they_are_marked(title: str) -> None:
    assert differences(RECURSIVE[title]) == []
