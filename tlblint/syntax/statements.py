"""Steps 4 and 7 of normalisation: macros that act as statements become while, if, or end in a semicolon."""

from __future__ import annotations

import re

from tlblint.syntax.patterns import SPACE, WORD, any_of, balanced, blank
from tlblint.syntax.type_words import join
from tlblint.syntax.words import LOOPS, STATEMENT_WORDS

_BAL = balanced()
_STATEMENT = re.compile(
    rb"\n[ \t;]*+(?!(?:" + any_of(STATEMENT_WORDS) + rb")(?![A-Za-z0-9_]))([A-Za-z_]\w*+)[ \t]*+(" + _BAL + rb")(?=\s*+([A-Za-z_{}*(]|\+\+|--))"
)
_EACH = re.compile(rb"(?:for_?each|FOR_?EACH|scoped_\w*guard)\w*+[ \t]*+(" + _BAL + rb")\s*+(?=[A-Za-z_{*(]|\+\+|--)")
_LOOKS_LIKE_LOOP = re.compile(LOOPS)
_BARE = re.compile(rb"[;{}]\s*+([A-Z_][A-Z0-9_]*+)[ \t]*+\n\s*+[A-Za-z_]\w*+\s*+[(=;]")
_TAIL_LOOP = re.compile(rb"\}[ \t]*+(\w*(?:each|while_)\w*+)[ \t]*+(" + _BAL + rb")[ \t]*+;")
_DECLARATOR = re.compile(rb"\w++\s*+[;=,\[]")
_RETURN_ARGUMENT = re.compile(rb",\s*+(return|continue|break)(?![A-Za-z0-9_])")


def _before(buf: bytearray, at: int, low: int) -> int:
    """Offset of the last byte before ``at`` that is not white space; ``low - 1`` if there is none."""
    at -= 1
    while at >= low and buf[at] in SPACE:
        at -= 1
    return at


def _statement_may_start(buf: bytearray, at: int, low: int) -> bool:
    """Whether a statement may start at ``at``, judged by the token before it."""
    last = _before(buf, at, low)
    if last < low:
        return False
    if buf[last] == 123:  # a brace: a block, unless it opens an initialiser
        earlier = _before(buf, last, low)
        return earlier < low or buf[earlier] not in b"=,{("
    return buf[last] in b";}:)" or buf[last - 3 : last + 1] == b"else" or buf[last - 1 : last + 1] == b"do"


def _as_keyword(buf: bytearray, start: int, end: int, opening: int, closing: int, loop: bool) -> None:
    """Overwrite the name at ``buf[start:end]`` by while or if; ``opening`` and ``closing`` bound the parenthesis."""
    if not buf[opening + 1 : closing - 1].strip():
        if loop and closing - start >= 7 and buf.find(b"\n", start, closing) < 0:
            buf[start:closing] = b"for(;;)".ljust(closing - start)
            return
        if closing - opening > 2 and buf[opening + 1] != 10:
            buf[opening + 1] = 49
    word = b"while" if loop and end - start >= 5 else b"if"
    if end - start < len(word):
        return  # overlapping rewrites of garbage: offsets must not move
    buf[start:end] = word.ljust(end - start)
    for match in _RETURN_ARGUMENT.finditer(buf, opening, closing):
        blank(buf, match.start(1), match.end(1))


def close_statement(buf: bytearray, start: int, end: int) -> None:
    """Put a semicolon on the first blank of the white space ``buf[start:end]``."""
    for at in range(start, end):
        if buf[at] != 10:
            buf[at] = 59
            return


def statements(buf: bytearray, start: int, end: int) -> None:
    """Steps 4 and 7: loop macros, guard macros, statement macros without a semicolon."""
    for match in _STATEMENT.finditer(buf, start, end):
        if _statement_may_start(buf, match.start(1), start):
            _statement(buf, match, end)
    for match in _TAIL_LOOP.finditer(buf, start, end):
        name = match.group(1)
        if buf.find(name.replace(b"while_", b"do_", 1), start, end) in (-1, match.start(1)):
            _as_keyword(buf, *match.span(1), *match.span(2), True)
    for match in _EACH.finditer(buf, start, end) if any(buf.find(word, start, end) >= 0 for word in (b"each", b"EACH", b"guard")) else ():
        low = match.start()
        while low > start and buf[low - 1] in WORD:
            low -= 1
        if _statement_may_start(buf, low, start):
            high = _before(buf, match.start(1), low) + 1
            _as_keyword(buf, low, high, *match.span(1), b"guard" not in buf[low:high])


def _statement(buf: bytearray, match: re.Match[bytes], end: int) -> None:
    """A line that starts with ``name(args)`` and goes on with something that can not continue an expression."""
    name = match.group(1)
    closing = match.end(2)
    following, at = match.group(3), match.start(3)
    loop = _LOOKS_LIKE_LOOP.search(name) is not None
    block = following == b"{" or ((loop or name.startswith(b"scoped_")) and following != b"}")
    new_line = buf.find(b"\n", closing, at) >= 0
    if block:
        _as_keyword(buf, *match.span(1), match.start(2), closing, loop)
    elif not new_line and _DECLARATOR.match(buf, at, end):
        join(buf, match.start(2), closing)  # a macro that stands for a type
    elif new_line and (following.isalnum() or following in (b"_", b"}")):
        close_statement(buf, closing, at)


def bare_macros(buf: bytearray, start: int, end: int) -> None:
    """A macro of no arguments alone on its line, no semicolon, and a statement on the next."""
    for match in _BARE.finditer(buf, start, end):
        close_statement(buf, match.end(1), match.end())
