"""Who reads edited files: a process that gets ready while its parent finds out how to read them, as the front end takes long to load; or whoever
wants to know what is in them, where there is no processor for that.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

import msgspec

from tlblint.io.aside import Aside
from tlblint.model.store import key

if TYPE_CHECKING:
    from tlblint.io.tree import Tree
    from tlblint.model.ir import FileFacts

ROOM = 1 << 20
"""Bytes that a pipe takes before anybody reads; what says how to read a file is a tenth of that."""

_SIZE = struct.Struct("<Q")
Rows = dict[bytes, tuple[bytes, bytes]]
"""Path -> (name, row) of the facts of a file."""
Order = tuple[str, tuple[str, ...], "Callable[[str, bytes], FileFacts] | None"]
"""What a reader is told."""


FEW = 2
"""Processors that have enough to do with the walk over a tree and what begins beside it."""


class Reader(Protocol):
    """Of files of a tree. Close it."""

    def read(self, named: str, edited: Sequence[str], facts: Callable[[str, bytes], FileFacts]) -> None:
        """Say how to read which files; ``named`` stands for all that this depends on."""

    def result(self) -> Rows:
        """What it has read; in whatever process asks, but nothing in the one that began. Files that it could not read are missing."""

    def close(self) -> None:
        """Nobody asks any more."""


def reader_of(tree: Tree, many: int) -> Reader:
    """One that has ``many`` processors for it."""
    return Ahead(tree) if many > FEW else Later(tree)


class Later:
    """Reads when it is asked."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._began = os.getpid()
        self._order: Order = ("", (), None)

    def read(self, named: str, edited: Sequence[str], facts: Callable[[str, bytes], FileFacts]) -> None:
        """See Reader."""
        self._order = named, tuple(edited), facts

    def result(self) -> Rows:
        """See Reader."""
        return {} if os.getpid() == self._began else _rows(self._tree, self._order)

    def close(self) -> None:
        """There is nothing to end."""


class Ahead:
    """Begins to get ready at once."""

    def __init__(self, tree: Tree) -> None:
        self._order, self._end = os.pipe()
        self._aside = Aside(partial(_worked, tree, self._order, self._end, os.getpid()), True)

    def read(self, named: str, edited: Sequence[str], facts: Callable[[str, bytes], FileFacts]) -> None:
        """See Reader."""
        try:
            order = pickle.dumps((named, tuple(edited), facts), pickle.HIGHEST_PROTOCOL)
            if fcntl.fcntl(self._end, fcntl.F_SETPIPE_SZ, ROOM) >= _SIZE.size + len(order):
                os.write(self._end, _SIZE.pack(len(order)) + order)
        except (OSError, AttributeError, TypeError, pickle.PicklingError):
            pass  # then it reads nothing
        finally:
            self._hang_up()

    def result(self) -> Rows:
        """See Reader."""
        self._hang_up()
        try:
            return msgspec.msgpack.decode(self._aside.result(), type=Rows)
        except msgspec.DecodeError:
            return {}

    def close(self) -> None:
        """End it."""
        self._hang_up()
        self._aside.close()

    def _hang_up(self) -> None:
        """Nothing more will be said. That others hold the other end of the pipe, too, must not keep anybody waiting."""
        with suppress(OSError):
            if self._end >= 0:
                os.write(self._end, _SIZE.pack(0))
        for descriptor in (self._order, self._end):
            if descriptor >= 0:
                os.close(descriptor)
        self._order = self._end = -1


def _worked(tree: Tree, order: int, end: int, parent: int) -> bytes:
    """Nothing in the process that would have it done later anyway."""
    if os.getpid() == parent:
        return b""
    os.close(end)
    from tlblint.app import filefacts

    filefacts.load()
    with os.fdopen(order, "rb") as file:
        head = file.read(_SIZE.size)
        raw = file.read(_SIZE.unpack(head)[0]) if head else b""
    if not raw:
        return b""
    return msgspec.msgpack.encode(_rows(tree, pickle.loads(raw)))


def _rows(tree: Tree, order: Order) -> Rows:
    from tlblint.calls import record

    named, edited, facts = order
    rows = {}
    for path in edited if facts is not None else ():
        text = tree.read(path)
        rows[os.fsencode(path)] = key(named, path, text), record.encode(facts(path, text))  # type: ignore[misc]
    return rows
