"""Statements of C: each takes the mask of the paths that reach it and gives those that go on behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tree_sitter import Node

from tlblint.predicates import expressions, lvalues
from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.memory import NOTHING, Nothing
from tlblint.predicates.words import Word

if TYPE_CHECKING:
    from tlblint.predicates.machine import Machine

Handler = Callable[["Machine", Node, int], int]


def _block(m: Machine, node: Node, mask: int) -> int:
    return m.block(node, mask)


def _expression(m: Machine, node: Node, mask: int) -> int:
    for child in node.named_children:
        expressions.value(m, child, mask)
    return mask


def _declaration(m: Machine, node: Node, mask: int) -> int:
    type_node = node.child_by_field_name("type")
    base = m.type_of(type_node) if type_node is not None else AUTO
    for item in node.children_by_field_name("declarator"):
        _declarator(m, item, base, mask)
    return mask


def _declarator(m: Machine, item: Node, base: CType, mask: int) -> None:
    init = item.child_by_field_name("value") if item.type == "init_declarator" else None
    name_node: Node | None = item.child_by_field_name("declarator") if item.type == "init_declarator" else item
    kind = ""
    while name_node is not None and name_node.type != "identifier":
        if name_node.type == "function_declarator" and not kind and name_node.named_children[0].type == "identifier":
            return  # a prototype
        kind = name_node.type if not kind or name_node.type == "array_declarator" else kind
        name_node = name_node.child_by_field_name("declarator") or next(iter(name_node.named_children), None)
    if name_node is None:
        raise Inconclusive("a declaration that is not read", m.where(item))
    ctype = base if not kind else CType("pointer", 64) if kind != "array_declarator" else AUTO
    if init is None:
        m.declare(m.text(name_node), ctype, None, mask)
    elif init.type == "initializer_list":
        place = m.declare(m.text(name_node), ctype, None, mask)
        lvalues.initialise(m, init, place, ctype, mask)
    else:
        given = expressions.value(m, init, mask)
        m.declare(m.text(name_node), ctype, given, mask)


def _if(m: Machine, node: Node, mask: int) -> int:
    chosen, otherwise = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    assert chosen is not None
    yes = m.condition(node.child_by_field_name("condition"), mask) if mask else 0
    mask = m.live(mask)
    no = m.space.and_(mask, m.space.not_(yes))
    after = m.statement(chosen, yes)
    if otherwise is not None:
        inner = otherwise.named_children[0] if otherwise.type == "else_clause" and otherwise.named_children else otherwise
        no = m.statement(inner, no)
    return m.space.or_(after, no)


def _return(m: Machine, node: Node, mask: int) -> int:
    frame = m.frames[-1]
    given = expressions.value(m, node.named_children[0], mask) if node.named_children else NOTHING
    mask = m.live(mask)
    if isinstance(given, Word) and frame.function is not None:
        given = m.converted(given, frame.function.returns)
    if frame.result is None or mask == m.space.full or given == frame.result:
        frame.result = given
    elif isinstance(given, Nothing) and isinstance(frame.result, Nothing):
        pass
    else:
        old, new = m.memory.number(frame.result), m.memory.number(given)
        frame.result = m.space.merge(mask, new, old)
    frame.returned = m.space.or_(frame.returned, mask)
    return 0


def _goto(m: Machine, node: Node, mask: int) -> int:
    label = m.text(node.named_children[0])
    gotos = m.frames[-1].gotos
    gotos[label] = m.space.or_(gotos.get(label, 0), mask)
    return 0


def _labeled(m: Machine, node: Node, mask: int) -> int:
    label = node.child_by_field_name("label")
    assert label is not None
    frame = m.frames[-1]
    frame.popped.add(m.text(label))
    mask = m.space.or_(mask, frame.gotos.pop(m.text(label), 0))
    for child in node.named_children[1:]:
        mask = m.statement(child, mask)
    return mask


def _loop(m: Machine, node: Node, mask: int) -> int:
    """while, do and for."""
    frame = m.frames[-1]
    frame.scopes.append(frame.saved.setdefault(node.start_byte, {}))
    first = node.child_by_field_name("initializer")
    if first is not None and mask:
        mask = m.statement(first, mask) if first.type == "declaration" else _expression_of(m, first, mask)
    test, update = node.child_by_field_name("condition"), node.child_by_field_name("update")
    body = node.child_by_field_name("body")
    assert body is not None
    left, turns, active = 0, 0, mask
    tested = node.type != "do_statement"
    while True:
        if tested:
            held = m.condition(test, active) if active else 0
            active = m.live(active)
            left = m.space.or_(left, m.space.and_(active, m.space.not_(held)))
            active = held
        if not active and not (not turns and any(frame.gotos.values())):
            break
        turns += 1
        if turns > m.bounds.turns:
            raise Inconclusive("a loop does not end", m.where(node))
        frame.breaks.append(0)
        frame.continues.append(0)
        active = m.statement(body, active)
        active = m.live(m.space.or_(active, frame.continues.pop()))
        left = m.space.or_(left, frame.breaks.pop())
        if update is not None and active:
            _expression_of(m, update, active)
        tested = True
    frame.scopes.pop()
    return left


def _expression_of(m: Machine, node: Node, mask: int) -> int:
    expressions.value(m, node, mask)
    return mask


def _break(m: Machine, node: Node, mask: int) -> int:
    frame = m.frames[-1]
    if not frame.breaks:
        raise Inconclusive("break outside a loop", m.where(node))
    frame.breaks[-1] = m.space.or_(frame.breaks[-1], mask)
    return 0


def _continue(m: Machine, node: Node, mask: int) -> int:
    frame = m.frames[-1]
    if not frame.continues:
        raise Inconclusive("continue outside a loop", m.where(node))
    frame.continues[-1] = m.space.or_(frame.continues[-1], mask)
    return 0


def _switch(m: Machine, node: Node, mask: int) -> int:
    condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    assert condition is not None and body is not None
    frame = m.frames[-1]
    word = expressions.number(m, condition, mask) if mask else m.space.constant(0)
    cases = [c for c in body.named_children if c.type == "case_statement"]
    unmatched, entries = mask, []
    for case in cases:
        given = case.child_by_field_name("value")
        hit = 0
        if given is not None and mask:
            same = m.space.binary("==", word, expressions.number(m, given, mask))
            hit = m.space.and_(unmatched, m.space.truth(same))
            unmatched = m.space.and_(unmatched, m.space.not_(hit))
        entries.append(hit)
    frame.breaks.append(0)
    active, default = 0, False
    for case, hit in zip(cases, entries, strict=True):
        given = case.child_by_field_name("value")
        default = default or given is None
        active = m.space.or_(active, hit if given is not None else unmatched)
        for child in case.named_children[given is not None :]:
            active = m.statement(child, active)
    left = frame.breaks.pop()
    return m.space.or_(m.space.or_(active, left), 0 if default else unmatched)


def _empty(m: Machine, node: Node, mask: int) -> int:
    return mask


HOLDS_LABELS = frozenset(
    ("labeled_statement", "compound_statement", "if_statement", "for_statement", "while_statement", "do_statement", "switch_statement", "else_clause")
)
HANDLERS: Mapping[str, Handler] = {
    "compound_statement": _block,
    "expression_statement": _expression,
    "declaration": _declaration,
    "if_statement": _if,
    "return_statement": _return,
    "goto_statement": _goto,
    "labeled_statement": _labeled,
    "while_statement": _loop,
    "do_statement": _loop,
    "for_statement": _loop,
    "break_statement": _break,
    "continue_statement": _continue,
    "switch_statement": _switch,
    "comment": _empty,
    "type_definition": _empty,
    "struct_specifier": _empty,
    "attributed_statement": _block,
    "empty_statement": _empty,
    ";": _empty,
}
