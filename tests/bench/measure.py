"""Run a command some times: wall clock, processor time and memory of it and of the processes it started."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct):
    """Measurements of one command. Seconds, and MB of the largest single process. ``note``: what it found, or why it stopped.

    ``said``: what the last run printed to standard error."""

    name: str
    wall: list[float] = msgspec.field(default_factory=list)
    cpu: list[float] = msgspec.field(default_factory=list)
    peak: float = 0.0
    note: str = ""
    stopped: bool = False
    said: str = ""

    @property
    def best(self) -> float:
        """Shortest wall clock time."""
        return min(self.wall)

    @property
    def median(self) -> float:
        """Median wall clock time."""
        return statistics.median(self.wall)


def once(row: Row, command: Sequence[str], cwd: str, limit: float = 0) -> bytes:
    """Run a command and add what it took to ``row``; what it printed. After ``limit`` seconds (0: never) it is ended and the row says so."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=err, stdin=subprocess.DEVNULL, start_new_session=True)
        timer = threading.Timer(limit or 1e6, _end, (row, process.pid, limit))
        timer.daemon = True
        timer.start()
        _, status, used = os.wait4(process.pid, 0)  # with its descendants, as far as it waited for them
        row.wall.append(time.perf_counter() - start)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        row.cpu.append(used.ru_utime + used.ru_stime)
        row.peak = max(row.peak, used.ru_maxrss / 1024)
        err.seek(0)
        row.said = err.read().decode(errors="replace")
        if process.returncode not in (0, 1) and not row.stopped:
            row.note = f"failed with status {process.returncode}: {row.said[-100:].strip()}"
        out.seek(0)
        return out.read()


def _end(row: Row, group: int, limit: float) -> None:
    row.stopped, row.note = True, f"stopped after {limit:.0f} s"
    os.killpg(group, signal.SIGTERM)


class Clock(msgspec.Struct, frozen=True):
    """Processor time of the machine and of this process's children, in seconds, and the time of day."""

    busy: float
    ours: float
    now: float


def clock() -> Clock:
    """Read it."""
    used = os.times()
    try:
        with open("/proc/stat", encoding="ascii") as file:
            words = file.readline().split()[1:]
        busy = sum(int(word) for at, word in enumerate(words[:8]) if at not in (3, 4)) / os.sysconf("SC_CLK_TCK")
    except OSError:
        busy = 0.0
    return Clock(busy, sum(used[:4]), time.perf_counter())


def others(before: Clock, after: Clock) -> float:
    """How many processors were busy with something else meanwhile, on average."""
    return max(0.0, (after.busy - before.busy) - (after.ours - before.ours)) / max(1e-9, after.now - before.now)
