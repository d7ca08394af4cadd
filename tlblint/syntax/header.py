"""Function headers: attribute macros around the name go away, system call macros turn into plain definitions."""

from __future__ import annotations

import re

from tlblint.syntax.patterns import blank
from tlblint.syntax.rewrite import attributes
from tlblint.syntax.slicer import definer
from tlblint.syntax.words import HEADER_KEYWORDS, HEADER_TYPES

_CALLISH = re.compile(rb"([A-Za-z_]\w*+)\s*+\(")
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*+")
_PARENS = re.compile(rb"[()]")
_TYPE_LIKE = re.compile(rb"(?:\w+_t|__?[usbl]e?\d+|[us]\d+|__sum16|\w+_fn|[a-z]\w*)$")
_COUNTED = re.compile(rb"(?:SYSCALL|BPF_CALL)")


def close_of(buf: bytearray, opening: int, end: int) -> int:
    """Offset after the parenthesis that matches the one at ``opening``; ``end`` if there is none before it."""
    depth = 0
    for match in _PARENS.finditer(buf, opening, end):
        depth += 1 if match.group() == b"(" else -1
        if not depth:
            return match.end()
    return end


def normalise(buf: bytearray, start: int, brace: int) -> None:
    """Steps 3 and 8 for the header ``buf[start:brace]``, comments and directives already blanked."""
    attributes(buf, start, brace)
    at = start
    while (match := _CALLISH.search(buf, at, brace)) is not None:
        name = match.group(1)
        closing = close_of(buf, match.end() - 1, brace)
        if definer(name) and not _typed(buf, start, match.start()):
            _definer(buf, match.start(1), match.end() - 1, closing, name)
            return
        if name in HEADER_KEYWORDS:
            at = match.end()
        elif _opens_header(buf, closing, brace):
            blank(buf, match.start(1), closing)  # an attribute with arguments before the name
            at = closing
        else:
            _before_name(buf, start, match.start(1))
            _after_parameters(buf, start, match.start(1), closing, brace)
            return


def _typed(buf: bytearray, start: int, name: int) -> bool:
    return any(w in HEADER_TYPES for w in _IDENTIFIER.findall(buf, start, name))


def _opens_header(buf: bytearray, closing: int, brace: int) -> bool:
    """Whether another ``name(`` follows that looks like the real one: identifiers, then a parenthesis with parameters."""
    following = _CALLISH.search(buf, closing, brace)
    if following is None or _goes_on(buf, closing, brace):
        return False
    between = _IDENTIFIER.findall(buf, closing, following.start(1))
    inside = buf[following.end() : close_of(buf, following.end() - 1, brace) - 1]
    return bool(between) and (b" " in inside.strip() or not inside.strip() or inside.strip() == b"void")


def _goes_on(buf: bytearray, closing: int, brace: int) -> bool:
    """Whether the declarator goes on after the parenthesis: a function that returns a pointer to one."""
    return bytes(buf[closing:brace]).lstrip()[:1] in (b"(", b"[", b";", b")")


def _before_name(buf: bytearray, start: int, name: int) -> None:
    """Keep one type before the name: a built-in or tagged one, else the identifier that looks most like a type."""
    if buf.find(b"(", start, name) >= 0:
        return
    candidates = []
    typed = tag = False
    for match in _IDENTIFIER.finditer(buf, start, name):
        word = match.group()
        if word in HEADER_KEYWORDS:
            typed = typed or word in HEADER_TYPES
            tag = word in (b"struct", b"union", b"enum")
        elif tag:
            tag = False
        else:
            candidates.append(match)
    if not typed and candidates:
        best = next((m for m in candidates if m.group().endswith(b"_t")), None)
        best = best or next((m for m in reversed(candidates) if _TYPE_LIKE.match(m.group())), candidates[-1])
        candidates.remove(best)
    for match in candidates:
        blank(buf, *match.span())


def _after_parameters(buf: bytearray, start: int, name: int, closing: int, brace: int) -> None:
    """Whatever stands between the parameters and the body is an annotation."""
    if buf.find(b"(", start, name) < 0 and buf.find(b";", closing, brace) < 0 and not _goes_on(buf, closing, brace):
        blank(buf, closing, brace)


def _definer(buf: bytearray, name: int, opening: int, closing: int, macro: bytes) -> None:
    """``SYSCALL_DEFINE2(f, int, a, int, b)`` becomes ``SYSCALL_DEFINE2 f (int  a, int  b)``; offsets of f and below stay."""
    commas = _top_commas(buf, opening, closing)
    if not commas:
        # No comma to turn into a parenthesis: the macro name gives up its last byte, and so f moves left by one.
        argument = bytes(buf[opening + 1 : closing - 1])
        if b"\n" in argument or not argument.strip() or buf[closing - 1] != 41:
            return
        inner = argument.strip()
        room = closing - opening
        buf[opening - 1] = 32
        buf[opening:closing] = (inner + b"()").ljust(room)[:room]
        return
    buf[opening] = 32
    buf[commas[0]] = 40
    if _COUNTED.search(macro):
        for comma in commas[1::2]:
            buf[comma] = 32


def _top_commas(buf: bytearray, opening: int, closing: int) -> list[int]:
    found = []
    depth = 0
    for at in range(opening, closing):
        char = buf[at]
        depth += (char == 40) - (char == 41)
        if char == 44 and depth == 1:
            found.append(at)
    return found
