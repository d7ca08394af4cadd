"""``switch``: a chain of comparisons in front of a body that is entered at its cases."""

from __future__ import annotations

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.context import Context, Switch
from tlblint.flow.dispatch import ERROR, kind, on_statement, statement, value
from tlblint.model.ir import Expr

_DEFAULT = kind("default", False)
_COLON = kind(":", False)
_TRUTHS = (kind("true"), kind("false"))


@on_statement("switch_statement")
def _switch(ctx: Context, node: Node) -> None:
    graph = ctx.graph
    condition, body = node.named_children
    subject = value(ctx, condition)
    dispatch, leave = graph.here, graph.fresh()
    found = Switch()
    ctx.switches.append(found)
    ctx.breaks.append((leave, len(ctx.cleanups)))
    graph.enter(graph.fresh())
    statement(ctx, body)
    graph.jump(leave, node.end_byte)
    ctx.breaks.pop()
    ctx.switches.pop()
    graph.enter(dispatch)
    _compare(ctx, subject, found, leave, condition.start_byte)
    graph.enter(leave)


def _compare(ctx: Context, subject: Expr, found: Switch, leave: int, pos: int) -> None:
    """The chain of comparisons; a range of values is an opaque condition."""
    graph = ctx.graph
    for label, block, at in found.cases:
        other = graph.fresh()
        graph.fork(terms.OPAQUE if label is None else _met(subject, label, found.truths), block, other, at)
        graph.enter(other)
    graph.jump(leave if found.default is None else found.default, pos)


def _met(subject: Expr, label: Expr, truths: bool) -> Expr:
    if truths and label in (terms.ZERO, terms.ONE):
        return subject if label == terms.ONE else ("!", subject)
    return ("op", "==", subject, label)


@on_statement("case_statement")
def _case(ctx: Context, node: Node) -> None:
    graph = ctx.graph
    if not ctx.switches:
        ctx.doubt("case outside a switch")
        return
    children = node.children
    colon = next((at for at, child in enumerate(children) if child.kind_id == _COLON), 0)
    block = graph.fresh()
    graph.jump(block, node.start_byte)
    graph.enter(block)
    if children[0].kind_id == _DEFAULT:
        ctx.switches[-1].default = block
    else:
        ctx.switches[-1].truths |= len(children) > 1 and children[1].kind_id in _TRUTHS
        ctx.switches[-1].cases.append((_label(ctx, children[1:colon], children[colon]), block, node.start_byte))
    for child in children[colon + 1 :]:
        statement(ctx, child)


def _label(ctx: Context, parts: list[Node], colon: Node) -> Expr | None:
    """The value of a case; None for ``A ... B``, which the normaliser blanks behind A, and for what is no plain constant."""
    if not parts or parts[-1].kind_id == ERROR or b"..." in ctx.raw[parts[0].end_byte : colon.start_byte]:
        return None
    before = len(ctx.calls)
    label = value(ctx, parts[0])
    return label if len(ctx.calls) == before else None
