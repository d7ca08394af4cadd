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
from dataclasses import dataclass, field


@dataclass
class Row:
    """Measurements of one command. Seconds, and MB of the largest single process. ``note``: what it found, or why it stopped."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: float = 0.0
    note: str = ""
    stopped: bool = False

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
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
        timer = threading.Timer(limit or 1e6, _end, (row, process.pid, limit))
        timer.daemon = True
        timer.start()
        _, status, used = os.wait4(process.pid, 0)  # with its descendants, as far as it waited for them
        row.wall.append(time.perf_counter() - start)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        row.cpu.append(used.ru_utime + used.ru_stime)
        row.peak = max(row.peak, used.ru_maxrss / 1024)
        if process.returncode not in (0, 1) and not row.stopped:
            row.note = f"failed with status {process.returncode}"
        out.seek(0)
        return out.read()


def repeat(name: str, command: Sequence[str], cwd: str, times: int) -> tuple[Row, bytes]:
    """The row and the last output of ``times`` runs; one before them does not count."""
    row = Row(name)
    once(Row(""), command, cwd)
    outputs = [once(row, command, cwd) for _ in range(times)]
    return row, outputs[-1]


def _end(row: Row, group: int, limit: float) -> None:
    row.stopped, row.note = True, f"stopped after {limit:.0f} s"
    os.killpg(group, signal.SIGTERM)
