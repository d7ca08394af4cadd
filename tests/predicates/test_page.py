"""``tlblint predicates -f html=FILE`` and the table that a check has when it executed predicates."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.predicates.mini import RIGHT, WASTEFUL, tree, write
from tests.predicates.test_protocols import COUNTER, HEAD
from tlblint.cli.run import run as main


def run(monkeypatch: pytest.MonkeyPatch, place: Path, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["tlblint", *words])
    monkeypatch.chdir(place)
    return main(words)


def rows(page: str) -> list[str]:
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]


def test_a_page_of_predicates_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write(tmp_path / "k", tree(RIGHT, {"mm/rmap.c": HEAD + COUNTER}))
    assert run(monkeypatch, tmp_path, "predicates", "--tree", str(place), "--profile", "x86-64", "-f", "html=p.html", "-f", "json=p.json") == 0
    page, stored = (tmp_path / "p.html").read_text(), json.loads((tmp_path / "p.json").read_text())
    (predicate,) = (row for row in rows(page) if row.startswith("pte_needs_flush()"))
    redundant = [verdict["count"] for verdict in stored["rows"][0]["verdicts"] if verdict["kind"] == "conservative"]
    assert all(f"{count}" in predicate for count in redundant)
    assert any(row.startswith("batched_pending") and "the flush writes without looking" in row and "contract in" in row for row in rows(page))
    assert "1 predicate judged, 0 unsafe; 4 protocol runs, 0 refuted." in page


def test_a_check_that_executes_has_the_table_in_page_and_json_and_after_storing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write(tmp_path / "k", tree(WASTEFUL))
    assert run(monkeypatch, place, "check", "--tree", ".", "-f", "html=h.html", "-f", "json=j.json", "--no-cache", ".") == 0
    (stored,) = (one for one in json.loads((place / "j.json").read_text())["predicates"] if one["profile"] == "x86-64")
    assert stored["judged"][0]["verdict"] == "conservative" and stored["edit"]["does"].startswith("saves ")
    told = [row for row in rows((place / "h.html").read_text()) if "pte_may_need_flush()" in row]
    assert any(f"{stored['judged'][0]['redundant']}" in row and stored["edit"]["does"] in row for row in told)
    assert run(monkeypatch, place, "report", "j.json", "-f", "html=again.html") == 0
    assert [row for row in rows((place / "again.html").read_text()) if "pte_may_need_flush()" in row] == told


BAD = [(["-f", "pdf"], "unknown format"), (["-f", "html="], "no file after"), (["-f", "text", "-f", "json"], "one place")]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_bad_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert run(monkeypatch, tmp_path, "predicates", *words) == 2
    assert said in capsys.readouterr().err
