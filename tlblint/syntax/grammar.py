"""tree-sitter's C grammar: parsing slices of a file in place, and what its trees say about damage.

``has_error`` alone is no test of damage. A loop macro without braces parses as a declaration, one with braces as a
nested function, a macro without a semicolon as a type: all without an error node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node, Parser, Point, Query, QueryCursor, Range, Tree

from tlblint.syntax.language import C

DEFINITION = C.id_for_node_kind("function_definition", True)
assert DEFINITION is not None
_SILENT = Query(
    C,
    """
    (compound_statement (function_definition) @nested)
    (macro_type_specifier) @macro
    (function_declarator declarator: (identifier) parameters: (parameter_list) @args)
    """,
)  # what is around those is looked at here: to name declarations in it makes a query take ten times as long to prepare
_EXPRESSIONS = re.compile(rb"\(\s*(?:[a-z_]\w*\s*(?:,\s*[a-z_]\w*\s*)*)?\)")
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_NOWHERE = Point(0, 0)


def parse(parser: Parser, text: bytes, start: int, end: int) -> Tree:
    """Parse only ``text[start:end]``, with the offsets of the whole text; rows and columns mean nothing."""
    parser.included_ranges = [Range(_NOWHERE, _NOWHERE, start, end)]
    return parser.parse(text)


def faults(node: Node) -> Iterator[Node]:
    """Outermost ERROR nodes and MISSING tokens below ``node``, without recursion."""
    stack = [node]
    while stack:
        here = stack.pop()
        if here.is_missing or here.is_error:
            yield here
        elif here.has_error:
            stack.extend(reversed(here.children))


def silent_misparses(node: Node, text: bytes | bytearray) -> list[tuple[int, str]]:
    """Offset and kind of the shapes that parse without an error but mean something else in kernel C."""
    found = []
    captures = QueryCursor(_SILENT).captures(node)
    for inner in captures.get("nested", ()):
        found.append((inner.start_byte, "a macro with a block was read as a nested function"))
    for inner in captures.get("macro", ()):
        if _declaration(inner) is not None:
            found.append((inner.start_byte, "a macro call was read as a type"))
    for args in captures.get("args", ()):
        if not _EXPRESSIONS.fullmatch(text, args.start_byte, args.end_byte) or (declared := _declaration(args.parent)) is None:
            continue
        kind = declared.child_by_field_name("type")
        if kind is None or kind.type != "type_identifier" or kind.start_byte != declared.start_byte or text.endswith(b"_t", kind.start_byte, kind.end_byte):
            continue
        found.append((kind.start_byte, "a statement was read as a declaration"))
    return found


def _declaration(node: Node | None) -> Node | None:
    """The declaration that a type or a declarator is right in."""
    return parent if node is not None and (parent := node.parent) is not None and parent.type == "declaration" else None


def is_identifier(text: bytes) -> bool:
    """Whether ``text`` is one identifier."""
    return _IDENTIFIER.fullmatch(text) is not None
