"""Inline assembly: its outputs become unknown, its labels are ways out.

The normalised text has lost the operands, so they are read from the original one.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.context import Context
from tlblint.flow.dispatch import on_value
from tlblint.model.ir import Expr

_OUTPUT = re.compile(rb'"[=+][^"]*"\s*\(((?:[^()]|\([^()]*\))*)\)')
_GOTO = re.compile(rb"\w+(?:\s+(?:volatile|__volatile__|inline))*\s+goto\b")
_LABELS = re.compile(rb":\s*(\w+(?:\s*,\s*\w+)*)\s*\)\Z")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[()]')


def _written(raw: bytes, start: int) -> bytes:
    """The text of an asm statement from its keyword to the closing parenthesis."""
    depth = 0
    for token in _TOKEN.finditer(raw, start):
        if token.group() == b"(":
            depth += 1
        elif token.group() == b")":
            depth -= 1
            if depth <= 0:
                return raw[start : token.end()]
    return raw[start:start]


@on_value("gnu_asm_expression")
def _asm(ctx: Context, node: Node) -> Expr:
    source = _written(ctx.raw, node.start_byte)
    graph, pos = ctx.graph, node.start_byte
    for operand in _OUTPUT.finditer(source):
        graph.emit(("havoc", b"".join(operand.group(1).split()).decode(errors="replace"), pos))
    labels = _LABELS.search(source) if _GOTO.match(source) else None
    for name in labels.group(1).split(b",") if labels is not None else ():
        other = graph.fresh()
        graph.fork(terms.OPAQUE, ctx.label(name.strip()), other, pos)
        graph.enter(other)
    return terms.OPAQUE
