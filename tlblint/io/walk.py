"""The C files below a directory, each with what the file system says of it: enough to know another day that it is the same.

A walk over a kernel takes as long as it takes to get ready for its result, so it can run ahead in a process of its own.
"""

from __future__ import annotations

import errno
import os
import signal
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

SUFFIXES = (".c", ".h")

MARGIN = 2_000_000_000
"""Nanoseconds. A file that was changed so shortly before a walk, or after it by a clock of its own, may change once more without a trace:
the clocks of file systems tick, some only every other second."""

_END = b"\0\0"
_WIDE = (1 << 63) - 1
_PART = 1 << 20


@dataclass(slots=True)
class Walked:
    """What a walk over ``places`` ("": everything) has seen; paths start at the top.

    ``states``: directory -> its C files with their states, as bytes that are equal as long as nothing has changed. ``recent``: files
    that may change while their state stays.
    """

    places: tuple[str, ...]
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)
    recent: list[str] = field(default_factory=list)


def is_c(path: str) -> bool:
    """Whether a file name looks like C."""
    return path.endswith(SUFFIXES)


def reason(error: OSError) -> str:
    """Why a file cannot be read, in a few words."""
    if error.errno == errno.ELOOP:  # opened with O_NOFOLLOW
        return "a symbolic link"
    if error.errno == errno.ENXIO:  # what opening a socket answers
        return "not a regular file"
    return (error.strerror or type(error).__name__).lower() if error.errno else str(error)


def walk(top: str, places: Sequence[str], states: bool = True) -> Walked:
    """Walk the directories ``places`` of ``top`` without following symbolic links. Without ``states`` only names are asked for."""
    out = Walked(tuple(places))
    late = time.time_ns() - MARGIN
    waiting = list(places)
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(os.path.join(top, directory)) as entries:
                found = list(entries)
        except OSError as error:
            out.refused.append((directory or ".", f"directory: {reason(error)}"))
            continue
        start = f"{directory}/" if directory else ""
        names: list[str] = []
        numbers: list[int] = []
        for entry in found:
            name = entry.name
            if name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                out.files.append(start + name)
                if states:
                    try:
                        state = entry.stat(follow_symlinks=False)
                    except OSError:
                        out.recent.append(start + name)
                        continue
                    changed, touched = state.st_ctime_ns, state.st_mtime_ns
                    names.append(name)
                    numbers += (state.st_size, touched, changed, state.st_ino & _WIDE)
                    if changed > late or touched > late:
                        out.recent.append(start + name)
            else:
                _other(out, entry, start + name, waiting)
        if names:
            out.states[directory] = os.fsencode("\0".join(names)) + _END + struct.pack(f"<{len(numbers)}q", *numbers)
    return out


def _other(out: Walked, entry: os.DirEntry[str], path: str, waiting: list[str]) -> None:
    """What is no regular C file."""
    if entry.is_symlink():
        out.links.extend([path] if is_c(path) else [])
    elif entry.is_dir(follow_symlinks=False):
        waiting.extend([path] if entry.name != ".git" else [])
    elif is_c(path):
        out.refused.append((path, "not a regular file"))


def parts(directory: str, states: bytes) -> Iterator[tuple[str, bytes]]:
    """(path, state) of each file in the states of one directory. Raises ValueError for what are no states."""
    names, _, numbers = states.partition(_END)
    start = f"{directory}/" if directory else ""
    for at, name in enumerate(names.split(b"\0")):
        yield start + os.fsdecode(name), numbers[at * 32 : at * 32 + 32]


class Ahead:
    """A walk in a process of its own. ``result`` waits for it; whatever goes wrong with the process, there is a result."""

    def __init__(self, top: str, places: Sequence[str]) -> None:
        self._top = top
        self.places = tuple(places)
        self._result: Walked | None = None
        self._process = 0
        self._pipe = -1
        with suppress(OSError, AttributeError):
            self._start()

    def _start(self) -> None:
        reader, writer = os.pipe()
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # whoever is interrupted, it is the parent that says so
        try:
            self._process = os.fork()
            if self._process == 0:
                self._child(writer)
            self._pipe = reader
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            os.close(writer)
            if self._pipe < 0:
                os.close(reader)

    def _child(self, writer: int) -> None:
        """Never returns."""
        status = 1
        try:
            made = walk(self._top, self.places)
            made.files.sort()
            raw = memoryview(_pack(made))
            while raw:
                raw = raw[os.write(writer, raw[:_PART]) :]
            status = 0
        finally:
            os._exit(status)

    def result(self) -> Walked:
        """What was seen. Walks now where the process could not."""
        if self._result is None:
            raw = self._read() if self._pipe >= 0 else b""
            made = _unpack(raw)
            self._result = made if made is not None else walk(self._top, self.places)
        return self._result

    def _read(self) -> bytes:
        out = []
        with suppress(OSError):
            while part := os.read(self._pipe, _PART):
                out.append(part)
        self.close()
        return b"".join(out)

    def close(self) -> None:
        """End the process."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
            with suppress(OSError):
                os.kill(self._process, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(self._process, 0)


_Wire = tuple[tuple[bytes, ...], bytes, bytes, tuple[tuple[bytes, str], ...], dict[bytes, bytes], bytes]


def _pack(made: Walked) -> bytes:
    """File names need not be text."""
    files, links, recent = (os.fsencode("\0".join(paths)) for paths in (made.files, made.links, made.recent))
    places = [os.fsencode(place) for place in made.places]
    refused = [(os.fsencode(path), why) for path, why in made.refused]
    return msgspec.msgpack.encode((places, files, links, refused, {os.fsencode(name): state for name, state in made.states.items()}, recent))


def _unpack(raw: bytes) -> Walked | None:
    try:
        places, files, links, refused, states, recent = msgspec.msgpack.decode(raw, type=_Wire)
    except msgspec.DecodeError:
        return None
    lists = [os.fsdecode(paths).split("\0") if paths else [] for paths in (files, links, recent)]
    named = {os.fsdecode(name): state for name, state in states.items()}
    return Walked(tuple(map(os.fsdecode, places)), lists[0], lists[1], [(os.fsdecode(path), why) for path, why in refused], named, lists[2])
