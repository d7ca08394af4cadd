"""Places that expressions of C name, and what is put into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tree_sitter import Node

from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.memory import Cell, Nothing, Place, Pointer, Struct, Value, moved
from tlblint.predicates.words import Word

if TYPE_CHECKING:
    from tlblint.predicates.machine import Machine


def place(m: Machine, node: Node, mask: int) -> Place:
    """The place that an lvalue names. Raises Inconclusive when the expression has none."""
    m.step()
    kind = node.type
    if kind == "identifier":
        name = m.text(node)
        found = m.place_of(name)
        return found if found is not None else ("global", name)
    if kind == "parenthesized_expression" and node.named_children and node.named_children[0].type != "compound_statement":
        return place(m, node.named_children[-1], mask)
    if kind == "field_expression":
        return member(m, node, mask)
    if kind == "subscript_expression":
        return element(m, node, mask)
    if kind == "pointer_expression" and m.text(node).startswith("*"):
        return m.memory.target(m.value(node.named_children[0], mask))
    if kind == "call_expression" and (callee := node.child_by_field_name("function")) is not None:
        arguments = arguments_of(node)
        if arguments and m.text(callee) in ("per_cpu", "get_cpu_var", "this_cpu_read", "READ_ONCE", "__get_cpu_var"):
            return place(m, arguments[0], mask)
    if kind == "compound_literal_expression":
        given = m.value(node, mask)
        made: Place = ("local", m.frames[-1].number, f"literal{node.start_byte}")
        m.memory.write(made, given, m.space.full)
        return made
    given = m.value(node, mask)
    if isinstance(given, Struct | Cell):
        return given.place
    raise Inconclusive(f"not a place: {kind}", m.where(node))


def member(m: Machine, node: Node, mask: int) -> Place:
    """The place of ``x.y`` or ``x->y``."""
    inner, member = node.child_by_field_name("argument"), node.child_by_field_name("field")
    assert inner is not None and member is not None
    name = m.text(member)
    if any(c.type == "->" for c in node.children):
        return (*m.memory.target(m.value(inner, mask)), name)
    return (*place(m, inner, mask), name)


def element(m: Machine, node: Node, mask: int) -> Place:
    """The place of ``x[i]``."""
    base, index = node.child_by_field_name("argument"), node.child_by_field_name("index")
    assert base is not None and index is not None
    by = m.number(index, mask).number
    given = m.value(base, mask)
    if isinstance(given, Pointer):
        return moved(given.place, by)
    if isinstance(given, Struct | Cell):
        return (*given.place, by)
    if isinstance(given, Word):
        return moved(m.memory.target(given), by)
    raise Inconclusive("an element of nothing", m.where(node))


def arguments_of(node: Node) -> list[Node]:
    """The arguments of a call."""
    found = node.child_by_field_name("arguments")
    return [c for c in found.named_children if c.type != "comment"] if found is not None else []


def assigned(m: Machine, node: Node, given: Value, mask: int) -> Value:
    """Assign to an lvalue; the value of the assignment."""
    target = place(m, node, mask)
    if isinstance(given, Nothing):
        raise Inconclusive("nothing is assigned", m.where(node))
    return m.assign(target, given, mask)


def initialise(m: Machine, node: Node, target: Place, ctype: CType, mask: int) -> None:
    """An initialiser list into a place; members that it does not name are 0."""
    if ctype.kind == "int":
        first = next(iter(node.named_children), None)
        word = m.number(_pair_value(first), mask) if first is not None else m.space.constant(0)
        m.memory.write(target, m.converted(word, ctype), mask)
        return
    m.memory.known.add(target)
    m.zeroed.add(target)
    for index, item in enumerate(node.named_children):
        at: Place = (*target, index)
        given = item
        if item.type == "initializer_pair":
            at = target
            for designator in item.children_by_field_name("designator"):
                part = m.text(designator)
                at = (*at, part.lstrip(". ")) if part.startswith(".") else (*at, index)
            given = _pair_value(item)
        if given.type == "initializer_list":
            initialise(m, given, at, AUTO, mask)
        elif given.type != "comment":
            m.memory.write(at, m.value(given, mask), mask)


def _pair_value(node: Node) -> Node:
    found = node.child_by_field_name("value") if node.type == "initializer_pair" else node
    assert found is not None
    return found
