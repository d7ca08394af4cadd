"""Local declarations: objects that come to life and what they are initialised with."""

from __future__ import annotations

from tree_sitter import Node

from tlblint.flow.assigns import INITIALISER_LIST, initialise, set_object
from tlblint.flow.cleanup import attribute
from tlblint.flow.context import Context
from tlblint.flow.declarators import base_type, declared
from tlblint.flow.dispatch import kind, on_statement

_INIT = kind("init_declarator")
_ENTRIES = frozenset({"pte_t", "pmd_t", "pud_t"})
"""Types of entry values: which variables hold such is of use wherever they get their first one."""
_STORAGE = kind("storage_class_specifier")
_DECLARATORS = frozenset(
    map(kind, ("identifier", "pointer_declarator", "array_declarator", "function_declarator", "parenthesized_declarator", "attributed_declarator"))
)


@on_statement("declaration")
def _declaration(ctx: Context, node: Node) -> None:
    lasting = False
    base: str | None = None
    for child in node.named_children:
        number = child.kind_id
        if number == _STORAGE:
            lasting = lasting or ctx.text[child.start_byte : child.end_byte] in (b"static", b"extern")
        elif number == _INIT or number in _DECLARATORS:
            if base is None:
                base = base_type(ctx, node.child_by_field_name("type"))
            _declare(ctx, child, base, lasting)
            if ctx.marked:
                _cleaned(ctx, node, child)


def _cleaned(ctx: Context, node: Node, child: Node) -> None:
    """What cleans up after a declarator is written behind its name, before its value."""
    parts = child.children if child.kind_id == _INIT else (child,)
    end = parts[-1].start_byte if len(parts) > 1 else max(ctx.raw.find(b";", child.end_byte), child.end_byte)
    item = declared(ctx, parts[0])
    if item.name:
        attribute(ctx, item.name, child.start_byte, end, node.end_byte)


def _declare(ctx: Context, node: Node, base: str, lasting: bool) -> None:
    """One declarator. A static object lives on between calls: nothing happens to it here."""
    parts = node.children if node.kind_id == _INIT else (node,)
    item = declared(ctx, parts[0])
    if not item.name or (item.function is not None and not item.pointed):
        return
    hidden = item.name in ctx.locals
    ctx.declare(item.name)
    if lasting:
        return
    pos = node.start_byte
    if len(parts) == 1:
        ctx.graph.emit(("decl", item.name, item.type(base), pos))
    elif parts[-1].kind_id == INITIALISER_LIST:
        ctx.graph.emit(("decl", item.name, item.type(base), pos))
        set_object(ctx, item.name, parts[-1], item.type(base))
    else:
        if hidden or item.type(base) in _ENTRIES:  # another object of that name, not the one outside of this block; or what holds entries
            ctx.graph.emit(("decl", item.name, item.type(base), pos))
        initialise(ctx, item.name, parts[-1], pos)
