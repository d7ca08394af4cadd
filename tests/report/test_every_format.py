"""Hostile text through every format, graphs included."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.report.pages import EVIL, STYLE, hostile
from tlblint.app.predicates import Surveyed, as_text
from tlblint.app.simulate_text import lanes
from tlblint.predicates.protocol import Explored
from tlblint.predicates.repair import Edit
from tlblint.predicates.survey import Row
from tlblint.predicates.truth import Verdict
from tlblint.report.formats import FORMATS
from tlblint.report.graph_formats import GRAPH_FORMATS
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.report.silent import SILENT
from tlblint.report.view import Report, Style


def worst() -> Report:
    """As bad as it gets: slugs, rules and fingerprints come from rule files, which have a pattern to follow, and so do stored results."""
    found = hostile()
    stale = tuple(replace(entry, fingerprint="0e" * 8, rule="TLB001") for entry in found.stale)
    excused = tuple(replace(entry, rules=("TLB001",)) for entry in found.excused)
    return replace(found, findings=tuple(replace(finding, slug="some-rule") for finding in found.findings), stale=stale, excused=excused)


RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What no output may hold: control, line and direction characters but tab and newline, and halves of characters."""


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_no_format_lets_control_characters_through(name: str, verbosity: int) -> None:
    text = FORMATS[name].render(worst(), Style(unicode=True, verbosity=verbosity, templates=STYLE.templates))
    assert RAW.findall(text) == []
    text.encode("utf-8")


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from strings(part)


@pytest.mark.parametrize("name", ["b4-review", "sarif"])
def test_what_a_reader_of_json_prints_is_clean_too(name: str) -> None:
    found = list(strings(json.loads(FORMATS[name].render(worst(), Style(unicode=True, verbosity=1)))))
    assert [text for text in found if RAW.search(text)] == [] and any("<script>alert(1)" in text and "{{ 7*7 }}" in text for text in found)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("html", "sarif", "json", "jsonl", "b4-review")])
def test_what_tries_to_be_markup_or_a_template_is_shown_as_it_is(name: str) -> None:
    text = re.sub(r"\s+", "", FORMATS[name].render(worst(), Style(unicode=True, verbosity=1)))
    shown = "</script><script>alert(1)</script>{{7*7}}{%raw%}\"'`<imgsrc=xonerror=alert(1)>\\u202eevil\\x1b[31m\\x00\\x07\\xff]]>--><!--"
    assert shown in text.replace("%25", "%") and "49" not in text


@pytest.mark.parametrize("unicode", [False, True])
def test_interleavings_and_predicates_of_a_tree_on_the_terminal(unicode: bool) -> None:
    found = hostile().findings[0].witness
    assert found is not None
    row = Row(EVIL, EVIL, "predicate", EVIL, 1, verdicts=(Verdict("unsafe", EVIL, 1, (EVIL,), (EVIL,)),), edit=Edit((EVIL,), (EVIL,), 1))
    helper = replace(row, kind="helper", blocker=EVIL, at=EVIL, verdicts=(), edit=None)
    run = Explored(EVIL, 0, EVIL, 1, 1, 1, found)
    texts = ["\n".join(lanes(found, 80, unicode)), as_text([Surveyed(EVIL, (row, helper), 1, (0, 0, 0), (run, replace(run, states=0, blocker=EVIL)))], True)]
    for text in texts:
        assert RAW.findall(text) == [] and "<script>alert(1)</script>{{" in re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.terminal])
def test_coloured_text_has_our_colours_only(name: str) -> None:
    text = FORMATS[name].render(worst(), Style(color=True, unicode=True, verbosity=1))
    assert "\x1b[" in text and RAW.findall(re.sub(r"\x1b\[[0-9;]*m", "", text)) == []
    assert text.count("\x1b[31m") == 0  # EVIL's


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("html", "sarif", "json", "jsonl", "b4-review")])
def test_one_finding_cannot_look_like_two(name: str) -> None:
    """No line begins with what the tree put there."""
    text = FORMATS[name].render(worst(), Style(unicode=True, verbosity=1))
    assert [line for line in text.splitlines() if line.startswith(("</script>", "{{", "<img", "::error", "evil"))] == [] or name == "github"


@pytest.mark.parametrize("name", GRAPH_FORMATS)
def test_graphs_do_not_either(name: str) -> None:
    nodes = (GraphNode(EVIL, EVIL, 1, effects=("entry.clear",), slots=(EVIL,), overrides=(EVIL,), enters=((EVIL, EVIL),)), GraphNode(EVIL, EVIL, 2, "pointer"))
    view = GraphView(EVIL, "worktree", EVIL, EVIL, (EVIL,), 1, nodes, (GraphEdge(0, 1, "table", 1, 1, EVIL, (EVIL,)),), ((EVIL, EVIL, 1, EVIL),))
    text = GRAPH_FORMATS[name].render(view, Style(unicode=True))
    assert RAW.findall(text) == []


def test_silent_formats_are_formats() -> None:
    assert FORMATS.keys() > SILENT
