"""A translation unit: the active text of some roots and all they include, with every macro's history. Files come from a callable."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import normpath

import msgspec

from tlblint.names.including import built, places
from tlblint.names.index import Read
from tlblint.names.pieces import Piece, split
from tlblint.names.steps import Define, Step, Stretch, guard, speaking, steps, steps_of
from tlblint.names.tokens import Macro, macro


class Shelf(msgspec.Struct):
    """Files read and taken apart once, for all units of a tree. ``cut`` splits one; ``held`` are the pieces of those that somebody else has cut."""

    read: Read
    held: dict[str, tuple[Piece, ...] | None] = msgspec.field(default_factory=dict)
    macros: dict[tuple[str, int], Macro | None] = msgspec.field(default_factory=dict)
    guards: dict[str, str] = msgspec.field(default_factory=dict)
    """Of each file that is ``made`` the macro that keeps it from being read twice, when all of the file stands under it; else ""."""
    made: dict[str, list[Step]] = msgspec.field(default_factory=dict)
    raws: dict[str, bytes | None] = msgspec.field(default_factory=dict)
    speak: dict[str, list[Stretch]] = msgspec.field(default_factory=dict)
    """Of each macro the stretches that define it, in files that are ``made``."""
    asked: set[str] = msgspec.field(default_factory=set)
    """What was looked for since this was emptied last."""
    cut: Callable[[bytes], list[str]] = split

    def after(self, read: Read, changed: Collection[str]) -> Shelf:
        """The files of another state of the tree, in which but for ``changed`` paths all is the same."""
        held = {path: parts for path, parts in self.held.items() if path not in changed}
        macros = {at: found for at, found in self.macros.items() if at[0] not in changed}
        guards = {path: name for path, name in self.guards.items() if path not in changed}
        made = {path: found for path, found in self.made.items() if path not in changed}
        raws = {path: raw for path, raw in self.raws.items() if path not in changed}
        return Shelf(read, held, macros, guards, made, raws, {name: [*found] for name, found in self.speak.items()}, cut=self.cut)

    def there(self, path: str) -> bool:
        """Whether there is such a file."""
        self.asked.add(path)
        if path in self.held:
            return self.held[path] is not None
        if path not in self.raws:
            self.raws[path] = self.read(path)
        return self.raws[path] is not None

    def steps(self, path: str) -> list[Step]:
        """The steps of a file; none of one that is not there."""
        if path not in self.made:
            self.made[path] = found = self._steps(path)
            self.guards.setdefault(path, guard(found))
            speaking(found, self.speak)
        return self.made[path]

    def _steps(self, path: str) -> list[Step]:
        if not self.there(path):
            return []
        if (parts := self.held.get(path)) is not None:
            return steps(path, parts)
        return steps_of(path, self.cut(self.raws[path] or b""))

    def macro(self, define: Define) -> Macro | None:
        """The macro of a ``#define``."""
        at = (define.path, define.line)
        if at not in self.macros:
            self.macros[at] = macro(define.text, define.path, define.line)
        return self.macros[at]


