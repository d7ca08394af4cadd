"""Function-like macros whose meaning is control flow, an assignment or a declaration rather than a call."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.assigns import assign
from tlblint.flow.context import Cleanup, Context
from tlblint.flow.dispatch import branch, effect, value
from tlblint.flow.scopes import run
from tlblint.model.ir import Expr

Macro = Callable[[Context, Node, list[Node]], Expr]

_WALK_TYPE = "struct page_vma_mapped_walk"


def _first(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """likely(x), READ_ONCE(x), WARN_ON(x): the value is that of x, the other arguments only shape a message."""
    return value(ctx, args[0]) if args else terms.OPAQUE


def _write_once(ctx: Context, node: Node, args: list[Node]) -> Expr:
    if len(args) != 2:
        return terms.OPAQUE
    return assign(ctx, value(ctx, args[0]), args[0], "", args[1], node.start_byte)


def _bug_on(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """Control goes on only where the condition is false."""
    if args:
        graph = ctx.graph
        dead, on = graph.fresh(), graph.fresh()
        graph.positions[dead] = node.start_byte
        branch(ctx, args[0], dead, on)
        graph.enter(on)
    return terms.ZERO


def _stop(ctx: Context, node: Node, args: list[Node]) -> Expr:
    for arg in args:
        effect(ctx, arg)
    ctx.graph.leave("stop", None, node.start_byte)
    return terms.OPAQUE


def _build_time(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """A check that the compiler settles: in a kernel that was built it did nothing."""
    return terms.ZERO


def _enabled(ctx: Context, node: Node, args: list[Node]) -> Expr:
    return ("k", ctx.squeezed(args[0].start_byte, args[0].end_byte)) if args else terms.OPAQUE


def _bit(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """BIT(n): 1 << n, a constant if n is one."""
    return terms.binary("<<", terms.ONE, value(ctx, args[0])) if len(args) == 1 else terms.OPAQUE


def _swap(ctx: Context, node: Node, args: list[Node]) -> Expr:
    for arg in args:
        path = terms.as_path(value(ctx, arg))
        ctx.graph.emit(("havoc", path or ctx.squeezed(arg.start_byte, arg.end_byte), node.start_byte))
    return terms.OPAQUE


def _walk_state(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """DEFINE_FOLIO_VMA_WALK(name, folio, vma, address, flags): an object by value with its last three fields set."""
    if not args:
        return terms.OPAQUE
    pos = node.start_byte
    name = ctx.squeezed(args[0].start_byte, args[0].end_byte)
    fields = [value(ctx, arg) for arg in args[1:]]
    ctx.declare(name)
    ctx.graph.emit(("decl", name, _WALK_TYPE, pos))
    if len(fields) == 4:
        for field, expr in zip(("vma", "address", "flags"), fields[1:], strict=True):
            ctx.graph.emit(("set", f"{name}.{field}", expr, pos))
    return terms.OPAQUE


def _kept(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """no_free_ptr(p) and its kin: the value of p, which is NULL from then on, so that nothing is freed."""
    if len(args) not in (1, 2):
        return terms.OPAQUE
    path = terms.as_path(value(ctx, args[0]))
    if path is None or not terms.assignable(path):
        return terms.OPAQUE
    kept, pos = ctx.fresh_path(), node.start_byte
    ctx.graph.emit(("set", kept, ("v", path), pos))
    ctx.graph.emit(("set", path, value(ctx, args[1]) if len(args) == 2 else terms.ZERO, pos))
    return ("v", kept)


def _return_kept(ctx: Context, node: Node, args: list[Node]) -> Expr:
    result = _kept(ctx, node, args)
    run(ctx, 0, node.start_byte)
    ctx.graph.leave("return", result, node.start_byte)
    return terms.OPAQUE


def _not_taken(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """ACQUIRE_ERR(kind, &name): an error number unless the lock is held."""
    if len(args) != 2:
        return terms.OPAQUE
    guard = value(ctx, args[1])
    return ("!", ("v", f"{guard[1]}.lock")) if guard[0] == "&" else terms.OPAQUE


def _class_init(ctx: Context, node: Node, args: list[Node]) -> Expr:
    """CLASS_INIT(kind, name, value): an object that is not made by the function of its class, but ends like any."""
    if len(args) == 3:
        word, name = (ctx.squeezed(arg.start_byte, arg.end_byte) for arg in args[:2])
        result = value(ctx, args[2])
        ctx.declare(name)
        ctx.graph.emit(("set", name, result, node.start_byte))
        ctx.cleanups.append(Cleanup(node.end_byte, ctx.scope_end, f"class_{word}_destructor", (("v", name),), ""))
    return terms.OPAQUE


_MACROS: dict[bytes, Macro | None] = {
    name.encode(): macro
    for macro, names in (
        (_first, "likely unlikely READ_ONCE READ_ONCE_NOCHECK ACCESS_ONCE data_race __builtin_expect"),
        (_first, "WARN_ON WARN_ON_ONCE WARN WARN_ONCE WARN_TAINT WARN_TAINT_ONCE WARN_ON_SMP"),
        (_write_once, "WRITE_ONCE"),
        (_bug_on, "BUG_ON VIRTUAL_BUG_ON"),
        (_stop, "BUG panic unreachable __builtin_unreachable __builtin_trap do_exit do_group_exit make_task_dead kthread_exit BUILD_BUG"),
        (_enabled, "IS_ENABLED IS_BUILTIN IS_MODULE IS_REACHABLE"),
        (_bit, "BIT BIT_ULL _BITUL _BITULL"),
        (_swap, "swap"),
        (_kept, "no_free_ptr retain_and_null_ptr __get_and_null __get_and_null_ptr"),
        (_return_kept, "return_ptr"),
        (_not_taken, "ACQUIRE_ERR"),
        (_class_init, "CLASS_INIT"),
        (_walk_state, "DEFINE_FOLIO_VMA_WALK DEFINE_PAGE_VMA_WALK"),
    )
    for name in names.split()
}
_FAMILIES: tuple[tuple[bytes, Macro], ...] = ((b"VM_BUG_ON", _bug_on), (b"VM_WARN", _first), (b"BUILD_BUG_ON", _build_time))
BRANCHING: frozenset[Macro | None] = frozenset((_first,))
"""Macros that stand for their first argument also as a condition."""


def macro_named(word: bytes) -> Macro | None:
    """The meaning of a macro, None for an ordinary call. Names once asked for are remembered."""
    try:
        return _MACROS[word]
    except KeyError:
        found = _MACROS[word] = next((macro for family, macro in _FAMILIES if word.startswith(family)), None)
        return found
