"""Printed call graphs: what they look like, and names that try to get out of their place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tlblint.report import graph_dot, graph_json, graph_layout, graph_svg, graph_text
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView, labels
from tlblint.report.text import cells
from tlblint.report.view import Style

SVG = "{http://www.w3.org/2000/svg}"


def view(nodes: list[GraphNode], edges: list[GraphEdge]) -> GraphView:
    return GraphView("0.0", "worktree", None, "6.12", ("x86-64",), 3, tuple(nodes), tuple(edges))


SMALL = view(
    [
        GraphNode("walker", "mm/a.c", 10, effects=("walk.range",), above=2),
        GraphNode("change", "mm/a.c", 2, changes=True, focus=True, effects=("entry.clear", "ptl.acquire", "ptl.release", "lazy.enter"),
                  enters=(("PTL", "walker"), ("lazy MMU mode", "walker")), slots=("mm_walk_ops.pte_entry",)),
        GraphNode("helper", "include/linux/h.h", 5, variants=2, weak=True, outside=True, overrides=("arch/x86/mm/h.c",)),
        GraphNode("ops->hook", kind="pointer"),
        GraphNode("other", "mm/b.c", 1),
    ],
    [
        GraphEdge(0, 1, "table", 12, via="mm_walk_ops.pte_entry of ops"),
        GraphEdge(1, 1, "direct", 3),
        GraphEdge(1, 2, "macro", 4, via="HELP", held=("lazy MMU mode", "ptl")),
        GraphEdge(1, 3, "unresolved", 5),
        GraphEdge(4, 1, "direct", 2),
    ],
)  # fmt: skip


def test_text() -> None:
    assert graph_text.render(SMALL, Style(unicode=True, width=100)) == """\
walker()  mm/a.c:10  [walks]  2 callers not shown
└─ *!change()  mm/a.c:2  table mm_walk_ops.pte_entry of ops  [clears, PTL, opens lazy mode]
   │    enters with PTL, lazy MMU mode from the walker
   ├─ *!change()  (recursion)
   ├─ helper()  include/linux/h.h:5  macro HELP  called under lazy MMU mode, ptl  2 variants  weak
   │       out of scope  also in arch/x86/mm/h.c
   └─ ops->hook  unresolved

other()  mm/b.c:1
└─ *!change()  (above)

