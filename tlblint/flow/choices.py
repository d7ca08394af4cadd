"""Short-circuit operators and ``?:``: they become branches wherever they stand."""

from __future__ import annotations

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.context import Context
from tlblint.flow.dispatch import BRANCH, VALUE, branch, effect, kind, on_branch, on_effect, on_value, value
from tlblint.flow.values import COMPOUND, SYMBOLS, bare, operands
from tlblint.model.ir import Expr

_BINARY = kind("binary_expression")
_CONDITIONAL = kind("conditional_expression")
_AND = kind("&&", False)
_OR = kind("||", False)
_NOT = kind("!", False)
_TYPE = kind("type_descriptor")


def is_choice(node: Node) -> bool:
    """Whether the value depends on the way control takes: ``a && b``, ``a || b``, ``c ? x : y``."""
    if node.kind_id == _BINARY:
        return node.children[1].kind_id in (_AND, _OR)
    return node.kind_id == _CONDITIONAL


def store(ctx: Context, path: str, node: Node, pos: int) -> None:
    """Assign the value of ``node`` to a path, in each arm of its own if the value is a choice."""
    node = bare(node)
    if is_choice(node):
        ctx.deeper()
        _store_choice(ctx, path, node, pos)
        ctx.depth -= 1
    else:
        ctx.graph.emit(("set", path, value(ctx, node), pos))


def _store_choice(ctx: Context, path: str, node: Node, pos: int) -> None:
    graph = ctx.graph
    yes, no, join = graph.fresh(), graph.fresh(), graph.fresh()
    if node.kind_id == _BINARY:
        branch(ctx, node, yes, no)
        for block, result in ((yes, terms.ONE), (no, terms.ZERO)):
            graph.enter(block)
            graph.emit(("set", path, result, pos))
            graph.jump(join, pos)
    else:
        first, second, third = conditional_parts(node)
        if second is None:
            kept = value(ctx, first)
            graph.fork(kept, yes, no, first.start_byte)
            graph.enter(yes)
            graph.emit(("set", path, kept, pos))
        else:
            branch(ctx, first, yes, no)
            graph.enter(yes)
            store(ctx, path, second, pos)
        graph.jump(join, pos)
        graph.enter(no)
        store(ctx, path, third, pos)
        graph.jump(join, pos)
    graph.enter(join)


def conditional_parts(node: Node) -> tuple[Node, Node | None, Node]:
    """Condition, middle operand (None in ``a ?: b``) and last operand."""
    parts = node.named_children
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (parts[0], None, parts[1])


def chosen(ctx: Context, node: Node) -> Expr:
    """The value of a choice, held in a synthetic path."""
    path = ctx.fresh_path()
    store(ctx, path, node, node.start_byte)
    return ("v", path)


on_value("conditional_expression")(chosen)


@on_value("generic_expression")
def _generic(ctx: Context, node: Node) -> Expr:
    """``_Generic(x, int: f(x), default: g(x))``: one of its values; the compiler knows which."""
    graph, pos, path = ctx.graph, node.start_byte, ctx.fresh_path()
    join = graph.fresh()
    arms = [child for child in node.named_children[1:] if child.kind_id != _TYPE]
    for arm in arms[:-1]:
        this, other = graph.fresh(), graph.fresh()
        graph.fork(terms.OPAQUE, this, other, pos)
        graph.enter(this)
        store(ctx, path, arm, pos)
        graph.jump(join, pos)
        graph.enter(other)
    if arms:
        store(ctx, path, arms[-1], pos)
    graph.jump(join, pos)
    graph.enter(join)
    return ("v", path)


@on_value("binary_expression")
def _binary(ctx: Context, node: Node) -> Expr:
    left, operator, right = node.children
    if operator.kind_id in (_AND, _OR):
        return chosen(ctx, node)
    ctx.deeper()
    first = VALUE[left.kind_id](ctx, left)
    second = VALUE[right.kind_id](ctx, right)
    ctx.depth -= 1
    return terms.binary(SYMBOLS[operator.kind_id], first, second)


@on_effect("conditional_expression")
def _conditional_effect(ctx: Context, node: Node) -> None:
    graph = ctx.graph
    first, second, third = conditional_parts(node)
    yes, no, join = graph.fresh(), graph.fresh(), graph.fresh()
    branch(ctx, first, yes, no)
    for block, arm in ((yes, second), (no, third)):
        graph.enter(block)
        if arm is not None:
            effect(ctx, arm)
        graph.jump(join, node.start_byte)
    graph.enter(join)


@on_effect("binary_expression")
def _binary_effect(ctx: Context, node: Node) -> None:
    left, operator, right = node.children
    if operator.kind_id not in (_AND, _OR):
        operands(ctx, node)
        return
    graph = ctx.graph
    more, join = graph.fresh(), graph.fresh()
    branch(ctx, left, *((more, join) if operator.kind_id == _AND else (join, more)))
    graph.enter(more)
    effect(ctx, right)
    graph.jump(join, node.start_byte)
    graph.enter(join)


@on_branch("parenthesized_expression")
def _branch_parenthesized(ctx: Context, node: Node, yes: int, no: int) -> None:
    inner = bare(node)
    if inner.kind_id == node.kind_id and inner.children[1].kind_id == COMPOUND:
        ctx.graph.fork(value(ctx, inner), yes, no, node.start_byte)
    else:
        BRANCH[inner.kind_id](ctx, inner, yes, no)


@on_branch("binary_expression")
def _branch_binary(ctx: Context, node: Node, yes: int, no: int) -> None:
    left, operator, right = node.children
    ctx.deeper()
    if operator.kind_id == _AND:
        more = ctx.graph.fresh()
        branch(ctx, left, more, no)
        ctx.graph.enter(more)
        branch(ctx, right, yes, no)
    elif operator.kind_id == _OR:
        more = ctx.graph.fresh()
        branch(ctx, left, yes, more)
        ctx.graph.enter(more)
        branch(ctx, right, yes, no)
    else:
        ctx.graph.fork(value(ctx, node), yes, no, node.start_byte)
    ctx.depth -= 1


@on_branch("unary_expression")
def _branch_unary(ctx: Context, node: Node, yes: int, no: int) -> None:
    operator, operand = node.children
    ctx.deeper()
    if operator.kind_id == _NOT:
        branch(ctx, operand, no, yes)
    else:
        ctx.graph.fork(value(ctx, node), yes, no, node.start_byte)
    ctx.depth -= 1


@on_branch("conditional_expression")
def _branch_conditional(ctx: Context, node: Node, yes: int, no: int) -> None:
    first, second, third = conditional_parts(node)
    ctx.deeper()
    this, other = yes if second is None else ctx.graph.fresh(), ctx.graph.fresh()
    branch(ctx, first, this, other)
    if second is not None:
        ctx.graph.enter(this)
        branch(ctx, second, yes, no)
    ctx.graph.enter(other)
    branch(ctx, third, yes, no)
    ctx.depth -= 1


@on_branch("comma_expression")
def _branch_comma(ctx: Context, node: Node, yes: int, no: int) -> None:
    left, _, right = node.children
    effect(ctx, left)
    branch(ctx, right, yes, no)


@on_branch("cast_expression")
def _branch_cast(ctx: Context, node: Node, yes: int, no: int) -> None:
    branch(ctx, node.children[-1], yes, no)
