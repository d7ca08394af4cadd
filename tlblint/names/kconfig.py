"""Kconfig files of an architecture, taken apart. Translated to C where that can be done."""

from __future__ import annotations

import re
from functools import lru_cache
from posixpath import dirname, normpath
from typing import TYPE_CHECKING, final

from tlblint.names.symbols import Expr, Kconfig, Symbol

if TYPE_CHECKING:
    from tlblint.names.index import Read

STARTS = ("Kconfig", "arch/Kconfig", "mm/Kconfig", "init/Kconfig")
"""Where to begin; a tree cut to a few files may lack the first."""
_PASSED_OVER = ("drivers/", "sound/", "net/", "crypto/", "samples/", "security/", "Documentation/", "io_uring/", "scripts/", "certs/", "block/", "tools/")
_FILES = 400
_LINES = 200_000
_DEPTH = 60
_TYPES = frozenset(("bool", "tristate", "int", "hex", "string", "def_bool", "def_tristate"))
_BETWEEN = frozenset(
    ("config", "menuconfig", "menu", "if", "choice", "endif", "endmenu", "endchoice", "source", "rsource", "osource", "orsource", "comment", "mainmenu")
)
"""What is no attribute of the symbol before it."""
_TOKEN = re.compile(r'\s*(\$\((?:[^()]|\([^()]*\))*\)|"[^"\n]*"|\'[^\'\n]*\'|&&|\|\||!=|<=|>=|[!=<>()]|[\w.\-]+)')
_IF = re.compile(r"\sif\s")


def generic(read: Read) -> Kconfig:
    """The Kconfig files that all architectures share, but for those of drivers."""
    reader = _Reader(read, Kconfig())
    for start in STARTS:
        reader.file(start, (), 0)
    return reader.out


def of_arch(read: Read, arch: str, shared: Kconfig) -> Kconfig:
    """The same with the files of an architecture. ``shared`` stays as it is."""
    out = Kconfig(arch, dict(shared.symbols), dict(shared.selects), dict(shared.choices), dict(shared.chosen), list(shared.files), shared.cut)
    _Reader(read, out, shared).file(f"arch/{arch}/Kconfig", (), 0)
    return out


@lru_cache(maxsize=32768)
def tokens(text: str) -> Expr:
    """The tokens of an expression; what cannot be read is left out."""
    return tuple(_TOKEN.findall(text))


@lru_cache(maxsize=512)
def statements(text: str) -> tuple[tuple[int, str, str], ...]:
    """(line, word, what follows) of each statement; lines count from 1. Help texts are passed over."""
    out = []
    margin: int | None = None  # of the help text; 0 as long as it is not known
    for number, line in enumerate(text.split("\n"), 1):
        plain = line.lstrip()
        if not plain:
            continue
        if margin is not None:
            indent = len(line[: len(line) - len(plain)].expandtabs(8))
            if indent and indent >= margin:
                margin = margin or indent
                continue
            margin = None
        if plain[0] == "#":
            continue
        words = (plain if '"' in line or "#" not in line else plain.split("#", 1)[0]).split(maxsplit=1)
        if words[0] in ("help", "---help---"):
            margin = 0
        else:
            out.append((number, words[0], words[1].strip() if len(words) > 1 else ""))
    return tuple(out)


@final
class _Block:
    """A menu, an if or a choice that is open. ``choice``: the number of its group, or 0."""

    __slots__ = ("choice", "conditions")

    def __init__(self, conditions: list[Expr]) -> None:
        self.conditions = conditions
        self.choice = 0


@final
class _Reader:
    def __init__(self, read: Read, out: Kconfig, shared: Kconfig | None = None) -> None:
        self.read, self.out, self.shared = read, out, shared
        self.lines = 0

    def symbol(self, name: str) -> Symbol:
        """A symbol to add to; what architectures share is copied first."""
        found = self.out.symbols.get(name)
        if found is None:
            found = self.out.symbols[name] = Symbol(name)
        elif self.shared is not None and found is self.shared.symbols.get(name):
            found = Symbol(name, found.kind, list(found.prompts), list(found.defaults), list(found.depends), found.choice)
            self.out.symbols[name] = found
        return found

    def select(self, name: str, by: str, condition: Expr) -> None:
        """Note that a symbol is selected."""
        self.out.selects[name] = [*self.out.selects.get(name, ()), (by, condition)]

    def file(self, path: str, around: tuple[Expr, ...], depth: int) -> None:
        path = normpath(path)
        if path in self.out.files or path.startswith((*_PASSED_OVER, "..", "/")) or (raw := self.read(path)) is None:
            return
        if len(self.out.files) >= _FILES or self.lines >= _LINES or depth > _DEPTH:
            self.out.cut = True
            return
        self.out.files.append(path)
        text = raw.decode("latin-1").replace("\r", "").replace("\\\n", " ")
        self.lines += text.count("\n") + 1
        _File(self, path, around, depth).run(text)


