"""Calls: arguments first, then the call, its value in a temp. Macros with a meaning of their own come first."""

from __future__ import annotations

from sys import intern

from tree_sitter import Node

from tlblint.flow import cleanup, terms
from tlblint.flow.assigns import IDENTIFIER, UPDATE, emit_step, update_parts
from tlblint.flow.bits import of_local_word
from tlblint.flow.context import Context
from tlblint.flow.dispatch import BRANCH, VALUE, kind, on_branch, on_value, value
from tlblint.flow.macros import BRANCHING, macro_named
from tlblint.flow.scopes import escapes
from tlblint.flow.values import bare
from tlblint.model.ir import Expr

CALL = kind("call_expression")
_PARENTHESIZED = kind("parenthesized_expression")


@on_value("call_expression")
def _call(ctx: Context, node: Node) -> Expr:
    callee, arguments = node.children
    if callee.kind_id == IDENTIFIER:
        word = ctx.text[callee.start_byte : callee.end_byte]
        macro = macro_named(word)
        if macro is not None:
            return macro(ctx, node, arguments.named_children)
    elif callee.kind_id == CALL and cleanup.made(ctx, callee, arguments):
        return terms.OPAQUE
    ctx.deeper()
    target = _target(ctx, callee)
    args, late = _arguments(ctx, arguments)
    bit = of_local_word(ctx, target[1], args, node.start_byte) if not late else None
    result = emit_call(ctx, node, target, args) if bit is None else bit
    if ctx.cleanups and result[0] == "t":
        escapes(ctx, result[1], args, node.start_byte)
    for expr, operand, symbol, pos in late:
        emit_step(ctx, expr, operand, symbol, pos)
    ctx.depth -= 1
    return result


def _target(ctx: Context, callee: Node) -> tuple[str, str]:
    """("call", name) or ("icall", path)."""
    callee = bare(callee)
    if callee.kind_id == IDENTIFIER:
        name = intern(ctx.text[callee.start_byte : callee.end_byte].decode())
        if name not in ctx.locals:
            return "call", name
        ctx.indirect = True
        return "icall", name
    ctx.indirect = True
    pointer = value(ctx, callee)
    path = terms.as_path(pointer)
    if path is None:
        return "icall", ctx.squeezed(callee.start_byte, callee.end_byte)
    return "icall", path[1:] if path[0] == "*" else path


def emit_call(ctx: Context, node: Node, target: tuple[str, str], args: tuple[Expr, ...]) -> Expr:
    """Emit a call and return its temp."""
    temp = len(ctx.calls)
    ctx.calls.append((node.start_byte, node.end_byte))
    ctx.graph.out.append((target[0], temp, target[1], args, node.start_byte))
    return ("t", temp)


def _arguments(ctx: Context, arguments: Node) -> tuple[tuple[Expr, ...], list[tuple[Expr, Node, str, int]]]:
    """Argument values, and the steps of ``f(p++)``: a local pointer may as well be stepped behind the call.

    The callee cannot see the difference, and the argument keeps the name that the caller's facts are about.
    """
    args: list[Expr] = []
    late: list[tuple[Expr, Node, str, int]] = []
    for node in arguments.named_children:
        if node.kind_id == UPDATE:
            operand, symbol, new = update_parts(node)
            if not new and operand.kind_id == IDENTIFIER:
                args.append(value(ctx, operand))
                late.append((args[-1], operand, symbol, node.start_byte))
                continue
        args.append(VALUE[node.kind_id](ctx, node))
    return tuple(args), late


@on_branch("call_expression")
def _branch_call(ctx: Context, node: Node, yes: int, no: int) -> None:
    callee = node.children[0]
    if callee.kind_id == IDENTIFIER and macro_named(ctx.text[callee.start_byte : callee.end_byte]) in BRANCHING:
        inner = node.children[1].named_children
        if inner:
            BRANCH[inner[0].kind_id](ctx, inner[0], yes, no)
            return
    ctx.graph.fork(value(ctx, node), yes, no, node.start_byte)
