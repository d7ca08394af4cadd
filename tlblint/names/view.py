"""A file version, taken apart: what it is made of, and what of that has been asked before."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from tlblint.names.frames import INCLUDES, OPENING, TURNING, Frame, framed
from tlblint.names.pieces import Piece, guard, pieces
from tlblint.names.slices import braced, left, words_of

_WORD = re.compile(r"[A-Za-z_]\w*")
_INCLUDE = re.compile(r"\s*([<\"])([^>\"]+)[>\"]")
LIMIT = 2_000_000
"""Bytes of the largest file that is looked into."""


class View(msgspec.Struct):
    """A file version. ``words``: those of it that may be names, comments aside. ``guard``: the macro that keeps it from being read twice, or ""; it is
    taken out of ``parts``."""

    raw: bytes
    parts: tuple[Piece, ...]
    words: frozenset[str]
    guard: str = ""
    too_large: bool = False
    includes: tuple[tuple[str, bool], ...] = ()
    """(name, in angle brackets) of what is included anywhere."""
    said: tuple[tuple[str, frozenset[str]], ...] | None = None
    """``macros``, when somebody has asked."""
    kept: dict[tuple[frozenset[str], frozenset[str]], tuple[tuple[Piece, ...], frozenset[str]]] = msgspec.field(default_factory=dict)
    heads: tuple[str, ...] = ()
    """For each of ``parts``: the name that a #define or #undef is of, the file that an #include asks for; else ""."""
    defines: frozenset[str] = frozenset()
    """The macros that are defined or taken back anywhere."""
    texts: dict[int, frozenset[str]] = msgspec.field(default_factory=dict)
    """The words of the text at an index of ``parts``."""
    framed: Frame | None = None
    """Where its directives stand, when somebody has asked."""
    braces: dict[int, list[Piece]] | None = None
    """The braces that texts leave open, by the index of those that do."""
    reduced: tuple[frozenset[str], dict[int, list[Piece]]] | None = None
    """Names, and what is left of texts for them."""

    @property
    def macros(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Macros with the words of their parameters and bodies."""
        if self.said is None:
            found = (_WORD.findall(part.text) for part in self.parts if part.word == "define")
            self.said = tuple((one[0], frozenset(one[1:])) for one in found if one)
        return self.said

    @property
    def frame(self) -> Frame:
        """Where the directives stand."""
        if self.framed is None:
            self.framed = framed(self.parts, self.heads)
        return self.framed

    def left(self, names: frozenset[str]) -> dict[int, list[Piece]]:
        """What is left of texts, as reduced() says: by the index of those of which anything is."""
        if self.braces is None:
            self.braces = braced(self.parts, self.frame.texts)
        if not names:
            return self.braces
        if self.reduced is None or self.reduced[0] != names:
            self.reduced = names, left(self.parts, self.frame.texts, self.texts, names, self.braces)
        return self.reduced[1]

    def conditions(self, line: int) -> tuple[str, ...]:
        """The conditions around a line, the outermost first, as they are written; "else of" for a turned one."""
        stack: list[str] = []
        for part in self.parts:
            if part.line > line:
                break
            text = " ".join(part.text.split())
            if part.word in OPENING:
                stack.append(f"#{part.word} {text}")
            elif part.word == "endif":
                del stack[-1:]
            elif part.word in TURNING and stack:
                stack[-1] = f"#{part.word} {text}" if text else f"the #else of {stack[-1].removeprefix('the #else of ')}"
        return tuple(stack)


def view(raw: bytes, cut: Callable[[bytes], tuple[Piece, ...]] = pieces) -> View:
    """Take a file apart, with what ``cut`` makes of it. One that is too large counts as empty."""
    if len(raw) > LIMIT:
        return View(raw, (), frozenset(), too_large=True)
    parts = cut(raw)
    once = _guard(parts)
    words = words_of("\n".join([part.text for part in parts]))
    found = (_INCLUDE.match(part.text) for part in parts if part.word in INCLUDES)
    includes = tuple((one[2], one[1] == "<") for one in found if one is not None)
    parts = _unguarded(parts) if once else parts
    heads = tuple(_head(part) for part in parts)
    made = frozenset(head for head, part in zip(heads, parts, strict=True) if part.word in ("define", "undef"))
    return View(raw, parts, words, once, False, includes, heads=heads, defines=made)


def _head(part: Piece) -> str:
    if part.word in ("define", "undef"):
        return found[0] if (found := _WORD.search(part.text)) is not None else ""
    if part.word in INCLUDES:
        return found[2] if (found := _INCLUDE.match(part.text)) is not None else ""
    return ""


def _guard(parts: tuple[Piece, ...]) -> str:
    """The macro that a file tests and defines before all else."""
    name = guard(parts)
    second = [part for part in parts if part.word][1:2]
    return name if name and second and second[0].word == "define" and second[0].text.split()[:1] == [name] else ""


def _unguarded(parts: tuple[Piece, ...]) -> tuple[Piece, ...]:
    rest = list(parts)
    opening = next(index for index, part in enumerate(rest) if part.word)
    rest[opening] = Piece("pragma", " once", rest[opening].line)
    closing = max(index for index, part in enumerate(rest) if part.word == "endif")
    del rest[closing]
    return tuple(rest)
