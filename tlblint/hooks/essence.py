"""What an answer about hooks rests on in a C file: less than its text, so that most edits of it leave the answer true."""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b

import msgspec

from tlblint.names.slices import LIMIT, reduced
from tlblint.names.steps import pieces

_CONFIG = re.compile(r"\bCONFIG_\w+")


class Essence(msgspec.Struct, frozen=True, array_like=True):
    """What was looked at in C files. ``sought``: names of which one at least has to be in a file that counts; ``names``: those, and the macros
    that speak of them; ``files``: what each file came down to, by path."""

    sought: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    files: dict[str, bytes] = {}

    def of(self, raw: bytes) -> bytes:
        """What a file comes down to: two versions for which this is the same make the same answer, but for the lines that it speaks of."""
        return essence(raw, self.sought, self.names)

    def same(self, path: str, raw: bytes) -> bool:
        """Whether a file still comes down to what it did."""
        return path in self.files and self.files[path] == self.of(raw)


def essence(raw: bytes, sought: Collection[str], names: Collection[str]) -> bytes:
    """A digest of directives, of the CONFIG_ names, and of where ``names`` stand between brackets; b"" for a file without any of ``sought``."""
    if not any(name.encode() in raw for name in sought):
        return b""
    digest = blake2b(digest_size=16)
    if len(raw) > LIMIT:
        digest.update(raw)
        return digest.digest()
    for part in pieces(raw):
        words = part.text.split() if part.word else [word for left in reduced(part.text, part.line, names) for word in left.text.split()]
        told = (part.word, *words, *_CONFIG.findall(part.text))
        digest.update("\0".join((*told, "\n")).encode("latin-1") if any(told) else b"")
    return digest.digest()
