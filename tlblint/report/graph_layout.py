"""Where the boxes of a call graph stand: layers from left to right, callers left of callees. Depends on nothing but the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

Pair = tuple[int, int]
SWEEPS = 4


class Box(msgspec.Struct, frozen=True):
    """A box: its layer, and in user units its left upper corner and size."""

    layer: int
    x: int
    y: int
    width: int
    height: int


def layout(sizes: Sequence[Pair], edges: Sequence[Pair], gap: Pair) -> list[Box]:
    """A box for each (width, height). ``edges``: (from, to); ``gap``: (between layers, between boxes of a layer)."""
    layers = _layers(len(sizes), edges)
    rows: dict[int, list[int]] = {}
    for node, layer in enumerate(layers):
        rows.setdefault(layer, []).append(node)
    _order(rows, edges, layers)
    tallest = max((sum(sizes[n][1] + gap[1] for n in row) for row in rows.values()), default=0)
    boxes: dict[int, Box] = {}
    x = 0
    for layer in sorted(rows):
        row = rows[layer]
        y = (tallest - sum(sizes[n][1] + gap[1] for n in row)) // 2
        wide = max(sizes[node][0] for node in row)
        for node in row:
            boxes[node] = Box(layer, x, y, wide, sizes[node][1])
            y += sizes[node][1] + gap[1]
        x += wide + gap[0]
    return [boxes[node] for node in range(len(sizes))]


def _layers(count: int, edges: Sequence[Pair]) -> list[int]:
    """The longest way to each node, edges that close a cycle left out."""
    forward = _forward(count, edges)
    entering = [0] * count
    for _, to in forward:
        entering[to] += 1
    leaving: dict[int, list[int]] = {}
    for start, to in forward:
        leaving.setdefault(start, []).append(to)
    layers = [0] * count
    work = [node for node in range(count) if not entering[node]]
    while work:
        node = work.pop()
        for to in leaving.get(node, ()):
            layers[to] = max(layers[to], layers[node] + 1)
            entering[to] -= 1
            if not entering[to]:
                work.append(to)
    return layers


def _forward(count: int, edges: Sequence[Pair]) -> list[Pair]:
    """The edges without those that a depth-first walk finds to lead back."""
    leaving: dict[int, list[int]] = {}
    for start, to in dict.fromkeys(edges):
        if start != to:
            leaving.setdefault(start, []).append(to)
    targets = {to for _, to in edges}
    state = [0] * count
    out: list[Pair] = []
    for root in [*(n for n in range(count) if n not in targets), *range(count)]:
        if state[root]:
            continue
        state[root] = 1
        work = [(root, iter(leaving.get(root, ())))]
        while work:
            node, rest = work[-1]
            to = next(rest, -1)
            if to < 0:
                state[node] = 2
                work.pop()
            elif state[to] != 1:
                out.append((node, to))
                if not state[to]:
                    state[to] = 1
                    work.append((to, iter(leaving.get(to, ()))))
    return out


def _order(rows: Mapping[int, list[int]], edges: Sequence[Pair], layers: Sequence[int]) -> None:
    """Neighbours near each other: each layer is sorted by the mean place of its callers, then of its callees, a few times."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for start, to in edges:
        if layers[start] < layers[to]:
            before.setdefault(to, []).append(start)
            after.setdefault(start, []).append(to)
    place = {node: at for row in rows.values() for at, node in enumerate(row)}
    for sweep in range(SWEEPS):
        near = after if sweep % 2 else before
        for layer in sorted(rows, reverse=bool(sweep % 2)):
            row = rows[layer]
            weight = {n: (sum(place[m] for m in near[n]) / len(near[n]) if n in near else float(place[n])) for n in row}
            row.sort(key=lambda node: (weight[node], node))
            place.update((node, at) for at, node in enumerate(row))
