"""Defects followed from state to state."""

from __future__ import annotations

from msgspec.structs import replace

from tests.findings.make import finding
from tlblint.findings.attribute import State, lives
from tlblint.model.finding import Finding, TraceStep


def state(*found: Finding, **more: object) -> State:
    return State(found, lambda f: f"line of {f.message}".encode(), **more)  # type: ignore[arg-type]


def told(*events: str) -> tuple[TraceStep, ...]:
    return tuple(TraceStep("mm/x.c", 1, "f", event, "", "") for event in events)


ONE = replace(finding(), message="one", fingerprint="1" * 16)


def test_the_same_finding_lives_on() -> None:
    [life] = lives([state(ONE), state(replace(ONE, line=99)), state(replace(ONE, line=7))])
    assert (life.born, life.last, life.shapes[-1].line) == (0, 2, 7)


def test_one_that_goes_and_comes_back_was_mended_and_broken_again() -> None:
    first, second = lives([state(ONE), state(), state(ONE)])
    assert [(life.born, life.last) for life in (first, second)] == [(0, 0), (2, 2)]


def test_a_finding_is_used_once() -> None:
    twin = replace(ONE, line=ONE.line + 5)
    first, second = lives([state(ONE), state(ONE, twin)])
    assert [(life.born, life.last) for life in (first, second)] == [(0, 1), (1, 1)]


def test_another_rule_at_the_same_line_is_another_defect() -> None:
    other = replace(ONE, rule="TLB009", fingerprint="2" * 16)
    assert [(life.born, life.last) for life in lives([state(ONE), state(other)])] == [(0, 0), (1, 1)]


def test_a_renamed_function_takes_its_findings_along_whatever_their_text() -> None:
    before = replace(ONE, trace=told("ptl.acquire", "exit"))
    after = replace(before, function="g", message="other words", fingerprint="3" * 16)
    assert len(lives([state(before), state(after, renamed={(ONE.path, ONE.function): (ONE.path, "g")})])) == 1
    assert len(lives([state(before), state(after)])) == 2


def test_what_cannot_be_seen_is_not_mended() -> None:
    blind = state(unseen=lambda name: name == (ONE.path, ONE.function))
    [life] = lives([state(ONE), blind, state(ONE)])
    assert (life.born, life.last) == (0, 2)
    [young] = lives([blind, state(ONE)])
    assert young.doubtful
