"""The functions of a program as they were when it was judged last: by their names, so that what an edit has done to them can be told.

A run that takes over all that the last one has found judges nothing, and leaves no trace here: whatever comes later is compared with what was judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import msgspec

from tlblint.calls.record import shape
from tlblint.model.ir import FileFacts, Function
from tlblint.model.store import Store

KIND = "nodes"

_Name: TypeAlias = tuple[str, str, int]
"""(path, function, which of those that are called so)."""
_Row: TypeAlias = tuple[str, str, int, bytes, bytes, tuple[int, ...]]
_ROWS = msgspec.msgpack.Decoder(tuple[tuple[int, _Row], ...])
_DECODER = msgspec.msgpack.Decoder(tuple[dict[bytes, bytes], bytes, bytes])
_encode = msgspec.msgpack.Encoder().encode


class Node(msgspec.Struct, frozen=True):
    """What the judging of a function rests on: its shape, a digest of all else that is said of it, and the functions whose answers it may use."""

    shape: bytes
    text: bytes
    leads: tuple[int, ...]


class Before(NamedTuple):
    """The last run of a kind, which goes by ``name``. ``files``: the names of the facts that are judged now, by path; ``facts``: those with a name, as
    far as they are still there."""

    name: bytes
    files: Mapping[str, bytes]
    facts: Callable[[bytes], FileFacts | None]


class Edit(NamedTuple):
    """A file as it was when it was judged, and as it is."""

    was: FileFacts
    now: FileFacts


class Remembered(NamedTuple):
    """What a store knows of the last run. ``files``: the names of the facts that were judged, by path; ``nodes``: what functions were; ``stood``: what
    is to be known to say whether all that was found then stands, b"" for nothing."""

    files: Mapping[str, bytes]
    nodes: bytes
    stood: bytes


def remembered(store: Store, before: Before) -> Remembered | None:
    """None for nothing."""
    raw = store.get(KIND, [before.name]).get(before.name)
    with suppress(msgspec.DecodeError):
        if raw is not None:
            files, nodes, stood = _DECODER.decode(raw)
            return Remembered({path.decode(errors="surrogateescape"): name for path, name in files.items()}, nodes, stood)
    return None


class Last:
    """The nodes of the run before, of which a store has one of each name. Without a run before there are none."""

    def __init__(self, store: Store, functions: Sequence[Function], before: Before | None) -> None:
        self._store = store
        self._functions = functions
        self._before = before
        self._rows: dict[_Name, tuple[int, _Row]] | None = None
        self._was: Remembered | None = None
        self._names: dict[int, _Name] = {}

    def nodes(self, members: Sequence[int], now: Mapping[int, Node]) -> dict[int, Node] | None:
        """What ``members`` were, with what they led to by its index now; None where more has changed than shapes."""
        rows = self._read()
        if not rows:
            return None
        names = self._named()
        was = [rows.get(names[index]) for index in members]
        found = [row for row in was if row is not None]
        if len(found) < len(was) or any(one[0] >= other[0] for one, other in pairwise(found)):
            return None
        indexes = {at: index for (at, _), index in zip(found, members, strict=True)}
        out = {}
        for (_, row), index in zip(found, members, strict=True):
            _, _, _, look, text, leads = row
            if text != now[index].text or tuple(indexes.get(lead, -1) for lead in leads) != now[index].leads:
                return None
            out[index] = Node(look, text, now[index].leads)
        return out

    def function(self, index: int) -> Function | None:
        """A function as it was; None where that is not known any more."""
        path, name, number = self._named()[index]
        row = self._read().get((path, name, number))
        held = self._was.files.get(path) if self._was is not None else None
        facts = self._before.facts(held) if self._before is not None and held is not None else None
        if row is None or facts is None:
            return None
        found = [fn for fn in facts.functions if fn.name == name][number : number + 1]
        return found[0] if found and shape(found[0]) == row[1][3] else None

    @property
    def wanted(self) -> bool:
        """Whether there is another run to remember this one for: facts that have no name, of a file whose name is no text, are nobody's."""
        return self._before is not None and bool(self._before.files)

    def keep(self, nodes: Mapping[int, Node], stood: bytes) -> None:
        """Remember what functions are now, where that is ``wanted``."""
        if self._before is None:
            return
        names = self._named()
        rows = _encode([(index, (*names[index], nodes[index].shape, nodes[index].text, nodes[index].leads)) for index in sorted(nodes)])
        self._read()
        now = Remembered(self._before.files, rows, stood)
        if now != self._was:
            files = {path.encode(errors="surrogateescape"): name for path, name in now.files.items()}
            self._store.put(KIND, {self._before.name: _encode((files, rows, stood))})

    def _read(self) -> Mapping[_Name, tuple[int, _Row]]:
        if self._rows is None:
            self._was = remembered(self._store, self._before) if self._before is not None else None
            rows: tuple[tuple[int, _Row], ...] = ()
            with suppress(msgspec.DecodeError):
                rows = _ROWS.decode(self._was.nodes) if self._was is not None else ()
            self._rows = {row[:3]: (at, row) for at, row in rows}
        return self._rows

    def name(self, index: int) -> str:
        """A function's name, by which there is no other one."""
        path, name, number = self._named()[index]
        return f"{path}:{name}:{number}"

    def _named(self) -> Mapping[int, _Name]:
        if not self._names:
            self._names = dict(_numbered(self._functions))
        return self._names


def _numbered(functions: Sequence[Function]) -> Iterator[tuple[int, _Name]]:
    counts: dict[tuple[str, str], int] = {}
    for index, fn in enumerate(functions):
        name = (fn.path, fn.name)
        counts[name] = counts.get(name, -1) + 1
        yield index, (*name, counts[name])
