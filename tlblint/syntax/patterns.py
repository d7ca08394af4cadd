"""Shared pieces of regular expressions. Everything here runs in time linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DEPTH = 7


def balanced(depth: int = _DEPTH) -> bytes:
    """Pattern of a parenthesis with at most ``depth`` levels inside. Possessive: it never backtracks."""
    inner = rb"[^()]*+"
    for _ in range(depth):
        inner = rb"(?:[^()]++|\(" + inner + rb"\))*+"
    return rb"\(" + inner + rb"\)"


def any_of(names: Iterable[bytes]) -> bytes:
    """Pattern that matches any of ``names``, longest first, with common prefixes shared (a trie)."""
    root: dict[int, dict] = {}  # type: ignore[type-arg]
    for name in names:
        node = root
        for char in name:
            node = node.setdefault(char, {})
        node[-1] = {}
    return _render(root)


def _render(node: dict[int, dict]) -> bytes:  # type: ignore[type-arg]
    ends = -1 in node
    arms = []
    for char, child in sorted((c, n) for c, n in node.items() if c != -1):
        chars = bytearray([char])
        while len(child) == 1 and -1 not in child:
            char, child = next(iter(child.items()))
            chars.append(char)
        arms.append(re.escape(bytes(chars)) + _render(child))
    if not arms:
        return b""
    body = arms[0] if len(arms) == 1 and not ends else b"(?:" + b"|".join(arms) + b")"
    return body + b"?" if ends else body


BLANK = bytes(c if c == 10 else 32 for c in range(256))
"""Translation table: everything but a newline becomes a blank."""


def blank(buf: bytearray, start: int, end: int) -> None:
    """Overwrite ``buf[start:end]`` by blanks; newlines stay."""
    buf[start:end] = buf[start:end].translate(BLANK)


WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
"""Bytes of an identifier."""
_WORDS = bytes(c if c in WORD else 32 for c in range(256))
SPACE = frozenset(b" \t\n")


def whole(text: bytes, names: frozenset[bytes]) -> list[int]:
    """Offsets, ascending, at which one of ``names`` stands as a whole identifier. Faster than a regex of hundreds of names, which is also slow to compile."""
    apart = b" " + text.translate(_WORDS) + b" "
    found = []
    for name in names.intersection(apart.split()):
        alone = b" " + name + b" "
        at = apart.find(alone)
        while at >= 0:
            found.append(at)
            at = apart.find(alone, at + len(name) + 1)
    return sorted(found)
