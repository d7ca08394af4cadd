"""A git range as a series: its commits along first parents, oldest first, each as its difference to its first parent."""

from __future__ import annotations

import os
import re
import subprocess

import msgspec

from tlblint.io import git
from tlblint.io.errors import InputError
from tlblint.io.mail_box import LIMIT
from tlblint.io.mail_text import one_line, readable, trailers
from tlblint.io.series_diff import parse_diff
from tlblint.model.series import Patch, Series

COMMITS = 2000
"""Commits of the longest range that is read."""

_DIFF = (
    "diff-tree", "-p", "--full-index", "--binary", "-M", "--no-commit-id", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/",
    "--dst-prefix=b/", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--ignore-submodules=none", "--submodule=short",
    "--no-indent-heuristic", "--no-relative", "-O/dev/null", "-r",
)  # fmt: skip


class _Commit(msgspec.Struct, frozen=True):
    id: str
    parents: tuple[str, ...]
    author: str
    date: str
    subject: str
    body: str


def is_range(word: str) -> bool:
    """Whether a word looks like ``a..b``, ``a..`` or ``..b``. ``../x.patch`` does not."""
    return re.fullmatch(r"(?!\.\.?/)[^\s]*?(?<!/)\.\.(?!/)[^\s]*", word) is not None and word not in (".", "..")


def read_range(directory: str, word: str) -> Series:
    """The commits of ``word`` in the repository at ``directory``. Raises InputError."""
    if not git.is_repository(directory):
        raise InputError(word, f"a range, but {directory} is not in a git repository", "name the repository with --tree DIR")
    if "..." in word:
        raise InputError(word, "a symmetric difference is no series", "write it with two dots")
    start, _, end = word.partition("..")
    old, new = (_commit(directory, name or "HEAD", word) for name in (start, end))
    commits = _commits(directory, old, new, word)
    bottom = commits[0].parents[0] if commits[0].parents else None
    if bottom is None:
        raise InputError(word, "reaches a commit without a parent", "start the range behind it")
    notes = [f"merge {one.id[:12]} counts as one patch: its difference to its first parent" for one in commits if len(one.parents) > 1]
    if bottom != old:
        notes.append(f"{start or 'HEAD'} is not on the way: the range starts at {bottom[:12]}, where the branches part")
    patches: list[Patch] = []
    left = LIMIT
    for number, one in enumerate(commits, 1):
        raw = _diff(directory, one.parents[0], one.id, left, word)
        left -= len(raw)
        patches.append(_patch(one, number, len(commits), raw))
    return Series(commits[0].subject if len(commits) == 1 else _title(word), 1, None, tuple(patches), bottom, tuple(notes), "range")


def commit(directory: str, name: str) -> str:
    """The id of the commit that the repository at ``directory`` knows by ``name``, "" for none."""
    if "\0" in name or not git.is_repository(directory):
        return ""
    status, out, _ = git.attempt(directory, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    return out.decode("ascii").strip() if status == 0 else ""


def _commit(directory: str, name: str, word: str) -> str:
    found = commit(directory, name)
    if not found:
        raise InputError(word, f"git knows no commit {name}", "name commits, tags or branches of this repository")
    return found


def _title(word: str) -> str:
    """A range as it is shown: whole ids cut."""
    return re.sub(r"\b([0-9a-f]{12})(?:[0-9a-f]{28}|[0-9a-f]{52})\b", r"\1", word)


def _commits(directory: str, old: str, new: str, word: str) -> list[_Commit]:
    form = "%H%x00%P%x00%an <%ae>%x00%aI%x00%s%x00%b%x00%x01"
    out = git.run(directory, ["log", "--first-parent", "--reverse", "-z", f"--max-count={COMMITS + 1}", "--encoding=UTF-8", "--no-color", "--no-notes",
                              "--no-show-signature", "--no-mailmap", f"--format={form}", new, f"^{old}", "--"])  # fmt: skip
    commits = []
    for record in out.split(b"\0\x01"):
        fields = [readable(field).strip() for field in record.lstrip(b"\0\n").split(b"\0", 5)]
        if len(fields) == 6:
            commits.append(_Commit(fields[0], tuple(fields[1].split()), one_line(fields[2]), one_line(fields[3]), one_line(fields[4]), fields[5]))
    if not commits:
        raise InputError(word, "an empty range", "name the older end first")
    if len(commits) > COMMITS:
        raise InputError(word, f"more than {COMMITS} commits", "give a shorter range")
    return commits


def _diff(directory: str, parent: str, commit: str, left: int, word: str) -> bytes:
    """The diff of a commit, at most ``left`` bytes of it."""
    words = git.command(directory, [*_DIFF, parent, commit, "--"])
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=git.environment())
    with process:
        assert process.stdout is not None
        raw = process.stdout.read(left + 1)
        if len(raw) > left:
            process.kill()
            raise InputError(word, f"more than {LIMIT >> 20} MB of changes, at {commit[:12]}", "give a shorter range")
    if process.returncode != 0:
        raise InputError(word, f"git cannot show what {commit[:12]} changes", f"try git show {commit[:12]}")
    return raw


def _patch(one: _Commit, number: int, total: int, raw: bytes) -> Patch:
    files = parse_diff(raw, one.id[:12])
    subject = one.subject or os.path.basename(one.id[:12])
    return Patch(number, total, subject, one.author, "", 1, False, trailers(one.body), one.body, files, raw, one.id, one.id, (), one.date)
