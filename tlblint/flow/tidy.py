"""From the open graph to the final blocks: no empty jumps, no chains, nothing unreachable, reverse postorder."""

from __future__ import annotations

from tlblint.flow.graph import Graph
from tlblint.model.ir import Block


def tidy(graph: Graph) -> tuple[Block, ...]:
    """The blocks of a finished graph, entry first."""
    while _shorten(graph):
        pass
    _merge(graph)
    order = _reverse_postorder(graph)
    number = {block: at for at, block in enumerate(order)}
    return tuple(
        Block(
            tuple(graph.instrs[block]),
            graph.kinds[block],
            graph.conds[block],
            tuple(number[target] for target in graph.succs[block]),
            graph.positions[block],
        )
        for block in order
    )


def _shorten(graph: Graph) -> bool:
    """Lead every edge past the empty jumps. True if a branch became an empty jump by that, so that more can be done."""
    final = _final(graph)
    again = False
    for block, targets in enumerate(graph.succs):
        if len(targets) == 1:
            graph.succs[block] = (final[targets[0]],)
        elif targets:
            yes, no = final[targets[0]], final[targets[1]]
            if yes != no:
                graph.succs[block] = (yes, no)
                continue
            graph.kinds[block], graph.conds[block], graph.succs[block] = "jump", None, (yes,)
            again = again or not graph.instrs[block]
    return again


def _final(graph: Graph) -> list[int]:
    """For each block where a jump to it really ends. A ring of empty jumps, a loop without end, ends in one of them."""
    kinds, instrs, succs = graph.kinds, graph.instrs, graph.succs
    final = list(range(len(kinds)))
    for block, kind in enumerate(kinds):
        if kind != "jump" or instrs[block]:
            continue
        way = [block]
        target = succs[block][0]
        while kinds[target] == "jump" and not instrs[target] and target not in way:
            way.append(target)
            target = succs[target][0]
        final[block] = min(way[way.index(target) :]) if target in way else target
    return final


def _merge(graph: Graph) -> None:
    """Append to each block the one that it alone jumps to."""
    reached = _reachable(graph)
    kinds, succs = graph.kinds, graph.succs
    preds = [0] * len(kinds)
    preds[0] = 1
    for block in reached:
        for target in succs[block]:
            preds[target] += 1
    absorbed: set[int] = set()
    for block in reached:
        if kinds[block] != "jump" or block in absorbed:
            continue
        while kinds[block] == "jump":
            (target,) = succs[block]
            if preds[target] != 1 or target == block:
                break
            absorbed.add(target)
            graph.instrs[block] = graph.instrs[block] + graph.instrs[target]
            kinds[block], graph.conds[block] = kinds[target], graph.conds[target]
            succs[block], graph.positions[block] = succs[target], graph.positions[target]


def _reachable(graph: Graph) -> list[int]:
    seen, found, succs = bytearray(len(graph.succs)), [0], graph.succs
    seen[0] = 1
    for block in found:  # which grows meanwhile
        for target in succs[block]:
            if not seen[target]:
                seen[target] = 1
                found.append(target)
    return found


def _reverse_postorder(graph: Graph) -> list[int]:
    """Depth first without recursion; the true branch comes before the false one."""
    order: list[int] = []
    stack, succs = [0], graph.succs
    seen = bytearray(len(succs))
    while stack:
        block = stack.pop()
        if block < 0:  # what it leads to is done
            order.append(~block)
        elif not seen[block]:
            seen[block] = 1
            stack.append(~block)
            stack += succs[block]
    order.reverse()
    return order
