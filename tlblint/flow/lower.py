"""One function definition to one ``ir.Function``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tree_sitter import Node

from tlblint.flow import assembly, calls, choices, declarations, loops, statements, switches, values
from tlblint.flow.aliases import unalias
from tlblint.flow.cleanup import marked
from tlblint.flow.context import Context, NotLowered
from tlblint.flow.declarators import Declared, base_type, declared, parameters, parameters_end
from tlblint.flow.dispatch import kind, statement
from tlblint.flow.escapes import add_escapes
from tlblint.flow.pointers import settle, slots_of
from tlblint.flow.steps import advanced
from tlblint.flow.tidy import tidy
from tlblint.model.ir import Expr, Function, OpsTable

REGISTERED = (assembly, calls, choices, declarations, loops, statements, switches, values)
"""The modules whose import fills the dispatch tables."""

SIZE_LIMIT = 500_000
"""Bytes of one function; generated tables in functions are longer and hold nothing of interest."""

_NO_NUMBERS: dict[bytes, Expr] = {}
_STORAGE = kind("storage_class_specifier")
_COMPOUND = kind("compound_statement")
_ANNOTATION = re.compile(rb"\b__(\w*(?:releases|acquires|must_hold)\w*)\s*\(((?:[^()]|\([^()]*\))*)\)")


def lower_function(node: Node, text: bytes, raw: bytes, path: str, variant: int, assumed: tuple[str, ...]) -> Function:
    """Lower a ``function_definition``. ``text`` is normalised, ``raw`` original, both with the same offsets.

    Raises ``NotLowered`` where the function is beyond a bound. Doubts about parts of it are dropped: see ``lower``.
    """
    return lower(node, text, raw, path, variant, assumed)[0]


def lower(node: Node, text: bytes, raw: bytes, path: str, variant: int, assumed: tuple[str, ...], tables: tuple[OpsTable, ...] = (),
          numbers: Mapping[bytes, Expr] = _NO_NUMBERS) -> tuple[Function, tuple[str, ...]]:
    """Like ``lower_function``, with the doubts: short clauses on parts that were not understood. ``tables``: the file's tables.
    ``numbers``: see numbers_of()."""
    if node.end_byte - node.start_byte > SIZE_LIMIT:
        raise NotLowered("too large")
    ctx = Context(text, raw, names=dict(numbers), extent=(node.start_byte, node.end_byte), marked=marked(raw, node.start_byte, node.end_byte))
    header, body = _header(ctx, node)
    params = parameters(ctx, header.function) if header.function is not None else ()
    for name, _ in params:
        if name:
            ctx.declare(name)
    statement(ctx, body)
    ctx.graph.leave("return", None, max(body.end_byte - 1, body.start_byte))
    for label in ctx.labels.keys() - ctx.defined:
        ctx.doubt(f"label {label.decode(errors='replace')} not found")
    add_escapes(ctx)
    if ctx.indirect:
        settle(ctx, frozenset(name for name, _ in params), slots_of(raw, tables, header.name) if tables else {})
    unalias(ctx, frozenset(name for name, _ in params))
    blocks = tidy(ctx.graph)
    function = Function(
        name=header.name,
        path=path,
        start=node.start_byte,
        end=node.end_byte,
        params=params,
        returns=header.type(base_type(ctx, node.child_by_field_name("type"))),
        static=any(child.kind_id == _STORAGE and text[child.start_byte : child.end_byte] == b"static" for child in node.children),
        blocks=blocks,
        advanced=advanced(blocks),
        variant=variant,
        assumed=assumed,
        annotations=_annotations(raw, parameters_end(header.function), body.start_byte),
    )
    return function, tuple(ctx.doubts)


def _header(ctx: Context, node: Node) -> tuple[Declared, Node]:
    body = node.children[-1]
    if body.kind_id != _COMPOUND:
        raise NotLowered("no body")
    header = declared(ctx, node.child_by_field_name("declarator"))
    if not header.name:
        raise NotLowered("no name")
    return header, body


def _annotations(raw: bytes, start: int, end: int) -> tuple[str, ...]:
    """Lock annotations between the parameter list and the body; blanked in the normalised text."""
    if not start:
        return ()
    return tuple(f"{match.group(1).decode()}({b''.join(match.group(2).split()).decode(errors='replace')})" for match in _ANNOTATION.finditer(raw, start, end))
