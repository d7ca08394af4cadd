"""A translation unit: the active text of some roots and all they include, with every macro's history. Files come from a callable."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from posixpath import dirname, normpath

import msgspec

from tlblint.names.conditions import evaluate
from tlblint.names.guards import Macros
from tlblint.names.index import Read
from tlblint.names.tokens import Macro, macro

_COMMENT = re.compile(r"""//[^\n]*|/\*(?:.*?\*/|.*\Z)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*([a-z_]+)\b((?:\\\n|[^\n])*)\n?", re.MULTILINE)
_INCLUDE = re.compile(r"\s*([<\"])([^>\"]+)[>\"]")
_FILES = 4000
_DEPTH = 120
_TEXT = 60_000_000


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
    text = _COMMENT.sub(_plain, raw.decode("latin-1").replace("\r", ""))
    out = []
    at, line = 0, 1
    for found in _DIRECTIVE.finditer(text):
        if found.start() > at:
            out.append(Piece("", text[at : found.start()], line))
            line += text.count("\n", at, found.start())
        out.append(Piece(found[1], found[2].replace("\\\n", " "), line))
        line += text.count("\n", found.start(), found.end())
        at = found.end()
    if at < len(text):
        out.append(Piece("", text[at:], line))
    return tuple(out)


class Shelf(msgspec.Struct):
    """Files read and taken apart once, for all units of a tree. ``cut`` takes one apart."""

    read: Read
    held: dict[str, tuple[Piece, ...] | None] = msgspec.field(default_factory=dict)
    macros: dict[tuple[str, int], Macro | None] = msgspec.field(default_factory=dict)
    guards: dict[str, str] = msgspec.field(default_factory=dict)
    asked: set[str] = msgspec.field(default_factory=set)
    """What was looked for since this was emptied last."""
    cut: Callable[[bytes], tuple[Piece, ...]] = pieces

    def get(self, path: str) -> tuple[Piece, ...] | None:
        """The pieces of a file, or None when there is none."""
        self.asked.add(path)
        if path not in self.held:
            raw = self.read(path)
            self.held[path] = None if raw is None else self.cut(raw)
        return self.held[path]

    def macro(self, path: str, part: Piece) -> Macro | None:
        """The macro of a ``#define`` of a file."""
        at = (path, part.line)
        if at not in self.macros:
            self.macros[at] = macro(part.text, path, part.line)
        return self.macros[at]

    def guard(self, path: str) -> str:
        """The macro that keeps a file from being read twice, when all of the file stands under it; else ""."""
        if path not in self.guards:
            self.guards[path] = guard(self.get(path) or ())
        return self.guards[path]


def guard(parts: Sequence[Piece]) -> str:
    """The macro of ``#ifndef X`` around all of some pieces; else ""."""
    code = [part for part in parts if part.word or not part.text.isspace()]
    if len(code) < 2 or code[0].word != "ifndef" or code[-1].word != "endif":
        return ""
    depth = 0
    for part in code[:-1]:
        depth += part.word in ("if", "ifdef", "ifndef")
        depth -= part.word == "endif"
        if depth == 0 or (depth == 1 and part.word in ("else", "elif", "elifdef", "elifndef")):
            return ""
    return (code[0].text.split() or [""])[0]


class Unit(msgspec.Struct):
    """Active text as one string, where its parts come from, and macros: name -> [(offset, macro or None for #undef)]."""

    text: str = ""
    starts: list[int] = msgspec.field(default_factory=list)
    origins: list[tuple[str, int]] = msgspec.field(default_factory=list)
    macros: dict[str, list[tuple[int, Macro | None]]] = msgspec.field(default_factory=dict)
    missing: list[str] = msgspec.field(default_factory=list)
    files: list[str] = msgspec.field(default_factory=list)

    def macro_at(self, name: str, offset: int) -> Macro | None:
        """The macro that ``name`` is for text at ``offset``; failing that the first that it becomes later."""
        history = self.macros.get(name)
        if not history:
            return None
        index = bisect_right(history, offset, key=lambda item: item[0]) - 1
        return history[index][1] if index >= 0 else history[0][1]

    def last(self, name: str) -> Macro | None:
        """The last definition of a macro, later #undef or not."""
        return next((found for _, found in reversed(self.macros.get(name, ())) if found is not None), None)

    def where(self, offset: int) -> tuple[str, int]:
        """(path, line) of an offset of the text; ("", 0) for what is not of a file."""
        index = bisect_right(self.starts, offset) - 1
        if index < 0:
            return "", 0
        path, line = self.origins[index]
        return path, line + self.text.count("\n", self.starts[index], offset)


