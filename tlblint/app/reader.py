"""Who reads edited files while the tree is walked: a process of its own, because the front end takes long to load.

It gets ready before anybody knows whether there is something to read: until the walk begins a second processor has nothing to do, and who starts a
check has mostly edited something. What is imported here delays every check, so it is little.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tlblint.io import processors
from tlblint.io.aside import Aside

if TYPE_CHECKING:
    from tlblint.model.ir import FileFacts

ROOM = 1 << 20
"""Bytes that a pipe takes before anybody reads; what says how to read a file is a tenth of that, the rest is for the file."""
ALONE = ("--no-cache", "--rev", "--executor", "--help", "-h")
"""How the options start with which nothing is read ahead."""

_SIZE = struct.Struct("<Q")
Rows = dict[bytes, tuple[bytes, bytes]]
"""Path -> (name, row) of the facts of a file."""
Order = tuple[str, Mapping[str, bytes], "Callable[[str, bytes], FileFacts]"]
"""What a reader is told."""


class Reader:
    """Begins to get ready at once. Close it."""

    def __init__(self) -> None:
        self._order, self._end = os.pipe()
        self._aside = Aside(partial(_worked, self._order, self._end, os.getpid()), True)

    def read(self, named: str, edited: Mapping[str, bytes], facts: Callable[[str, bytes], FileFacts]) -> None:
        """Say which files to read, given what they hold, and how; ``named`` stands for all that this depends on."""
        import fcntl
        import pickle

        try:
            order = pickle.dumps((named, edited, facts), pickle.HIGHEST_PROTOCOL)
            if fcntl.fcntl(self._end, fcntl.F_SETPIPE_SZ, ROOM) >= _SIZE.size + len(order):
                os.write(self._end, _SIZE.pack(len(order)) + order)
        except (OSError, AttributeError, TypeError, pickle.PicklingError):
            pass  # then it reads nothing
        finally:
            self._hang_up()

    def result(self) -> Rows:
        """What it has read; in whatever process asks, but nothing in the one that began. Files that it could not read are missing."""
        import msgspec

        self._hang_up()
        try:
            return msgspec.msgpack.decode(self._aside.result(), type=Rows)
        except msgspec.DecodeError:
            return {}

    def stop(self) -> None:
        """There is nothing to read."""
        self._aside.stop()

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
                with suppress(OSError):
                    os.close(descriptor)
        self._order = self._end = -1


_ready: list[Reader] = []


def begin(words: Sequence[str]) -> Callable[[], None]:
    """Have a reader get ready for a check with ``words``, where there is a processor for it. To be called in the end: whoever is left is ended."""
    if processors.count() > 1 and not any(word.startswith(ALONE) for word in words):
        _ready.append(Reader())
    return end


def take() -> Reader:
    """The reader that is ready, or one that begins to be."""
    return _ready.pop() if _ready else Reader()


def stop() -> None:
    """Nobody will take the reader that is ready."""
    for reader in _ready:
        reader.stop()


def end() -> None:
    """End the reader that nobody has taken."""
    while _ready:
        _ready.pop().close()


def _worked(order: int, end: int, parent: int) -> bytes:
    """Nothing in the process that would have it done later anyway."""
    if os.getpid() == parent:
        return b""
    os.close(end)
    from tlblint.app import filefacts

    filefacts.load()
    with os.fdopen(order, "rb") as file:
        head = file.read(_SIZE.size)
        raw = file.read(_SIZE.unpack(head)[0]) if head else b""
    return _read(raw) if raw else b""


def _read(raw: bytes) -> bytes:
    import pickle

    import msgspec

    from tlblint.calls import record
    from tlblint.model.store import key

    named, edited, facts = pickle.loads(raw)
    rows = {os.fsencode(path): (key(named, path, text), record.encode(facts(path, text))) for path, text in edited.items()}
    return msgspec.msgpack.encode(rows)
