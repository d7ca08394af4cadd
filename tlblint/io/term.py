"""What the terminal can show: colour, width, characters; and progress on it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

PATIENCE = 1.0
"""Seconds before progress is shown."""


def wants_color(choice: str, stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Whether to colour. ``choice`` is auto, always or never; NO_COLOR beats FORCE_COLOR, TERM=dumb beats a terminal."""
    env = os.environ if environment is None else environment
    if choice != "auto":
        return choice == "always"
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return env["FORCE_COLOR"] != "0"
    return is_terminal(stream) and env.get("TERM") != "dumb"


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal; closed and missing streams are not."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError, OSError):
        return False


def speaks_unicode(stream: TextIO) -> bool:
    """Whether a stream's encoding is UTF-8."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"


def width(fallback: int = 100) -> int:
    """Columns of the terminal (COLUMNS wins), at least 40."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns):
        return max(40, int(columns))
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (AttributeError, ValueError, OSError):
        return fallback


EVEN = frozenset({"reading"})
"""Stages of which each part of the work takes about its part of the time. Of others no time is told: in judging, one batch can take half of it."""


class Progress:
    """One line on a terminal's stderr, from one second on, wiped at the end. Does nothing anywhere else.

    How long an even stage will take is said once it has run for a second and done a twentieth of its work: as long as so far for as much."""

    def __init__(self, enabled: bool = True, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._on = enabled and is_terminal(self._stream) and os.environ.get("TERM") != "dumb"
        self._start = self._last = self._since = time.monotonic()
        self._shown = False
        self._what = ""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """Say what is going on; ``done`` of ``total``, of anything, when that is known."""
        if not self._on:
            return
        now = time.monotonic()
        if what != self._what:
            self._what, self._since = what, now
        if now - self._start < PATIENCE or (self._shown and now - self._last < 0.1):
            return
        self._last = now
        self._write(f"\r\x1b[K{what}" + (f" {100 * done // total} %{self._left(now - self._since, done, total)}" if total else ""))
        self._shown = True

    def _left(self, spent: float, done: int, total: int) -> str:
        if self._what not in EVEN or spent < PATIENCE or not total <= 20 * done < 20 * total:
            return ""
        left = max(1, round(spent * (total - done) / done))
        return f", about {left} s left" if left < 100 else f", about {round(left / 60)} min left"

    def close(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._write("\r\x1b[K")
            self._shown = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._on = False