class Unit(msgspec.Struct):
    """Active text as one string. ``log``: what the text and the macros come from, in order, each with the offset at which it begins: stretches of
    files, names that are taken back, and macros that were there before the first file."""

    shelf: Shelf
    text: str = ""
    log: list[tuple[int, Stretch | str | Macro]] = msgspec.field(default_factory=list)
    missing: list[str] = msgspec.field(default_factory=list)
    files: list[str] = msgspec.field(default_factory=list)
    own: dict[str, Macro] = msgspec.field(default_factory=dict)
    """Macros that are so everywhere, whatever the files say."""
    _places: dict[int | str, list[int]] = msgspec.field(default_factory=dict)
    _known: dict[str, list[tuple[int, Macro | None]]] = msgspec.field(default_factory=dict)

    def names(self) -> Iterable[str]:
        """The macros that were ever defined, the first one first."""
        out: dict[str, None] = {}
        for _, found in self.log:
            if isinstance(found, Stretch):
                out.update(dict.fromkeys(found.defines))
            elif isinstance(found, Macro):
                out[found.name] = None
        return out

    def history(self, name: str) -> Sequence[tuple[int, Macro | None]]:
        """(offset, macro or None for #undef) of all that a name becomes."""
        if name in self.own:
            return ((0, self.own[name]),)
        if name not in self._known:
            places = self._spoken()
            spoken = [*places.get(name, ()), *(index for one in self.shelf.speak.get(name, ()) for index in places.get(id(one), ()))]
            self._known[name] = [self._entry(name, index) for index in sorted(spoken)]
        return self._known[name]

    def _spoken(self) -> Mapping[int | str, Sequence[int]]:
        """What places() says of the log."""
        if not self._places:
            self._places = places(self.log)
        return self._places

    def _entry(self, name: str, index: int) -> tuple[int, Macro | None]:
        at, found = self.log[index]
        if isinstance(found, Stretch):
            define = found.defines[name]
            return at + define.offset, self.shelf.macro(define)
        return at, None if isinstance(found, str) else found

    def with_macro(self, macro: Macro) -> Unit:
        """The same unit, but for a macro that is so everywhere."""
        return msgspec.structs.replace(self, own={**self.own, macro.name: macro})

    def macro_at(self, name: str, offset: int) -> Macro | None:
        """The macro that ``name`` is for text at ``offset``; failing that the first that it becomes later."""
        history = self.history(name)
        if not history:
            return None
        index = bisect_right(history, offset, key=lambda item: item[0]) - 1
        return history[index][1] if index >= 0 else history[0][1]

    def last(self, name: str) -> Macro | None:
        """The last definition of a macro, later #undef or not."""
        return next((found for _, found in reversed(self.history(name)) if found is not None), None)

    def where(self, offset: int) -> tuple[str, int]:
        """(path, line) of an offset of the text; ("", 0) for what is not of a file."""
        index = bisect_right(self.log, offset, key=lambda item: item[0]) - 1
        while index >= 0:
            start, found = self.log[index]
            if isinstance(found, Stretch) and found.text:
                return found.path, found.line(offset - start)
            index -= 1
        return "", 0


class Places(msgspec.Struct, frozen=True):
    """Where ``<...>`` is looked for: directories in order. ``generic``: where an ``asm/`` header that an architecture lacks comes from."""

    directories: tuple[str, ...]
    generic: tuple[str, ...] = ("include/asm-generic", "include/uapi/asm-generic")
    stop: frozenset[str] = frozenset()

    def candidates(self, name: str, here: str) -> Iterator[str]:
        """The paths at which a header may lie that is included in a file of the directory ``here``, or in angle brackets, where that is "". The first
        that is there counts."""
        if here:
            yield from _inside(f"{here}/{name}")
        for place in self.directories:
            yield from _inside(f"{place}/{name}")
        if name.startswith("asm/"):
            for place in self.generic:
                yield from _inside(f"{place}/{name[4:]}")


def _inside(path: str) -> tuple[str, ...]:
    """The path as others spell it; none for one that leads out of the tree."""
    path = _normal(path)
    return () if path.startswith(("..", "/")) else (path,)


def _normal(path: str) -> str:
    return normpath(path) if "./" in path or "//" in path else path  # most are as they should be


Found = dict[tuple[str, str], str | None]
"""(name, directory of the file that includes it, or "" for angle brackets) -> path."""


def build(shelf: Shelf, roots: Iterable[str], predefined: Mapping[str, str], where: Places, found: Found | None = None) -> Unit:
    """The unit of ``roots`` (paths, or ``<header>``), as a compiler run with ``predefined`` macros would see it.

    ``found``: where headers were found for another unit of the same shelf and ``where`` (where headers are looked for); more is added.
    """
    done = built(shelf, roots, predefined, where, {} if found is None else found)
    return Unit(shelf, "".join(done.out), done.log, done.missing, done.files)
