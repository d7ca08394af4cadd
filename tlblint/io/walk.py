"""The C files below a directory, each with what the file system says of it: enough to know another day that it is the same.

A walk over a kernel takes as long as it takes to get ready for its result, so it can run ahead in processes of its own.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from tlblint.io import processors
from tlblint.io.aside import Aside

SUFFIXES = (".c", ".h")

MARGIN = 2_000_000_000
"""Nanoseconds. A file that was changed so shortly before a walk, or after it by a clock of its own, may change once more without a trace:
the clocks of file systems tick, some only every other second."""

WALKERS = 4
"""Processes that walk ahead at most."""

TASKS = 400
"""Directories that are handed out to them one by one; so many about, so that they end together."""

MOST = 16_000
"""As many numbers of tasks fit into a pipe that nobody reads yet."""

_END = b"\0\0"
_WIDE = (1 << 63) - 1
_NUMBER = struct.Struct("<H")


class Walked(msgspec.Struct):
    """What a walk over ``places`` ("": everything) has seen; paths start at the top.

    ``states``: directory -> its C files with their states, as bytes that are equal as long as nothing has changed. ``recent``: files
    that may change while their state stays.
    """

    places: tuple[str, ...]
    files: list[str] = msgspec.field(default_factory=list)
    links: list[str] = msgspec.field(default_factory=list)
    refused: list[tuple[str, str]] = msgspec.field(default_factory=list)
    states: dict[str, bytes] = msgspec.field(default_factory=dict)
    recent: list[str] = msgspec.field(default_factory=list)


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
    return _walked(top, tuple(places), ((place, True) for place in places), states)


def _walked(top: str, places: tuple[str, ...], tasks: Iterable[tuple[str, bool]], states: bool = True) -> Walked:
    """``tasks``: directories, and whether to go on into those in them."""
    out = Walked(places)
    late = time.time_ns() - MARGIN
    for place, deep in tasks:
        waiting = [place]
        while waiting:
            _look(out, top, waiting.pop(), waiting if deep else [], states, late)
    return out


def _look(out: Walked, top: str, directory: str, waiting: list[str], states: bool, late: int) -> None:
    """What is in one directory; those in it are left ``waiting``."""
    try:
        with os.scandir(os.path.join(top, directory)) as entries:
            found = list(entries)
    except OSError as error:
        out.refused.append((directory or ".", f"directory: {reason(error)}"))
        return
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
    """A walk in processes of its own, as ``walk`` makes it. ``result`` waits for it; whatever goes wrong with the processes, there is a result."""

    def __init__(self, top: str, places: Sequence[str], states: bool = True) -> None:
        self._top = top
        self._states = states
        self.places = tuple(places)
        self._result: Walked | None = None
        self._walkers: list[Aside] = []
        with suppress(OSError):
            self._start(min(processors.count(), WALKERS))

    def _start(self, count: int) -> None:
        tasks = _tasks(self._top, self.places)
        if len(tasks) > MOST:
            return
        queue, end = os.pipe()
        try:
            os.write(end, b"".join(map(_NUMBER.pack, range(len(tasks)))))
            os.close(end)
            self._walkers = [Aside(partial(_worked, self._top, self.places, self._states, tasks, queue, os.getpid()), True) for _ in range(count)]
        finally:
            os.close(queue)

    def result(self) -> Walked:
        """What was seen. Walks now where a process could not."""
        if self._result is None:
            parts = [_unpack(walker.result()) for walker in self._walkers]
            whole = [part for part in parts if part is not None]
            self._result = _together(self.places, whole) if whole and len(whole) == len(parts) else walk(self._top, self.places, self._states)
        return self._result

    def close(self) -> None:
        """End the processes."""
        for walker in self._walkers:
            walker.close()


def _tasks(top: str, places: Sequence[str]) -> list[tuple[str, bool]]:
    """The directories of a walk as parts, by name so that parts in a row are next to each other on the disk."""
    tasks: list[tuple[str, bool]] = []
    open_ones = [(place, 2) for place in places]
    while open_ones and len(tasks) + len(open_ones) < TASKS:
        place, levels = open_ones.pop(0)
        inner = _folders(top, place) if levels else []
        tasks.append((place, not inner))
        open_ones += [(name, levels - 1) for name in inner]
    return sorted([*tasks, *((place, True) for place, _ in open_ones)])


def _folders(top: str, place: str) -> list[str]:
    """The directories right in a directory that a walk goes into."""
    try:
        with os.scandir(os.path.join(top, place)) as entries:
            names = [entry.name for entry in entries if entry.name != ".git" and entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [f"{place}/{name}" if place else name for name in names]


def _worked(top: str, places: tuple[str, ...], states: bool, tasks: Sequence[tuple[str, bool]], queue: int, parent: int) -> bytes:
    """The part of one process: what it takes from the queue until that is empty. Nothing in the process that has read none of it."""
    if os.getpid() == parent:
        return b""
    made = _walked(top, places, (tasks[_NUMBER.unpack(number)[0]] for number in iter(partial(os.read, queue, _NUMBER.size), b"")), states)
    made.files.sort()
    return _pack(made)


def _together(places: tuple[str, ...], parts: Sequence[Walked]) -> Walked:
    out = Walked(places)
    for part in parts:
        out.files += part.files
        out.links += part.links
        out.refused += part.refused
        out.states |= part.states
        out.recent += part.recent
    out.files.sort()
    return out


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
