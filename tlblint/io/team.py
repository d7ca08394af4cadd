"""Worker processes that are forked for one list of work, and die with the process that forked them.

The work is inherited; the numbers of its pieces wait in a pipe, from which each worker takes the next. Its results come back through a pipe of its
own: one that dies costs the piece that it had taken, and another is forked in its place.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

LONGEST = 1024
"""Pieces of work at most: so many numbers fit into any pipe at once."""

_NUMBER = struct.Struct("<I")
_HEAD = struct.Struct("<IQ")
"""The number of a piece and the size of its pickled result."""
_PART = 1 << 20


class Team:
    """Has ``function`` called with each of ``pieces``, at most LONGEST, by ``jobs`` processes. Close it."""

    def __init__(self, function: Callable[[Any], Any], pieces: Sequence[Any], jobs: int) -> None:
        self._function, self._pieces = function, pieces
        self._more = len(pieces)  # so many can still be needed in place of others
        self._workers: dict[int, tuple[int, bytearray]] = {}
        self._poll = select.poll()
        self._numbers, numbers = os.pipe()
        self._alive, self._parent = os.pipe()
        try:
            os.write(numbers, b"".join(map(_NUMBER.pack, range(len(pieces)))))
            os.close(numbers)
            for _ in range(min(jobs, len(pieces))):
                self._start()
        except BaseException:
            self.close()
            raise

    def results(self) -> Iterator[tuple[int, Any]]:
        """(number, result) as they come; those that a worker died of are missing. Raises what ``function`` raises."""
        while self._workers:
            for descriptor, _ in self._poll.poll():
                process, held = self._workers[descriptor]
                if part := os.read(descriptor, _PART):
                    held += part
                    yield from _whole(held)
                elif self._gone(descriptor, process):
                    self._start()

    def close(self) -> None:
        """Nothing more is wanted."""
        for descriptor, (process, _) in list(self._workers.items()):
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
            self._gone(descriptor, process)
        for descriptor in (self._numbers, self._alive, self._parent):
            with suppress(OSError):
                os.close(descriptor)

    def _start(self) -> None:
        reader, writer = os.pipe()
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # one that is interrupted before it knows better would say so
        try:
            process = os.fork()
            if not process:
                self._child(writer)
        except OSError:
            os.close(reader)
            if not self._workers:
                raise
            return  # the others do its part
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            os.close(writer)
        self._workers[reader] = process, bytearray()
        self._poll.register(reader, select.POLLIN)

    def _gone(self, descriptor: int, process: int) -> bool:
        """Takes leave of a worker. Whether another is needed in its place."""
        del self._workers[descriptor]
        self._poll.unregister(descriptor)
        os.close(descriptor)
        self._more -= 1
        return os.waitpid(process, 0)[1] != 0 and self._more > 0

    def _child(self, writer: int) -> None:
        """Never returns. Ctrl-C is the parent's business, and nobody works for a parent that was killed."""
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            os.close(self._parent)
            threading.Thread(target=_follow, args=(self._alive,), daemon=True).start()
            while raw := os.read(self._numbers, _NUMBER.size):
                [number] = _NUMBER.unpack(raw)
                answer = self._answer(number)
                _write(writer, _HEAD.pack(number, len(answer)) + answer)
            status = 0
        finally:
            os._exit(status)

    def _answer(self, number: int) -> bytes:
        """What becomes of a piece: (result, None) or (None, exception)."""
        try:
            return pickle.dumps((self._function(self._pieces[number]), None), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            error.add_note("".join(traceback.format_exception(error)))
            with suppress(Exception):  # not all of them survive that
                raw = pickle.dumps((None, error))
                pickle.loads(raw)
                return raw
            return pickle.dumps((None, RuntimeError("".join(traceback.format_exception(error)))))


def _whole(held: bytearray) -> Iterator[tuple[int, Any]]:
    """Takes the results from what a worker has sent so far."""
    while len(held) >= _HEAD.size:
        number, size = _HEAD.unpack_from(held)
        end = _HEAD.size + size
        if len(held) < end:
            return
        result, error = pickle.loads(held[_HEAD.size : end])
        del held[:end]
        if error is not None:
            raise error
        yield number, result


def _write(descriptor: int, raw: bytes) -> None:
    left = memoryview(raw)
    while left:
        left = left[os.write(descriptor, left[:_PART]) :]


def _follow(alive: int) -> None:
    """Ends this process with its parent, which alone holds the other end of the pipe."""
    os.read(alive, 1)
    os._exit(1)
