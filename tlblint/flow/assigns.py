"""Assignments, steps and initialisers."""

from __future__ import annotations

import re

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.choices import store
from tlblint.flow.context import Context
from tlblint.flow.dispatch import effect, kind, on_effect, on_value, value
from tlblint.flow.members import fields_of
from tlblint.flow.values import SYMBOLS, bare
from tlblint.model.ir import Expr

UPDATE = kind("update_expression")
IDENTIFIER = kind("identifier")
INITIALISER_LIST = kind("initializer_list")
_INITIALISER_PAIR = kind("initializer_pair")
_FIELD_DESIGNATOR = kind("field_designator")
_SUBSCRIPT_DESIGNATOR = kind("subscript_designator")
_COMPOUND_LITERAL = kind("compound_literal_expression")
_POINTER = re.compile(rb"\*\s*(\w+)\s*=\s*&\s*(\w+)\s*(?=[;,])")
"""A declaration of a pointer to an object."""
_BEHIND = re.compile(rb"(?<![\w.>])([A-Za-z_]\w*)->([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?![\w.(\[]|->)")
_MEMBER = re.compile(rb"(?<![\w.>])([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)+)(?![\w.(\[]|->)")


@on_value("assignment_expression")
def _assignment(ctx: Context, node: Node) -> Expr:
    left, operator, right = node.children
    target = value(ctx, left)
    symbol = SYMBOLS[operator.kind_id]
    return assign(ctx, target, left, "" if symbol == "=" else symbol[:-1], right, node.start_byte)


def assign(ctx: Context, target: Expr, left: Node, operator: str, right: Node, pos: int) -> Expr:
    """Emit ``left operator= right``; ``target`` is the lowered left side. Returns the value of the assignment."""
    path = terms.as_path(target)
    if path is None or not terms.assignable(path):
        effect(ctx, right)
        ctx.graph.emit(("havoc", path or ctx.squeezed(left.start_byte, left.end_byte), pos))
        return terms.OPAQUE
    if operator:
        operand = value(ctx, right)
        ctx.graph.emit(("set", path, ("op", operator, target, operand), pos))
    else:
        initialise(ctx, path, right, pos)
    return ("v", path)


def initialise(ctx: Context, path: str, node: Node, pos: int) -> None:
    """Assign a value that may be a compound literal to a path."""
    inner = bare(node)
    if inner.kind_id == _COMPOUND_LITERAL:
        ctx.graph.emit(("set", path, terms.OPAQUE, pos))
        set_object(ctx, path, inner.children[-1], literal_type(ctx, inner))
    else:
        store(ctx, path, inner, pos)


def set_object(ctx: Context, path: str, braces: Node, type_: str = "") -> None:
    """An object gets its members' values from a braced initialiser: those it designates, those that come first in an object of a structure
    ``type_`` that the file defines, and 0 for all others that the function names."""
    items = braces.named_children
    pairs = [item for item in items if item.kind_id == _INITIALISER_PAIR]
    given = {_designated(ctx, path, pair) for pair in pairs}
    if not pairs and items and [ctx.text[item.start_byte : item.end_byte] for item in items] != [b"0"]:
        names = fields_of(ctx.raw).get(type_, ())
        if len(names) < len(items) or any(item.kind_id == INITIALISER_LIST for item in items):
            set_fields(ctx, path, braces)
            return  # which member it is is not known
        for name, item in zip(names, items, strict=False):
            given.add(f"{path}.{name}")
            initialise(ctx, f"{path}.{name}", item, item.start_byte)
    else:
        set_fields(ctx, path, braces)
        if len(pairs) < len(items) and pairs:
            return
    for found in _members(ctx).get(path, ()):
        steps = found.split(".")
        if given.isdisjoint(path + ".".join(steps[:n]) for n in range(2, len(steps) + 1)):
            ctx.graph.emit(("set", path + found, terms.ZERO, braces.start_byte))


