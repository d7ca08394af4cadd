"""A part of a call graph: what lies around some functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tlblint.calls.graph import CallGraph, Edge


class Part(msgspec.Struct, frozen=True):
    """Part of a graph. ``nodes``: numbers of nodes, sorted; ``edges``: those among them, with the numbers of the whole; ``focus``: what was asked for.
    ``above`` and ``below``: node -> how many callers, callees were left out."""

    nodes: tuple[int, ...]
    edges: tuple[Edge, ...]
    focus: frozenset[int]
    above: Mapping[int, int]
    below: Mapping[int, int]


def around(graph: CallGraph, focus: Sequence[int], depth: int, callers: bool = True, callees: bool = True) -> Part:
    """Callers of ``focus`` over up to ``depth`` calls, and callees that lead to something that matters, as far."""
    useful = leading(graph)
    up: dict[int, list[int]] = {}
    down: dict[int, list[int]] = {}
    for edge in graph.edges:
        up.setdefault(edge.callee, []).append(edge.caller)
        if edge.callee in useful and _shown(graph, edge.callee, focus):
            down.setdefault(edge.caller, []).append(edge.callee)
    asked = frozenset(focus)
    high = _reach(asked, up, depth) if callers else set(asked)
    low = _reach(asked, down, depth) if callees else set(asked)
    chosen = high | low
    edges = tuple(
        edge for edge in graph.edges
        if (edge.caller in high and edge.callee in high) or (edge.caller in low and edge.callee in low and (edge.callee in useful or edge.callee in asked))
    )
    over = {node: len({c for c in up.get(node, ()) if c not in chosen}) for node in high} if callers else {}
    under = {node: len({c for c in down.get(node, ()) if c not in chosen}) for node in low} if callees else {}
    return Part(tuple(sorted(chosen)), edges, asked, _some(over), _some(under))


def changing(graph: CallGraph, inside: Iterable[int], depth: int | None) -> Part:
    """The functions ``inside``, with their callers over ``depth`` calls, or up to the roots."""
    seeds = frozenset(inside)
    up: dict[int, list[int]] = {}
    for edge in graph.edges:
        up.setdefault(edge.callee, []).append(edge.caller)
    chosen = _reach(seeds, up, len(graph.nodes) if depth is None else depth)
    edges = tuple(edge for edge in graph.edges if edge.caller in chosen and edge.callee in chosen)
    over = {node: len({c for c in up.get(node, ()) if c not in chosen}) for node in chosen}
    return Part(tuple(sorted(chosen)), edges, seeds, _some(over), {})


def leading(graph: CallGraph) -> frozenset[int]:
    """Nodes that do something that matters, or call what does, and unresolved calls that stand for functions in tables."""
    up: dict[int, list[int]] = {}
    for edge in graph.edges:
        up.setdefault(edge.callee, []).append(edge.caller)
    pointers = {at for at, node in enumerate(graph.nodes) if node.kind == "pointer"}
    seeds = [at for at, node in enumerate(graph.nodes) if node.matters or (at in pointers and node.slots)]
    return frozenset(_reach(seeds, up, len(graph.nodes)) | pointers)


def _shown(graph: CallGraph, node: int, focus: Sequence[int]) -> bool:
    return not graph.nodes[node].role or node in focus


def _reach(seeds: Iterable[int], step: Mapping[int, Iterable[int]], depth: int) -> set[int]:
    out = set(seeds)
    front = sorted(out)
    for _ in range(depth):
        front = sorted({other for node in front for other in step.get(node, ())} - out)
        if not front:
            break
        out.update(front)
    return out


def _some(counts: Mapping[int, int]) -> Mapping[int, int]:
    return {node: count for node, count in counts.items() if count}
