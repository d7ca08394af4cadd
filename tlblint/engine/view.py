"""One state of a program that changes: functions keep their index from state to state as long as their text is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from tlblint.calls.program import Fact, Program, arch_of, size
from tlblint.model.ir import FileFacts, Function, OpsTable

_NOBODY = Function("", "", 0, 0, (), "", False, (), frozenset())
"""Stands for a function of another state: it does nothing and nobody calls it."""

Key = tuple[object, ...]


class Shift:
    """From positions in a function as it was seen first to those where it is now. ``start``: how far its start has moved. A function in which
    only comments or blanks have changed has moved by ``places`` (old -> new), others as a whole."""

    __slots__ = ("places", "start")

    def __init__(self, start: int, places: Mapping[int, int] | None = None) -> None:
        self.start = start
        self.places = places

    def __call__(self, pos: int) -> int:
        return pos + self.start if self.places is None else self.places.get(pos, pos + self.start)

    def __bool__(self) -> bool:
        return self.start != 0 or self.places is not None


class _File(msgspec.Struct):
    facts: FileFacts
    functions: list[tuple[int, Shift]]
    """(index, how far it is from where it was seen first) of each function."""
    tables: list[tuple[OpsTable, int]]
    number: int
    """The same for all states of the file that have the same functions and tables in the same order."""


def _files(registry: Registry, facts: Sequence[FileFacts]) -> list[_File]:
    return [registry.file(item) for item in sorted(facts, key=lambda item: item.path)]


class Registry(msgspec.Struct):
    """Every function that was seen in any state, as it was seen first."""

    functions: list[Function] = msgspec.field(default_factory=list)
    _known: dict[Key, int] = msgspec.field(default_factory=dict)
    _tables: dict[Key, OpsTable] = msgspec.field(default_factory=dict)
    _files: dict[int, _File] = msgspec.field(default_factory=dict)
    """By id() of the facts, which live as long."""
    _numbers: dict[Key, int] = msgspec.field(default_factory=dict)
    said: dict[object, dict[int, Any]] = msgspec.field(default_factory=dict)
    """What Program.once() was told of them."""

    def file(self, facts: FileFacts) -> _File:
        """The functions and tables of a file by their first appearance."""
        held = self._files.get(id(facts))
        if held is None:
            functions, tables = self._functions(facts), self._first(facts)
            whole = (facts.path, tuple(index for index, _ in functions), tuple(id(table) for table, _ in tables))
            held = self._files[id(facts)] = _File(facts, functions, tables, self._numbers.setdefault(whole, len(self._numbers)))
        return held

    def state(self, facts: Sequence[FileFacts]) -> tuple[int, ...]:
        """The same for all states of a tree that have the same functions and tables, wherever these stand in their files."""
        return tuple(file.number for file in _files(self, facts))

    def _functions(self, facts: FileFacts) -> list[tuple[int, Shift]]:
        counts: dict[Key, int] = {}
        out = []
        for fn in facts.functions:
            index = self.index(text_of(fn), fn, counts)
            out.append((index, _shift(self.functions[index], fn)))
        return out

    def _first(self, facts: FileFacts) -> list[tuple[OpsTable, int]]:
        counts: dict[Key, int] = {}
        out = []
        for table in facts.tables:
            text: Key = (table.path, table.owner, table.name, table.type, table.slots)
            counts[text] = counts.get(text, 0) + 1
            first = self._tables.setdefault((*text, counts[text]), table)
            out.append((first, table.pos - first.pos))
        return out

    def index(self, text: Key, fn: Function, counts: dict[Key, int]) -> int:
        """The index of a function with this text; ``counts``: how many of them the state has already."""
        counts[text] = counts.get(text, 0) + 1
        key = (text, counts[text])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.functions)
            self.functions.append(fn)
        return found


class View(Program):
    """The program of one state over the functions of a registry. ``alive``: the indexes that it consists of. ``shifts``: how far functions
    are from where they were seen first, in bytes, where that is not 0."""

    def __init__(self, registry: Registry, facts: Sequence[FileFacts]) -> None:
        super().__init__(())
        self._registry = registry
        self._said = registry.said
        files = self._files = _files(registry, facts)
        self.functions = [_NOBODY] * len(registry.functions)
        self.alive: set[int] = set()
        self.shifts: dict[int, Shift] = {}
        self._added: list[int] = []
        self._counts: dict[Key, int] = {}
        self._places: dict[tuple[str, int], Shift] = {}
        tables = [found for file in files for found in file.tables]
        self.tables = tuple(table for table, _ in tables)
        self._places = {(table.path, table.pos): Shift(shift) for table, shift in tables}
        for file in files:
            for index, shift in file.functions:
                self._enter(index, shift)

    def move(self, facts: Sequence[FileFacts]) -> bool:
        """Become the program of another state that has the same functions and tables in the same files; False when it has not."""
        files = _files(self._registry, facts)
        if [file.number for file in files] != [file.number for file in self._files]:
            return False
        self._files = files
        places = [((table.path, table.pos), Shift(shift)) for file in files for table, shift in file.tables]
        moved = [(index, shift) for file in files for index, shift in file.functions]
        starts = [((self.functions[index].path, self.functions[index].start), shift) for index, shift in moved]
        self._places = {**dict(reversed(starts)), **dict(places)}
        self.shifts = {index: shift for index, shift in moved if shift}
        for index in self._added:
            self._shift(index)
        return True

    def _enter(self, index: int, shift: Shift) -> None:
        fn = self.functions[index] = self._registry.functions[index]
        self.alive.add(index)
        if shift:
            self.shifts[index] = shift
        self._places.setdefault((fn.path, fn.start), shift)
        if fn.variant:
            self._variants.setdefault((fn.path, fn.name), []).append(index)
            return
        self._prefer(fn, index)
        if not fn.static or fn.path.endswith(".h"):
            self._global.setdefault(fn.name, []).append(index)

    def once(self, what: object, index: int, make: Callable[[], Fact]) -> Fact:
        """Remembered for all states."""
        return super().once(what, index, make) if index in self.alive else make()

    def each(self, what: object, make: Callable[[Function], Fact]) -> list[Fact]:
        """Remembered for all states."""
        nobody = make(_NOBODY)
        return [self.once(what, index, partial(make, fn)) if index in self.alive else nobody for index, fn in enumerate(self.functions)]

    def add(self, function: Function) -> int:
        """Take in the function that a walk was made into."""
        index = self._registry.index(("walk", function), function, self._counts)
        self.functions.extend([_NOBODY] * (len(self._registry.functions) - len(self.functions)))
        self.functions[index] = function
        self.alive.add(index)
        self._added.append(index)
        self._shift(index)
        return index

    def _shift(self, index: int) -> None:
        shift = self._shift_at(self.functions[index].path, self.functions[index].start)
        if shift:
            self.shifts[index] = shift

    def _shift_at(self, path: str, pos: int) -> Shift | None:
        """How far what a walk was made from has moved: a table, a callback, or the function that puts a callback into its own table."""
        if (path, pos) in self._places:
            return self._places[(path, pos)]
        around = [i for i in self.alive if self.functions[i].path == path and self.functions[i].start <= pos < self.functions[i].end]
        return self.shifts.get(min(around)) if around else None

    def _choose(self, candidates: Sequence[int], home: str) -> int | None:
        """As in a program of its own: of equals the first in the order of the files, whatever its index."""
        for wanted in (home, ""):
            group = [i for i in candidates if arch_of(self.functions[i].path) == wanted]
            if group:
                return max(group, key=lambda i: size(self.functions[i]))
        return None

    def placed(self) -> list[Function]:
        """The functions with their start where it is now."""
        out = list(self.functions)
        for index, shift in self.shifts.items():
            out[index] = replace(out[index], start=out[index].start + shift.start)
        return out

    def name(self, index: int) -> tuple[str, str]:
        """(path, name) of a function of any state."""
        fn = self._registry.functions[index]
        return fn.path, fn.name

    def names(self, indexes: Iterable[int]) -> frozenset[tuple[str, str]]:
        """The same of several."""
        return frozenset(self.name(index) for index in indexes)


def text_of(fn: Function) -> Key:
    """All that a function says, without places: the same wherever it stands in its file, and whatever comments it holds."""
    blocks = tuple((tuple(instr[:-1] for instr in block.instrs), block.kind, block.cond, block.succs) for block in fn.blocks)
    return (fn.path, fn.name, fn.variant, fn.params, fn.returns, fn.static, fn.advanced, fn.assumed, fn.annotations, blocks)


def _places(fn: Function) -> list[int]:
    """Every place that a function speaks of, in the order of its blocks."""
    return [fn.start, fn.end, *(pos for block in fn.blocks for pos in (*(instr[-1] for instr in block.instrs), block.pos))]


def _shift(first: Function, now: Function) -> Shift:
    """How to get from a function to the same one as it stands now."""
    before, after = _places(first), _places(now)
    start = now.start - first.start
    moved = {old: new for old, new in zip(before, after, strict=True) if new - old != start and old >= first.start}
    return Shift(start, moved) if moved else Shift(start)
