"""Goes through files as a compiler does. Translated to C where that can be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Union, final

from tlblint.names.guards import Lookup, holds
from tlblint.names.steps import Arm, Define, Include, Step, Stretch, Undef
from tlblint.names.tokens import Macro, macro

if TYPE_CHECKING:
    from tlblint.names.unit import Found, Places, Shelf

_FILES = 4000
_DEPTH = 120
_TEXT = 60_000_000
Entry = Union[Stretch, str, Macro]  # noqa: UP007


def _lookup(shelf: Shelf, now: Mapping[str, Define | Macro]) -> Lookup:
    def lookup(name: str) -> Macro | None:
        found = now.get(name)
        return shelf.macro(found) if isinstance(found, Define) else found

    return lookup


@final
class Builder:
    """What comes of some roots: ``log``, ``missing`` and ``files`` as Unit has them; ``out``: the text."""

    def __init__(self, shelf: Shelf, places: Places, predefined: Mapping[str, str], found: Found) -> None:
        self.shelf = shelf
        self.places = places
        self.stop = places.stop
        self.found = found
        self.made: dict[str, list[Step]] = shelf.made
        self.guards: dict[str, str] = shelf.guards
        self.log: list[tuple[int, Entry]] = []
        self.missing: list[str] = []
        self.files: list[str] = []
        self.out: list[str] = []
        self.size = 0
        self.now: dict[str, Define | Macro] = {}
        self.lookup = _lookup(shelf, self.now)
        self.once: set[str] = set()
        self.done: set[tuple[str, str]] = set()
        """What leads to a file that is read once, and was: (name, directory)."""
        for name, text in predefined.items():
            if (one := macro(f"{name} {text}")) is not None:
                self.now[one.name] = one
                self.log.append((0, one))

    def include(self, name: str, here: str, depth: int) -> None:
        """Go through a header. ``here``: the directory of the file that includes it, "" where its name stands in angle brackets."""
        asked = (name, here)
        if asked in self.done:
            return
        if asked not in self.found:
            self.found[asked] = self.find(name, here)
        path = self.found[asked]
        if path is None:
            self.missing.append(name)
        elif path in self.once:
            self.done.add(asked)
        elif depth < _DEPTH and len(self.files) < _FILES and self.size < _TEXT and name not in self.stop:
            self.files.append(path)
            todo = self.made.get(path)
            if todo is None:
                todo = self.shelf.steps(path)
            if self.guards[path] not in self.now:
                self.run(path, todo, depth)

    def find(self, name: str, here: str) -> str | None:
        """The path of a header; None when there is none."""
        for path in self.places.candidates(name, here):
            if self.shelf.there(path):
                return path
        return None

    def run(self, path: str, todo: list[Step], depth: int) -> None:
        """Carry out a file."""
        log, out, now = self.log, self.out, self.now
        at, end = 0, len(todo)
        while at < end:
            step = todo[at]
            at += 1
            if isinstance(step, Stretch):
                log.append((self.size, step))
                text = step.text
                if text:
                    out.append(text)
                    self.size += len(text)
                if step.defines:
                    now.update(step.defines)
            elif isinstance(step, Arm):  # from above into the first; into another only behind the arm that was taken
                if step.opens:
                    at = self.taken(todo, at - 1, step)
                else:
                    at = step.end
            elif isinstance(step, Include):
                self.include(step.name, step.here, depth + 1)
            elif isinstance(step, Undef):
                if self.now.pop(step.name, None) is not None:
                    log.append((self.size, step.name))
            else:
                self.once.add(path)

    def taken(self, todo: list[Step], at: int, step: Arm) -> int:
        """The step to go on with at a condition."""
        while True:
            if step.name:
                if (step.name in self.now) == step.wanted:
                    return at + 1
            elif step.word == "else" or holds(step.word, step.text, self.lookup):
                return at + 1
            if not step.later:
                return step.end
            at = step.later
            following = todo[at]
            assert isinstance(following, Arm)
            step = following


def places(log: Sequence[tuple[int, Entry]]) -> dict[int | str, list[int]]:
    """Where a log has a stretch that defines something, by its identity; and where a name that is taken back or was there before."""
    out: dict[int | str, list[int]] = {}
    for index, (_, found) in enumerate(log):
        key: int | str
        if isinstance(found, Stretch):
            if not found.defines:
                continue
            key = id(found)
        elif isinstance(found, str):
            key = found
        else:
            key = found.name
        known = out.get(key)
        if known is None:
            out[key] = [index]
        else:
            known.append(index)
    return out


def built(shelf: Shelf, roots: Iterable[str], predefined: Mapping[str, str], places: Places, found: Found) -> Builder:
    """Goes through ``roots`` (paths, or ``<header>``)."""
    builder = Builder(shelf, places, predefined, found)
    for root in roots:
        if root[0] == "<":
            builder.include(root[1:-1], "", 0)
        else:
            builder.include(root, ".", 0)
    return builder
