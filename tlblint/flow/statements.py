"""Statements other than loops and switches."""

from __future__ import annotations

import re

from tree_sitter import Node

from tlblint.flow import cleanup, scopes
from tlblint.flow.choices import conditional_parts, is_choice
from tlblint.flow.context import Context
from tlblint.flow.dispatch import EFFECT, ERROR, STATEMENT, branch, effect, kind, on_statement, statement, value
from tlblint.flow.values import bare
from tlblint.model.ir import Expr

_IF = kind("if_statement")
_CONDITIONAL = kind("conditional_expression")
_ERROR_CHILD = frozenset((ERROR,))
_WORD = re.compile(rb"\w*")


def spells(ctx: Context, node: Node, keyword: bytes) -> bool:
    """Whether the statement really starts with its keyword: the normaliser writes macros with a body as loops and ifs."""
    match = _WORD.match(ctx.raw, node.start_byte)
    return match is not None and match.group() == keyword


@on_statement("compound_statement")
def _compound(ctx: Context, node: Node) -> None:
    outer, mark = ctx.scope_end, len(ctx.cleanups)
    ctx.scope_end = node.end_byte
    if parts := node.named_children:
        ctx.deeper()  # as statement() does for each of them
        for child in parts:
            STATEMENT[child.kind_id](ctx, child)
        ctx.depth -= 1
    if len(ctx.cleanups) > mark:
        scopes.leave_scope(ctx, mark, node.end_byte - 1)
    ctx.scope_end = outer


@on_statement("expression_statement")
def _expression(ctx: Context, node: Node) -> None:
    inner = node.child(0) or node
    EFFECT[inner.kind_id](ctx, inner)


@on_statement("attributed_statement")
def _attributed(ctx: Context, node: Node) -> None:
    statement(ctx, node.named_children[-1])


@on_statement("if_statement")
def _if(ctx: Context, node: Node) -> None:
    """An else-if chain is one loop here, however long it is."""
    graph = ctx.graph
    join = graph.fresh()
    while True:
        parts = node.named_children
        condition, body = parts[0], parts[1]
        if not spells(ctx, node, b"if"):
            if not cleanup.scoped(ctx, node, condition, body):
                effect(ctx, condition)
                cleanup.failing(ctx, condition)
                statement(ctx, body)
            break
        other = parts[2] if len(parts) > 2 else _behind_macro(ctx, body)
        yes, no = graph.fresh(), graph.fresh()
        branch(ctx, condition, yes, no)
        graph.enter(yes)
        statement(ctx, body)
        graph.jump(join, body.end_byte)
        graph.enter(no)
        if other is None:
            break
        node = other.named_children[0]
        if node.kind_id != _IF:
            statement(ctx, node)
            break
    graph.jump(join, node.end_byte)
    graph.enter(join)


def _behind_macro(ctx: Context, body: Node) -> Node | None:
    """The ``else`` of ``if (c) scoped_guard(a, b) f(); else g();``, which the parser takes for that of the macro."""
    while body.kind_id == _IF and not spells(ctx, body, b"if"):
        parts = body.named_children
        if len(parts) > 2:
            return parts[2]
        body = parts[1]
    return None


@on_statement("return_statement")
def _return(ctx: Context, node: Node) -> None:
    parts = node.named_children
    if parts:
        return_value(ctx, parts[0], node.start_byte)
    else:
        leave(ctx, None, node.start_byte)


def leave(ctx: Context, result: Expr | None, pos: int) -> None:
    """Return from the function: the result is known before what is in scope ends."""
    if ctx.cleanups:
        scopes.run(ctx, 0, pos)
    ctx.graph.leave("return", result, pos)


def return_value(ctx: Context, node: Node, pos: int) -> None:
    """Return an expression; each arm of a ``?:`` returns by itself, a truth value as 1 and 0."""
    node = bare(node)
    graph = ctx.graph
    if not is_choice(node):
        leave(ctx, value(ctx, node), pos)
        return
    yes, no = graph.fresh(), graph.fresh()
    arms: tuple[Node, Node] | None = None
    if node.kind_id == _CONDITIONAL:
        first, second, third = conditional_parts(node)
        if second is None:
            leave(ctx, value(ctx, node), pos)
            return
        branch(ctx, first, yes, no)
        arms = second, third
    else:
        branch(ctx, node, yes, no)
    ctx.deeper()
    for number, block in enumerate((yes, no)):
        graph.enter(block)
        if arms is None:
            leave(ctx, ("n", 1 - number), pos)
        else:
            return_value(ctx, arms[number], pos)
    ctx.depth -= 1


@on_statement("goto_statement")
def _goto(ctx: Context, node: Node) -> None:
    parts = node.named_children
    if len(parts) != 1 or parts[0].kind_id in _ERROR_CHILD:
        ctx.doubt("computed goto")
        ctx.graph.leave("stop", None, node.start_byte)
        return
    name = ctx.text[parts[0].start_byte : parts[0].end_byte]
    if ctx.cleanups:
        scopes.run(ctx, 0, node.start_byte, scopes.target_of(ctx, name))
    ctx.graph.goto(ctx.label(name), node.start_byte)


@on_statement("labeled_statement")
def _labelled(ctx: Context, node: Node) -> None:
    label, *rest = node.named_children
    name = ctx.text[label.start_byte : label.end_byte]
    block = ctx.label(name)
    if name in ctx.defined:
        ctx.doubt(f"label {name.decode()} twice")
        block = ctx.graph.fresh()
    ctx.defined.add(name)
    ctx.graph.jump(block, node.start_byte)
    ctx.graph.enter(block)
    for child in rest:
        statement(ctx, child)


@on_statement("break_statement")
def _break(ctx: Context, node: Node) -> None:
    _leave_to(ctx, node, ctx.breaks, "break outside a loop")


@on_statement("continue_statement")
def _continue(ctx: Context, node: Node) -> None:
    _leave_to(ctx, node, ctx.continues, "continue outside a loop")


def _leave_to(ctx: Context, node: Node, targets: list[tuple[int, int]], why: str) -> None:
    if targets:
        target, kept = targets[-1]
        if len(ctx.cleanups) > kept:
            scopes.run(ctx, kept, node.start_byte)
        ctx.graph.goto(target, node.start_byte)
    else:
        ctx.doubt(why)
        ctx.graph.leave("stop", None, node.start_byte)


@on_statement("function_definition")
def _nested_function(ctx: Context, node: Node) -> None:
    ctx.doubt("function inside a function")


@on_statement("preproc_if", "preproc_ifdef")
def _conditional_group(ctx: Context, node: Node) -> None:
    ctx.doubt("unresolved #if")
    for child in node.named_children:
        statement(ctx, child)


def _error(ctx: Context, node: Node) -> None:
    ctx.doubt("syntax error")


STATEMENT[ERROR] = EFFECT[ERROR] = _error
