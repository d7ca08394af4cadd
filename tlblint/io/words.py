"""A set of words to find as whole identifiers: for Python, and as what other search programs want."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_STEM = 4
"""Length of the parts that stand for words: short enough to be shared, long enough to be rare."""


class Words:
    """Words of printable ASCII. A word stands whole when no identifier goes on over its ends; where an end of the word is
    no identifier character ("tlblint:"), that end is free. Characters of an identifier are ASCII letters, digits and _."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
        self.stems = stems(self._words)
        """Strings of which every text with one of the words holds one: few, and found by the fastest of searches."""
        self.overlap = max(map(len, self._words), default=0) + 1
        """So many bytes at the end of one part of a text must be seen again at the start of the next."""
        # No look-behind: a set of first bytes at the front lets the regex engine skip; within() looks at the byte before.
        self._finder = re.compile(b"|".join(re.escape(word) + (rb"(?!\w)" if _ends(word) else b"") for word in self._words) or rb"(?!)")

    def __bool__(self) -> bool:
        return bool(self._words)

    def within(self, data: bytes, first: bool = True, last: bool = True) -> bool:
        """Whether a word stands whole in ``data``. Parts of a longer text: unless ``first``, what starts at byte 0 does not
        count (it was seen before); unless ``last``, neither does what ends at the last byte (it is seen again)."""
        if not any(stem in data for stem in self.stems):
            return False
        for match in self._finder.finditer(data):
            start, end = match.span()
            if (start or first) and (end < len(data) or last) and not (start and _word(data[start - 1]) and _word(data[start])):
                return True
        return False

    def rust(self) -> bytes:
        """The search as one line in ripgrep's syntax of regular expressions."""
        arms: dict[tuple[bool, bool], list[str]] = {}
        for word in self._words:
            arms.setdefault((_word(word[0]), _ends(word)), []).append("".join(chr(c) if _word(c) else f"\\x{c:02x}" for c in word))
        edge = r"(?-u:\b)"
        return "|".join((edge if left else "") + f"(?:{'|'.join(arm)})" + (edge if right else "") for (left, right), arm in sorted(arms.items())).encode()


def stems(words: Iterable[bytes]) -> tuple[bytes, ...]:
    """Short strings of which every word holds at least one, chosen greedily, the most shared first."""
    left = set(words)
    chosen: list[bytes] = []
    while left:
        count = Counter(stem for word in left for stem in _parts(word))
        best = min(count, key=lambda stem: (-count[stem], stem))
        chosen.append(best)
        left = {word for word in left if best not in word}
    return tuple(chosen)


def _parts(word: bytes) -> set[bytes]:
    return {word[at : at + _STEM] for at in range(max(1, len(word) - _STEM + 1))}


def _word(byte: int) -> bool:
    return byte == 95 or 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122


def _ends(word: bytes) -> bool:
    return _word(word[-1])
