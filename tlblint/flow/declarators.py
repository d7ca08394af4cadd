"""Types and declarators: what a declaration, a parameter or a function header says."""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node

from tlblint.flow.context import Context
from tlblint.flow.dispatch import kind

_NAMES = frozenset(map(kind, ("identifier", "type_identifier", "field_identifier")))
_POINTERS = frozenset(map(kind, ("pointer_declarator", "abstract_pointer_declarator")))
_ARRAYS = frozenset(map(kind, ("array_declarator", "abstract_array_declarator")))
FUNCTIONS = frozenset(map(kind, ("function_declarator", "abstract_function_declarator")))
_PARENTHESES = frozenset(map(kind, ("parenthesized_declarator", "abstract_parenthesized_declarator")))
_ATTRIBUTED = kind("attributed_declarator")
_TAGGED = {kind("struct_specifier"): "struct", kind("union_specifier"): "union", kind("enum_specifier"): "enum"}
_PARAMETERS = kind("parameter_list")
_VARIADIC = kind("variadic_parameter")
_SYSCALLS = ("SYSCALL_DEFINE", "COMPAT_SYSCALL_DEFINE")


class Declared(NamedTuple):
    """A declarator taken apart. ``function`` is its outermost function declarator, ``pointed`` whether that is
    reached through a pointer in parentheses: ``(*f)(int)`` is an object, ``*f(int)`` is a function."""

    name: str
    stars: int
    arrays: int
    function: Node | None
    pointed: bool

    def type(self, base: str, parameter: bool = False) -> str:
        """Canonical type text. The first array dimension of a parameter is a pointer."""
        if self.pointed:
            return "fn"
        stars, arrays = self.stars, self.arrays
        if parameter and arrays:
            stars, arrays = stars + 1, arrays - 1
        tail = "*" * stars + "[]" * arrays
        return f"{base} {tail}" if tail else base


def declared(ctx: Context, node: Node | None) -> Declared:
    """Take a declarator apart, from the outside in."""
    name, stars, arrays, function, pointed = "", 0, 0, None, False
    while node is not None:
        number = node.kind_id
        inner: Node | None = None
        if number in _NAMES:
            name = ctx.text[node.start_byte : node.end_byte].decode()
        elif number in _POINTERS:
            if function is None:
                stars += 1
            else:
                pointed = True
            inner = _last_declarator(node)
        elif number in _ARRAYS:
            arrays += 1
            inner = _first_declarator(node)
        elif number in FUNCTIONS:
            function = function or node
            inner = _first_declarator(node)
        elif number in _PARENTHESES or number == _ATTRIBUTED:
            inner = _first_declarator(node)
        node = inner
    return Declared(name, stars, arrays, function, pointed)


def _is_declarator(node: Node) -> bool:
    number = node.kind_id
    return number in _NAMES or number in _POINTERS or number in _ARRAYS or number in FUNCTIONS or number in _PARENTHESES or number == _ATTRIBUTED


def _first_declarator(node: Node) -> Node | None:
    return next(filter(_is_declarator, node.named_children), None)


def _last_declarator(node: Node) -> Node | None:
    return next(filter(_is_declarator, reversed(node.named_children)), None)


def base_type(ctx: Context, node: Node | None) -> str:
    """Canonical text of a type specifier: a tagged type without its body, no qualifiers."""
    if node is None:
        return "int"
    tag = _TAGGED.get(node.kind_id)
    if tag is not None:
        name = node.child_by_field_name("name")
        return tag if name is None else f"{tag} {ctx.text[name.start_byte : name.end_byte].decode()}"
    text = " ".join(ctx.text[node.start_byte : node.end_byte].decode(errors="replace").split())
    return "long" if text.startswith(_SYSCALLS) else text


def _parameter_list(function: Node) -> Node | None:
    return next((child for child in function.named_children if child.kind_id == _PARAMETERS), None)


def parameters_end(function: Node | None) -> int:
    """Offset behind the parameter list; lock annotations follow it."""
    listed = None if function is None else _parameter_list(function)
    return 0 if listed is None else listed.end_byte


def parameters(ctx: Context, function: Node) -> tuple[tuple[str, str], ...]:
    """(name, type) of each parameter of a function declarator; an unnamed one has the name ""."""
    listed = _parameter_list(function)
    found = []
    for node in listed.named_children if listed is not None else ():
        if node.kind_id == _VARIADIC or node.kind_id in _NAMES:
            continue
        base = base_type(ctx, node.child_by_field_name("type"))
        item = declared(ctx, node.child_by_field_name("declarator"))
        if base == "void" and not item.stars and not item.pointed:
            continue
        found.append((item.name, "fn" if item.function is not None else item.type(base, parameter=True)))
    return tuple(found)
