"""A file as a preprocessor goes through it: stretches without a condition or an include, and what stands between them.

What a stretch says holds in each unit that comes to it, so it is put together once for all of them. Translated to C where that can be done.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Union, final

if TYPE_CHECKING:
    from tlblint.names.pieces import Piece

_DEFINE = re.compile(r"\s*([A-Za-z_]\w*)(\()?")
_INCLUDE = re.compile(r"\s*([<\"])([^>\"]+)[>\"]")
_DEFINED = re.compile(r"\s*(!?)\s*defined\s*(?:\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))\s*", re.ASCII)
_NAME = re.compile(r"\s*([A-Za-z_]\w*)", re.ASCII)
_OPENS = frozenset(("if", "ifdef", "ifndef"))
_ARMS = frozenset(("elif", "else", "elifdef", "elifndef"))


@final
class Define:
    """A ``#define``: the text behind the word, its line, and after how much text of its stretch it stands."""

    __slots__ = ("line", "offset", "path", "text")

    def __init__(self, path: str, text: str, line: int, offset: int) -> None:
        self.path = path
        self.text = text
        self.line = line
        self.offset = offset


@final
class Stretch:
    """Text with macros in it, each defined once. ``texts`` are its parts, ``lines`` where each of these begins, ``text`` is the whole."""

    __slots__ = ("defines", "lines", "path", "text", "texts")

    def __init__(self, path: str, texts: list[str], lines: list[int], defines: dict[str, Define]) -> None:
        self.path = path
        self.texts = texts
        self.lines = lines
        self.text = texts[0] if len(texts) == 1 else "".join(texts)
        self.defines = defines

    def line(self, offset: int) -> int:
        """The line of an offset of the text."""
        line = start = 0
        for text, first in zip(self.texts, self.lines, strict=True):
            if start > offset:
                break
            line = first + text.count("\n", 0, offset - start)
            start += len(text)
        return line


@final
class Include:
    """``#include``. ``here``: the directory of the file, "" where the name stands in angle brackets."""

    __slots__ = ("here", "name")

    def __init__(self, name: str, here: str) -> None:
        self.name = name
        self.here = here


@final
class Undef:
    """``#undef``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


@final
class Once:
    """``#pragma once``."""

    __slots__ = ()


@final
class Arm:
    """An arm of a condition. ``name``: what has to be defined, or not to be; "" where ``text`` says what has to hold. ``later``: the step that is the
    next arm, 0 behind the last; ``end``: the first step behind all. ``opens``: whether it is the first."""

    __slots__ = ("end", "later", "name", "opens", "text", "wanted", "word")

    def __init__(self, word: str, text: str, name: str, wanted: bool) -> None:
        self.word = word
        self.text = text
        self.name = name
        self.wanted = wanted
        self.opens = word in _OPENS
        self.later = 0
        self.end = 0


Step = Union[Stretch, Include, Undef, Once, Arm]  # noqa: UP007


def steps(path: str, parts: Sequence[Piece]) -> list[Step]:
    """The steps of a file. A directive that no compiler would read is left out."""
    maker = _Maker(path)
    for part in parts:
        if part.word:
            maker.directive(part.word, part.text, part.line)
        else:
            maker.plain(part.text, part.line)
    return maker.whole()


def steps_of(path: str, parts: list[str]) -> list[Step]:
    """The same of a file that is split, as tlblint.names.pieces has it."""
    maker = _Maker(path)
    line, last = 1, len(parts) - 1
    for at in range(0, last, 3):
        text, word, rest = parts[at], parts[at + 1], parts[at + 2]
        if text:
            maker.plain(text[1:] + "\n", line)
            line += text.count("\n")
        if "\\" in rest:
            maker.directive(word, rest.replace("\\\n", " "), line)
            line += rest.count("\n")
        else:
            maker.directive(word, rest, line)
        line += 1
    if text := parts[last][1:]:
        maker.plain(text, line)
    return maker.whole()


def speaking(todo: Sequence[Step], speak: dict[str, list[Stretch]]) -> None:
    """Add the stretches of a file to those that define each macro."""
    for step in todo:
        if isinstance(step, Stretch):
            for name in step.defines:
                known = speak.get(name)
                if known is None:
                    speak[name] = [step]
                else:
                    known.append(step)


def guard(todo: Sequence[Step]) -> str:
    """The macro of ``#ifndef X`` around all the steps of a file; else ""."""
    at, end = 0, len(todo)
    while at < end and _blank(todo[at]):
        at += 1
    while end > at and _blank(todo[end - 1]):
        end -= 1
    if at == end:
        return ""
    first = todo[at]
    if isinstance(first, Arm) and first.word == "ifndef" and not first.later and first.end == end:
        return first.name
    return ""


def _blank(step: Step) -> bool:
    return isinstance(step, Stretch) and not step.defines and step.text.isspace()


@final
class _Maker:
    def __init__(self, path: str) -> None:
        self.path = path
        self.here = path.rpartition("/")[0] or "."
        self.out: list[Step] = []
        self.texts: list[str] = []
        self.lines: list[int] = []
        self.defines: dict[str, Define] = {}
        self.size = 0
        self.open: list[list[Arm]] = []
        """The arms of each open condition."""

    def whole(self) -> list[Step]:
        """All steps, once all that the file holds was told."""
        self.flush()
        while self.open:
            self.close()
        return self.out

    def plain(self, text: str, line: int) -> None:
        """What stands between directives."""
        self.texts.append(text)
        self.lines.append(line)
        self.size += len(text)

    def directive(self, word: str, text: str, line: int) -> None:
        """One directive, the lines of it joined."""
        if word == "define":
            found = _DEFINE.match(text)
            if found is not None:
                name, opening = found.groups()
                if opening is None or ")" in text:
                    if name in self.defines:
                        self.flush()
                    self.defines[name] = Define(self.path, text, line, self.size)
        elif word == "endif":
            if self.open:
                self.flush()
                self.close()
        elif word in _OPENS or word in _ARMS:
            if word in _OPENS:
                self.open.append([])
            if self.open:
                self.flush()
                arm = _arm(word, text)
                arm.end = len(self.out)  # where it stands, until its group is closed
                self.open[-1].append(arm)
                self.out.append(arm)
        elif (step := self.step(word, text)) is not None:
            self.flush()
            self.out.append(step)

    def step(self, word: str, text: str) -> Step | None:
        """What is neither a macro nor a condition."""
        if word == "include" or word == "include_next":
            found = _INCLUDE.match(text)
            return Include(found[2], "" if found[1] == "<" else self.here) if found is not None else None
        if word == "undef":
            return Undef(text.strip())
        return Once() if word == "pragma" and text.strip() == "once" else None

    def flush(self) -> None:
        """End the stretch."""
        if self.size or self.defines:
            self.out.append(Stretch(self.path, self.texts, self.lines, self.defines))
            self.texts, self.lines, self.defines, self.size = [], [], {}, 0

    def close(self) -> None:
        """End a condition."""
        later = 0
        for arm in reversed(self.open.pop()):
            at, arm.later, arm.end = arm.end, later, len(self.out)
            later = at


def _arm(word: str, text: str) -> Arm:
    """A question for a single name is told apart: most conditions are no more."""
    if word == "if" or word == "elif":
        found = _DEFINED.fullmatch(text)
        if found is None:
            return Arm(word, text, "", True)
        return Arm(word, text, found[2] or found[3], not found[1])
    named = _NAME.match(text) if word != "else" else None
    return Arm(word, text, named[1] if named is not None else "", not word.endswith("ndef"))
