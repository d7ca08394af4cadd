"""A translation unit: the active text of some roots and all they include, with every macro's history. Files come from a callable."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from posixpath import normpath

import msgspec

from tlblint.names.conditions import evaluate
from tlblint.names.guards import Macros
from tlblint.names.index import Read
from tlblint.names.steps import Arm, Define, Include, Piece, Step, Stretch, Undef, guard, pieces, steps
from tlblint.names.tokens import Macro, macro

_FILES = 4000
_DEPTH = 120
_TEXT = 60_000_000


class Shelf(msgspec.Struct):
    """Files read and taken apart once, for all units of a tree. ``cut`` takes one apart."""

    read: Read
    held: dict[str, tuple[Piece, ...] | None] = msgspec.field(default_factory=dict)
    macros: dict[tuple[str, int], Macro | None] = msgspec.field(default_factory=dict)
    guards: dict[str, str] = msgspec.field(default_factory=dict)
    made: dict[str, tuple[Step, ...]] = msgspec.field(default_factory=dict)
    speak: dict[str, list[Stretch]] = msgspec.field(default_factory=dict)
    """Of each macro the stretches that define it, in files that are ``made``."""
    asked: set[str] = msgspec.field(default_factory=set)
    """What was looked for since this was emptied last."""
    cut: Callable[[bytes], tuple[Piece, ...]] = pieces

    def after(self, read: Read, changed: Collection[str]) -> Shelf:
        """The files of another state of the tree, in which but for ``changed`` paths all is the same."""
        held = {path: parts for path, parts in self.held.items() if path not in changed}
        macros = {at: found for at, found in self.macros.items() if at[0] not in changed}
        guards = {path: name for path, name in self.guards.items() if path not in changed}
        made = {path: found for path, found in self.made.items() if path not in changed}
        return Shelf(read, held, macros, guards, made, {name: [*found] for name, found in self.speak.items()}, cut=self.cut)

    def get(self, path: str) -> tuple[Piece, ...] | None:
        """The pieces of a file, or None when there is none."""
        self.asked.add(path)
        if path not in self.held:
            raw = self.read(path)
            self.held[path] = None if raw is None else self.cut(raw)
        return self.held[path]

    def steps(self, path: str) -> tuple[Step, ...]:
        """The steps of a file; none of one that is not there."""
        if path not in self.made:
            self.made[path] = steps(path, self.get(path) or ())
            for step in self.made[path]:
                if isinstance(step, Stretch):
                    for name in step.defines:
                        self.speak.setdefault(name, []).append(step)
        return self.made[path]

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
        """Where the log has a stretch, by its identity; and where a name that is taken back or was there before."""
        if not self._places:
            for index, (_, found) in enumerate(self.log):
                key = id(found) if isinstance(found, Stretch) else found if isinstance(found, str) else found.name
                self._places.setdefault(key, []).append(index)
        return self._places

    def _entry(self, name: str, index: int) -> tuple[int, Macro | None]:
        at, found = self.log[index]
        if isinstance(found, Stretch):
            define = found.defines[name]
            return at + define.offset, self.shelf.macro(define.path, define.part)
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

    def candidates(self, name: str, directory: str, angled: bool) -> list[str]:
        """The paths at which a header that is included in a file of ``directory`` may lie, the first that is there counts."""
        out = [] if angled else [f"{directory}/{name}" if directory else name]
        out += [f"{place}/{name}" for place in self.directories]
        if name.startswith("asm/"):
            out += [f"{place}/{name[4:]}" for place in self.generic]
        return [path for path in map(_normal, out) if not path.startswith(("..", "/"))]


def _normal(path: str) -> str:
    return normpath(path) if "./" in path or "//" in path else path  # most are as they should be


Found = dict[tuple[str, str], str | None]
"""(name, directory of the file that includes it, or "" for angle brackets) -> path."""


def build(shelf: Shelf, roots: Iterable[str], predefined: Mapping[str, str], places: Places, found: Found | None = None) -> Unit:
    """The unit of ``roots`` (paths, or ``<header>``), as a compiler run with ``predefined`` macros would see it.

    ``found``: where headers were found for another unit of the same shelf and places; more is added.
    """
    builder = _Builder(shelf, places, predefined, {} if found is None else found)
    for root in roots:
        builder.include(root[1:-1] if root[0] == "<" else root, "" if root[0] == "<" else ".", 0)
    builder.unit.text = "".join(builder.out)
    return builder.unit


def _lookup(shelf: Shelf, now: Mapping[str, Define | Macro]) -> Callable[[str], Macro | None]:
    def lookup(name: str) -> Macro | None:
        found = now.get(name)
        return shelf.macro(found.path, found.part) if isinstance(found, Define) else found

    return lookup


class _Builder:
    def __init__(self, shelf: Shelf, places: Places, predefined: Mapping[str, str], found: Found) -> None:
        self.shelf = shelf
        self.places = places
        self.unit = Unit(shelf)
        self.out: list[str] = []
        self.size = 0
        self.now: dict[str, Define | Macro] = {}
        self.names = Macros(_lookup(shelf, self.now))
        self.once: set[str] = set()
        self.done: set[tuple[str, str]] = set()
        """What leads to a file that is read once, and was: (name, directory)."""
        self.found = found
        for name, text in predefined.items():
            if (one := macro(f"{name} {text}")) is not None:
                self.now[one.name] = one
                self.unit.log.append((0, one))

    def include(self, name: str, here: str, depth: int) -> None:
        """Go through a header. ``here``: the directory of the file that includes it, "" where its name stands in angle brackets."""
        path = self.find(name, here)
        if path is None:
            self.unit.missing.append(name)
        elif path in self.once:
            self.done.add((name, here))
        elif depth < _DEPTH and len(self.unit.files) < _FILES and self.size < _TEXT and name not in self.places.stop:
            self.unit.files.append(path)
            if self.shelf.guard(path) not in self.now:
                self.run(path, self.shelf.steps(path), depth)

    def find(self, name: str, here: str) -> str | None:
        asked = (name, here)
        if asked not in self.found:
            self.found[asked] = self._find(name, here)
        return self.found[asked]

    def _find(self, name: str, here: str) -> str | None:
        return next((path for path in self.places.candidates(name, here, not here) if self.shelf.get(path) is not None), None)

    def run(self, path: str, todo: Sequence[Step], depth: int) -> None:
        """Carry out a file."""
        at, end = 0, len(todo)
        while at < end:
            step = todo[at]
            at += 1
            if isinstance(step, Stretch):
                self.unit.log.append((self.size, step))
                self.out.append(step.text)
                self.size += len(step.text)
                self.now.update(step.defines)
            elif isinstance(step, Arm):  # from above into the first; into another only behind the arm that was taken
                at = self.taken(todo, at - 1, step) if step.opens else step.end
            elif isinstance(step, Include):
                if (step.name, step.here) not in self.done:
                    self.include(step.name, step.here, depth + 1)
            elif isinstance(step, Undef):
                if self.now.pop(step.name, None) is not None:
                    self.unit.log.append((self.size, step.name))
            else:
                self.once.add(path)

    def taken(self, todo: Sequence[Step], at: int, step: Arm) -> int:
        """The step to go on with at a condition."""
        while not self.holds(step):
            if not step.later:
                return step.end
            at = step.later
            following = todo[at]
            assert isinstance(following, Arm)
            step = following
        return at + 1

    def holds(self, step: Arm) -> bool:
        if step.name:
            return (step.name in self.now) == step.wanted
        return step.word == "else" or evaluate(step.word, step.text, self.names) is True