class Places(msgspec.Struct, frozen=True):
    """Where ``<...>`` is looked for: directories in order. ``generic``: where an ``asm/`` header that an architecture lacks comes from."""

    directories: tuple[str, ...]
    generic: tuple[str, ...] = ("include/asm-generic", "include/uapi/asm-generic")
    stop: frozenset[str] = frozenset()

    def candidates(self, name: str, directory: str, angled: bool) -> list[str]:
        """The paths at which a header that is included in a file of ``directory`` may lie, the first that is there counts."""
        out = [] if angled else [f"{directory}/{name}" if directory else name]
        out += [f"{place}/{name}" for place in self.directories]
        if name.startswith("asm/"):
            out += [f"{place}/{name[4:]}" for place in self.generic]
        return [path for path in map(normpath, out) if not path.startswith(("..", "/"))]


Found = dict[tuple[str, str], str | None]
"""(name, directory of the file that includes it, or "" for angle brackets) -> path."""


def build(shelf: Shelf, roots: Iterable[str], predefined: Mapping[str, str], places: Places, found: Found | None = None) -> Unit:
    """The unit of ``roots`` (paths, or ``<header>``), as a compiler run with ``predefined`` macros would see it.

    ``found``: where headers were found for another unit of the same shelf and places; more is added.
    """
    builder = _Builder(shelf, places, predefined, {} if found is None else found)
    for root in roots:
        builder.include(root, root[1:-1] if root[0] == "<" else root, "", 0, root[0] == "<")
    builder.unit.text = "".join(builder.out)
    return builder.unit


class _Builder:
    def __init__(self, shelf: Shelf, places: Places, predefined: Mapping[str, str], found: Found) -> None:
        self.shelf = shelf
        self.places = places
        self.unit = Unit()
        self.out: list[str] = []
        self.size = 0
        self.now: dict[str, Macro] = {}
        self.names = Macros(self.now.get)
        self.once: set[str] = set()
        self.found = found
        for name, text in predefined.items():
            self.define(macro(f"{name} {text}"))

    def define(self, found: Macro | None) -> None:
        if found is not None:
            self.now[found.name] = found
            self.unit.macros.setdefault(found.name, []).append((self.size, found))

    def include(self, _spelled: str, name: str, here: str, depth: int, angled: bool) -> None:
        path = self.find(name, here, angled)
        if path is None:
            self.unit.missing.append(name)
        elif path not in self.once and depth < _DEPTH and len(self.unit.files) < _FILES and self.size < _TEXT and name not in self.places.stop:
            self.unit.files.append(path)
            if self.shelf.guard(path) not in self.now:
                self.run(path, self.shelf.get(path) or (), depth)

    def find(self, name: str, here: str, angled: bool) -> str | None:
        asked = (name, "" if angled else dirname(here) or ".")
        if asked not in self.found:
            self.found[asked] = self._find(name, here, angled)
        return self.found[asked]

    def _find(self, name: str, here: str, angled: bool) -> str | None:
        return next((path for path in self.places.candidates(name, dirname(here), angled) if self.shelf.get(path) is not None), None)

    def run(self, path: str, parts: Sequence[Piece], depth: int) -> None:
        """Carry out a file. The stack holds for each open #if: (was active around, some arm taken, this arm active)."""
        stack: list[tuple[bool, bool, bool]] = []
        active = True
        for part in parts:
            word = part.word
            if not word:
                if active:
                    self.emit(path, part)
            elif word in ("if", "ifdef", "ifndef"):
                holds = active and evaluate(word, part.text, self.names) is True
                stack.append((active, holds, holds))
                active = holds
            elif word in ("elif", "else", "elifdef", "elifndef"):
                if stack:
                    around, taken, _ = stack.pop()
                    holds = around and not taken and (word == "else" or evaluate(word, part.text, self.names) is True)
                    stack.append((around, taken or holds, holds))
                    active = holds
            elif word == "endif":
                active = stack.pop()[0] if stack else True
            elif active:
                self.directive(path, part, depth)

    def directive(self, path: str, part: Piece, depth: int) -> None:
        if part.word == "define":
            self.define(self.shelf.macro(path, part))
        elif part.word == "undef":
            name = part.text.strip()
            if self.now.pop(name, None) is not None:
                self.unit.macros[name].append((self.size, None))
        elif part.word in ("include", "include_next"):
            found = _INCLUDE.match(part.text)
            if found is not None:
                self.include(part.text, found[2], path, depth + 1, found[1] == "<")
        elif part.word == "pragma" and part.text.strip() == "once":
            self.once.add(path)

    def emit(self, path: str, part: Piece) -> None:
        self.unit.starts.append(self.size)
        self.unit.origins.append((path, part.line))
        self.out.append(part.text)
        self.size += len(part.text)
