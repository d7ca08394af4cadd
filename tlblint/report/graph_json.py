"""A call graph for programs: schema tlblint-graph/1. Keys never vanish, absent things are null, arrays are sorted, output is ASCII."""

from __future__ import annotations

import json
from typing import Any

from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.report.view import Style

SCHEMA = "tlblint-graph/1"


def render(view: GraphView, style: Style) -> str:
    """One indented JSON document. Edges name nodes by their "id", which is the place in "nodes"."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "tlblint", "version": view.version},
        "tree": {
            "kind": "worktree" if view.kind == "directory" else view.kind,
            "rev": view.revision,
            "generation": view.generation,
            "profiles": sorted(view.profiles),
        },
        "depth": view.depth,
        "nodes": [_node(number, node) for number, node in enumerate(view.nodes)],
        "edges": [_edge(edge) for edge in view.edges],
        "not_analysed": [{"path": path, "function": function, "line": line, "why": why} for path, function, line, why in view.not_analysed],
    }
    return json.dumps(_safe(document), indent=2) + "\n"


def _node(number: int, node: GraphNode) -> dict[str, Any]:
    return {
        "id": number,
        "name": node.name,
        "path": node.path,
        "line": node.line,
        "kind": node.kind,
        "requested": node.focus,
        "changes_entries": node.changes,
        "effects": list(node.effects),
        "enters_with": [{"what": what, "from": by} for what, by in node.enters],
        "slots": list(node.slots) if node.kind != "pointer" else [],
        "variants": node.variants,
        "weak": node.weak,
        "inline": node.inline,
        "out_of_scope": node.outside,
        "other_definitions": list(node.overrides),
        "callers_not_shown": node.above,
        "callees_not_shown": node.below,
    }


def _edge(edge: GraphEdge) -> dict[str, Any]:
    return {
        "caller": edge.caller,
        "callee": edge.callee,
        "kind": edge.kind,
        "via": edge.via or None,
        "line": edge.line,
        "sites": edge.sites,
        "may_hold": list(edge.held),
    }


def _safe(value: Any) -> Any:
    r"""Lone surrogates (bytes of file names that are not UTF-8) as \xNN text: strict readers refuse them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list) else value
