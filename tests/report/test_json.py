"""The formats for programs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.report.make import HIDDEN, NOTE, finding, report
from tests.report.pages import executed
from tlblint.report import jsonout
from tlblint.report.view import Style

SCHEMA = json.loads((Path(__file__).parents[2] / "reports/templates/tlblint-findings-1.schema.json").read_text())


def test_a_report_follows_the_shipped_schema() -> None:
    document = json.loads(jsonout.render(report(NOTE, finding(), HIDDEN), Style()))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


@pytest.mark.parametrize("key", ["witness", "fix", "patch", "suppressed", "trace", "function"])
def test_the_schema_misses_a_key_that_vanished(key: str) -> None:
    document = json.loads(jsonout.render(report(finding()), Style()))
    del document["findings"][0][key]
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_predicates_follow_the_schema_and_are_there_without_any() -> None:
    document = json.loads(jsonout.render(report(executed=executed("pte_needs_flush")), Style()))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert [one["blocker"] for one in document["predicates"]] == [None, None, "pte_needs_flush"]
    assert [by["verdict"] for by in document["predicates"][0]["judged"]] == ["unsafe", "exact"]
    assert document["predicates"][0]["judged"][1]["smallest"] is None and document["predicates"][1]["edit"] is None
    assert json.loads(jsonout.render(report(), Style()))["predicates"] == []


def test_absent_is_null_and_arrays_are_sorted() -> None:
    document = json.loads(jsonout.render(report(finding(function="", profiles=("z", "a"), assumptions=("q", "b"))), Style()))
    [found] = document["findings"]
    assert [found[key] for key in ("function", "witness", "fix", "patch", "suppressed")] == [None] * 5
    assert found["profiles"] == ["a", "z"] and found["assumptions"] == ["b", "q"]
    assert document["tree"]["profiles"] == ["powerpc-hash", "x86-64"]
    assert found["trace"][1] == {"path": "mm/a.c", "line": 4, "function": "f", "event": "return", "state": None, "note": "the end"}


def test_suppressed_findings_are_there_with_the_reason() -> None:
    document = json.loads(jsonout.render(report(HIDDEN), Style()))
    assert document["findings"][0]["suppressed"] == {"by": "comment", "reason": "known"}


def test_a_plain_directory_is_a_worktree_without_revision() -> None:
    assert json.loads(jsonout.render(report(kind="directory"), Style()))["tree"] | {"profiles": []} == {
        "kind": "worktree", "rev": None, "generation": "6.12", "profiles": [],
    }  # fmt: skip


def test_odd_names_give_strict_json() -> None:
    text = jsonout.render(report(finding(path="mm/\udcff\u202e.c")), Style())
    assert text.isascii()
    assert json.loads(text)["findings"][0]["path"] == "mm/\\xff\u202e.c"
    json.loads(text)["findings"][0]["path"].encode("utf-8")


def test_json_lines_hold_the_same_as_json() -> None:
    whole = json.loads(jsonout.render(report(NOTE, finding()), Style()))
    head, *rest = [json.loads(line) for line in jsonout.render_lines(report(NOTE, finding()), Style()).splitlines()]
    assert {**head, "findings": rest} == whole
