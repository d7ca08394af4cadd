"""How well a revision fits the ``index`` lines of a series, and where in a history a better one may be."""

from __future__ import annotations

import hashlib
import re
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence

from tlblint.io import git
from tlblint.io.errors import Unreadable
from tlblint.io.tree import Tree
from tlblint.model.series import Series

SECONDS = 10.0
"""So long a history is searched: from its newer end, so that what was found until then counts."""

SAMPLE = 24
"""Files by which revisions are compared."""

TIPS = 400
"""Branches and tags that are looked at, the youngest ones."""

CANDIDATES = 400
"""Commits of the history that are looked at."""

_OID = re.compile(r"[0-9a-f]{7,64}$")


def wanted(series: Series) -> dict[str, str]:
    """Path -> blob id (maybe abbreviated) that the series finds there before its first patch."""
    blobs: dict[str, str] = {}
    seen: set[str] = set()
    for patch in series.patches:
        for one in patch.files:
            if one.old_path is not None and one.old_path not in seen and one.old_blob is not None and _OID.match(one.old_blob):
                blobs[one.old_path] = one.old_blob
            seen.update(path for path in (one.old_path, one.new_path) if path is not None)
    return blobs


def equal_on_disk(tree: Tree, blobs: Mapping[str, str]) -> int:
    """How many files of a tree are the blobs they should be."""
    count = 0
    for path, oid in blobs.items():
        try:
            raw = tree.read(path) if tree.holds(path) == "file" else None
        except Unreadable:
            raw = None
        if raw is not None:
            whole = b"blob %d\0" % len(raw) + raw
            count += any(kind(whole).hexdigest().startswith(oid) for kind in (hashlib.sha1, hashlib.sha256))
    return count


def equal(directory: str, revisions: Sequence[str], blobs: Mapping[str, str]) -> list[int]:
    """For each revision (ids) how many paths hold the blob they should. 0 for revisions that are not there."""
    asked = [(number, path) for number in range(len(revisions)) for path in blobs]
    lines = b"".join(f"{revisions[number]}:{path}\n".encode("utf-8", "surrogateescape") for number, path in asked)
    status, out, _ = git.attempt(directory, ["cat-file", "--batch-check=%(objectname)"], lines)
    found = [0] * len(revisions)
    answers = out.split(b"\n")
    if status != 0 or len(answers) < len(asked):
        return found
    for (number, path), answer in zip(asked, answers, strict=False):
        found[number] += b" " not in answer and answer.startswith(blobs[path].encode("ascii"))
    return found


def tips(directory: str) -> list[tuple[str, str]]:
    """(commit id, short name) of branches and tags, the youngest first."""
    form = "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end) %(refname:short)"
    words = ["for-each-ref", "--sort=-creatordate", f"--count={TIPS}", f"--format={form}", "refs/tags", "refs/heads", "refs/remotes"]
    status, out, _ = git.attempt(directory, words)
    rows = [line.partition(" ") for line in out.decode("utf-8", "replace").splitlines()] if status == 0 else []
    return [(oid, name) for oid, _, name in rows]


def sample(directory: str, blobs: Mapping[str, str]) -> dict[str, str]:
    """Those blobs that the repository has at all, a bounded number of them."""
    names = list(blobs)
    lines = "".join(f"{blobs[name]}\n" for name in names).encode("ascii")
    status, out, _ = git.attempt(directory, ["cat-file", "--batch-check=%(objecttype)"], lines)
    answers = out.split(b"\n") if status == 0 else []
    there = [name for name, answer in zip(names, answers, strict=False) if answer == b"blob"]
    return {name: blobs[name] for name in there[:SAMPLE]}


def history(directory: str, blobs: Mapping[str, str], seconds: float = SECONDS) -> list[str]:
    """Commits that put one of the blobs in its place, and parents of those that took it away, the youngest first."""
    where = ["--branches", "--tags", "--remotes", "HEAD", "--", *(f":(top,literal){name}" for name in blobs)]
    words = git.command(directory, ["log", "--raw", "--no-abbrev", "--no-renames", "-m", "--format=%x01%H %P", *where])
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=git.environment())
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        return _commits(process.stdout, frozenset(blobs.values()))
    finally:
        timer.cancel()
        process.kill()
        assert process.stdout is not None
        process.stdout.close()
        process.wait()


def _commits(lines: Iterable[bytes], oids: frozenset[str]) -> list[str]:
    found: dict[str, None] = {}
    sizes = sorted({len(oid) for oid in oids})
    commit, parents = "", [""]
    for line in lines:
        if len(found) >= CANDIDATES:
            break
        if line.startswith(b"\x01"):
            commit, *parents = line[1:].decode("ascii").split() or [""]
        elif line.startswith(b":"):
            fields = line.split(b"\t")[0].decode("ascii").split()
            old, new = fields[2], fields[3]
            if any(new[:size] in oids for size in sizes):
                found[commit] = None
            if any(old[:size] in oids for size in sizes) and parents:
                found[parents[0]] = None
    return [oid for oid in found if oid]
