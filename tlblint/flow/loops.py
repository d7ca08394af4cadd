"""Loops, the macro loops among them."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.assigns import IDENTIFIER
from tlblint.flow.cleanup import comma_parts
from tlblint.flow.context import Context
from tlblint.flow.dispatch import branch, effect, kind, on_statement, statement
from tlblint.flow.statements import spells
from tlblint.flow.values import bare

_DECLARATION = kind("declaration")


def _body(ctx: Context, node: Node, leave: int, again: int) -> None:
    """The loop body; ``break`` goes to ``leave``, ``continue`` and the end of the body go to ``again``."""
    kept = len(ctx.cleanups)
    ctx.breaks.append((leave, kept))
    ctx.continues.append((again, kept))
    statement(ctx, node)
    ctx.graph.jump(again, node.end_byte)
    ctx.breaks.pop()
    ctx.continues.pop()


@on_statement("while_statement")
def _while(ctx: Context, node: Node) -> None:
    graph = ctx.graph
    condition, body = node.named_children
    if not spells(ctx, node, b"while"):
        _macro_loop(ctx, node, comma_parts(bare(condition)), body)
        return
    head, inside, leave = graph.fresh(), graph.fresh(), graph.fresh()
    graph.jump(head, node.start_byte)
    graph.enter(head)
    branch(ctx, condition, inside, leave)
    graph.enter(inside)
    _body(ctx, body, leave, head)
    graph.enter(leave)


def _macro_loop(ctx: Context, node: Node, arguments: list[Node], body: Node) -> None:
    """``for_each_x(a, b, f(c)) body``: arguments once, then any number of turns, each with new values in its variables."""
    graph = ctx.graph
    for argument in arguments:
        effect(ctx, argument)
    head, inside, leave = graph.fresh(), graph.fresh(), graph.fresh()
    graph.jump(head, node.start_byte)
    graph.enter(head)
    for argument in arguments:
        name = terms.atom(ctx.squeezed(argument.start_byte, argument.end_byte))
        if argument.kind_id == IDENTIFIER and name[0] == "v":
            graph.emit(("havoc", name[1], argument.start_byte))
    graph.fork(terms.OPAQUE, inside, leave, node.start_byte)
    graph.enter(inside)
    _body(ctx, body, leave, head)
    graph.enter(leave)


@on_statement("do_statement")
def _do(ctx: Context, node: Node) -> None:
    graph = ctx.graph
    body, condition = node.named_children
    inside, test, leave = graph.fresh(), graph.fresh(), graph.fresh()
    graph.jump(inside, node.start_byte)
    graph.enter(inside)
    _body(ctx, body, leave, test)
    graph.enter(test)
    branch(ctx, condition, inside, leave)
    graph.enter(leave)


@on_statement("for_statement")
def _for(ctx: Context, node: Node) -> None:
    graph = ctx.graph
    clauses = _clauses(node)
    body = node.named_children[-1]
    if not spells(ctx, node, b"for"):
        _macro_loop(ctx, node, [], body)
        return
    first, condition, update = clauses
    if first is not None:
        run: Callable[[Context, Node], None] = statement if first.kind_id == _DECLARATION else effect
        run(ctx, first)
    head, inside, step, leave = graph.fresh(), graph.fresh(), graph.fresh(), graph.fresh()
    graph.jump(head, node.start_byte)
    graph.enter(head)
    if condition is None:
        graph.jump(inside, node.start_byte)
    else:
        branch(ctx, condition, inside, leave)
    graph.enter(inside)
    _body(ctx, body, leave, step)
    graph.enter(step)
    if update is not None:
        effect(ctx, update)
    graph.jump(head, node.end_byte)
    graph.enter(leave)


def _clauses(node: Node) -> tuple[Node | None, Node | None, Node | None]:
    """Initialiser, condition and update of a for loop; a declaration holds its own semicolon."""
    return (node.child_by_field_name("initializer"), node.child_by_field_name("condition"), node.child_by_field_name("update"))
