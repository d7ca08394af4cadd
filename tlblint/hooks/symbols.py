"""Symbols that are named and that no Kconfig file declares: a condition on one never holds, and to select one does nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from posixpath import basename, dirname, normpath
from typing import NamedTuple

from tlblint.hooks.judge import Fault
from tlblint.names.index import Read
from tlblint.names.kconfig import statements
from tlblint.names.view import View

EXPRESSIONS = frozenset(("depends", "select", "imply", "default", "def_bool", "def_tristate", "visible", "if", "bool", "tristate", "prompt", "range"))
"""The statements of Kconfig that may name symbols."""
_QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'|\$\((?:[^()\n]|\([^()\n]*\))*\)')
_NAME = re.compile(r"[A-Za-z0-9_]+")
_NO_NAME = frozenset(("y", "n", "m", "if", "on"))
_PREFIXED = re.compile(r"\bCONFIG_(\w+)")
_SYMBOL = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)
_SOURCE = re.compile(rb"^[ \t]*(o?r?source)[ \t]+[\"']?([^\"'\n]+)", re.MULTILINE)
_FILE = re.compile(r"[\w./+-]*Kconfig[\w.-]*")
_FILES = 4000
_OWN = (b"TLB", b"MMU_GATHER", b"LAZY_MMU", b"UNMAP_FLUSH")
"""What symbols that have to do with flushes are called."""
_OWN_RAW = re.compile(b"|".join(_OWN))
OWN_TEXT = re.compile(_OWN_RAW.pattern.decode())
_ANY = re.compile("")
_NOT_OWN = re.compile(r"HUGETLB|IOTLB|CACHE|DEBUG")


class Declared(NamedTuple):
    """What the Kconfig files of a tree declare, those of drivers too. ``lacking``: (a file that is not there, who asks for it) where the tree
    is not whole, as in a sparse checkout: nothing can be said of a symbol then."""

    names: frozenset[str]
    files: tuple[str, ...]
    lacking: tuple[str, str] | None = None

    @property
    def gap(self) -> tuple[str, str] | None:
        """(path, why) of what cannot be looked at."""
        if self.lacking is None:
            return None
        return self.lacking[0], f"is not there, though {self.lacking[1]} asks for it: of a CONFIG_ name it is not known whether any file declares it"


def in_file(raw: bytes) -> frozenset[str]:
    """The symbols that a Kconfig file declares."""
    return frozenset(name.decode("latin-1") for name in _SYMBOL.findall(raw))


def declared(read: Read, arches: Iterable[str]) -> Declared:
    """All symbols of a tree."""
    out: set[str] = set()
    arches = tuple(arches)
    waiting = [(path, "the build") for path in ("Kconfig", "arch/Kconfig", "mm/Kconfig", "init/Kconfig", *(f"arch/{arch}/Kconfig" for arch in arches))]
    named = {"Kconfig"}
    """Files that are named as they are: one for each architecture need not be there for each."""
    seen: dict[str, bool] = {}
    while waiting and len(seen) < _FILES:
        target, by = waiting.pop()
        path = normpath(target)
        if path in seen or path.startswith(("..", "/")):
            continue
        raw = read(path)
        seen[path] = raw is not None
        if raw is None:
            if path in named:
                return Declared(frozenset(), (), (path, by))
            continue
        out |= in_file(raw)
        for word, sourced in _SOURCE.findall(raw):
            found = list(_targets(path, word.decode(), sourced.decode("latin-1").strip(), arches))
            waiting += [(one, path) for one in found]
            if not word.startswith(b"o") and len(found) == 1 and _FILE.fullmatch(found[0]):  # the word is in help texts, too
                named.add(normpath(found[0]))
                if seen.get(normpath(found[0])) is False:
                    return Declared(frozenset(), (), (normpath(found[0]), path))
    return Declared(frozenset(out), tuple(sorted(path for path, there in seen.items() if there)))


def _targets(path: str, word: str, target: str, arches: tuple[str, ...]) -> Iterator[str]:
    target = target.replace("$(srctree)/", "").replace("$SRCARCH", "$(SRCARCH)")
    if word.endswith("rsource"):
        target = f"{dirname(path)}/{target}"
    if "$(SRCARCH)" in target:
        yield from (target.replace("$(SRCARCH)", arch) for arch in arches)
    elif "$" not in target:
        yield target


class Mention(NamedTuple):
    """``line`` of a file speaks of a symbol; ``how``: the word of the statement in Kconfig, "make", or "" for C."""

    line: int
    how: str


def in_kconfig(raw: bytes, like: re.Pattern[str] = _ANY) -> dict[str, Mention]:
    """The symbols that expressions of a Kconfig file name, with the first place of each. ``like``: only those of statements in which that is."""
    out: dict[str, Mention] = {}
    for line, word, rest in statements(raw.decode("latin-1").replace("\r", "")):
        if word in EXPRESSIONS and like.search(rest):
            for name in _NAME.findall(_QUOTED.sub(" ", rest.split(" #", 1)[0])):
                if name not in _NO_NAME and not name.isdigit() and not name.startswith(("0x", "CONFIG_")):  # a prefix is a fault of its own
                    out.setdefault(name, Mention(line, word))
    return out


def speaks_of_own(raw: bytes) -> bool:
    """Whether a file could name a symbol of flushes."""
    return any(word in raw for word in _OWN)


def asks_for_own(raw: bytes) -> bool:
    """Whether a line of a Kconfig file could be an expression that names a symbol of flushes."""
    if not speaks_of_own(raw):
        return False
    lines = ((raw.rfind(b"\n", 0, found.start()) + 1, found.start()) for found in _OWN_RAW.finditer(raw))
    return any(raw[start:at].split(maxsplit=1)[:1] != [b"config"] for start, at in lines)


def in_makefile(raw: bytes) -> dict[str, Mention]:
    """The symbols that a Makefile asks for."""
    out: dict[str, Mention] = {}
    for line, text in enumerate(raw.decode("latin-1").split("\n"), 1):
        for name in _PREFIXED.findall(text.split("#", 1)[0]):
            out.setdefault(name, Mention(line, "make"))
    return out


def in_code(view: View, like: re.Pattern[str] = _ANY) -> dict[str, Mention]:
    """The symbols that a C file asks for; comments are no code. ``like``: only those of parts in which that is."""
    out: dict[str, Mention] = {}
    for part in view.parts:
        line, at = part.line, 0
        for found in _PREFIXED.finditer(part.text) if "CONFIG_" in part.text and like.search(part.text) else ():
            line, at = line + part.text.count("\n", at, found.start()), found.start()
            out.setdefault(found[1], Mention(line, ""))
    return out


def mentioned(path: str, view: View) -> dict[str, Mention]:
    """The symbols that a file of any kind names."""
    name = basename(path)
    if name.startswith("Kconfig"):
        return in_kconfig(view.raw)
    return in_makefile(view.raw) if name in ("Makefile", "Kbuild") else in_code(view)


def own(name: str) -> bool:
    """Whether a symbol has to do with flushes."""
    return bool(OWN_TEXT.search(name)) and not _NOT_OWN.search(name)


def fault(path: str, name: str, at: Mention, known: Collection[str], came: Collection[str] = (), again: bool = False) -> Fault:
    """The fault of naming a symbol that nobody declares. ``known`` are all, ``came`` those that a series brought; ``again``: it was declared before."""
    more = " any more" if again else ""
    like = get_close_matches(name, sorted(came), 1, 0.6) or get_close_matches(name, sorted(known), 1, 0.85)
    if not at.how:
        hint = f" CONFIG_{like[0]} is probably meant." if like else ""
        return Fault("never", f"CONFIG_{name}", path, at.line, f"No Kconfig file declares CONFIG_{name}{more}: it is never set.{hint}")
    hint = f" {like[0]} is probably meant." if like else ""
    if at.how == "make":
        message = f"No Kconfig file declares CONFIG_{name}{more}: what is asked here is never so.{hint}"
    elif at.how in ("select", "imply"):
        message = f"No Kconfig file declares {name}{more}: nothing is selected here.{hint}"
    else:
        message = f"No Kconfig file declares {name}{more}: in '{at.how}' it never holds.{hint}"
    return Fault("never", f"CONFIG_{name}" if at.how == "make" else name, path, at.line, message)
