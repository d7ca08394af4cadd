"""The simulation as part of a check: on by default, off on request, shown in full under the path."""

from __future__ import annotations

import re

import pytest

from tlblint.app.demo import demo
from tlblint.app.request import Outcome
from tlblint.model.finding import Finding
from tlblint.report.formats import FORMATS
from tlblint.report.view import Style


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return demo({"cache": False, "jobs": 1})


def live(found: Outcome) -> list[Finding]:
    return [finding for finding in found.report.findings if finding.suppressed_by is None and finding.severity != "note"]


def test_every_finding_of_the_demo_is_shown_to_go_wrong_with_a_mend_that_holds(outcome: Outcome) -> None:
    assert live(outcome)
    for finding in live(outcome):
        assert finding.verdict in ("confirmed", "conditional") and finding.reason, finding.rule
        assert bool(finding.assumptions) is (finding.verdict == "conditional")
        assert finding.witness is not None and finding.fix is not None and finding.fix.verified


def test_steps_of_the_path_cite_the_source(outcome: Outcome) -> None:
    for finding in live(outcome):
        assert finding.witness is not None
        own = [step for step in finding.witness.steps if step.actor == finding.function and step.line is not None]
        assert own and all(step.path == finding.path for step in own)
        lines = {step.line for step in finding.trace}
        assert lines & {step.line for step in own}


def test_what_only_the_translation_knows_is_not_shown(outcome: Outcome) -> None:
    shown = FORMATS["full"].render(outcome.report, Style())
    assert not re.search(r"\bbegan\b|\bmet\d\b|\bg_[ab]\b|path's", shown)


def test_full_prints_the_verdict_and_the_columns_within_100(outcome: Outcome) -> None:
    shown = FORMATS["full"].render(outcome.report, Style(width=100)).splitlines()
    assert sum(line.startswith("  simulation: con") for line in shown) == len(live(outcome))
    assert sum("<- VIOLATION" in line for line in shown) == len(live(outcome))
    columns = [line for line in shown if line.startswith("    ") and not re.match(r" {5}| {4}[-+@]| +\d+\. ", line)]
    assert columns and max(map(len, columns)) <= 100


def test_concise_says_the_verdict_and_nothing_else_changes(outcome: Outcome) -> None:
    plain = demo({"cache": False, "jobs": 1, "sim": False})
    shown = FORMATS["concise"].render(outcome.report, Style())
    said = re.compile(r" \[(confirmed|conditional)\]$", re.M)
    assert len(said.findall(shown)) == len(live(outcome))
    assert FORMATS["concise"].render(plain.report, Style()) == said.sub("", shown)


def test_without_simulation_nothing_is_claimed() -> None:
    plain = demo({"cache": False, "jobs": 1, "sim": False})
    assert {(finding.verdict, finding.reason, finding.witness, finding.fix) for finding in plain.report.findings} == {("not-run", "", None, None)}
    assert "simulation:" not in FORMATS["full"].render(plain.report, Style())


def test_a_small_budget_is_said_and_not_taken_for_an_answer() -> None:
    found = demo({"cache": False, "jobs": 1, "sim-budget": 0, "select": ("TLB001",)})
    assert [finding.verdict for finding in live(found)] == ["inconclusive"]
    assert live(found)[0].severity == "error" and live(found)[0].reason.startswith("bound: ")


def test_a_suppressed_finding_is_not_simulated(outcome: Outcome) -> None:
    assert {finding.verdict for finding in outcome.report.findings if finding.suppressed_by} == {"not-run"}
