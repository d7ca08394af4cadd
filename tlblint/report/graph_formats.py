"""The formats of call graphs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tlblint.report import graph_dot, graph_json, graph_svg, graph_text
from tlblint.report.graph_view import GraphView
from tlblint.report.view import Style


class GraphFormat(msgspec.Struct, frozen=True):
    """A printer. ``terminal``: its text may be coloured and takes the terminal's width and characters; others are always the same bytes."""

    render: Callable[[GraphView, Style], str]
    terminal: bool = False


GRAPH_FORMATS: Mapping[str, GraphFormat] = {
    "text": GraphFormat(graph_text.render, terminal=True),
    "dot": GraphFormat(graph_dot.render),
    "svg": GraphFormat(graph_svg.render),
    "json": GraphFormat(graph_json.render),
}
