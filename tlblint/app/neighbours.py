"""Around each finding the functions of its path, who calls them and what they call, as far as the run has read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tlblint.calls.graph import CallGraph, Edge, Kernel, build
from tlblint.calls.program import Program
from tlblint.findings.lines import Lines
from tlblint.model.finding import Finding
from tlblint.model.ir import FileFacts
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.report.view import Place, place_of

CALLERS, CALLEES, MOST = 5, 4, 16
"""Callers of a function, callees of a function, and functions in all that are shown besides those of the path."""


def neighbours(
    findings: Iterable[Finding], facts: Sequence[FileFacts], contents: Mapping[str, bytes], lines: Mapping[str, Lines], kernel: Kernel, version: str
) -> dict[Place, GraphView]:
    """A graph for each finding with a path, by its place. Functions that are left out are counted at those that call them or are called."""
    wanted = [finding for finding in findings if finding.trace]
    if not wanted:
        return {}
    around = _Around(build(Program(facts), contents, kernel), lines, version)
    views = {place_of(finding): around.view(finding) for finding in wanted}
    return {place: view for place, view in views.items() if view is not None}


class _Around:
    def __init__(self, whole: CallGraph, lines: Mapping[str, Lines], version: str) -> None:
        self.whole, self.lines, self.version = whole, lines, version
        self.at = {(node.path, node.name): at for at, node in enumerate(whole.nodes) if node.kind == "function"}
        self.up: dict[int, list[Edge]] = {}
        self.down: dict[int, list[Edge]] = {}
        for edge in whole.edges:
            self.up.setdefault(edge.callee, []).append(edge)
            self.down.setdefault(edge.caller, []).append(edge)

    def view(self, finding: Finding) -> GraphView | None:
        """The graph, or None when no function of the path is known."""
        named = dict.fromkeys([(step.path, step.function) for step in finding.trace] + [(finding.path, finding.function)])
        path = [self.at[key] for key in named if key in self.at]
        if not path:
            return None
        chosen = dict.fromkeys(path)
        for at in path:
            if len(chosen) < len(path) + MOST:
                chosen.update(dict.fromkeys(self._callers(at)[:CALLERS]))
                chosen.update(dict.fromkeys(self._callees(at)[:CALLEES]))
        order = sorted(chosen)
        number = {at: new for new, at in enumerate(order)}
        edges = tuple(self._edge(edge, number) for at in order for edge in self.down.get(at, ()) if edge.callee in number)
        nodes = tuple(self._node(at, chosen, at in path) for at in order)
        return GraphView(self.version, "", None, None, (), 1, nodes, edges)

    def _callers(self, at: int) -> list[int]:
        return list(dict.fromkeys(edge.caller for edge in self.up.get(at, ()) if edge.caller != at))

    def _callees(self, at: int) -> list[int]:
        """Callees that do something that matters; API functions are effects of their callers."""
        found = dict.fromkeys(edge.callee for edge in self.down.get(at, ()) if edge.callee != at)
        return [other for other in found if self.whole.nodes[other].matters and not self.whole.nodes[other].role]

    def _edge(self, edge: Edge, number: Mapping[int, int]) -> GraphEdge:
        line = self._line(self.whole.nodes[edge.caller].path, edge.pos)
        return GraphEdge(number[edge.caller], number[edge.callee], edge.kind, line, edge.sites, edge.via, edge.held)

    def _node(self, at: int, chosen: Mapping[int, None], focus: bool) -> GraphNode:
        node = self.whole.nodes[at]
        known = node.kind == "function"
        above = sum(other not in chosen for other in self._callers(at))
        below = sum(other not in chosen for other in self._callees(at))
        return GraphNode(
            node.name, node.path if known and node.path else None, self._line(node.path, node.pos) if known else None, node.kind, node.variants,
            node.weak, node.inline, node.outside, node.changes, node.effects, tuple((held.what, held.by) for held in node.enters), node.slots,
            node.overrides, above, below, focus,
        )  # fmt: skip

    def _line(self, path: str, pos: int) -> int | None:
        return self.lines[path].locate(pos)[0] if path in self.lines else None
