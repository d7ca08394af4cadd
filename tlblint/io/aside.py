"""Work in a process of its own while this one does something else. Whatever goes wrong with that process, there is a result."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress

_PART = 1 << 20
_MARK = b"\x01"
"""Ends a result that is whole."""


class Aside:
    """``work`` gives bytes. With ``several`` processors it begins at once, else when ``result`` is asked for. What it tells anybody else is lost."""

    def __init__(self, work: Callable[[], bytes], several: bool) -> None:
        self._work = work
        self._process = 0
        self._pipe = -1
        if several:
            with suppress(OSError, AttributeError):
                self._start()

    def _start(self) -> None:
        reader, writer = os.pipe()
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # whoever is interrupted, it is the parent that says so
        try:
            self._process = os.fork()
            if self._process == 0:
                self._child(reader, writer)
            self._pipe = reader
        finally:
            os.close(writer)
            if self._pipe < 0:
                os.close(reader)
            self._let(held)

    def _let(self, held: Iterable[int]) -> None:
        """Let come what was held back. An interrupt is raised here: nobody else knows of the process yet."""
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        except BaseException:
            self.close()
            raise

    def _child(self, reader: int, writer: int) -> None:
        """Never returns."""
        status = 1
        try:
            os.close(reader)  # as long as this process could read it, too, it would wait for ever for a parent that was killed
            raw = memoryview(self._work() + _MARK)
            while raw:
                raw = raw[os.write(writer, raw[:_PART]) :]
            status = 0
        finally:
            os._exit(status)

    def result(self) -> bytes:
        """What the work gave; it is done here where the process could not, and may raise."""
        raw = self._read() if self._pipe >= 0 else b""
        return raw[:-1] if raw.endswith(_MARK) else self._work()

    def _read(self) -> bytes:
        out = []
        with suppress(OSError):
            while part := os.read(self._pipe, _PART):
                out.append(part)
        self.close()
        return b"".join(out)

    def ready(self, patience: float) -> bool:
        """Whether the process has something to say, or is gone, before so many seconds are over."""
        return self._pipe >= 0 and bool(select.select([self._pipe], [], [], patience)[0])

    def stop(self) -> None:
        """Nobody will ask: the process need not go on. It is not waited for before ``close``."""
        if self._pipe >= 0:
            with suppress(OSError):
                os.kill(self._process, signal.SIGKILL)

    def close(self) -> None:
        """End the process."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
            with suppress(OSError):
                os.kill(self._process, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(self._process, 0)
