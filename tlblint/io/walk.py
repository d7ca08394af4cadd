"""The C files below a directory, each with what the file system says of it: enough to know another day that it is the same.

A walk over a kernel takes as long as it takes to get ready for its result, so it can run ahead in processes of its own.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import overload

import msgspec

from tlblint.io import processors
from tlblint.io.aside import Aside
from tlblint.io.mounts import tells_of_changes

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
_OWN = 32
"""Bytes of the state of a directory."""
_GENTLE = 10
"""How far walkers stand back where somebody has more to do with what is known already."""
_NUMBER = struct.Struct("<H")


class Seen(msgspec.Struct):
    """What an earlier run has left of a tree on disk: the states of the files in each directory, the files of interest, and those whose state says
    nothing. ``name``: of this memory."""

    states: Mapping[bytes, bytes] = msgspec.field(default_factory=dict)
    found: set[str] = msgspec.field(default_factory=set)
    doubt: set[str] = msgspec.field(default_factory=set)
    name: bytes = b""
    folders: Mapping[bytes, bytes] = msgspec.field(default_factory=dict)
    """Directories with their own states and what is in them besides C files: as long as that state is the same, so is what is in them."""
    since: Mapping[bytes, bytes] = msgspec.field(default_factory=dict)
    """States of files of interest that have changed since, and were looked at then."""
    touched: frozenset[str] = frozenset()
    """The files of interest that are not what they were then."""


class Paths(Sequence[str]):
    """The paths of many files, sorted, by directory: put together when somebody wants to see them. Most runs only count them."""

    def __init__(self, states: Sequence[Mapping[bytes, bytes]], folders: Iterable[bytes] = (), more: Sequence[str] = ()) -> None:
        """Those in all of the last of ``states``, and in ``folders`` of the first; and some ``more``."""
        self._states = {folder: states[0][folder] for folder in folders} | dict(states[-1])
        self._more = more

    @cached_property
    def _all(self) -> tuple[str, ...]:
        found = [path for folder, state in self._states.items() for path in _named(os.fsdecode(folder), state)]
        return tuple(sorted([*found, *self._more]))

    @cached_property
    def _count(self) -> int:
        return sum(state.count(b"\0", 0, state.index(_END)) + 1 for state in self._states.values()) + len(self._more)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        return self._all[at]

    def __contains__(self, path: object) -> bool:
        if not isinstance(path, str):
            return False
        folder, _, name = path.rpartition("/")
        state = self._states.get(os.fsencode(folder))
        return path in self._more or (state is not None and os.fsencode(name) in state.partition(_END)[0].split(b"\0"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and self._all == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all)


class Walked(msgspec.Struct, dict=True):
    """What a walk over ``places`` ("": everything) has seen; paths start at the top.

    ``states``: directory -> its C files with their states, as bytes that are equal as long as nothing has changed; ``same``: directories in which
    these are what ``last`` has. ``folders``: as Seen has it, of directories that ``last`` has otherwise; none without the ``device`` that they are on.
    ``recent``: files that may change while their state stays, ``lost`` those that have none.
    """

    places: tuple[str, ...]
    links: list[str] = msgspec.field(default_factory=list)
    refused: list[tuple[str, str]] = msgspec.field(default_factory=list)
    states: dict[bytes, bytes] = msgspec.field(default_factory=dict)
    recent: list[str] = msgspec.field(default_factory=list)
    lost: list[str] = msgspec.field(default_factory=list)
    same: list[bytes] = msgspec.field(default_factory=list)
    folders: dict[bytes, bytes] = msgspec.field(default_factory=dict)
    last: Seen | None = None
    device: int | None = None

    @cached_property
    def files(self) -> Paths:
        """The C files."""
        return Paths([self.last.states if self.last is not None else {}, self.states], self.same, self.lost)

    def whole(self) -> dict[bytes, bytes]:
        """The states of all directories."""
        before = self.last.states if self.last is not None else {}
        return {folder: before[folder] for folder in self.same} | self.states


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


def _walked(top: str, places: tuple[str, ...], tasks: Iterable[tuple[str, bool]], states: bool = True, last: Seen | None = None,
            device: int | None = None) -> Walked:  # fmt: skip
    """``tasks``: directories, and whether to go on into those in them."""
    out = Walked(places, last=last, device=device)
    late = time.time_ns() - MARGIN
    for place, deep in tasks:
        waiting = [place]
        while waiting:
            _look(out, top, waiting.pop(), waiting if deep else [], states, late)
    return out


_BY_NUMBER = os.scandir in os.supports_fd
"""Whether a directory can be opened first: then the system need not look for it once more for each file in it."""
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0)


def _look(out: Walked, top: str, directory: str, waiting: list[str], states: bool, late: int) -> None:
    """What is in one directory; those in it are left ``waiting``."""
    path = os.path.join(top, directory)
    if out.device is not None and out.last is not None and _as_before(out, out.last, path, directory, waiting, late):
        return
    try:
        folder = os.open(path, _FOLDER) if _BY_NUMBER else -1
    except OSError as error:
        out.refused.append((directory or ".", f"directory: {reason(error)}"))
        return
    try:
        _look_into(out, folder if folder >= 0 else path, directory, waiting, states, late)
    finally:
        if folder >= 0:
            os.close(folder)


def _as_before(out: Walked, last: Seen, path: str, directory: str, waiting: list[str], late: int) -> bool:
    """Look only at the files that are known to be in a directory, when nothing has come there or gone."""
    folder = os.fsencode(directory)
    known = last.folders.get(folder, b"")
    try:
        if not known or known[:_OWN] != _own(os.lstat(path)):
            return False
        names, _, before = last.states.get(folder, b"").partition(_END)
        numbers = _numbers(path, _split(names)) if names else []
    except OSError:
        return False
    inner, _, links = known[_OWN:].partition(_END)
    start = f"{directory}/" if directory else ""
    waiting.extend(start + name for name in _split(inner))
    out.links.extend(start + name for name in _split(links))
    if names:
        _take(out, directory, names, numbers, late, before)
    return True


def _numbers(path: str, names: Sequence[str]) -> list[int]:
    """The states of files of a directory. Raises OSError."""
    numbers: list[int] = []
    folder = os.open(path, _FOLDER)
    try:
        for name in names:
            state = os.stat(name, dir_fd=folder, follow_symlinks=False)
            numbers += (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino & _WIDE)
    finally:
        os.close(folder)
    return numbers


def _split(names: bytes) -> list[str]:
    return os.fsdecode(names).split("\0") if names else []


def _own(found: os.stat_result) -> bytes:
    """The state of a directory: any name that comes or goes changes it."""
    return array("q", (found.st_dev & _WIDE, found.st_ino & _WIDE, found.st_mtime_ns, found.st_ctime_ns)).tobytes()


def _look_into(out: Walked, place: int | str, directory: str, waiting: list[str], states: bool, late: int) -> None:
    try:
        own = os.stat(place)
        with os.scandir(place) as entries:
            found = list(entries)
    except OSError as error:
        out.refused.append((directory or ".", f"directory: {reason(error)}"))
        return
    start = f"{directory}/" if directory else ""
    names: list[str] = []
    numbers: list[int] = []
    inner: list[str] = []
    links, odd = len(out.links), len(out.refused) + len(out.lost)
    for entry in found:
        name = entry.name
        if name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
            if states:
                try:
                    state = entry.stat(follow_symlinks=False)
                except OSError:
                    out.lost.append(start + name)
                    continue
                numbers += (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino & _WIDE)
            names.append(name)
        else:
            _other(out, entry, start + name, inner)
    waiting.extend(inner)
    if own.st_dev == out.device and len(out.refused) + len(out.lost) == odd and max(own.st_mtime_ns, own.st_ctime_ns) < late:
        parts = ("\0".join(path[len(start) :] for path in paths) for paths in (inner, out.links[links:]))
        out.folders[os.fsencode(directory)] = _own(own) + _END.join(map(os.fsencode, parts))
    if names:
        _take(out, directory, os.fsencode("\0".join(names)), numbers, late)


def _take(out: Walked, directory: str, names: bytes, numbers: Sequence[int], late: int, before: bytes | None = None) -> None:
    """The C files of a directory and, four numbers each, their states. ``before``: what these were, where the files are the same."""
    folder, states = os.fsencode(directory), array("q", numbers).tobytes()
    if states == before if before is not None else out.last is not None and out.last.states.get(folder) == names + _END + states:
        out.same.append(folder)
    else:
        out.states[folder] = names + _END + states
    if numbers and (max(numbers[1::4]) > late or max(numbers[2::4]) > late):
        files = zip(_split(names), numbers[1::4], numbers[2::4], strict=True)
        out.recent += [f"{directory}/{name}" if directory else name for name, *times in files if max(times) > late]


def _other(out: Walked, entry: os.DirEntry[str], path: str, waiting: list[str]) -> None:
    """What is no regular C file."""
    if entry.is_symlink():
        out.links.extend([path] if is_c(path) else [])
    elif entry.is_dir(follow_symlinks=False):
        waiting.extend([path] if entry.name != ".git" else [])
    elif is_c(path):
        out.refused.append((path, "not a regular file"))


def _named(directory: str, states: bytes) -> Iterator[str]:
    start = f"{directory}/" if directory else ""
    return (start + name for name in os.fsdecode(states.partition(_END)[0]).split("\0"))


def state_of(found: os.stat_result) -> bytes:
    """The state of one file."""
    return array("q", (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _WIDE)).tobytes()


def parts(directory: str, states: bytes) -> Iterator[tuple[str, bytes]]:
    """(path, state) of each file in the states of one directory. Raises ValueError for what are no states."""
    numbers = states.partition(_END)[2]
    for at, path in enumerate(_named(directory, states)):
        yield path, numbers[at * 32 : at * 32 + 32]


class Ahead:
    """A walk in processes of its own, as ``walk`` makes it. ``result`` waits for it; whatever goes wrong with the processes, there is a result."""

    def __init__(self, top: str, places: Sequence[str], states: bool = True, last: Seen | None = None) -> None:
        """``last``: what an earlier run saw, with ``states``; where nothing has changed since, nobody is told more."""
        self._top = top
        self._states = states
        self.last = last
        self.places = tuple(places)
        self._result: Walked | None = None
        self._process = os.getpid()
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
            device = os.stat(self._top).st_dev if self._states and _BY_NUMBER and tells_of_changes(self._top) else None
            work = partial(_worked, self._top, self.places, self._states, self.last, device, tasks, queue, os.getpid())
            for _ in range(count):
                self._walkers.append(Aside(work, True))
        except KeyboardInterrupt:
            self.close()
            raise
        finally:
            os.close(queue)

    def result(self) -> Walked:
        """What was seen. Walks now where a process could not, and in a process that was forked meanwhile: what the walkers say is said once."""
        if self._result is None and os.getpid() != self._process:
            self._result = walk(self._top, self.places, self._states)
        if self._result is None:
            parts = [_unpack(walker.result()) for walker in self._walkers]
            whole = [part for part in parts if part is not None]
            together = _together(self.places, self.last, whole) if whole and len(whole) == len(parts) else None
            self._result = together or walk(self._top, self.places, self._states)
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


def _worked(
    top: str, places: tuple[str, ...], states: bool, last: Seen | None, device: int | None, tasks: Sequence[tuple[str, bool]], queue: int, parent: int
) -> bytes:
    """The part of one process: what it takes from the queue until that is empty. Nothing in the process that has read none of it."""
    if os.getpid() == parent:
        return b""
    if last is not None and last.touched:
        with suppress(OSError):
            os.nice(_GENTLE)
    taken = (tasks[_NUMBER.unpack(number)[0]] for number in iter(partial(os.read, queue, _NUMBER.size), b""))
    return _pack(_walked(top, places, taken, states, last, device))


def _together(places: tuple[str, ...], last: Seen | None, parts: Sequence[Walked]) -> Walked | None:
    """None for what cannot be."""
    out = Walked(places, last=last)
    for part in parts:
        out.links += part.links
        out.refused += part.refused
        out.states |= part.states
        out.recent += part.recent
        out.lost += part.lost
        out.same += part.same
        out.folders |= part.folders
    return out if not out.same or (last is not None and last.states.keys() >= set(out.same)) else None


_Wire = tuple[bytes, bytes, bytes, tuple[tuple[bytes, str], ...], dict[bytes, bytes], tuple[bytes, ...], dict[bytes, bytes]]


def _pack(made: Walked) -> bytes:
    """File names need not be text."""
    links, recent, lost = (os.fsencode("\0".join(paths)) for paths in (made.links, made.recent, made.lost))
    return msgspec.msgpack.encode((links, recent, lost, [(os.fsencode(path), why) for path, why in made.refused], made.states, made.same, made.folders))


def _unpack(raw: bytes) -> Walked | None:
    try:
        *packed, refused, states, same, folders = msgspec.msgpack.decode(raw, type=_Wire)
    except msgspec.DecodeError:
        return None
    links, recent, lost = (os.fsdecode(paths).split("\0") if paths else [] for paths in packed)
    return Walked((), links, [(os.fsdecode(path), why) for path, why in refused], states, recent, lost, list(same), folders)