def _members(ctx: Context) -> dict[str, list[str]]:
    """By local object the members that the function names, by a pointer to it, too: "x" gives ".a" and ".b.c"."""
    if ctx.members is None:
        pointed = {match[1]: match[2] for match in _POINTER.finditer(ctx.text, *ctx.extent)}
        found = {(match[1], match[2]) for match in _MEMBER.finditer(ctx.text, *ctx.extent)}
        found |= {(pointed[match[1]], b"." + match[2]) for match in _BEHIND.finditer(ctx.text, *ctx.extent) if match[1] in pointed}
        ctx.members = {}
        for base, rest in sorted(found):
            ctx.members.setdefault(base.decode(), []).append(rest.decode())
    return ctx.members


def set_fields(ctx: Context, path: str, braces: Node) -> None:
    """Assign what a braced initialiser designates; positional elements are evaluated only."""
    ctx.deeper()
    for item in braces.named_children:
        if item.kind_id == _INITIALISER_PAIR:
            target, last = _designated(ctx, path, item), item.children[-1]
            if last.kind_id == INITIALISER_LIST:
                set_fields(ctx, target, last)
            else:
                initialise(ctx, target, last, item.start_byte)
        elif item.kind_id == INITIALISER_LIST:
            set_fields(ctx, f"{path}[?]", item)
        else:
            effect(ctx, item)
    ctx.depth -= 1


def _designated(ctx: Context, path: str, pair: Node) -> str:
    for part in pair.children[:-2]:
        if part.kind_id == _FIELD_DESIGNATOR:
            name = part.children[-1]
            path = terms.member(("v", path), ctx.text[name.start_byte : name.end_byte].decode())[1]
        elif part.kind_id == _SUBSCRIPT_DESIGNATOR:
            path += ctx.squeezed(part.start_byte, part.end_byte)
    return path


@on_value("compound_literal_expression")
def _compound_literal(ctx: Context, node: Node) -> Expr:
    path = ctx.fresh_path()
    ctx.graph.emit(("set", path, terms.OPAQUE, node.start_byte))
    set_object(ctx, path, node.children[-1], literal_type(ctx, node))
    return ("v", path)


def literal_type(ctx: Context, node: Node) -> str:
    """The type of a compound literal as it is written: "struct range"."""
    kind_of = node.child_by_field_name("type")
    return "" if kind_of is None else " ".join(ctx.text[kind_of.start_byte : kind_of.end_byte].decode(errors="replace").split())


def update_parts(node: Node) -> tuple[Node, str, bool]:
    """Operand, "+" or "-", and whether the value is the new one (``++x``)."""
    first, second = node.children
    if first.is_named:
        return first, SYMBOLS[second.kind_id][0], False
    return second, SYMBOLS[first.kind_id][0], True


def step(ctx: Context, node: Node) -> Expr:
    """``x++`` and its kin; the value is that of x behind the step."""
    operand, symbol, _ = update_parts(node)
    return emit_step(ctx, value(ctx, operand), operand, symbol, node.start_byte)


def emit_step(ctx: Context, target: Expr, operand: Node, symbol: str, pos: int) -> Expr:
    """Emit the step of an already lowered operand."""
    path = terms.as_path(target)
    if path is None or not terms.assignable(path):
        ctx.graph.emit(("havoc", path or ctx.squeezed(operand.start_byte, operand.end_byte), pos))
        return terms.OPAQUE
    ctx.graph.emit(("set", path, ("op", symbol, target, terms.ONE), pos))
    return target


on_effect("update_expression")(step)


@on_value("update_expression")
def _update(ctx: Context, node: Node) -> Expr:
    operand, symbol, new = update_parts(node)
    if new:
        return step(ctx, node)
    target, pos = value(ctx, operand), node.start_byte
    kept = ctx.fresh_path()
    ctx.graph.emit(("set", kept, target, pos))
    emit_step(ctx, target, operand, symbol, pos)
    return ("v", kept)
