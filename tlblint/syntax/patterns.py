"""Shared pieces of regular expressions. Everything here runs in time linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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


def places(text: bytes, literal: bytes) -> Iterator[int]:
    """Where ``literal`` stands in a text, one after the other: several times as fast as a regex that starts with it."""
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + 1)


BLANK = bytes(c if c == 10 else 32 for c in range(256))
"""Translation table: everything but a newline becomes a blank."""


def blank(buf: bytearray, start: int, end: int) -> None:
    """Overwrite ``buf[start:end]`` by blanks; newlines stay."""
    buf[start:end] = buf[start:end].translate(BLANK)


WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
"""Bytes of an identifier."""
_WORDS = bytes(c if c in WORD else 32 for c in range(256))
SPACE = frozenset(b" \t\n")


_finders: dict[frozenset[bytes], re.Pattern[bytes]] = {}


def ready(names: frozenset[bytes]) -> None:
    """Compile what looks for them: worth it where ``whole`` is asked for them in more than a few files."""
    if names not in _finders and names and all(name.find(b"_", 1) > 0 for name in names):
        _finders[names] = re.compile(b"_" + any_of({name[name.find(b"_", 1) + 1 :] for name in names}) + rb"(?!\w)")


def whole(text: bytes, names: frozenset[bytes]) -> list[int]:
    """Offsets, ascending, at which one of ``names`` stands as a whole identifier."""
    finder = _finders.get(names)
    if finder is not None:
        return list(_by_underscore(text, names, finder))
    apart = b" " + text.translate(_WORDS) + b" "  # faster than a regex of hundreds of names, which is also slow to compile
    found = []
    for name in names.intersection(apart.split()):
        alone = b" " + name + b" "
        at = apart.find(alone)
        while at >= 0:
            found.append(at)
            at = apart.find(alone, at + len(name) + 1)
    return sorted(found)


def _by_underscore(text: bytes, names: frozenset[bytes], finder: re.Pattern[bytes]) -> Iterator[int]:
    """From an underscore on, as that is quick to find: ``finder`` tells what may stand behind the first one of a name that is not its first byte."""
    for match in finder.finditer(text):
        start, end = match.span()
        while start and text[start - 1] in WORD:
            start -= 1
        if text[start:end] in names:
            yield start
