"""What a push would publish: the lines that git gives to ``pre-push``, as ranges of new commits."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import msgspec

from tlblint.io import git
from tlblint.io.errors import InputError

MOST = 200
"""New commits that are judged as one series; more come from a first push of somebody's history or from merges of it."""

LIMIT = 16 << 20
"""Bytes of its input that are read."""

_LINE = re.compile(r"(?P<local>\S+) (?P<commit>[0-9a-f]{40,64}) (?P<remote>\S+) (?P<known>[0-9a-f]{40,64})")


class Update(msgspec.Struct, frozen=True):
    """One ref of a push: its name there, the object that it shall have, and the one that it has (all zeros: none)."""

    ref: str
    commit: str
    known: str


def read() -> bytes:
    """What git writes to the hook's standard input; b"" when that is closed."""
    return sys.stdin.buffer.read(LIMIT) if sys.stdin is not None else b""


def updates(refs: bytes) -> tuple[Update, ...]:
    """What is on the lines; refs that go away, and objects that go to two refs, count once or not. Raises InputError."""
    found: dict[tuple[str, str], Update] = {}
    for number, raw in enumerate(refs.decode("utf-8", "surrogateescape").splitlines(), 1):
        if not raw.strip():
            continue
        match = _LINE.fullmatch(raw.strip())
        if match is None:
            raise InputError(f"pre-push: line {number}", "not 'local-ref id remote-ref id'", "")
        if match["commit"].strip("0"):
            found.setdefault((match["commit"], match["known"]), Update(match["remote"], match["commit"], match["known"]))
    return tuple(found.values())


def new_range(top: str, update: Update) -> str | None:
    """The new commits as "base..tip"; None when there is nothing new, or nothing that is a commit. Raises InputError.

    New is what neither the updated ref nor any remote-tracking branch holds: a rebased branch brings its own commits, not those of
    the upstream that it was rebased onto. The base is the first known commit on the way back over first parents.
    """
    status, out, _ = git.attempt(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{update.commit}^{{commit}}"])
    if status != 0:  # a tag of a blob or tree
        return None
    tip = out.decode("ascii").strip()
    known = [f"^{update.known}"] if update.known.strip("0") and _held(top, update.known) else []
    out = git.run(top, ["rev-list", "--first-parent", f"--max-count={MOST + 1}", "--parents", tip, *known, "--not", "--remotes"])
    rows = [line.split() for line in out.decode("ascii").splitlines()]
    if not rows:
        return None
    if len(rows) > MOST:
        raise InputError(update.ref, f"more than {MOST} commits are new there", f"judge what is yours with: tlblint series BASE..{tip[:12]}")
    if len(rows[-1]) == 1:
        raise InputError(update.ref, "its history starts with what is pushed", "tlblint check judges a whole tree")
    return f"{rows[-1][1]}..{tip}"


def ranges(top: str, update: Update) -> Iterator[str]:
    """``new_range`` as an iterator of none or one."""
    found = new_range(top, update)
    if found is not None:
        yield found


def _held(top: str, commit: str) -> bool:
    """Whether this repository has the commit: what somebody else pushed there meanwhile it has not."""
    return git.attempt(top, ["cat-file", "-e", f"{commit}^{{commit}}"])[0] == 0
