"""The names of a tree: one index for roles, predicates and hooks.

A file is read once and taken apart once, whoever asks: ``heads`` is what it declares, with arities and conditions (roles go by these),
``shelf`` what the preprocessor makes units of (predicates are executed from them), ``file`` what units of some names only are cut from (see
tlblint.names.world; hooks go by these). All is done when it is asked for. Conditions are judged by tlblint.names.conditions and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import dirname
from typing import TYPE_CHECKING

from tlblint.names.conditions import Meaning
from tlblint.names.heads import Head, Heads

if TYPE_CHECKING:  # most runs need neither units nor slices
    from tlblint.names.pieces import Piece
    from tlblint.names.unit import Found, Places, Shelf
    from tlblint.names.view import View

Read = Callable[[str], bytes | None]
"""The bytes of a file by its path from the top of the tree; None when there is none."""

_INCLUDE = re.compile(rb"include(?:_next)?[ \t]*([<\"])([^>\"\n]+)[>\"]")
FILES = 3000
"""Headers that some others lead to."""


class Texts:
    """File versions by their bytes: what was made of one is there for all trees, states and architectures that have it."""

    def __init__(self) -> None:
        self.cuts: dict[bytes, list[str]] = {}
        self.parts: dict[bytes, tuple[Piece, ...]] = {}
        self.views: dict[bytes, View] = {}
        self.declared: dict[bytes, Heads] = {}
        self.included: dict[bytes, tuple[tuple[str, bool], ...]] = {}

    def branch(self) -> Texts:
        """The same, for somebody who adds much to it that nobody else needs."""
        out = Texts()
        out.cuts, out.parts, out.views = dict(self.cuts), dict(self.parts), dict(self.views)
        out.declared, out.included = dict(self.declared), dict(self.included)
        return out

    def pieces(self, raw: bytes) -> tuple[Piece, ...]:
        """Text and directives."""
        if raw not in self.parts:
            from tlblint.names.pieces import taken

            self.parts[raw] = taken(self.split(raw))
        return self.parts[raw]

    def split(self, raw: bytes) -> list[str]:
        """The same, not yet taken apart."""
        if raw not in self.cuts:
            from tlblint.names.pieces import split

            self.cuts[raw] = split(raw)
        return self.cuts[raw]

    def of(self, raw: bytes) -> View:
        """The view of some bytes."""
        if raw not in self.views:
            from tlblint.names.view import view

            self.views[raw] = view(raw, self.pieces)
        return self.views[raw]

    def heads(self, raw: bytes) -> Heads:
        """What some bytes declare."""
        if raw not in self.declared:
            self.declared[raw] = Heads(raw)
        return self.declared[raw]

    def includes(self, raw: bytes) -> tuple[tuple[str, bool], ...]:
        """(name, in angle brackets) of what is included under any condition."""
        if raw not in self.included:
            found = (one for one in _INCLUDE.finditer(raw) if raw[raw.rfind(b"\n", 0, one.start()) + 1 : one.start()].strip() == b"#")
            self.included[raw] = tuple((one[2].decode("latin-1"), one[1] == b"<") for one in found)
        return self.included[raw]


class Index:
    """One tree, or one state of it. Files come from ``read`` only; ``texts`` may be shared with other states."""

    def __init__(self, read: Read, texts: Texts | None = None) -> None:
        self._read = read
        self.texts = Texts() if texts is None else texts
        self.raws: dict[str, bytes | None] = {}
        self.files: dict[str, View | None] = {}
        """The views that were asked for."""
        self._shelf: Shelf | None = None

    def branch(self, read: Read | None = None) -> Index:
        """The same, for somebody who adds much to it that nobody else needs. ``read`` is asked for what nobody has asked for."""
        out = Index(read or self._read, self.texts.branch())
        out.raws, out.files = dict(self.raws), dict(self.files)
        return out

    def same_as(self, before: Index, changed: Collection[str]) -> None:
        """Take over what another state of the tree has read, but for the files that are ``changed``."""
        self.raws = {path: raw for path, raw in before.raws.items() if path not in changed}
        self.files = {path: one for path, one in before.files.items() if path not in changed}

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or None when there is none."""
        if path not in self.raws:
            self.raws[path] = self._read(path)
        return self.raws[path]

    def file(self, path: str) -> View | None:
        """The view of a file, or None when there is none."""
        if path not in self.files:
            raw = self.read(path)
            self.files[path] = None if raw is None else self.texts.of(raw)
        return self.files[path]

    def heads(self, path: str) -> Heads | None:
        """What a file declares, or None when there is none."""
        raw = self.read(path)
        return None if raw is None else self.texts.heads(raw)

    def shelf(self) -> Shelf:
        """The files for units of this tree."""
        if self._shelf is None:
            from tlblint.names.unit import Shelf

            self._shelf = Shelf(self.read, cut=self.texts.split)
        return self._shelf

    def declared(self, name: str, paths: Sequence[str], names: Meaning) -> Iterator[tuple[str, Head]]:
        """(path, declaration) of a name in some files, but for those that a configuration is known not to have."""
        for path in paths:
            if (found := self.heads(path)) is not None:
                yield from ((path, head) for head in found.of(name) if found.there(head, names) is not False)

    def lead_to(self, places: Places, roots: Sequence[str], follow: Callable[[str], bool], asked: set[str] | None = None,
                known: Sequence[str] = (), found: Found | None = None) -> tuple[str, ...]:  # fmt: skip
        """The paths that ``roots`` (paths, or ``<header>``) and what they include may lead to, whatever conditions say. ``follow``: of which
        headers by their name; FILES at most. ``asked``: is told all that was looked for. ``known``: what others lead to, which counts, too.
        ``found``: where headers lie in these places; more is added, and what is there is not looked for."""
        out: dict[str, None] = dict.fromkeys(known)
        tried: set[str] = set() if asked is None else asked
        found = {} if found is None else found
        waiting = [(root.strip("<>"), "" if root[0] == "<" else ".") for root in roots]
        done: set[tuple[str, str]] = set()
        while waiting and len(out) < FILES:
            item = waiting.pop()
            if item in done:
                continue
            done.add(item)
            if item not in found:
                found[item] = self._first(places.candidates(*item), tried)
            path = found[item]
            if path is None or path in out:
                continue
            out[path] = None
            raw = self.read(path) or b""
            here = dirname(path) or "."
            waiting += [(what, "" if inner else here) for what, inner in self.texts.includes(raw) if follow(what)]
        return tuple(out)

    def _first(self, paths: Iterable[str], tried: set[str]) -> str | None:
        for path in paths:
            tried.add(path)
            if self.read(path) is not None:
                return path
        return None


def of_files(files: Mapping[str, bytes], texts: Texts | None = None) -> Index:
    """The index of some files that stand for a tree. ``texts`` may be that of another."""
    return Index(files.get, texts)
