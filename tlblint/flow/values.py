"""Expressions that name, compute or address something: evaluation order left to right, calls hoisted to temps."""

from __future__ import annotations

from sys import intern

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.context import Context
from tlblint.flow.dispatch import EFFECT, VALUE, effect, kind, on_effect, on_value, statement, value
from tlblint.flow.scopes import leave_scope
from tlblint.model.ir import Expr
from tlblint.syntax.language import C

COMPOUND = kind("compound_statement")
EXPRESSION_STATEMENT = kind("expression_statement")
PARENTHESIZED = kind("parenthesized_expression")
SUBSCRIPT = kind("subscript_expression")
_CAST = kind("cast_expression")
SYMBOLS = {number: C.node_kind_for_id(number) or "?" for number in range(C.node_kind_count)}


def bare(node: Node) -> Node:
    """The expression inside any parentheses; a statement expression keeps its own pair."""
    while node.kind_id == PARENTHESIZED:
        inner = node.children[1]
        if inner.kind_id == COMPOUND:
            break
        node = inner
    return node


@on_value("identifier")
def _identifier(ctx: Context, node: Node) -> Expr:
    word = ctx.text[node.start_byte : node.end_byte]
    known = ctx.names.get(word)
    if known is None:
        known = ctx.names[word] = terms.atom(intern(word.decode()))
    return known


@on_value("number_literal")
def _number(ctx: Context, node: Node) -> Expr:
    word = ctx.text[node.start_byte : node.end_byte]
    known = ctx.names.get(word)
    if known is None:
        known = ctx.names[word] = terms.number(word.decode())
    return known


@on_value("null", "true", "false")
def _constant(ctx: Context, node: Node) -> Expr:
    return terms.atom(ctx.text[node.start_byte : node.end_byte].decode())


@on_value("char_literal")
def _char(ctx: Context, node: Node) -> Expr:
    return ("n", ctx.raw[node.start_byte + 1]) if node.end_byte - node.start_byte == 3 else terms.OPAQUE


@on_value("parenthesized_expression")
def _parenthesized(ctx: Context, node: Node) -> Expr:
    inner = node.children[1]
    ctx.deeper()
    result = _block_value(ctx, inner) if inner.kind_id == COMPOUND else VALUE[inner.kind_id](ctx, inner)
    ctx.depth -= 1
    return result


@on_effect("parenthesized_expression")
def _parenthesized_effect(ctx: Context, node: Node) -> None:
    inner = node.children[1]
    ctx.deeper()
    if inner.kind_id == COMPOUND:
        statement(ctx, inner)
    else:
        EFFECT[inner.kind_id](ctx, inner)
    ctx.depth -= 1


def _block_value(ctx: Context, block: Node) -> Expr:
    """A statement expression: its value is that of its last expression statement."""
    body = block.named_children
    if not body:
        return terms.OPAQUE
    outer, mark = ctx.scope_end, len(ctx.cleanups)
    ctx.scope_end = block.end_byte
    result = _last_value(ctx, body)
    if len(ctx.cleanups) > mark:
        leave_scope(ctx, mark, block.end_byte - 1)
    ctx.scope_end = outer
    return result


def _last_value(ctx: Context, body: list[Node]) -> Expr:
    for child in body[:-1]:
        statement(ctx, child)
    last = body[-1]
    if last.kind_id == EXPRESSION_STATEMENT and last.named_child_count:
        return value(ctx, last.children[0])
    statement(ctx, last)
    return terms.OPAQUE


@on_value("comma_expression")
def _comma(ctx: Context, node: Node) -> Expr:
    left, _, right = node.children
    effect(ctx, left)
    return value(ctx, right)


@on_effect("comma_expression")
def _comma_effect(ctx: Context, node: Node) -> None:
    left, _, right = node.children
    effect(ctx, left)
    effect(ctx, right)


@on_value("cast_expression")
def _cast(ctx: Context, node: Node) -> Expr:
    inner = node.children[-1]
    return VALUE[inner.kind_id](ctx, inner)


@on_effect("cast_expression")
def _cast_effect(ctx: Context, node: Node) -> None:
    effect(ctx, node.children[-1])


@on_value("unary_expression")
def _unary(ctx: Context, node: Node) -> Expr:
    operator, operand = node.children
    ctx.deeper()
    inner = VALUE[operand.kind_id](ctx, operand)
    ctx.depth -= 1
    symbol = SYMBOLS[operator.kind_id]
    if symbol == "+":
        return inner
    if inner[0] == "n":
        number = inner[1]
        return ("n", int(not number) if symbol == "!" else ~number if symbol == "~" else -number)
    return (symbol, inner)


@on_effect("unary_expression", "subscript_expression", "field_expression", "pointer_expression")
def operands(ctx: Context, node: Node) -> None:
    """Evaluate the operands of an operator whose result nobody reads."""
    ctx.deeper()
    for child in node.named_children:
        effect(ctx, child)
    ctx.depth -= 1


def _place(ctx: Context, node: Node) -> Expr:
    """The value of a pointer or object on the way to a path: the result of a call is named by the call's text."""
    ctx.deeper()
    base = VALUE[node.kind_id](ctx, node)
    ctx.depth -= 1
    return ("v", ctx.squeezed(*ctx.calls[base[1]])) if base[0] == "t" else base


@on_value("field_expression")
def _field(ctx: Context, node: Node) -> Expr:
    base, operator, name = node.children
    place = _place(ctx, base)
    text = ctx.text[name.start_byte : name.end_byte].decode()
    if operator.end_byte - operator.start_byte == 1:
        return terms.member(place, text)
    return terms.arrow(place, text)


@on_value("subscript_expression")
def _subscript(ctx: Context, node: Node) -> Expr:
    base, _, index, _ = node.children
    place = _place(ctx, base)
    where = terms.render(value(ctx, index))
    return terms.element(place, ctx.squeezed(index.start_byte, index.end_byte) if where is None else where)


@on_value("pointer_expression")
def _pointer(ctx: Context, node: Node) -> Expr:
    operator, operand = node.children
    if ctx.text[operator.start_byte] == 0x2A:
        return terms.pointee(_place(ctx, operand))
    target = bare(operand)
    while target.kind_id == _CAST:
        target = bare(target.children[-1])
    if target.kind_id != SUBSCRIPT:
        return terms.address(_place(ctx, target))
    base, _, index, _ = target.children
    place = _place(ctx, base)
    offset = value(ctx, index)
    return place if offset == terms.ZERO else ("op", "+", place, offset)


@on_value("type_descriptor", "string_literal", "concatenated_string", "sizeof_expression", "alignof_expression", "offsetof_expression")
def _unread(ctx: Context, node: Node) -> Expr:
    return terms.OPAQUE
