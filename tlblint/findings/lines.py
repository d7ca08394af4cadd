"""Byte offsets to lines and columns."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

_NEWLINE = re.compile(rb"\n")


class Lines:
    """The lines of one file. Lines and columns are 1-based; columns count bytes."""

    def __init__(self, newlines: Sequence[int]) -> None:
        self._newlines = newlines

    @classmethod
    def of(cls, raw: bytes) -> Lines:
        """The lines of a file's bytes."""
        return cls(tuple(match.start() for match in _NEWLINE.finditer(raw)))

    def locate(self, pos: int) -> tuple[int, int]:
        """(line, column) of a byte offset; a newline belongs to the line that it ends. Negative offsets count as 0."""
        pos = max(pos, 0)
        row = bisect_left(self._newlines, pos)
        start = self._newlines[row - 1] + 1 if row else 0
        return row + 1, pos - start + 1
