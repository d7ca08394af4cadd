"""What is measured on: a copy of a kernel, edits of one of its files, and patches for it. Everything is made from the tree, and the same each time."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

_CALL = re.compile(rb"(?<=[;}]\n)\t(?=\w+\([^\n]*\);\n)")
"""Before a statement that is a call and follows another statement."""
C = (".c", ".h")
EDITED = ("mm/mremap.c", "mm/mprotect.c", "mm/vmscan.c", "mm/reclaim.c")


def copy(tree: Path, place: Path) -> int:
    """Copy all files, since some rules read what is no C and all walks pass it; the bytes of the .c and .h files."""
    total = 0
    for path in files(tree):
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / path, target)
        total += target.stat().st_size if path.endswith(C) else 0
    return total


def part(tree: Path, place: Path, starts: Sequence[str]) -> None:
    """Link the files of a copy that start with one of ``starts``."""
    for path in files(tree):
        if path.startswith((*starts, "Makefile")):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(tree / path, place / path)


def files(tree: Path) -> Iterator[str]:
    """All files that are no links and not git's, from the top."""
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(name for name in folders if name != ".git")
        near = os.path.relpath(folder, tree)
        for name in sorted(names):
            if not os.path.islink(os.path.join(folder, name)):
                yield os.path.normpath(os.path.join(near, name))


def edited(tree: Path) -> str:
    """A file of mm/ to edit."""
    return next(path for path in EDITED if (tree / path).is_file())


def commented(raw: bytes, number: int) -> bytes:
    """With one more comment, above all code: every line moves, nothing else."""
    return b"/* edit %d */\n" % number + raw


def changed(raw: bytes, number: int) -> bytes:
    """With one more statement in a function, another one for each number: what a patch does."""
    places = [match.start() for match in _CALL.finditer(raw)]
    at = places[number % len(places)]
    return raw[:at] + b"\tcpu_relax();\n" * (1 + number // len(places)) + raw[at:]


def series(tree: Path, count: int) -> bytes:
    """A mailbox of ``count`` patches, one edit each, on files of mm/ that change page table entries; every fourth is a comment."""
    names = [path for path in sorted(os.listdir(tree / "mm")) if path.endswith(".c")]
    texts = {f"mm/{name}": (tree / "mm" / name).read_bytes() for name in names}
    chosen = [path for path, raw in texts.items() if b"pte_unmap_unlock(" in raw and len(_CALL.findall(raw)) > 3]
    mails = []
    for number in range(count):
        path = chosen[number % len(chosen)]
        new = (commented if number % 4 == 3 else changed)(texts[path], number)
        mails.append(_mail(path, texts[path], new, number + 1, count))
        texts[path] = new
    return b"".join(mails)


def _mail(path: str, old: bytes, new: bytes, number: int, count: int) -> bytes:
    lines = difflib.diff_bytes(difflib.unified_diff, old.splitlines(True), new.splitlines(True), b"a/" + path.encode(), b"b/" + path.encode())
    head = f"""From {number:040x} Mon Sep 17 00:00:00 2001
From: Ann <ann@example.org>
Date: Thu, 1 Jan 2026 00:00:{number:02} +0000
Subject: [PATCH {number}/{count}] mm: edit {number} of {path}
Message-Id: <edit-{number}@example.org>

One more line.
---
diff --git a/{path} b/{path}
"""
    return head.encode() + b"".join(lines) + b"-- \n2.39.5\n\n"
