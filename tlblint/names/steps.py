"""A file as a preprocessor goes through it: stretches without a condition or an include, and what stands between them.

What a stretch says holds in each unit that comes to it, so it is put together once for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tlblint.names.tokens import DEFINE

_COMMENT = re.compile(r"""/(?:/[^\n]*|\*(?:[^*]*\*+(?:[^/*][^*]*\*+)*/|.*\Z))|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'""", re.DOTALL)
_DIRECTIVE = re.compile(r"\n([ \t]*#[ \t]*([a-z_]+)\b([^\n]*(?:(?<=\\)\n[^\n]*)*))")
_INCLUDE = re.compile(r"\s*([<\"])([^>\"]+)[>\"]")
_DEFINED = re.compile(r"\s*(!?)\s*defined\s*(?:\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))\s*", re.ASCII)
_NAME = re.compile(r"\s*([A-Za-z_]\w*)", re.ASCII)
_OPENS = frozenset(("if", "ifdef", "ifndef"))
_ARMS = frozenset(("elif", "else", "elifdef", "elifndef"))


class Piece(msgspec.Struct, frozen=True):
    """``word`` is "" for text, else the directive. ``line`` counts from 1."""

    word: str
    text: str
    line: int


def _plain(found: re.Match[str]) -> str:
    text = found.group()
    return text if text[0] != "/" else "\n" * text.count("\n") or " "


def pieces(raw: bytes) -> tuple[Piece, ...]:
    """A file as text and directives, comments gone, line numbers kept."""
    parts = _DIRECTIVE.split("\n" + _COMMENT.sub(_plain, raw.decode("latin-1").replace("\r", "")))
    out = []
    line = 1
    for text, word, rest in zip(parts[:-1:4], parts[2::4], parts[3::4], strict=True):
        if text:  # from the end of the line before, which belongs to the directive, to before the end of its last line
            out.append(Piece("", text[1:] + "\n", line))
            line += text.count("\n")
        if "\\" in rest:
            out.append(Piece(word, rest.replace("\\\n", " "), line))
            line += rest.count("\n") + 1
        else:
            out.append(Piece(word, rest, line))
            line += 1
    if text := parts[-1][1:]:
        out.append(Piece("", text, line))
    return tuple(out)


def guard(parts: Sequence[Piece]) -> str:
    """The macro of ``#ifndef X`` around all of some pieces; else ""."""
    start = next((at for at, part in enumerate(parts) if part.word or not part.text.isspace()), None)
    if start is None or parts[start].word != "ifndef":
        return ""
    end = next(at for at in range(len(parts) - 1, -1, -1) if parts[at].word or not parts[at].text.isspace())
    if parts[end].word != "endif":
        return ""
    depth = 1
    for part in parts[start + 1 : end]:
        word = part.word
        if word in _OPENS:
            depth += 1
        elif word == "endif":
            depth -= 1
        if depth == 0 or (depth == 1 and word in _ARMS):
            return ""
    return (parts[start].text.split() or [""])[0]


class Define(msgspec.Struct, frozen=True):
    """A ``#define``: ``part`` is the directive, ``offset`` says after how much text of its stretch it stands."""

    path: str
    part: Piece
    offset: int


class Stretch(msgspec.Struct, frozen=True):
    """Text with macros in it, each defined once: the pieces of a file from ``first`` to before ``end``."""

    path: str
    parts: Sequence[Piece]
    first: int
    end: int
    text: str
    defines: dict[str, Define]

    def line(self, offset: int) -> int:
        """The line of an offset of the text."""
        line, start = 0, 0
        for part in self.parts[self.first : self.end]:
            if not part.word:
                if start > offset:
                    break
                line = part.line + part.text.count("\n", 0, offset - start)
                start += len(part.text)
        return line


class Include(msgspec.Struct, frozen=True):
    """``#include``. ``here``: the directory of the file, "" where the name stands in angle brackets."""

    name: str
    here: str


class Undef(msgspec.Struct, frozen=True):
    """``#undef``."""

    name: str


class Once(msgspec.Struct, frozen=True):
    """``#pragma once``."""


class Arm(msgspec.Struct):
    """An arm of a condition. ``name``: what has to be defined, or not to be; "" where ``text`` says what has to hold. ``later``: the step that is the
    next arm, 0 behind the last; ``end``: the first step behind all. ``opens``: whether it is the first."""

    word: str
    text: str
    name: str
    wanted: bool
    opens: bool
    later: int = 0
    end: int = 0


Step = Stretch | Include | Undef | Once | Arm


def steps(path: str, parts: Sequence[Piece]) -> tuple[Step, ...]:
    """The steps of a file. A directive that no compiler would read is left out."""
    return _Maker(path, parts).run()


class _Maker:
    def __init__(self, path: str, parts: Sequence[Piece]) -> None:
        self.path = path
        self.here = path.rpartition("/")[0] or "."
        self.parts = parts
        self.out: list[Step] = []
        self.texts: list[str] = []
        self.defines: dict[str, Define] = {}
        self.size = 0
        self.first = 0
        self.open: list[list[int]] = []
        """Of each open condition the steps that are its arms."""

    def run(self) -> tuple[Step, ...]:
        for index, part in enumerate(self.parts):
            word, text = part.word, part.text
            if not word:
                self.texts.append(text)
                self.size += len(text)
            elif word == "define":
                found = DEFINE.match(text)
                if found is not None and (found[2] is None or ")" in text):
                    self.define(index, found[1], part)
            elif word == "endif":
                if self.open:
                    self.flush(index)
                    self.first = index + 1
                    self.close()
            elif (step := self.step(word, text)) is not None:
                self.flush(index)
                self.first = index + 1
                self.put(step)
        self.flush(len(self.parts))
        while self.open:
            self.close()
        return tuple(self.out)

    def define(self, index: int, name: str, part: Piece) -> None:
        if name in self.defines:
            self.flush(index)
            self.first = index
        self.defines[name] = Define(self.path, part, self.size)

    def step(self, word: str, text: str) -> Step | None:
        if word in _OPENS or (word in _ARMS and self.open):
            return _arm(word, text)
        if word in ("include", "include_next"):
            found = _INCLUDE.match(text)
            return Include(found[2], "" if found[1] == "<" else self.here) if found is not None else None
        if word == "undef":
            return Undef(text.strip())
        return Once() if word == "pragma" and text.strip() == "once" else None

    def put(self, step: Step) -> None:
        if isinstance(step, Arm):
            if step.opens:
                self.open.append([])
            self.open[-1].append(len(self.out))
        self.out.append(step)

    def flush(self, end: int) -> None:
        if self.size or self.defines:
            self.out.append(Stretch(self.path, self.parts, self.first, end, "".join(self.texts), self.defines))
            self.texts, self.defines, self.size = [], {}, 0

    def close(self) -> None:
        at = self.open.pop()
        for index, later in zip(at, [*at[1:], 0], strict=True):
            arm = self.out[index]
            assert isinstance(arm, Arm)
            arm.later, arm.end = later, len(self.out)


def _arm(word: str, text: str) -> Arm:
    """A question for a single name is told apart: most conditions are no more."""
    if word in ("if", "elif"):
        found = _DEFINED.fullmatch(text)
        name, wanted = (found[2] or found[3], not found[1]) if found is not None else ("", True)
    else:
        named = _NAME.match(text) if word != "else" else None
        name, wanted = named[1] if named is not None else "", not word.endswith("ndef")
    return Arm(word, text, name, wanted, word in _OPENS)
