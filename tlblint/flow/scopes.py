"""The ends of objects that clean up after themselves, on every way out of their scope."""

from __future__ import annotations

import re

from tlblint.flow.context import Context
from tlblint.model.ir import Expr


def call(ctx: Context, name: str, args: tuple[Expr, ...], pos: int) -> Expr:
    """Emit a call that nobody wrote out and return its temp."""
    temp = len(ctx.calls)
    ctx.calls.append((pos, pos))
    ctx.graph.emit(("call", temp, name, args, pos))
    return ("t", temp)


def run(ctx: Context, mark: int, pos: int, target: int | None = None) -> None:
    """Emit what cleans up the objects made since ``mark``, the youngest first; those whose scope also holds offset ``target`` stay."""
    graph = ctx.graph
    for item in reversed(ctx.cleanups[mark:]):
        if target is not None and item.since <= target < item.until:
            continue
        if item.flag:
            alive, on = graph.fresh(), graph.fresh()
            graph.fork(("v", item.flag), alive, on, pos)
            graph.enter(alive)
            call(ctx, item.call, item.args, pos)
            graph.jump(on, pos)
            graph.enter(on)
        else:
            call(ctx, item.call, item.args, pos)


def leave_scope(ctx: Context, mark: int, pos: int) -> None:
    """Control reaches the end of a block: its own objects end."""
    run(ctx, mark, pos)
    del ctx.cleanups[mark:]


def target_of(ctx: Context, label: bytes) -> int:
    """The offset of a label in the text of the function; -1, outside of every scope, if it is not found."""
    found = re.compile(rb"[;{}:]\s*(" + label + rb")\s*:(?!:)").search(ctx.text, *ctx.extent)
    return found.start(1) if found is not None else -1


def escape(ctx: Context, label: bytes, pos: int) -> None:
    """Control may leave to a label from here, which ends what is not in scope there."""
    graph = ctx.graph
    way, on = graph.fresh(), graph.fresh()
    graph.fork(("?",), way, on, pos)
    graph.enter(way)
    run(ctx, 0, pos, target_of(ctx, label))
    graph.jump(ctx.label(label), pos)
    graph.enter(on)


def escapes(ctx: Context, temp: int, args: tuple[Expr, ...], pos: int) -> None:
    """The labels among the arguments of a call that is made while there is something to end."""
    for arg in args:
        if arg[0] == "v" and arg[1] not in ctx.locals and arg[1].isidentifier() and target_of(ctx, arg[1].encode()) >= 0:
            escape(ctx, arg[1].encode(), pos)
            ctx.escaped.add(temp)
