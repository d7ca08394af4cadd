"""What ``git apply`` makes of hunks that fit exactly where their headers put them, without starting git: it is most of the time of a long series.

Nothing is decided here that git could decide otherwise: whatever is not plain goes to git, which also says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tlblint.model.series import FilePatch

_HEADER = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_KINDS = (b" ", b"-", b"+")
_Hunk = tuple[int, int, list[bytes], list[bytes], bool]
"""(old start, new start, lines before, lines after, whether context follows the last change)."""


def apply(files: Mapping[str, bytes | None], sections: Sequence[FilePatch]) -> dict[str, bytes | None] | None:
    """The files after changes of text in place (path -> content), or None when git must be asked."""
    out = dict(files)
    done: set[str] = set()
    for one in sections:
        raw = files.get(one.path)
        if one.kind != "modify" or one.old_path != one.new_path or one.path in done or raw is None or not one.hunks:
            return None
        hunks = _hunks(one)
        after = _applied(raw, hunks) if hunks is not None else None
        if after is None:
            return None
        out[one.path] = after
        done.add(one.path)
    return out


def _applied(raw: bytes, hunks: Sequence[_Hunk]) -> bytes | None:
    lines = _lines(raw)
    free = 0
    for old_start, new_start, before, after, more in hunks:
        at = max(new_start - 1, 0)
        if at < free or (old_start <= 1 and at) or (not more and at + len(before) != len(lines)) or lines[at : at + len(before)] != before:
            return None
        lines[at : at + len(before)] = after
        free = at + len(after)
    return b"".join(lines)


def _lines(raw: bytes) -> list[bytes]:
    """Lines with their newlines: only that one character ends a line."""
    parts = raw.split(b"\n")
    last = parts.pop()
    return [part + b"\n" for part in parts] + ([last] if last else [])


def _hunks(one: FilePatch) -> list[_Hunk] | None:
    """The hunks of a section; None for what is not plain: wrong counts, a missing newline, lines of no kind, hunks that change nothing."""
    lines = _lines(one.raw)[one.hunks[0].line - 1 :]
    found: list[_Hunk] = []
    at = 0
    while at < len(lines) and (header := _HEADER.match(lines[at])) is not None:
        old_start, old_count, new_start, new_count = (int(number) if number is not None else 1 for number in header.groups())
        before: list[bytes] = []
        after: list[bytes] = []
        kind = b""
        changes = False
        at += 1
        while len(before) < old_count or len(after) < new_count:
            line = lines[at] if at < len(lines) else b""
            kind, text = line[:1], line[1:]
            if kind not in _KINDS or not text.endswith(b"\n"):
                return None
            if kind != b"+":
                before.append(text)
            if kind != b"-":
                after.append(text)
            changes = changes or kind != b" "
            at += 1
        if not changes or (len(before), len(after)) != (old_count, new_count) or (lines[at : at + 1] and lines[at].startswith(b"\\")):
            return None
        found.append((old_start, new_start, before, after, kind == b" "))
    return found if len(found) == len(one.hunks) else None
