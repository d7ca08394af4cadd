"""The diff of one patch, cut into files as ``git apply`` would cut it, with every oddity named instead of passed over."""

from __future__ import annotations

import re

from tlblint.io.errors import InputError
from tlblint.io.series_header import TAKERS, Broken, Header, both, name_on, record
from tlblint.model.series import FilePatch, Hunk

FILES = 50_000
"""Files of the largest patch that is read."""

HUNKS = 100_000
"""Hunks of the largest patch that is read."""

LINES = 2_000_000
"""Lines of the largest patch that is read: what bounds the memory of a diff of empty lines."""

_LONGEST = 4096
"""Bytes of the longest line that names a file, in quotes and twice."""

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_PART = re.compile(rb"(?:literal|delta) \d+$")


def parse_diff(raw: bytes, where: str, first: int | None = None) -> tuple[FilePatch, ...]:
    """The files of a diff; text around them is passed over. () when there is none.

    ``where`` names the diff in errors; ``first`` is the 1-based line of its first line there, None when that says nothing to the user.
    Raises InputError.
    """
    try:
        return _Reader(raw).files()
    except Broken as error:
        place = f"{where}:{first + error.line - 1}" if first is not None else where
        what = error.what if first is not None else f"line {error.line} of the diff: {error.what}"
        raise InputError(place, what, error.todo) from None


class _Reader:
    def __init__(self, raw: bytes) -> None:
        if raw.count(b"\n") > LINES:
            raise Broken(1, f"more than {LINES} lines")
        self.lines = raw.split(b"\n")
        if not self.lines[-1]:
            self.lines.pop()
        self.open = bool(raw) and not raw.endswith(b"\n")
        self.at = 0
        self.count = 0

    def files(self) -> tuple[FilePatch, ...]:
        found: list[FilePatch] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if len(found) > FILES:
                raise Broken(self.at, f"more than {FILES} files", "leave that patch out")
            if line.startswith(b"diff --git "):
                found.append(self._git())
            elif line.startswith((b"diff --cc ", b"diff --combined ", b"@@@ -")):
                raise Broken(self.at + 1, "a combined diff of a merge, which no program applies", "give the commits of the merge")
            elif line.startswith(b"--- ") and self._starts(1, b"+++ ") and self._starts(2, b"@@ -"):
                found.append(self._traditional())
            elif _HUNK.match(line):
                raise Broken(self.at + 1, "a hunk without the name of its file")
            else:
                self.at += 1
        return tuple(found)

    def _starts(self, ahead: int, mark: bytes) -> bool:
        return self.at + ahead < len(self.lines) and self.lines[self.at + ahead].startswith(mark)

    def _bounded(self, line: bytes) -> None:
        """Patterns run over names: a line of megabytes would keep them busy for hours."""
        if len(line) > _LONGEST:
            raise Broken(self.at + 1, f"a file name of more than {_LONGEST} bytes")

    def _git(self) -> FilePatch:
        """The section that a ``diff --git`` line opens."""
        head = Header(self.at, git=True)
        self._bounded(self.lines[self.at])
        names = self.lines[self.at][len(b"diff --git ") :]
        head.default, head.bare = both(names)
        self.at += 1
        while self.at < len(self.lines) and self._extended(head, self.lines[self.at]):
            self.at += 1
        if self.at == len(self.lines) and self.at == head.at + 1:
            raise Broken(self.at, "ends in the middle of the header of a file: the mail is cut off")
        if self.at == head.at + 1:
            raise Broken(self.at, "the first line of the header of a file, and no header behind it")
        return self._rest(head)

    def _traditional(self) -> FilePatch:
        self._bounded(self.lines[self.at])
        self._bounded(self.lines[self.at + 1])
        head = Header(self.at, old=name_on(self.lines[self.at][4:]), new=name_on(self.lines[self.at + 1][4:]))
        self.at += 2
        start = self.lines[self.at]
        head.created = start.startswith(b"@@ -0,0 ")  # GNU diff names a new file on both sides
        return self._rest(head)

    def _rest(self, head: Header) -> FilePatch:
        """Hunks or binary data behind a header, and the record of it all."""
        self._hunks(head)
        if not head.hunks:
            self._binary(head)
        return record(head, b"\n".join(self.lines[head.at : self.at]) + b"\n")

    def _extended(self, head: Header, line: bytes) -> bool:
        """Take in one line of a git header; False when it is none."""
        for start, take in TAKERS:
            if line.startswith(start):
                self._bounded(line)
                if start in head.seen:
                    raise Broken(self.at + 1, f"the header of a file says {start.decode().strip()} twice")
                head.seen.add(start)
                take(head, line[len(start) :], self.at + 1)
                return True
        return False

    def _hunks(self, head: Header) -> None:
        while self.at < len(self.lines) and self.lines[self.at].startswith(b"@@ -"):
            match = _HUNK.match(self.lines[self.at])
            if not match:
                raise Broken(self.at + 1, "a hunk header that cannot be read")
            old_start, old, new_start, new = (int(group) if group is not None else 1 for group in match.groups())
            self.count += 1
            if self.count > HUNKS:
                raise Broken(self.at + 1, f"more than {HUNKS} hunks")
            head.hunks.append(Hunk(old_start, old, new_start, new, self.at - head.at + 1))
            self._body(len(head.hunks), old, new)
        # More lines than announced: git takes them for prose, and the rest of the change is lost without a word.
        if head.hunks and self.at < len(self.lines) and self._goes_on(self.lines[self.at]):
            raise Broken(self.at + 1, f"hunk {len(head.hunks)} has more lines than its header says")

    def _body(self, number: int, old: int, new: int) -> None:
        """Pass over the lines of a hunk, by its counts."""
        opened = self.at + 1
        says = f"hunk {number} (says {old} lines before, {new} after)"
        self.at += 1
        while old > 0 or new > 0:
            if self.at >= len(self.lines):
                raise Broken(opened, f"{says} is cut off: {old} and {new} are missing")
            kind = self.lines[self.at][:1]
            if kind in (b" ", b"", b"-", b"+"):
                old -= kind != b"+"
                new -= kind != b"-"
            elif kind != b"\\":
                raise Broken(self.at + 1, f"{says} ends early: {old} and {new} are missing")
            if old < 0 or new < 0:
                raise Broken(self.at + 1, f"{says} has other counts")
            self.at += 1
        if self._starts(0, b"\\ "):
            self.at += 1
        elif self.open and self.at == len(self.lines):
            raise Broken(self.at, "a line without an end: the mail is cut off")

    def _goes_on(self, line: bytes) -> bool:
        if line.startswith(b"+"):
            return True
        if not line.startswith(b"-") or line.startswith(b"-----") or line.rstrip() in (b"--", b"---"):
            return False  # nothing, a ruler, a signature
        return not (line.startswith(b"--- ") and self._starts(1, b"+++ "))

    def _binary(self, head: Header) -> None:
        if self.at >= len(self.lines):
            return
        line = self.lines[self.at]
        if line.startswith(b"Binary files ") and line.endswith(b"differ"):
            head.binary = True
            self.at += 1
        elif line.startswith(b"GIT binary patch"):
            head.binary = True
            self.at += 1
            while self.at < len(self.lines) and _PART.match(self.lines[self.at]):
                while self.at < len(self.lines) and self.lines[self.at]:
                    self.at += 1
                self.at += 1
            self.at = min(self.at, len(self.lines))
