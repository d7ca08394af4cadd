"""Algebra of expressions: how dereference, field, index and address-of act on canonical paths.

A path is text. ``*p`` binds to everything behind it, so a path that starts with a star needs parentheses before
``->``, ``.`` or ``[``; no other path does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import add, and_, lshift, or_, sub

from tlblint.model.ir import Expr

OPAQUE: Expr = ("?",)
ZERO: Expr = ("n", 0)
ONE: Expr = ("n", 1)
_CONSTANTS: dict[str, Expr] = {"NULL": ZERO, "false": ZERO, "true": ONE, "FALSE": ZERO, "TRUE": ONE}
_COMPUTED: dict[str, Callable[[int, int], int]] = {"<<": lshift, "|": or_, "&": and_, "+": add, "-": sub}
_WORD = 64
"""Bits of the widest integer."""
_NUMBER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)[uUlLzZ]*\Z")
_THROUGH_CALL = re.compile(r"[\w\])]\(")


def atom(name: str) -> Expr:
    """The value of an identifier that is not a local object."""
    known = _CONSTANTS.get(name)
    if known is not None:
        return known
    return ("k", name) if name.isupper() else ("v", name)


def number(text: str) -> Expr:
    """An integer literal, to which the grammar counts a sign; a floating-point one is opaque."""
    match = _NUMBER.match(text)
    if match is None:
        return OPAQUE
    sign, digits = match.groups()
    size = int(digits, 8 if digits[0] == "0" and digits.isdigit() else 0)
    return ("n", -size if sign == "-" else size)


def binary(symbol: str, left: Expr, right: Expr) -> Expr:
    """``left symbol right``, computed where both are known: a bit is the same constant whichever way it is spelled."""
    if right[0] == "n" and left[0] == "n":
        compute = _COMPUTED.get(symbol)
        if compute is not None and (symbol != "<<" or 0 <= right[1] < _WORD):
            return ("n", compute(left[1], right[1]))
    elif symbol == "<<" and left[0] == "n" and right[0] == "k":
        if len(right) > 2 and 0 <= right[2] < _WORD:
            return ("k", f"{left[1]}<<{right[1]}", left[1] << right[2])
        return ("k", f"{left[1]}<<{right[1]}")
    return ("op", symbol, left, right)


def postfixable(path: str) -> str:
    """The path in the form that may stand before ``->``, ``.`` or ``[``."""
    return f"({path})" if path[0] == "*" else path


def assignable(path: str) -> bool:
    """Whether an assignment to the path can be told by its text: not if it goes through the result of a call."""
    return _THROUGH_CALL.search(path) is None


def as_path(expr: Expr) -> str | None:
    """The path of an expression that is an object or constant name."""
    return expr[1] if expr[0] in ("v", "k") else None


def render(expr: Expr) -> str | None:
    """Canonical text of an expression without calls; None if part of it is opaque or the result of a call."""
    tag = expr[0]
    if tag in ("v", "k"):
        return str(expr[1])
    if tag == "n":
        return str(expr[1])
    if tag == "&":
        return f"&{expr[1]}"
    if tag == "op":
        left, right = _operand(expr[2]), _operand(expr[3])
        return None if left is None or right is None else f"{left}{expr[1]}{right}"
    if tag in ("!", "~", "-"):
        inner = _operand(expr[1])
        return None if inner is None else f"{tag}{inner}"
    return None


def _operand(expr: Expr) -> str | None:
    text = render(expr)
    return f"({text})" if text is not None and expr[0] == "op" else text


def element(base: Expr, index: str) -> Expr:
    """``base[index]`` with the index as text."""
    path = as_path(base)
    if path is not None:
        return ("v", f"{postfixable(path)}[{index}]")
    if base[0] == "&" and index == "0":
        return ("v", base[1])
    text = render(base)
    return OPAQUE if text is None else ("v", f"({text})[{index}]")


def pointee(base: Expr) -> Expr:
    """``*base``."""
    path = as_path(base)
    if path is not None:
        return ("v", f"*{path}")
    if base[0] == "&":
        return ("v", base[1])
    if base[0] == "op" and base[1] in ("+", "-"):
        index = render(base[3] if base[1] == "+" else ("-", base[3]))
        return OPAQUE if index is None else element(base[2], index)
    return OPAQUE


def member(base: Expr, name: str) -> Expr:
    """``base.name``."""
    path = as_path(base)
    if path is None:
        return OPAQUE
    if path[0] == "*":
        return ("v", f"{postfixable(path[1:])}->{name}")
    return ("v", f"{path}.{name}")


def arrow(base: Expr, name: str) -> Expr:
    """``base->name``."""
    path = as_path(base)
    if path is not None:
        return ("v", f"{postfixable(path)}->{name}")
    return member(pointee(base), name)


def address(base: Expr) -> Expr:
    """``&base`` for anything but an array element, which the caller turns into an addition."""
    path = as_path(base)
    if path is None:
        return OPAQUE
    return ("v", path[1:]) if path[0] == "*" else ("&", path)
