"""What an answer about hooks rests on in a C file: less than its text, so that most edits of it leave the answer true."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

import msgspec

from tlblint.model.digest import blake2b
from tlblint.names.pieces import Piece, pieces
from tlblint.names.slices import BREAK, reduced
from tlblint.names.view import LIMIT

_CONFIG = re.compile(r"\bCONFIG_\w+")
_COMMON = (b"tlb", b"flush", b"lazy_mmu", b"accessible", b"gather")


Cut = Callable[[bytes], Sequence[Piece]]
Words = Callable[[bytes], Collection[str]]


def words(raw: bytes) -> Collection[str]:
    """The words of a file that may be names."""
    return raw.translate(BREAK).decode().split()


class Essence(msgspec.Struct, frozen=True, array_like=True):
    """What was looked at in C files. ``sought``: names of which one at least has to be in a file that counts; ``names``: those, and the macros
    that speak of them; ``files``: what each file came down to, by path."""

    sought: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    files: dict[str, bytes] = {}

    def of(self, raw: bytes, cut: Cut = pieces, words_of: Words = words) -> bytes:
        """What a file comes down to: two versions for which this is the same make the same answer, but for the lines that it speaks of. ``cut``
        takes it apart, ``words_of`` tells its words."""
        return essence(raw, self.sought, self.names, cut, words_of)

    def of_spoken(self, raw: bytes, cut: Cut, words_of: Words) -> bytes:
        """The same of a file that is known to hold one of ``sought``."""
        return _digested(raw, self.names, cut, words_of)

    def same(self, path: str, raw: bytes) -> bool:
        """Whether a file still comes down to what it did."""
        return path in self.files and self.files[path] == self.of(raw)


def within(raw: bytes, sought: Collection[str]) -> bool:
    """Whether some names are anywhere in a file: around what most of them have in common, which is rare."""
    stems, common, rest = _stems(tuple(sought))
    if any(name in raw for name in rest):
        return True
    longest = max(map(len, common), default=0)
    around = b" ".join(raw[start:end] for stem in stems for start, end in _around(raw, stem, longest))
    return any(name in around for name in common)


def _around(raw: bytes, stem: bytes, reach: int) -> Iterator[tuple[int, int]]:
    """Where anything of at most ``reach`` bytes that holds a stem may stand."""
    at, start, end = raw.find(stem), 0, -1
    while at >= 0:
        if at - reach > end:
            if end > 0:
                yield start, end
            start = max(at - reach, 0)
        end = at + reach
        at = raw.find(stem, at + len(stem))
    if end > 0:
        yield start, end


@lru_cache(maxsize=8)
def _stems(names: tuple[str, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """(strings, names that hold one of them, the other names)."""
    all_names = tuple(name.encode() for name in names)
    rest = tuple(name for name in all_names if not any(stem in name for stem in _COMMON))
    return tuple(stem for stem in _COMMON if any(stem in name for name in all_names)), tuple(set(all_names).difference(rest)), rest


def essence(raw: bytes, sought: Collection[str], names: Collection[str], cut: Cut = pieces, words_of: Words = words) -> bytes:
    """A digest of directives, of the CONFIG_ names, and of where ``names`` stand between brackets; b"" for a file without any of ``sought``."""
    return _digested(raw, names, cut, words_of) if within(raw, sought) else b""


def _digested(raw: bytes, names: Collection[str], cut: Cut, words_of: Words) -> bytes:
    digest = blake2b(digest_size=16)
    if len(raw) > LIMIT:
        digest.update(raw)
        return digest.digest()
    names = frozenset(names).intersection(words_of(raw))
    out: list[str] = []
    for part in cut(raw):
        said = part.text.split() if part.word else [word for left in reduced(part.text, part.line, names) for word in left.text.split()]
        told = (part.word, *said, *(_CONFIG.findall(part.text) if "CONFIG_" in part.text else ()))
        if any(told):
            out += (*told, "\n")
    digest.update("\0".join(out).encode("latin-1"))
    return digest.digest()