@final
class _File:
    """Reads the lines of one file. ``stack``: open menus, ifs and choices. ``now``: the symbol, ``block``: the menu or choice that attributes are of."""

    def __init__(self, reader: _Reader, path: str, around: tuple[Expr, ...], depth: int) -> None:
        self.reader, self.out, self.path, self.around, self.depth = reader, reader.out, path, around, depth
        self.stack: list[_Block] = []
        self.now: Symbol | None = None
        self.block: _Block | None = None

    def run(self, text: str) -> None:
        for _, word, rest in statements(text):
            self.line(word, rest)

    def line(self, word: str, rest: str) -> None:
        if self.now is not None and word not in _BETWEEN:  # as most are
            self.attribute(self.now, word, rest)
        elif word in ("config", "menuconfig"):
            self.symbol(rest)
        elif word in ("menu", "if", "choice"):
            self.open(word, rest)
        elif word in ("endif", "endmenu", "endchoice"):
            del self.stack[-1:]
            self.now = self.block = None
        elif word in ("source", "rsource", "osource", "orsource"):
            self.source(word, rest)
        elif word in ("comment", "mainmenu"):
            self.now = self.block = None
        elif self.block is not None and word == "depends":
            self.block.conditions.append(tokens(rest.removeprefix("on")))
        elif self.block is not None and word == "default" and self.block.choice:
            self.out.chosen.setdefault(self.block.choice, _cut(rest)[0])

    def conditions(self) -> tuple[Expr, ...]:
        if not self.stack:
            return self.around
        return (*self.around, *(condition for block in self.stack for condition in block.conditions))

    def symbol(self, name: str) -> None:
        self.block, self.now = None, self.reader.symbol(name)
        self.now.depends.append(self.conditions())
        group = next((block.choice for block in reversed(self.stack) if block.choice), 0)
        if group:
            self.now.choice = group
            self.out.choices[group].append(name)

    def open(self, word: str, rest: str) -> None:
        self.now, self.block = None, _Block([tokens(rest)] if word == "if" else [])
        if word == "choice":
            self.block.choice = len(self.out.choices) + 1
            self.out.choices[self.block.choice] = []
        self.stack.append(self.block)

    def source(self, word: str, rest: str) -> None:
        target = rest.strip("\"'").replace("$(SRCARCH)", self.out.arch).replace("$SRCARCH", self.out.arch).replace("$(srctree)/", "")
        self.now = self.block = None
        self.reader.file(f"{dirname(self.path)}/{target}" if word.endswith("rsource") else target, self.conditions(), self.depth + 1)

    def attribute(self, now: Symbol, word: str, rest: str) -> None:
        if word == "depends":
            now.depends[-1] = (*now.depends[-1], tokens(rest.removeprefix("on")))
            return
        main, tail = _cut(rest)
        number = len(now.depends) - 1
        if word in _TYPES:
            now.kind = word.removeprefix("def_")
            if word.startswith("def_"):
                _default(now, number, main, tail)
            elif main:
                now.prompts.append((number, tokens(tail)))
        elif word == "prompt":
            now.prompts.append((number, tokens(tail)))
        elif word == "default":
            _default(now, number, main, tail)
        elif word == "select" and main:
            self.reader.select(main, now.name, tokens(tail))


def _default(now: Symbol, number: int, main: str, tail: str) -> None:
    now.defaults.insert(now.front, (number, tokens(main), tokens(tail)))
    now.front += 1


def _cut(rest: str) -> tuple[str, str]:
    """What stands before and after the ``if`` of an attribute; a quoted prompt may hold one."""
    if "if" not in rest:
        return rest.strip(), ""
    start = rest.find('"', 1) + 1 if rest.startswith('"') else 0
    found = _IF.search(f"{rest} ", start)
    return (rest[: found.start()].strip(), rest[found.end() :].strip()) if found else (rest.strip(), "")
