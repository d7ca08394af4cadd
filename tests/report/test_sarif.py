"""SARIF 2.1.0."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from tests.report.make import HIDDEN, NOTE, finding, report
from tests.report.pages import hostile, long_witness, many, rich, series, witness
from tlblint.model.finding import TraceStep
from tlblint.model.witness import WitnessStep
from tlblint.report import sarif
from tlblint.report.view import Compared, Gap, Health, Report, Style, place_of

HERE = Path(__file__).parent
COPIES = [
    Path(os.environ.get("TLBLINT_SARIF_SCHEMA", "")), HERE / "data" / "sarif-schema-2.1.0.json",
    HERE / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "sarif-2.1.0.json",
]  # fmt: skip
"""Where the published schema may be; it is not ours to ship. See tests/report/README.md."""


def made(source: Report) -> dict[str, Any]:
    document = json.loads(sarif.render(source, Style()))
    assert isinstance(document, dict)
    return document


def run(source: Report) -> dict[str, Any]:
    [one] = made(source)["runs"]
    assert isinstance(one, dict)
    return one


COMPARED = report(finding(), finding(line=4), compared=Compared("old", frozenset({place_of(finding())}), (finding(rule="TLB777"),), {}, 1))
MAKERS: list[Callable[[], Report]] = [
    rich, series, hostile, report, lambda: report(NOTE, HIDDEN), lambda: many(30), lambda: COMPARED, lambda: report(finding(function="", trace=())),
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_the_published_schema_holds(make: Callable[[], Report]) -> None:
    assert list(published().iter_errors(made(make()))) == []


def published() -> Any:
    """A validator of the schema that OASIS published. Skips without a copy."""
    copy = next((path for path in COPIES if path.is_file()), None)
    if copy is None:
        pytest.skip("no copy of sarif-schema-2.1.0.json; name one in TLBLINT_SARIF_SCHEMA")
    schema = json.loads(copy.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def test_the_published_schema_can_fail() -> None:
    for spoil in (lambda run: run["results"][0].update(level="fatal"), lambda run: run["tool"].pop("driver"), lambda run: run["results"][0].update(extra=1)):
        document = made(rich())
        spoil(document["runs"][0])
        assert list(published().iter_errors(document)) != []


@pytest.mark.parametrize("make", MAKERS)
def test_references_within_the_document_hold(make: Callable[[], Report]) -> None:
    one = run(make())
    rules = one["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in one["results"] if "ruleIndex" in result)
    assert all(len(rule["properties"]["tags"]) <= 20 and len(rule["fullDescription"]["text"]) <= 1024 for rule in rules)
    uris = re.findall(r'"uri": "([^"]*)"', sarif.render(make(), Style()))
    assert [uri for uri in uris if not re.fullmatch(r"(?:[A-Za-z0-9/._~+,@=-]|%[0-9A-F]{2})+", uri)] == []
    bases = set(re.findall(r'"uriBaseId": "([^"]*)"', sarif.render(make(), Style())))
    assert bases <= set(one["originalUriBaseIds"])


def test_the_document_is_ascii_and_without_control_characters_as_text() -> None:
    text = sarif.render(hostile(), Style())
    assert text.isascii()
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", "".join(strings(json.loads(text)))) == []


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from strings(part)


def test_the_path_is_a_code_flow() -> None:
    [result] = run(report(finding()))["results"]
    [flow] = result["codeFlows"]
    [thread] = flow["threadFlows"]
    steps = thread["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [3, 4]
    assert steps[0]["state"] == {"automaton": {"text": "on"}} and steps[0]["kinds"] == ["lazy.enter"]


def test_a_message_holds_what_its_claim_rests_on() -> None:
    sure = finding(witness=witness(), verdict="conditional", assumptions=("the page is on the LRU", "a folio is not locked"))
    doubted = finding(verdict="refuted", reason="all 7 states were explored")
    texts = [result["message"]["text"] for result in run(report(sure, doubted))["results"]]
    assert any(text.endswith(f"{witness().sentence} This assumes: a folio is not locked; the page is on the LRU.") for text in texts)
    assert any(text.endswith(" Simulation: refuted: all 7 states were explored.") for text in texts)


def test_steps_are_called_by_the_numbers_of_the_sentence() -> None:
    steps = (WitnessStep(0, "user", 1, "CPU1 caches a", mark="birth"), WitnessStep(1, "user", 1, "stores", mark="violation", note="the page is free"))
    [result] = run(report(finding(witness=replace(witness(), actors=(("user", 1),), steps=steps))))["results"]
    [thread] = result["codeFlows"][-1]["threadFlows"]
    said = [step["location"]["message"]["text"] for step in thread["locations"]]
    assert said == ["CPU1 caches a (will be stale)", "1. stores (the page is free)"]


def test_the_interleaving_has_a_thread_flow_for_each_actor_in_one_order() -> None:
    [result] = run(report(finding(witness=witness())))["results"]
    threads = result["codeFlows"][1]["threadFlows"]
    assert [thread["id"] for thread in threads] == ["reclaim on CPU0", "mprotect on CPU0", "user on CPU1"]
    order = sorted(step["executionOrder"] for thread in threads for step in thread["locations"])
    assert order == list(range(1, 11))
    assert [step["executionOrder"] for step in threads[2]["locations"]] == [1, 10]
    assert threads[2]["locations"][1]["properties"] == {"mark": "violation"}
    assert threads[0]["locations"][1]["state"] == {"PTE a": {"text": "page 1, write -> none"}}


def test_columns_are_code_points() -> None:
    source = b"\n\n\xc3\xa9\xe2\x82\xac x\n"
    [result] = run(report(finding(line=3, column=7), sources={"mm/a.c": source}))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 4}
    [result] = run(report(finding(), sources={}))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}


def test_suppressions_and_fingerprints() -> None:
    results = run(report(finding(), HIDDEN, finding(suppressed_by="baseline", suppressed_reason="old")))["results"]
    assert [result.get("suppressions") for result in results] == [
        None, [{"kind": "inSource", "status": "accepted", "justification": "known"}], [{"kind": "external", "status": "accepted", "justification": "old"}],
    ]  # fmt: skip
    assert results[0]["partialFingerprints"] == {"tlblint/v1": "0123456789abcdef"}


def test_a_comparison_gives_every_result_a_baseline_state() -> None:
    assert [result["baselineState"] for result in run(COMPARED)["results"]] == ["new", "unchanged", "absent"]
    moved = report(finding(), compared=Compared("old", frozenset(), (), {place_of(finding()): ("mm/b.c", 1)}, 0))
    assert [result["baselineState"] for result in run(moved)["results"]] == ["updated"]


def test_rules_come_with_their_manual_without_the_machine_readable_block() -> None:
    rule = next(rule for rule in run(rich())["tool"]["driver"]["rules"] if rule["id"] == "TLB001")
    assert rule["name"] == "BatchedPendingNotFlushed" and rule["defaultConfiguration"] == {"level": "error"}
    assert "## Why it matters" in rule["help"]["markdown"] and "transitions" not in rule["help"]["markdown"]
    assert rule["fullDescription"]["text"].startswith("Reclaim may clear a present entry")


def test_results_beyond_the_limit_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "RESULTS", 5)
    one = run(many(30))
    assert [result["level"] for result in one["results"]] == ["error"] * 5
    [note] = one["invocations"][0]["toolExecutionNotifications"][:1]
    assert note["message"]["text"].startswith("25 results left out")


@pytest.mark.parametrize(("steps", "rows", "cut"), [(900, 100, False), (901, 100, True), (1001, 0, True), (1000, 0, False), (3, 1200, True)])
def test_code_flows_keep_the_limit_and_say_so(steps: int, rows: int, cut: bool) -> None:
    trace = tuple(TraceStep("mm/a.c", 3, "f", "branch", "", "") for _ in range(steps))
    one = run(report(finding(trace=trace, witness=long_witness(rows) if rows else None)))
    kept = sum(len(thread["locations"]) for flow in one["results"][0]["codeFlows"] for thread in flow["threadFlows"])
    assert kept <= sarif.FLOW and (kept < steps + rows) == cut
    said = any("shortened code flows" in note["message"]["text"] for note in one["invocations"][0]["toolExecutionNotifications"])
    assert said == cut


def test_what_was_not_analysed_is_notified_up_to_a_limit() -> None:
    gaps = tuple(Gap("mm/a.c", "g" if n % 2 else "", 1, "why") for n in range(1200))
    notes = run(report(health=Health(1, 1, 1, 1, 0, gaps)))["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == 1001 and notes[-1]["message"]["text"] == "200 more gaps not listed."


def test_the_same_report_gives_the_same_bytes() -> None:
    assert sarif.render(rich(), Style()) == sarif.render(rich(), replace(Style(), width=10, color=True, unicode=True))
