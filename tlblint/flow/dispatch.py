"""Tables from a syntax node's kind to the function that lowers it.

Kinds are the grammar's public symbol numbers. One kind name may own several numbers; a node reports the one that
``id_for_node_kind(name, True)`` returns, so only that one is ever registered. ERROR is 0xFFFF, hence the table size.
Every other module of this package registers itself here, which keeps their mutual recursion out of the imports.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from tlblint.flow.context import Context
from tlblint.model.ir import Expr
from tlblint.syntax.language import C

ERROR = 0xFFFF
OPAQUE: Expr = ("?",)

ValueFn = Callable[[Context, Node], Expr]
EffectFn = Callable[[Context, Node], object]
BranchFn = Callable[[Context, Node, int, int], None]


def kind(name: str, named: bool = True) -> int:
    """The symbol number of a node kind; a name that the grammar does not know is a programming error."""
    number = C.id_for_node_kind(name, named)
    if number is None:
        raise LookupError(name)
    return number


def _opaque(ctx: Context, node: Node) -> Expr:
    return OPAQUE


def _nothing(ctx: Context, node: Node) -> object:
    return None


def _branch_on_value(ctx: Context, node: Node, yes: int, no: int) -> None:
    ctx.graph.fork(VALUE[node.kind_id](ctx, node), yes, no, node.start_byte)


VALUE: list[ValueFn] = [_opaque] * (ERROR + 1)
EFFECT: list[EffectFn] = [_nothing] * (ERROR + 1)
BRANCH: list[BranchFn] = [_branch_on_value] * (ERROR + 1)
STATEMENT: list[EffectFn] = [_nothing] * (ERROR + 1)


def on_value(*names: str) -> Callable[[ValueFn], ValueFn]:
    """Register the lowering of these expression kinds, also as their effect if none was registered."""

    def register(function: ValueFn) -> ValueFn:
        for number in map(kind, names):
            VALUE[number] = function
            if EFFECT[number] is _nothing:
                EFFECT[number] = function
        return function

    return register


def on_effect(*names: str) -> Callable[[EffectFn], EffectFn]:
    """Register the lowering of expression kinds whose value nobody reads."""

    def register(function: EffectFn) -> EffectFn:
        for name in names:
            EFFECT[kind(name)] = function
        return function

    return register


def on_branch(*names: str) -> Callable[[BranchFn], BranchFn]:
    """Register the lowering of expression kinds that stand as a condition."""

    def register(function: BranchFn) -> BranchFn:
        for name in names:
            BRANCH[kind(name)] = function
        return function

    return register


def on_statement(*names: str) -> Callable[[EffectFn], EffectFn]:
    """Register the lowering of these statement kinds."""

    def register(function: EffectFn) -> EffectFn:
        for name in names:
            STATEMENT[kind(name)] = function
        return function

    return register


def value(ctx: Context, node: Node) -> Expr:
    """Emit what evaluating ``node`` does and return its value."""
    return VALUE[node.kind_id](ctx, node)


def effect(ctx: Context, node: Node) -> None:
    """Emit what evaluating ``node`` does; its value is dropped."""
    EFFECT[node.kind_id](ctx, node)


def branch(ctx: Context, node: Node, yes: int, no: int) -> None:
    """End the current block by going to block ``yes`` or ``no`` as ``node`` is true or false."""
    BRANCH[node.kind_id](ctx, node, yes, no)


def statement(ctx: Context, node: Node) -> None:
    """Emit one statement. Depth is bounded here: nesting beyond the limit raises ``NotLowered``."""
    ctx.deeper()
    STATEMENT[node.kind_id](ctx, node)
    ctx.depth -= 1
