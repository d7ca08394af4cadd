"""A definition's expanded text as a syntax tree."""

from __future__ import annotations

from tree_sitter import Node, Parser

from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.names import Function
from tlblint.syntax.language import C

_PARSER = Parser(C)
_PREFIX = b"void f(void) "
_LARGEST = 120_000


def body_of(function: Function) -> tuple[Node, bytes, int]:
    """The compound statement of a function, the text it is in, and the length of what stands before its first token."""
    return _parsed(function.body, len(_PREFIX), _PREFIX, b"")


def expression(text: str) -> tuple[Node, bytes]:
    """An expression. Raises Inconclusive when the text is none."""
    node, raw, _ = _parsed(f"{{ ( {text} ) ; }}", len(_PREFIX), _PREFIX, b"")
    inner = node.named_children
    if len(inner) != 1 or inner[0].type != "expression_statement":
        raise Inconclusive("not an expression")
    return inner[0].named_children[0], raw


def statement(text: str) -> tuple[Node, bytes]:
    """A block of one statement."""
    node, raw, _ = _parsed(f"{{ {text} ; }}", len(_PREFIX), _PREFIX, b"")
    return node, raw


def _parsed(text: str, before: int, prefix: bytes, suffix: bytes) -> tuple[Node, bytes, int]:
    raw = prefix + text.encode("latin-1", "replace") + suffix
    if len(raw) > _LARGEST:
        raise Inconclusive("a body is too large after expansion")
    root = _PARSER.parse(raw).root_node
    found = next((n for n in root.named_children if n.type == "function_definition"), None)
    body = found.child_by_field_name("body") if found is not None else None
    if body is None or len(root.named_children) != 1:
        raise Inconclusive("text that the grammar does not read")
    if root.has_error:
        raise Inconclusive(f"text that the grammar does not read: {_first_error(root, raw)}")
    return body, raw, before


def _first_error(node: Node, raw: bytes) -> str:
    stack = [node]
    while stack:
        found = stack.pop()
        if found.is_error or found.is_missing:
            return raw[found.start_byte : found.end_byte][:60].decode("latin-1") or found.type
        stack += [c for c in found.children if c.has_error or c.is_missing]
    return "?"
