"""A set of words to find as whole identifiers: for Python, and as what other search programs want."""

from __future__ import annotations

from collections.abc import Iterable

_IDENTIFIER = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_BREAK = bytes(c if c in _IDENTIFIER else 32 for c in range(256))


class Words:
    """Words of printable ASCII. A word stands whole when no identifier goes on over its ends; where an end of the word is
    no identifier character ("tlblint:"), that end is free. ``hints`` are strings that many of the words have in common:
    they change the speed of a search, not its result."""

    def __init__(self, words: Iterable[bytes], hints: Iterable[bytes] = ()) -> None:
        words = sorted({word for word in words if word})
        self._plain = frozenset(word for word in words if all(c in _IDENTIFIER for c in word))
        self._odd = tuple(word for word in words if word not in self._plain)
        self.stems = stems(words, hints)
        """Strings of which every text with one of the words holds one."""
        self.overlap = max(map(len, words), default=0) + 1
        """So many bytes at the end of one part of a text must be seen again at the start of the next."""

    def __bool__(self) -> bool:
        return bool(self._plain or self._odd)

    def within(self, data: bytes, first: bool = True, last: bool = True) -> bool:
        """Whether a word stands whole in ``data``. Parts of a longer text: unless ``first``, what starts at byte 0 does not
        count (it was seen before); unless ``last``, neither does what ends at the last byte (it is seen again)."""
        if not any(stem in data for stem in self.stems):
            return False
        text = data if first else data.lstrip(_IDENTIFIER)
        text = text if last else text.rstrip(_IDENTIFIER)
        # Splitting beats a regular expression of many words by an order of magnitude.
        return not self._plain.isdisjoint(text.translate(_BREAK).split()) or any(_odd_within(word, data, first, last) for word in self._odd)

    def lines(self) -> bytes:
        """The stems, one on a line."""
        return b"".join(stem + b"\n" for stem in self.stems)

    def rust(self) -> bytes:
        """The search as one line in ripgrep's syntax of regular expressions."""
        arms: dict[tuple[bool, bool], list[str]] = {}
        for word in sorted((*self._plain, *self._odd)):
            arms.setdefault(_edges(word), []).append("".join(chr(c) if c in _IDENTIFIER else f"\\x{c:02x}" for c in word))
        edge = r"(?-u:\b)"
        return "|".join((edge if left else "") + f"(?:{'|'.join(arm)})" + (edge if right else "") for (left, right), arm in sorted(arms.items())).encode()


def _odd_within(word: bytes, data: bytes, first: bool, last: bool) -> bool:
    left, right = _edges(word)
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        whole = not (left and at and data[at - 1] in _IDENTIFIER) and not (right and end < len(data) and data[end] in _IDENTIFIER)
        if whole and (at or first) and (end < len(data) or last):
            return True
        at = data.find(word, at + 1)
    return False


def stems(words: Iterable[bytes], hints: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of ``hints`` that some word holds, then the words that hold none of them and no other such word."""
    left = sorted(set(words), key=lambda word: (len(word), word))
    chosen = []
    for hint in (*hints, *left):
        if hint and any(hint in word for word in left):
            chosen.append(hint)
            left = [word for word in left if hint not in word]
    return tuple(chosen)


def _edges(word: bytes) -> tuple[bool, bool]:
    """Whether the word starts, and ends, with a character of identifiers."""
    return word[0] in _IDENTIFIER, word[-1] in _IDENTIFIER
