"""Which files mention any of the words: the cheap first cut over a whole kernel.

ripgrep where it is installed, else ``git grep``, else Python; the survivors are the same. A file that cannot be
searched survives, so that reading it names it as not analysed instead of passing over it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence

from tlblint.io import git
from tlblint.io.tree import Revision, Tree, Worktree

FEW = 400
"""Up to this many files a scan in this process beats starting another one."""

_CHUNK = 1 << 20

Searcher = Callable[[Tree, Sequence[str], Sequence[bytes]], "set[str] | None"]


def survivors(tree: Tree, paths: Sequence[str], words: Iterable[bytes]) -> tuple[str, ...]:
    """Those of ``paths`` whose bytes hold one of ``words`` as a substring, in the order of ``paths``."""
    needles = minimal(words)
    if not needles or not paths:
        return ()
    for search in searchers(tree, len(paths)):
        found = search(tree, paths, needles)
        if found is not None:
            return paths_of(found, paths)
    return paths_of(scan(tree, paths, needles), paths)


def paths_of(found: set[str], paths: Sequence[str]) -> tuple[str, ...]:
    """``paths`` cut down to ``found``, order kept."""
    return tuple(path for path in paths if path in found)


def searchers(tree: Tree, count: int) -> list[Searcher]:
    """The searches to try in turn; the Python scan, which cannot fail, comes after them."""
    if count <= FEW:
        return []
    if isinstance(tree, Revision):
        return [git_grep]
    return [ripgrep, git_grep] if isinstance(tree, Worktree) else [ripgrep]


def minimal(words: Iterable[bytes]) -> list[bytes]:
    """The words without those that contain another one: the same survivors from fewer needles."""
    kept: list[bytes] = []
    for word in sorted(set(words), key=lambda w: (len(w), w)):
        if word and not any(known in word for known in kept):
            kept.append(word)
    return kept


def ripgrep(tree: Tree, paths: Sequence[str], needles: Sequence[bytes]) -> set[str] | None:
    """ripgrep over the whole directory; None when there is no ripgrep or it failed."""
    program = shutil.which("rg")
    if program is None:
        return None
    fixed = ["--no-config", "--files-with-matches", "--null", "--fixed-strings", "--text", "--encoding", "none", "--no-ignore", "--hidden", "--no-messages"]
    globs = ["--glob", "*.c", "--glob", "*.h", "--glob", "!.git"]
    try:
        done = subprocess.run(
            [program, *fixed, *globs, *_patterns(needles), "--", "./"], cwd=tree.top, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return None
    if done.returncode not in (0, 1, 2):
        return None
    found = {os.fsdecode(path.removeprefix(b"./")) for path in done.stdout.split(b"\0") if path}
    if done.returncode == 2:  # something could not be read
        found.update(path for path in paths if not os.access(os.path.join(tree.top, path), os.R_OK) and os.path.lexists(os.path.join(tree.top, path)))
    return found


def git_grep(tree: Tree, paths: Sequence[str], needles: Sequence[bytes]) -> set[str] | None:
    """``git grep`` over the work tree or a revision; None when it failed."""
    base = ["grep", "--files-with-matches", "-z", "--fixed-strings", "--text", "--no-textconv", "--full-name", *_patterns(needles)]
    if isinstance(tree, Revision):
        assert tree.revision is not None
        place, where, cut = tree.directory, [tree.revision, "--", ":(top)*.c", ":(top)*.h"], len(tree.revision) + 1
    else:
        place, where, cut = tree.top, ["--untracked", "--", "*.c", "*.h"], 0
    status, out, err = git.attempt(place, [*base, *where])
    if status not in (0, 1) or (err and isinstance(tree, Revision)):  # a blob that a partial clone does not hold
        return None
    found = {os.fsdecode(record[cut:]) for record in out.split(b"\0") if record}
    if not isinstance(tree, Revision):
        found.update(path for path in paths if not os.access(os.path.join(tree.top, path), os.R_OK) and os.path.lexists(os.path.join(tree.top, path)))
    return found


def scan(tree: Tree, paths: Sequence[str], needles: Sequence[bytes]) -> set[str]:
    """The search in Python. Streams files on disk, so that size does not matter."""
    if isinstance(tree, Revision):
        return {path for path in paths if _blob_holds(tree, path, needles)}
    return {path for path in paths if _file_holds(os.path.join(tree.top, path), needles)}


def _blob_holds(tree: Tree, path: str, needles: Sequence[bytes]) -> bool:
    try:
        data = tree.read(path)
    except Exception:
        return True
    return any(needle in data for needle in needles)


def _file_holds(path: str, needles: Sequence[bytes]) -> bool:
    overlap = max(map(len, needles)) - 1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    tail = b""
    with open(descriptor, "rb", buffering=0) as file:
        try:
            while part := file.read(_CHUNK):
                data = tail + part
                if any(needle in data for needle in needles):
                    return True
                tail = data[-overlap:] if overlap else b""
        except OSError:
            return True
    return False


def _patterns(needles: Sequence[bytes]) -> list[str]:
    return [word for needle in needles for word in ("-e", os.fsdecode(needle))]
