"""Which configurations build a file: the object lists of the Makefile beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from posixpath import basename, dirname

from tlblint.names.index import Read

_LIST = re.compile(r"^([\w-]+?)-(y|objs|m|\$\((CONFIG_\w+)\)|\$\(subst m,y,\$\((CONFIG_\w+)\)\))\s*[:+]?=\s*(.*)$")
_IFDEF = re.compile(r"^(ifdef|ifndef)\s+(CONFIG_\w+)")
_IFEQ = re.compile(r"^(ifeq|ifneq)\s*\(\$\((CONFIG_\w+)\),\s*(\w*)\)")
_DEPTH = 12
_FINAL = frozenset(("obj", "lib", "core", "libs", "drivers", "net", "init", "always"))
Lists = dict[str, list[tuple[str, tuple[tuple[str, bool], ...]]]]
"""What is built -> [(the list that it is in, (symbol, value) that must all hold)]."""


class Makefiles:
    """Object lists by directory, read once."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.held: dict[str, Lists | None] = {}
        self.symbols: dict[str, frozenset[str]] = {}
        """By file, what it is built by."""

    def builds(self, path: str, on: Callable[[str], bool]) -> bool:
        """Whether a configuration builds a C file. ``on`` says of CONFIG_ names whether they are set. In a directory with a Makefile a file
        that is in none of its lists counts as not built: another includes it. Without a Makefile everything is."""
        directory, name = dirname(path), basename(path).removesuffix(".c") + ".o"
        lists = self.lists(directory)
        if lists is not None:
            if not _within(lists, name, on, 0):
                return False
            name = ""  # what matters further up is the directory
        while directory:
            name, directory = f"{basename(directory)}/{name}", dirname(directory)
            lists = self.lists(directory)
            if lists is not None:
                if (name in lists or not name.endswith("/")) and not _within(lists, name, on, 0):
                    return False
                name = ""
        return True

    def asked_by(self, path: str) -> frozenset[str]:
        """The symbols by which it is told whether a C file is built."""
        if path not in self.symbols:
            out: set[str] = set()
            directory, name = dirname(path), basename(path).removesuffix(".c") + ".o"
            while True:
                lists = self.lists(directory)
                _mentioned(lists or {}, name, out, 0)
                if not directory:
                    break
                name, directory = f"{basename(directory)}/{name if lists is None else ''}", dirname(directory)
            self.symbols[path] = frozenset(out)
        return self.symbols[path]

    def lists(self, directory: str) -> Lists | None:
        """The object lists of a directory, or None when it has no Makefile."""
        if directory not in self.held:
            found = [raw for name in ("Kbuild", "Makefile") if (raw := self.read(f"{directory}/{name}" if directory else name)) is not None]
            self.held[directory] = _lists(b"\n".join(found).decode("latin-1")) if found else None
        return self.held[directory]


def _within(lists: Lists, name: str, on: Callable[[str], bool], depth: int) -> bool:
    if depth > _DEPTH:
        return True
    return any(
        all(on(symbol) == value for symbol, value in conditions)
        and (owner in _FINAL or f"{owner}.o" not in lists or _within(lists, f"{owner}.o", on, depth + 1))
        for owner, conditions in lists.get(name, ())
    )


def _mentioned(lists: Lists, name: str, out: set[str], depth: int) -> None:
    for owner, conditions in lists.get(name, ()) if depth <= _DEPTH else ():
        out.update(symbol for symbol, _ in conditions)
        _mentioned(lists, f"{owner}.o", out, depth + 1)


def _lists(text: str) -> Lists:
    out: Lists = {}
    around: list[tuple[tuple[str, bool], ...]] = []
    for line in text.replace("\\\n", " ").split("\n"):
        line = line.split("#", 1)[0].strip()
        if line.startswith(("ifdef", "ifndef", "ifeq", "ifneq")):
            around.append(_condition(line))
        elif line.startswith("else"):
            if around:
                around[-1] = tuple((symbol, not value) for symbol, value in around[-1])
        elif line.startswith("endif"):
            del around[-1:]
        elif (found := _LIST.match(line)) is not None:
            symbol = found[3] or found[4]
            conditions = (*(c for some in around for c in some), *(((symbol, True),) if symbol else ()))
            for item in found[5].split():
                inner = re.fullmatch(r"\$\(([\w-]+)-y\)", item)
                out.setdefault(f"{inner[1]}.o" if inner else item, []).append((found[1], conditions))
    return out


def _condition(line: str) -> tuple[tuple[str, bool], ...]:
    if (found := _IFDEF.match(line)) is not None:
        return ((found[2], found[1] == "ifdef"),)
    if (found := _IFEQ.match(line)) is not None:
        return ((found[2], (found[1] == "ifeq") == (found[3] == "y")),)
    return ()
