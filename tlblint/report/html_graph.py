"""The calls that the path of a finding makes, as a call graph."""

from __future__ import annotations

import re

from tlblint.model.finding import Finding
from tlblint.report.excerpt import MOST
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.report.view import Report

_CALLS = re.compile(r"calls ([A-Za-z_]\w*)\(\)\Z", re.ASCII)
_WALK = re.compile(r"a page walk with (\S+) calls ")
CHANGES = frozenset({"entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "entry.install", "entry.promote", "entry.young"})


def neighbourhood(report: Report, finding: Finding) -> GraphView:
    """The functions of the path with what they do, and the calls between them, in the order of the path."""
    trace = finding.trace[:MOST]
    names: dict[tuple[str, str], int] = {}
    lines: dict[int, int] = {}
    effects: dict[int, set[str]] = {}
    edges: dict[tuple[int, int], GraphEdge] = {}

    def node(path: str, name: str, line: int) -> int:
        at = names.setdefault((path, name), len(names))
        lines.setdefault(at, line)
        return at

    if not finding.trace:
        node(finding.path, finding.function or "?", finding.line)
    for at, step in enumerate(trace):
        walk = _WALK.match(step.note) if step.event == "call" and not step.function else None
        here = node(step.path, step.function or (walk[1] if walk else "?"), step.line)
        if step.event not in ("call", "branch", "entered", "exit", "return"):
            effects.setdefault(here, set()).add(step.event)
        called = _CALLS.search(step.note) if step.event == "call" else None
        if called is None:
            continue
        path = next((later.path for later in trace[at + 1 :] if later.function == called[1]), None)
        callee = node(path if path is not None else step.path, called[1], next((s.line for s in trace[at + 1 :] if s.function == called[1]), step.line))
        kind, via = ("table", walk[1]) if walk else ("direct", "")
        edges.setdefault((here, callee), GraphEdge(here, callee, kind, step.line, 1, via))
    tables = {edge.caller for edge in edges.values() if edge.kind == "table"}
    nodes = tuple(
        GraphNode(
            name, path, lines[at], "pointer" if at in tables else "function", slots=("operations table",) if at in tables else (),
            changes=bool(CHANGES & effects.get(at, set())), effects=tuple(sorted(effects.get(at, set()))),
            focus=(path, name) == (finding.path, finding.function),
        )
        for (path, name), at in names.items()
    )  # fmt: skip
    return GraphView(report.version, report.kind, report.revision, report.generation, report.profiles, None, nodes, tuple(edges.values()))
