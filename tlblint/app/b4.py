"""Check commands for ``b4 review``: one patch, or the series around a message.

b4 gives the message on standard input and, when the series is under review, a file that says which commits of which branch it is. A series
command gets no more than the cover letter or the first patch, so without that file it can judge that alone.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Sequence
from email import message_from_bytes
from typing import Any

import msgspec

from tlblint.io import data, git
from tlblint.io.errors import InputError
from tlblint.report import review
from tlblint.report.view import Style

NAMES = ("b4-patch", "b4-series")
MOST = 64 << 20


class _Tracked(msgspec.Struct, frozen=True):
    """The commits of the patches, oldest first, and the message ids of their mails."""

    commits: tuple[str, ...]
    mails: tuple[str, ...]


def answer(cwd: str, name: str, mail: bytes, tracking: str | None) -> str:
    """The JSON for b4. What cannot be judged is a warning there, never a failure of the series. ``tracking``: the file, if b4 named one."""
    tool = review.TOOL if name == "b4-patch" else review.SERIES
    try:
        return _answer(cwd, name, mail, _tracked(cwd, tracking) if tracking else None)
    except InputError as error:
        return review.entry(tool, "warn", f"not judged: {error}", "")


def _answer(cwd: str, name: str, mail: bytes, tracked: _Tracked | None) -> str:
    from tlblint.app.series import Request, series

    if tracked is not None:
        words: Sequence[str] = [_range(tracked, name, mail)]
    elif b"\n+++ " in mail or b"\ndiff --git " in mail or b"base64" in mail:
        words = ["-"]
    else:
        return review.entry(review.TOOL if name == "b4-patch" else review.SERIES, "pass", "a message without a patch", "")
    outcome = series(Request(cwd, tuple(words), stdin=io.BytesIO(mail)))
    return review.render(outcome.report, Style(unicode=True), review.TOOL if name == "b4-patch" else review.SERIES)


def _range(tracked: _Tracked, name: str, mail: bytes) -> str:
    """The commits that a message stands for."""
    if name == "b4-series":
        return f"{tracked.commits[0]}~1..{tracked.commits[-1]}"
    ident = str(message_from_bytes(mail[: 1 << 20]).get("Message-ID", "")).strip("<> \t\r\n")
    if ident not in tracked.mails:
        raise InputError(ident or "standard input", "no patch of the series under review", "")
    commit = tracked.commits[tracked.mails.index(ident)]
    return f"{commit}~1..{commit}"


def _tracked(cwd: str, path: str) -> _Tracked:
    """What b4's file says, as far as the repository bears it out. Raises InputError."""
    try:
        found = json.loads(data.regular(os.path.join(cwd, path), MOST))
        first, change = found["series"]["first-patch-commit"], found["series"]["change-id"]
        mails = tuple(_ident(patch) for patch in found["patches"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise InputError("B4_TRACKING_FILE", f"cannot be used: {type(error).__name__}", "") from None
    if not re.fullmatch(r"[0-9a-f]{40,64}", str(first)) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*", str(change)):
        raise InputError("B4_TRACKING_FILE", "names no series", "")
    out = git.run(cwd, ["rev-list", "--reverse", "--first-parent", "--max-count=2000", f"refs/heads/b4/review/{change}~1", f"^{first}~1", "--"])
    commits = tuple(out.decode("ascii").split())
    if not commits or len(commits) != len(mails):
        raise InputError(f"b4/review/{change}", f"holds {len(commits)} commits for {len(mails)} patches", "")
    return _Tracked(commits, mails)


def _ident(patch: Any) -> str:
    return str(patch["header-info"]["msgid"]).strip("<> \t\r\n")
