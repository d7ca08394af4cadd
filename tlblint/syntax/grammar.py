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
_NESTS = frozenset(
    C.id_for_node_kind(name, True)
    for name in ("compound_statement", "if_statement", "else_clause", "for_statement", "while_statement", "do_statement", "switch_statement", "case_statement",
                 "labeled_statement", "attributed_statement")
)  # fmt: skip
_DECLARATION = C.id_for_node_kind("declaration", True)
_SUSPECT = frozenset(C.id_for_node_kind(name, True) for name in ("macro_type_specifier", "function_declarator"))
_RARE = frozenset(
    C.id_for_node_kind(name, True) for name in ("function_definition", "linkage_specification", "seh_try_statement", "preproc_if", "preproc_ifdef")
)
"""What may hold statements, too, and hardly ever stands in a function."""
_BLOCK_VALUE = re.compile(rb"\(\s*+\{")
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
    """Offset and kind of the shapes that parse without an error but mean something else in kernel C. ``node``: a definition without errors."""
    if not _suspicious(node, text):
        return []
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


def _suspicious(node: Node, text: bytes | bytearray) -> bool:
    """Whether there may be such a shape. They are where declarations are: only statements are looked at, whose nodes the lowering asks for as well,
    unless an expression holds a block."""
    stack = [node]
    while stack:
        for child in stack.pop().children:
            kind = child.kind_id
            if kind in _NESTS:
                stack.append(child)
            elif kind == _DECLARATION:
                if any(part.kind_id in _SUSPECT for part in child.children):
                    return True
            elif kind in _RARE:
                return True
    return _BLOCK_VALUE.search(text, node.start_byte, node.end_byte) is not None


def _declaration(node: Node | None) -> Node | None:
    """The declaration that a type or a declarator is right in."""
    return parent if node is not None and (parent := node.parent) is not None and parent.type == "declaration" else None


def is_identifier(text: bytes) -> bool:
    """Whether ``text`` is one identifier."""
    return _IDENTIFIER.fullmatch(text) is not None
