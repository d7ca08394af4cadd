"""Hostile text through every format, graphs included."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.report.pages import EVIL, STYLE, hostile
from tlblint.report.formats import FORMATS
from tlblint.report.graph_formats import GRAPH_FORMATS
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
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
