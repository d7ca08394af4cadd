"""Step 6 of normalisation: types in argument lists, typeof and its like become identifiers."""

from __future__ import annotations

import re

from tlblint.syntax.patterns import WORD, any_of, balanced, blank
from tlblint.syntax.words import PRIMITIVES

_BAL = balanced()
_TYPE = (
    rb"(?:(?:const|volatile)\s++)*+(?:(?:struct|union|enum)\s++\w++"
    rb"|(?:" + any_of(PRIMITIVES) + rb")(?![A-Za-z0-9_])(?:\s++(?:unsigned|signed|long|int|short|char|const)(?![A-Za-z0-9_]))*+"
    rb"|[A-Za-z_]\w*+(?=\s*+\*\s*+[*,)]))"
)
_TYPE_ARGUMENT = re.compile(rb"([(,])\s*+(" + _TYPE + rb"(?:\s*+(?:const(?![A-Za-z0-9_])|\*))*+)\s*+(?=([,)]))")
_BUILT_IN = re.compile(rb"(?:offsetof|__alignof__|__alignof|_Alignof|alignof)(?=\s*+\()")
_TYPEOF = re.compile(rb"(?:__typeof__|__typeof|typeof_member|typeof_unqual|typeof)\s*+" + _BAL)
_AUTO = re.compile(rb"auto(?=\s++\w++\s*+=)")
_LEVEL = re.compile(rb"KERN_[A-Z]++([ \t]++)(?=[A-Za-z_])")
_BITMAP = re.compile(rb"DECLARE_BITMAP(\s*+)(\()\s*+\w++\s*+(,(?:[^()]++|" + _BAL + rb")*+\))")
_TAKES_A_TYPE = frozenset((b"sizeof", b"return", b"if", b"while", b"switch", b"case"))
_JOIN = bytes(c if c in WORD else 95 for c in range(256))


def types(buf: bytearray, start: int, end: int) -> None:
    """Step 6: a type as a macro argument becomes one identifier."""
    for match in _TYPE_ARGUMENT.finditer(buf, start, end):
        low, high = match.span(2)
        if match.group(1) != b"," and match.group(3) != b"," and not _sole_argument(buf, match.start(), low, high, start):
            continue
        join(buf, low, high)


def _sole_argument(buf: bytearray, opening: int, low: int, high: int, floor: int) -> bool:
    """Whether ``name(type)`` is a macro call rather than a cast, a sizeof or a prototype."""
    if buf[opening - 1] not in WORD or buf[low:high] == b"void":
        return False
    at = opening
    while at > floor and buf[at - 1] in WORD:
        at -= 1
    return bytes(buf[at:opening]) not in _TAKES_A_TYPE


def join(buf: bytearray, low: int, high: int) -> None:
    """Overwrite a type by one identifier; what stands on further lines is blanked."""
    line = buf.find(b"\n", low, high)
    if line >= 0:
        blank(buf, line, high)
        high = line
    old = bytes(buf[low:high])
    word = old.translate(_JOIN)
    buf[low:high] = b"_" + word[1:] if word == old else word


def plain_names(buf: bytearray, start: int, end: int) -> None:
    """Operators that take a type or an expression become calls and identifiers."""
    if buf.find(b"offsetof", start, end) >= 0 or buf.find(b"lignof", start, end) >= 0:
        for match in _BUILT_IN.finditer(buf, start, end):
            if buf[match.start() - 1] not in WORD:
                buf[match.start()] = 120
    if buf.find(b"typeof", start, end) >= 0:
        for match in _TYPEOF.finditer(buf, start, end):
            if buf[match.start() - 1] not in WORD:
                join(buf, *match.span())
    if buf.find(b"auto", start, end) >= 0:
        for match in _AUTO.finditer(buf, start, end):
            if buf[match.start() - 1] not in WORD:
                buf[match.start() : match.end()] = b"int "
    if buf.find(b"KERN_", start, end) >= 0:
        for match in _LEVEL.finditer(buf, start, end):
            low, high = match.span(1)
            buf[low:high] = b"_" * (high - low)
    if buf.find(b"DECLARE_BITMAP", start, end) >= 0:
        for match in _BITMAP.finditer(buf, start, end):
            buf[match.start(2)] = 32
            blank(buf, *match.span(3))
