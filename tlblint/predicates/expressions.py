"""Values of C expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tree_sitter import Node

from tlblint.names import conditions
from tlblint.predicates import lvalues
from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.memory import NOTHING, Cell, Nothing, Place, Pointer, Value, moved
from tlblint.predicates.words import Word

if TYPE_CHECKING:
    from tlblint.predicates.machine import Machine

_OBJECTS = frozenset(("current", "init_mm", "init_task"))
_AMBIGUOUS = frozenset("&*+-")


def value(m: Machine, node: Node, mask: int) -> Value:
    """The value of an expression on the paths of ``mask``. Raises Inconclusive."""
    m.step()
    handler = _HANDLERS.get(node.type)
    if handler is None:
        raise Inconclusive(f"a construct that is not executed: {node.type}", m.where(node))
    try:
        return handler(m, node, mask)
    except Inconclusive as stopped:
        if not stopped.where:
            stopped.where = m.where(node)
        raise


def number(m: Machine, node: Node, mask: int) -> Word:
    """The value of an expression as a number."""
    return m.memory.number(value(m, node, mask))


def _identifier(m: Machine, node: Node, mask: int) -> Value:
    name = m.text(node)
    found = m.place_of(name)
    if found is not None:
        return m.memory.read(found)
    if name in ("true", "false"):
        return m.space.constant(int(name == "true"))
    if name == "NULL":
        return m.space.constant(0, 64, False)
    if name in _OBJECTS and name == "current":
        return Pointer(("object", name))
    if name in m.setting.constants:
        n = m.setting.constants[name]
        return m.space.constant(n, 64 if n >> 31 else 32, n >> 31 in (0, -1))
    if (enumerated := m.names.enumerator(name)) is not None:
        base, count = enumerated
        return m.space.binary("+", m.enumerated(name, base), m.space.constant(count))
    if name in ("__func__", "__FILE__", "__LINE__", "__FUNCTION__"):
        return Pointer(("text", name))
    if m.names.function(name) is not None:
        return Pointer(("function", name))
    if ("global", name) in m.memory.held or m.names.declared(name):
        return m.memory.read(("global", name))
    raise Inconclusive(f"unknown name {name}", m.where(node))


def _literal(m: Machine, node: Node, mask: int) -> Value:
    text = m.text(node).replace("'", "")
    suffix = text[len(text.rstrip("uUlL")) :].lower() if text[:2].lower() != "0x" or text[-1] in "uUlL" else ""
    if "." in text or ("e" in text.lower() and text[:2].lower() != "0x"):
        raise Inconclusive("a floating number", m.where(node))
    n = conditions.number(text)
    if n is None:
        raise Inconclusive(f"a number that is not read: {text[:20]}", m.where(node))
    long_bits = 64 if suffix.count("l") > 1 else m.names.long_bits
    decimal = text[0] != "0"
    choices = [(32, True), (32, False), (long_bits, True), (long_bits, False), (64, True), (64, False)]
    for width, signed in choices:
        if ("u" in suffix and signed) or ("l" in suffix and width < long_bits) or (suffix == "" and decimal and not signed):
            continue
        if n < 1 << (width - signed):
            return m.space.constant(n, width, signed)
    return m.space.constant(n, 64, False)


def _char(m: Machine, node: Node, mask: int) -> Value:
    text = m.text(node)
    return m.space.constant(ord(text[-2]) if text[-3:-2] != "\\" else {"n": 10, "t": 9, "0": 0}.get(text[-2], ord(text[-2])))


def _string(m: Machine, node: Node, mask: int) -> Value:
    return Pointer(("text", node.start_byte))


def _parenthesized(m: Machine, node: Node, mask: int) -> Value:
    inner = [c for c in node.named_children if c.type != "comment"]
    if inner and inner[0].type == "compound_statement":
        return _statement_expression(m, inner[0], mask)
    if not inner:
        raise Inconclusive("empty brackets", m.where(node))
    return value(m, inner[-1], mask)


def _statement_expression(m: Machine, block: Node, mask: int) -> Value:
    frame = m.frames[-1]
    frame.scopes.append({})
    if len(frame.scopes) > 200:
        raise Inconclusive("blocks nest too deeply", m.where(block))
    result: Value = NOTHING
    children = [c for c in block.named_children if c.type not in ("comment", "empty_statement")]
    try:
        for index, child in enumerate(children):
            if index == len(children) - 1 and child.type == "expression_statement" and child.named_children:
                result = value(m, child.named_children[0], mask)
            else:
                mask = m.statement(child, mask)
                if not mask:
                    break
    finally:
        frame.scopes.pop()
    return result


def _unary(m: Machine, node: Node, mask: int) -> Value:
    operator, inner = node.children[0].type, node.named_children[0]
    word = number(m, inner, mask)
    if operator == "!":
        return m.space.flag(m.space.not_(m.space.truth(word)))
    if operator == "~":
        return m.space.complement(word)
    return m.space.negative(word) if operator == "-" else m.space.promoted(word)


def _pointer(m: Machine, node: Node, mask: int) -> Value:
    inner = node.named_children[0]
    if node.children[0].type == "&":
        name = m.text(inner)
        if inner.type == "identifier" and m.place_of(name) is None and m.names.function(name) is not None:
            return Pointer(("function", name))
        return Pointer(lvalues.place(m, inner, mask))
    given = value(m, inner, mask)
    return m.read(m.memory.target(given), mask)


def _binary(m: Machine, node: Node, mask: int) -> Value:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    assert left is not None and right is not None
    operator = node.children[1].type
    if operator in ("&&", "||"):
        first = m.space.truth(number(m, left, mask))
        rest = m.space.and_(mask, first if operator == "&&" else m.space.not_(first))
        second = m.space.truth(number(m, right, rest)) if rest else 0
        return m.space.flag(m.space.and_(first, second) if operator == "&&" else m.space.or_(first, m.space.and_(rest, second)))
    if operator in _AMBIGUOUS and (ctype := _cast_type(m, left)) is not None:  # (type) & x, read as an operation of two
        if operator == "&":
            return m.converted(Pointer(lvalues.place(m, right, mask)), ctype)
        if operator == "*":
            return m.converted(m.read(m.memory.target(value(m, right, mask)), mask), ctype)
        word = number(m, right, mask)
        return m.converted(m.space.negative(word) if operator == "-" else word, ctype)
    return operate(m, operator, value(m, left, mask), value(m, right, mask))


def operate(m: Machine, operator: str, a: Value, b: Value) -> Value:
    """A binary operator on values, addresses among them."""
    if isinstance(a, Pointer) or isinstance(b, Pointer):
        if operator in ("==", "!="):
            same = a == b or (isinstance(a, Pointer) and isinstance(b, Pointer) and moved(a.place, 0) == moved(b.place, 0))
            if not same and any(isinstance(v, Cell) for v in (a, b)):
                return m.space.binary(operator, m.memory.number(a), m.memory.number(b))
            return m.space.constant(int(same == (operator == "==")))
        if operator in ("+", "-") and isinstance(a, Pointer) and isinstance(b, Word | Cell):
            by = m.memory.number(b).number
            return Pointer(moved(a.place, by if operator == "+" else -by))
        if operator == "+" and isinstance(a, Word):
            return operate(m, operator, b, a)
    return m.space.binary(operator, m.memory.number(a), m.memory.number(b))


def _cast_type(m: Machine, node: Node) -> CType | None:
    """The type in ``(name)``, when name is a type and no variable."""
    if node.type != "parenthesized_expression" or len(node.named_children) != 1 or node.named_children[0].type != "identifier":
        return None
    name = m.text(node.named_children[0])
    return None if m.place_of(name) is not None else AUTO if name == "__auto" else m.names.type_named(name)


def _assignment(m: Machine, node: Node, mask: int) -> Value:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    assert left is not None and right is not None
    operator = node.children[1].type
    given = value(m, right, mask)
    if operator == "=":
        return lvalues.assigned(m, left, given, mask)
    target = lvalues.place(m, left, mask)
    return m.assign(target, operate(m, operator[:-1], m.read(target, mask), given), mask)


def _update(m: Machine, node: Node, mask: int) -> Value:
    target = lvalues.place(m, node.named_children[0], mask)
    old = m.read(target, mask)
    operator = m.text(node).strip()
    prefix = operator.startswith(("++", "--"))
    if isinstance(old, Cell):
        old = m.memory.number(old)
    new = operate(m, "+" if "++" in (operator[:2], operator[-2:]) else "-", old, m.space.constant(1))
    stored = m.assign(target, new, mask)
    return stored if prefix else old


def _conditional(m: Machine, node: Node, mask: int) -> Value:
    condition = node.child_by_field_name("condition")
    chosen, otherwise = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    assert condition is not None and otherwise is not None
    word = number(m, condition, mask)
    table = m.space.truth(word)
    yes, no = m.space.and_(mask, table), m.space.and_(mask, m.space.not_(table))
    first: Value | None = None
    if yes:
        first = word if chosen is None else value(m, chosen, yes)
    if not no:
        assert first is not None or not mask
        return first if first is not None else NOTHING
    second = value(m, otherwise, no)
    if first is None or first == second:
        return second
    if isinstance(first, Nothing) or isinstance(second, Nothing):
        return NOTHING
    return m.space.merge(yes, *m.space.common(m.memory.number(first), m.memory.number(second)))


def _call(m: Machine, node: Node, mask: int) -> Value:
    callee = node.child_by_field_name("function")
    assert callee is not None
    arguments = lvalues.arguments_of(node)
    if (ctype := _cast_type(m, callee)) is not None and len(arguments) == 1:
        return m.converted(value(m, arguments[0], mask), ctype)
    while callee.type == "parenthesized_expression" and len(callee.named_children) == 1:
        callee = callee.named_children[0]
    if callee.type != "identifier":
        given = value(m, callee, mask) if callee.type in ("pointer_expression", "conditional_expression") else None
        if isinstance(given, Pointer) and given.place[0] == "function":
            return m.called_by_name(str(given.place[1]), arguments, mask, node)
        raise Inconclusive("a call through a pointer", m.where(node))
    name = m.text(callee)
    local = m.place_of(name)
    if local is not None:
        held = m.memory.read(local)
        if not isinstance(held, Pointer) or held.place[0] != "function":
            raise Inconclusive("a call through a pointer", m.where(node))
        name = str(held.place[1])
    return m.called_by_name(name, arguments, mask, node)


def _field(m: Machine, node: Node, mask: int) -> Value:
    inner = node.child_by_field_name("argument")
    assert inner is not None
    if not any(c.type == "->" for c in node.children) and inner.type in ("call_expression", "parenthesized_expression", "cast_expression"):
        given = value(m, inner, mask)
        if isinstance(given, Word):
            return given
    return m.read(lvalues.member(m, node, mask), mask)


def _subscript(m: Machine, node: Node, mask: int) -> Value:
    return m.read(lvalues.element(m, node, mask), mask)


def _cast(m: Machine, node: Node, mask: int) -> Value:
    type_node, inner = node.child_by_field_name("type"), node.child_by_field_name("value")
    assert type_node is not None and inner is not None
    if inner.type == "initializer_list":
        return _literal_of_type(m, type_node, inner, mask)
    ctype = m.type_of(type_node)
    if ctype.kind == "void":
        value(m, inner, mask)
        return NOTHING
    return m.converted(value(m, inner, mask), ctype)


def _compound_literal(m: Machine, node: Node, mask: int) -> Value:
    type_node, inner = node.child_by_field_name("type"), node.child_by_field_name("value")
    assert type_node is not None and inner is not None
    return _literal_of_type(m, type_node, inner, mask)


def _literal_of_type(m: Machine, type_node: Node, inner: Node, mask: int) -> Value:
    ctype = m.type_of(type_node)
    m.made += 1
    target: Place = ("local", m.frames[-1].number, f"literal#{m.made}")
    lvalues.initialise(m, inner, target, ctype, mask)
    return m.memory.read(target)


def _sizeof(m: Machine, node: Node, mask: int) -> Value:
    type_node = node.child_by_field_name("type")
    inner = node.child_by_field_name("value")
    ctype: CType | None = None
    if type_node is not None:
        ctype = m.type_of(type_node)
    elif inner is not None:
        ctype = _cast_type(m, inner)
        if ctype is None:
            given = value(m, inner, 0 if m.space.n else mask)
            if isinstance(given, Word):
                return m.space.constant(given.width // 8, 64, False)
            ctype = CType("pointer", 64) if isinstance(given, Pointer) else None
    if ctype is not None and ctype.kind == "pointer":
        return m.space.constant(m.names.long_bits // 8, 64, False)
    if ctype is not None and ctype.kind == "int":
        return m.space.constant(ctype.width // 8, 64, False)
    name = ctype.name if ctype is not None else m.text(node)
    if name in m.setting.sizes:
        return m.space.constant(m.setting.sizes[name], 64, False)
    raise Inconclusive(f"the size of {name[:40]}", m.where(node))


def _comma(m: Machine, node: Node, mask: int) -> Value:
    given: Value = NOTHING
    for child in node.named_children:
        given = value(m, child, mask)
    return given


def _asm(m: Machine, node: Node, mask: int) -> Value:
    if m.space.n or not m.setting.assembly:
        raise Inconclusive("inline assembly", m.where(node))
    m.event("asm", mask, ())
    outputs = node.child_by_field_name("output_operands")
    for operand in outputs.named_children if outputs is not None else ():
        target = operand.child_by_field_name("value")
        if target is not None:
            lvalues.assigned(m, target, m.fresh("asm"), mask)
    return NOTHING


def _generic(m: Machine, node: Node, mask: int) -> Value:
    """``_Generic``: types of addresses are not kept, so only where all branches are the same address in other clothes."""
    parts = node.named_children
    branches = [parts[i] for i in range(2, len(parts), 2)]
    given = [value(m, branch, mask) for branch in branches]
    if not given or any(other != given[0] for other in given[1:]):
        raise Inconclusive("a choice by type", m.where(node))
    return given[0]


def _fixed(name: str) -> Callable[[Machine, Node, int], Value]:
    def give(m: Machine, node: Node, mask: int) -> Value:
        return m.space.constant(int(name == "true"), 64 if name == "null" else 32, name != "null")

    return give


_HANDLERS: dict[str, Callable[[Machine, Node, int], Value]] = {
    "identifier": _identifier,
    "type_identifier": _identifier,
    "number_literal": _literal,
    "char_literal": _char,
    "string_literal": _string,
    "concatenated_string": _string,
    "true": _fixed("true"),
    "false": _fixed("false"),
    "null": _fixed("null"),
    "parenthesized_expression": _parenthesized,
    "unary_expression": _unary,
    "pointer_expression": _pointer,
    "binary_expression": _binary,
    "assignment_expression": _assignment,
    "update_expression": _update,
    "conditional_expression": _conditional,
    "call_expression": _call,
    "field_expression": _field,
    "subscript_expression": _subscript,
    "cast_expression": _cast,
    "compound_literal_expression": _compound_literal,
    "sizeof_expression": _sizeof,
    "comma_expression": _comma,
    "gnu_asm_expression": _asm,
    "generic_expression": _generic,
    "extension_expression": _comma,
    "compound_statement": _statement_expression,
}
