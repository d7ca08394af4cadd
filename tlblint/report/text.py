"""Text that cannot play tricks: what a hostile source file may put on a terminal is escaped."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlblint.model.witness import Fix

_COLORS = {"error": "1;31", "warning": "1;35", "note": "1;36", "bold": "1", "dim": "2", "caret": "1;32"}
TAB = 8


def clean(text: str, unicode: bool = True) -> str:
    r"""``text`` on one line with control, format (bidi), surrogate and, without ``unicode``, all non-ASCII characters as \xNN, \uNNNN."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(char, unicode) for char in text)


def _safe(char: str, unicode: bool) -> str:
    code = ord(char)
    if 0x20 <= code < 0x7F:
        return char
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if unicode and code > 0xA0 and unicodedata.category(char)[0] in "LMNPS":
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """Terminal columns that clean text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def source_line(raw: bytes, line: int) -> bytes | None:
    """The bytes of a 1-based line without its line end; None when there is no such line."""
    if line < 1:
        return None
    start = 0
    for _ in range(line - 1):
        start = raw.find(b"\n", start) + 1
        if not start:
            return None
    end = raw.find(b"\n", start)
    return (raw[start:end] if end >= 0 else raw[start:]).rstrip(b"\r")


def display(raw: bytes, unicode: bool) -> str:
    """A source line as shown: tabs expanded to stops of 8, the rest clean."""
    out = ""
    for at, part in enumerate(raw.decode("utf-8", "backslashreplace").split("\t")):
        if at:
            out += " " * (TAB - cells(out) % TAB)
        out += clean(part, unicode)
    return out


def tabbed(raw: bytes) -> str:
    """A source line for a medium that has tab stops: tabs as they are, the rest clean."""
    return "\t".join(map(clean, raw.decode("utf-8", "backslashreplace").split("\t")))


def underline(raw: bytes, column: int, unicode: bool) -> str:
    """Carets under the identifier (or character) at a 1-based byte column of a source line."""
    lead = display(raw[: column - 1] + b"|", unicode)[:-1]
    word = re.compile(rb"\w*").match(raw, column - 1)
    length = max(1, len(word[0]) if word else 1)
    return " " * cells(lead) + "^" + "~" * (length - 1)


def paint(text: str, name: str, color: bool) -> str:
    """``text`` in a named colour, or as it is."""
    return f"\x1b[{_COLORS[name]}m{text}\x1b[0m" if color and text else text


def plural(count: int, noun: str) -> str:
    """"1 file", "1,204 files"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def cost(fix: Fix) -> str:
    """What a verified fix costs and is worth, as one sentence; "" when it was not explored."""
    if not fix.verified or not fix.visited:
        return ""
    adds = f"It adds {'a flush' if fix.added == 1 else f'{fix.added} flushes'} and" if fix.added else "It"
    return f"{adds} did something in {fix.useful:,} of the {plural(fix.visited, 'state')} in which it ran."
