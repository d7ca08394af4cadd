"""Normalisation of a function body: kernel C that tree-sitter misreads is overwritten by plain C of the same length.

Loop macros become ``while``, guards become ``if``, types in argument lists become one identifier, attributes vanish.
Only the shape matters here; names and arguments are read from the original bytes where they were overwritten.
"""

from __future__ import annotations

import re

from tlblint.syntax.patterns import WORD, any_of, balanced, blank
from tlblint.syntax.statements import bare_macros, close_statement, statements
from tlblint.syntax.type_words import plain_names, types
from tlblint.syntax.words import ARGUMENT_ATTRIBUTES, ATTRIBUTES

_BAL = balanced()
_UNDERSCORED = re.compile(rb"__\w++")
_ARGUMENTS = re.compile(rb"\s*+" + _BAL)
_OTHERS = frozenset(name for name in ATTRIBUTES if not name.startswith(b"__"))
_STEMS = (b"noin", b"notrace", b"nokprobe", b"linkage", b"regparm", b"fastcall", b"NOPV")
"""Of the others each has one of these."""
assert all(any(stem in name for stem in _STEMS) for name in _OTHERS)
_OTHER = re.compile(rb"(?:" + any_of(_OTHERS) + rb")(?![A-Za-z0-9_])")
_ASM = re.compile(
    rb"(?:asm_volatile_goto|asm_goto_output|asm_inline|__asm__|__asm|asm)(?![A-Za-z0-9_])\s*+"
    rb"(?:(?:volatile|__volatile__|__volatile|goto|inline|__inline__|__inline)(?![A-Za-z0-9_])\s*+)*+(" + _BAL + rb")"
)
_RANGE = re.compile(rb"case\s[^:;{}.]{0,200}+(\.\.\.[^:;{}]{0,200}+):")
_STATIC_MACRO = re.compile(rb"(static)\s++[A-Z_][A-Z0-9_]*+\s*+\(")
_LABEL_END = re.compile(rb":(\s++)\}")
_EMPTY_ARGUMENT = re.compile(rb"[,(][ \t]++(?=,)")


def attributes(buf: bytearray, start: int, end: int) -> None:
    """Step 3: blank attribute macros, with their arguments if they take any."""
    _blank(buf, start, end, _UNDERSCORED)
    for stem in _STEMS:
        if buf.find(stem, start, end) >= 0:
            _blank(buf, start, end, _OTHER)
            break


def _blank(buf: bytearray, start: int, end: int, finder: re.Pattern[bytes]) -> None:
    for match in finder.finditer(buf, start, end):
        low, high = match.span()
        if low and buf[low - 1] in WORD:
            continue
        name = match.group()
        if name in ARGUMENT_ATTRIBUTES and (arguments := _ARGUMENTS.match(buf, high, end)):
            blank(buf, low, arguments.end())
        elif name in ATTRIBUTES:
            blank(buf, low, high)


def _asm(buf: bytearray, start: int, end: int) -> None:
    """Step 5: inline assembly keeps only its keyword."""
    for match in _ASM.finditer(buf, start, end):
        low, high = match.span()
        if low and buf[low - 1] in WORD:
            continue
        blank(buf, low, high)
        buf[low : low + 3] = b"asm"
        at = low + 3
        for piece in (b"(", b'""'):
            while buf[at] == 10 or (len(piece) == 2 and buf[at + 1] == 10):
                at += 1
            if at + len(piece) < high:
                buf[at : at + len(piece)] = piece
                at += len(piece)
        buf[high - 1] = 41


def body(buf: bytearray, start: int, end: int) -> None:
    """Steps 3 to 7 for a function body ``buf[start:end]`` that is free of comments and directives."""
    attributes(buf, start, end)
    if buf.find(b"asm", start, end) >= 0:
        _asm(buf, start, end)
    plain_names(buf, start, end)
    statements(buf, start, end)
    bare_macros(buf, start, end)
    types(buf, start, end)
    if buf.find(b"...", start, end) >= 0:
        for match in _RANGE.finditer(buf, start, end):
            blank(buf, *match.span(1))
    if buf.find(b"static", start, end) >= 0:
        for match in _STATIC_MACRO.finditer(buf, start, end):
            blank(buf, *match.span(1))
    for match in _LABEL_END.finditer(buf, start, end):
        close_statement(buf, *match.span(1))
    if buf.find(b" ,", start, end) >= 0 or buf.find(b"\t,", start, end) >= 0:
        for match in _EMPTY_ARGUMENT.finditer(buf, start, end):
            buf[match.end() - 1] = 48
