"""Labels that only a macro jumps to: ``unsafe_get_user(x, p, fault)`` leaves to ``fault`` when it fails."""

from __future__ import annotations

from tlblint.flow import terms
from tlblint.flow.context import Context
from tlblint.model.ir import Expr


def add_escapes(ctx: Context) -> None:
    """Give every call that has a label among its arguments an opaque way to that label."""
    for name, block in ctx.labels.items():
        text = name.decode(errors="replace")
        if name in ctx.names and text not in ctx.locals:
            _escape(ctx, ("v", text), block)


def _escape(ctx: Context, label: Expr, block: int) -> None:
    graph = ctx.graph
    at = 0
    while at < len(graph.kinds):  # a split appends the rest of a block as a new one, which is looked at in its turn
        for index, instr in enumerate(graph.instrs[at]):
            if instr[0] == "call" and label in instr[3] and instr[1] not in ctx.escaped:
                rest = graph.fresh()
                graph.instrs[rest], graph.instrs[at] = graph.instrs[at][index + 1 :], graph.instrs[at][: index + 1]
                graph.kinds[rest], graph.conds[rest] = graph.kinds[at], graph.conds[at]
                graph.succs[rest], graph.positions[rest] = graph.succs[at], graph.positions[at]
                graph.enter(at)
                graph.fork(terms.OPAQUE, block, rest, instr[4])
                break
        at += 1