4 functions, 1 of them changing entries (!); 5 calls.
"""


def test_text_without_unicode() -> None:
    text = graph_text.render(SMALL, Style(unicode=False, width=100))
    assert text.isascii() and "`- *!change()  mm/a.c:2" in text and "   |- helper()" in text


def test_labels() -> None:
    assert labels(["ptl.acquire", "entry.clear", "lazy.enter", "lazy.leave", "entry.read"]) == ["clears", "takes PTL", "lazy mode"]
    assert labels(["entry.read"]) == ["reads"] and labels(["ptl.release"]) == ["drops PTL"] and labels(["ptl.lookup"]) == []


def test_a_long_chain_neither_overflows_the_stack_nor_the_line() -> None:
    many = 3000
    nodes = [GraphNode(f"f{n}", "mm/a.c", n + 1) for n in range(many)]
    chain = view(nodes, [GraphEdge(n, n + 1, "direct", 1) for n in range(many - 1)])
    lines = graph_text.render(chain, Style(unicode=True, width=100)).splitlines()
    assert max(map(cells, lines)) <= 100
    printed = [match[1] for line in lines if (match := re.search(r"(f\d+)\(\)  mm/", line))]
    assert sorted(printed, key=lambda name: int(name[1:])) == [node.name for node in nodes], "each function once with its place"
    for render in (graph_svg.render, graph_dot.render, graph_json.render):
        assert "f2999" in render(chain, Style())


def test_json() -> None:
    document = json.loads(graph_json.render(SMALL, Style()))
    assert list(document) == ["schema", "tool", "tree", "depth", "nodes", "edges", "not_analysed"] and document["schema"] == "tlblint-graph/1"
    assert len({tuple(node) for node in document["nodes"]}) == 1 == len({tuple(edge) for edge in document["edges"]}), "the same keys everywhere"
    assert document["nodes"][3] | {"path": None, "line": None, "kind": "pointer"} == document["nodes"][3]
    assert document["edges"][1]["via"] is None and document["edges"][2] == {
        "caller": 1, "callee": 2, "kind": "macro", "via": "HELP", "line": 4, "sites": 1, "may_hold": ["lazy MMU mode", "ptl"],
    }  # fmt: skip


def test_svg_labels_and_styles_every_edge() -> None:
    text = graph_svg.render(SMALL, Style())
    groups = [group for group in ElementTree.fromstring(text).iter(f"{SVG}g") if group.get("class", "").split()[:1] == ["edge"]]
    edges = [group for group in groups if group.find(f"{SVG}text") is not None]
    assert [group.get("class") for group in edges] == [f"edge {edge.kind}".removesuffix(" direct") for edge in SMALL.edges]
    for group, edge in zip(edges, SMALL.edges, strict=True):
        label = " ".join(str(row.text) for row in group.iter() if row.tag in (f"{SVG}text", f"{SVG}tspan"))
        assert label.startswith(edge.kind) and edge.via in label
    assert "marker-end: url(#arrow)" in text
    assert "prefers-color-scheme: dark" in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_label_that_is_cut_stands_whole_in_a_tooltip() -> None:
    edge = GraphEdge(0, 1, "table", 1, 1, " ".join(["member_of_a_long_name"] * 9))
    root = ElementTree.fromstring(graph_svg.render(replace(SMALL, edges=(edge,)), Style()))
    [title] = [part.text for group in root.iter(f"{SVG}g") for part in group if part.tag == f"{SVG}title"]
    assert title == f"table {edge.via}" and "\u2026" in "".join(root.itertext())


def test_boxes_do_not_overlap_and_callers_stand_left() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 0), (0, 4), (4, 3), (3, 3)]
    boxes = graph_layout.layout([(100, 40), (60, 40), (80, 30), (50, 50), (70, 20)], edges, (90, 10))
    for start, to in ((0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (4, 3)):
        assert boxes[start].x + boxes[start].width + 90 <= boxes[to].x
    for at, one in enumerate(boxes):
        for other in boxes[:at]:
            assert one.x != other.x or one.y + one.height <= other.y or other.y + other.height <= one.y


_NASTY = st.one_of(
    st.text(max_size=40),
    st.sampled_from(['"]; evil [label="', "</text></svg><script>alert(1)</script>", "a\\", '\\"', "\x1b[31m", "\u202eabc", "\udcff", "]]>", "&lt;", "a\nb"]),
)


@st.composite
def _graphs(draw: st.DrawFn) -> GraphView:
    nodes = [
        GraphNode(draw(_NASTY), draw(st.none() | _NASTY), 1, draw(st.sampled_from(["function", "pointer", "undefined"])), enters=((draw(_NASTY), "walker"),),
                  slots=(draw(_NASTY),), overrides=(draw(_NASTY),), changes=draw(st.booleans()), focus=draw(st.booleans()))
        for _ in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    ends = st.integers(0, len(nodes) - 1)
    kinds = st.sampled_from(["direct", "table", "macro", "unresolved"])
    edges = [GraphEdge(draw(ends), draw(ends), draw(kinds), 1, via=draw(_NASTY), held=(draw(_NASTY),)) for _ in range(draw(st.integers(0, 6)))]
    return view(nodes, edges)


@settings(max_examples=60, deadline=None)
@given(_graphs())
def test_hostile_names_stay_where_they_are(graph: GraphView) -> None:
    _check_svg(graph)
    _check_dot(graph_dot.render(graph, Style()), graph)
    document = json.loads(graph_json.render(graph, Style()))
    assert len(document["nodes"]) == len(graph.nodes)
    for style in (Style(unicode=True), Style(unicode=False)):
        text = graph_text.render(graph, style)
        assert all(char.isprintable() or char == "\n" for char in text) and (style.unicode or text.isascii())


def _check_svg(graph: GraphView) -> None:
    text = graph_svg.render(graph, Style())
    text.encode()
    root = ElementTree.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "title", "style", "defs", "marker", "path", "rect", "g", "text", "tspan"}
    assert {name for element in root.iter() for name in element.attrib} <= {
        "width", "height", "viewBox", "role", "aria-labelledby", "id", "refX", "refY", "markerWidth", "markerHeight", "orient", "d", "class", "transform",
        "x", "y", "dy", "rx",
    }  # fmt: skip
    assert sum(element.get("class", "").split()[:1] == ["node"] for element in root.iter(f"{SVG}g")) == len(graph.nodes) + 1  # and one in the legend


_DOT_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|->|[A-Za-z_]\w*|\d+|[][{};=,]|\s+')


def _check_dot(text: str, graph: GraphView) -> None:
    """Token by token: nothing but what the grammar of a digraph has, and exactly the statements that belong there."""
    text.encode()
    at, tokens = 0, []
    while at < len(text):
        match = _DOT_TOKEN.match(text, at)
        assert match, f"no token at {text[at : at + 20]!r}"
        at = match.end()
        if not match[0].isspace():
            tokens.append(match[0])
    assert tokens.count("->") == len(graph.edges)
    assert tokens.count(";") == 3 + len(graph.nodes) + len(graph.edges) and (tokens.count("{"), tokens.count("}"), tokens[-1]) == (1, 1, "}")
    assert {token for token in tokens if token.isidentifier()} - {f"n{n}" for n in range(len(graph.nodes))} <= {
        "digraph", "tlblint", "rankdir", "LR", "node", "edge", "shape", "box", "ellipse", "fontname", "fontsize", "label", "style", "bold", "dashed", "dotted",
        "solid", "peripheries",
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
@settings(max_examples=5, deadline=None)
@given(_graphs())
def test_graphviz_reads_it(graph: GraphView) -> None:
    done = subprocess.run(["dot", "-Tplain"], input=graph_dot.render(graph, Style()).encode(), capture_output=True, check=True)
    assert done.stdout.count(b"\nnode ") == len(graph.nodes) and not done.stderr
