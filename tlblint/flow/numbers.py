"""The numbers of constants that a .c file gives itself: enumerators, and macros that stand for a literal.

Those of headers stay names: what one file sees of a header another may not, and both must call a constant the same.
"""

from __future__ import annotations

import re

from tlblint.flow import terms
from tlblint.model.ir import Expr
from tlblint.syntax.patterns import WORD

_ENUM = re.compile(rb"enum\b(?:\s++\w++){0,3}+\s*+\{([^{}]*+)\}")
_MACRO = re.compile(rb"#[ \t]*define[ \t]+([A-Z][A-Z0-9_]*)[ \t]+([^\n]*)")
_NOISE = re.compile(rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?+|//[^\n]*+")
_ITEM = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:=\s*(.*\S)\s*)?\Z", re.DOTALL)
_BIT = re.compile(rb"BIT(?:_ULL)?\s*\(\s*(\w+)\s*\)")
_LONGEST = 200
"""Bytes of what may be a literal: more is an expression, or there to cost time."""
_SHIFT = re.compile(rb"(\w+)\s*<<\s*(\w+)")


def numbers_of(raw: bytes) -> dict[bytes, Expr]:
    """The constants of a .c file whose number can be read off, as expressions. A name that is defined in two ways has none."""
    found: dict[bytes, set[int | None]] = {}
    if b"enum" in raw:
        for body in _ENUM.finditer(raw):
            if body.start() and raw[body.start() - 1] in WORD:
                continue
            known: dict[bytes, int] = {}
            at: int | None = 0
            for item in _NOISE.sub(b"", body[1]).split(b","):
                named = _ITEM.match(item)
                if named is None:
                    if item.strip():
                        break  # a directive: which ones follow depends on the configuration
                    continue
                if named[2] is not None:
                    at = known[named[2]] if named[2] in known else _literal(named[2])
                found.setdefault(named[1], set()).add(at)
                if at is not None:
                    known[named[1]] = at
                    at += 1
    for macro in _MACRO.finditer(raw):
        found.setdefault(macro[1], set()).add(_literal(_NOISE.sub(b"", macro[2])))
    return {name: ("k", name.decode(), number) for name, (number, *more) in found.items() if number is not None and not more and name.isupper()}


def _literal(text: bytes) -> int | None:
    """The value of a literal, BIT() of one, or one shifted by another, in parentheses or not."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    while text[:1] == b"(" and text[-1:] == b")":
        text = text[1:-1].strip()
    if (bit := _BIT.fullmatch(text)) is not None:
        return _shifted(1, _plain(bit[1]))
    if (shift := _SHIFT.fullmatch(text)) is not None and (base := _plain(shift[1])) is not None:
        return _shifted(base, _plain(shift[2]))
    return _plain(text)


def _shifted(base: int, by: int | None) -> int | None:
    return base << by if by is not None and 0 <= by < 64 else None


def _plain(text: bytes) -> int | None:
    expr = terms.number(text.decode(errors="replace"))
    return expr[1] if expr[0] == "n" else None
