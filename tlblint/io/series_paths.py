"""File names as diffs write them, and which of them may not be touched whatever the diff says."""

from __future__ import annotations

import os
import re

_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*)"')
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.S)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSEEN = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
"""Characters that some file systems pass over in names, so that they hide a ".git"."""

LONGEST = 1024
"""Bytes of the longest path that is believed; the longest one in a kernel has a tenth of that."""


def quoted(text: bytes) -> tuple[bytes, bytes] | None:
    """The name in C quotes that ``text`` starts with, and what follows it; None when it starts with no well-formed one."""
    match = _QUOTED.match(text)
    return (_ESCAPE.sub(_unescape, match[1]), text[match.end() :]) if match else None


def _unescape(match: re.Match[bytes]) -> bytes:
    found = match[1]
    return bytes([int(found, 8)]) if len(found) == 3 else _ESCAPES[found]


def objection(path: str) -> str | None:
    """Why a path from the top of a tree is refused, as one clause; None for one that stays in the tree."""
    if not path:
        return "an empty path"
    if len(os.fsencode(path)) > LONGEST:
        return f"a path of more than {LONGEST} bytes"
    if _CONTROL.search(path):
        return "a path with control characters"
    if path.startswith("/"):
        return "an absolute path"
    if "\\" in path:
        return "a path with a backslash"
    parts = path.split("/")
    if ".." in parts:
        return "a path with .."
    if "" in parts or "." in parts:
        return "a path with an empty part"
    return "a path into .git" if any(_is_git(part) for part in parts) else None


def _is_git(part: str) -> bool:
    """Whether some file system takes a name for ".git"."""
    plain = _UNSEEN.sub("", part).split(":")[0].rstrip(" .").lower()
    return plain in (".git", "git~1")


def shown(path: str) -> str:
    """A path fit for one line of text: control characters and undecodable bytes escaped, long ones cut."""
    text = "".join(char if char.isprintable() else char.encode("utf-8", "surrogateescape").decode("latin-1").encode("unicode_escape").decode() for char in path)
    return text if len(text) <= 200 else text[:197] + "..."
