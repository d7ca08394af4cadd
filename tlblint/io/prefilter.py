"""Which files mention any of the words as a whole identifier: the cheap first cut over a whole kernel.

ripgrep where it is installed, else ``git grep`` and a look at what it finds, else Python; the survivors are the same.
A file that cannot be searched survives, so that reading it names it as not analysed instead of passing over it.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from tlblint.io import git, pool, processors
from tlblint.io.overlay import Overlay
from tlblint.io.tree import Revision, Tree, Worktree, below, inside, unseen
from tlblint.io.words import Words

FEW = 400
"""Up to this many files a scan in this process beats starting another one."""

MANY = 500
"""More places than this do not go on a command line: the whole tree is searched instead."""

SLICE = 500
"""Files that a process scans at a time; fewer than some of these are scanned in this one."""

STEMS = 48
"""More strings than this ripgrep does not find faster than words."""

LINE = 500_000
"""Bytes of names on a command line; systems that can run a kernel's build take four times as many."""

_CHUNK = 1 << 20


class Where(msgspec.Struct, frozen=True):
    """The part of a tree to search: at or below ``roots`` (none: everywhere), not where a path starts with one of ``skipped``."""

    roots: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def cut(self, paths: Sequence[str]) -> tuple[str, ...]:
        """``paths`` without the skipped ones."""
        return tuple(path for path in paths if not path.startswith(self.skipped)) if self.skipped else tuple(paths)


EVERYWHERE = Where()
Searcher = Callable[[Tree, Sequence[str], Words, Where], "set[str] | None"]


def survivors(tree: Tree, paths: Sequence[str], words: Collection[bytes], where: Where = EVERYWHERE, hints: Collection[bytes] = ()) -> tuple[str, ...]:
    """Those of ``paths`` that hold one of ``words`` as a whole identifier, in the order of ``paths``.

    All of ``paths`` lie at or below ``where.roots``; those below ``where.skipped`` do not survive.
    ``hints``: what many of the words have in common.
    """
    needles = Words(words, hints)
    paths = where.cut(paths)
    if not needles or not paths:
        return ()
    if isinstance(tree, Overlay):
        return paths_of(_over(tree, paths, words, where, hints, needles), paths)
    for search in searchers(tree, len(paths)):
        found = search(tree, paths, needles, where)
        if found is not None:
            return paths_of(found, paths)
    return paths_of(scan(tree, paths, needles), paths)


def _over(tree: Overlay, paths: Sequence[str], words: Collection[bytes], where: Where, hints: Collection[bytes], needles: Words) -> set[str]:
    """The search programs see only the base: what the series changes is looked at here."""
    same = survivors(tree.base, [path for path in paths if path not in tree.changed], words, where, hints)
    return {*same, *(path for path in paths if (raw := tree.changed.get(path)) is not None and needles.within(raw))}


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


def ripgrep(tree: Tree, paths: Sequence[str], needles: Words, where: Where = EVERYWHERE) -> set[str] | None:
    """ripgrep over the directories; None when there is no ripgrep or it failed.

    It looks for a few strings much faster than for many whole words. So what holds one of the stems is found first, and then the words in that.
    """
    import shutil  # loads much, and where all is remembered there is nothing to search

    program = shutil.which("rg")
    if program is None:
        return None
    globs = [word for glob in ("*.c", "*.h", "!.git", *(f"!/{_glob(prefix)}" for prefix in where.skipped)) for word in ("--glob", glob)]
    places = [f"./{root}" for root in where.roots] if 0 < len(where.roots) <= MANY else ["./"]
    by_stems = len(needles.stems) <= STEMS
    status, found = _rg(program, tree.top, [*(["--fixed-strings"] if by_stems else []), *globs], needles.lines() if by_stems else needles.rust(), places)
    refused = status == 2
    for names in _lots(sorted(found)) if by_stems else ():
        again, held = _rg(program, tree.top, [], needles.rust(), names)
        found = found.difference(names) | held
        status, refused = again if again not in (0, 1, 2) else status, refused or again == 2
    if status not in (0, 1, 2):
        return None
    return {os.fsdecode(path.removeprefix(b"./")) for path in found} | _passed_over(tree, paths, needles, access=refused)


def _rg(program: str, top: str, options: Sequence[str], patterns: bytes, places: Sequence[str | bytes]) -> tuple[int, set[bytes]]:
    """The status of ripgrep, -1 where it does not start, and the files that it names."""
    fixed = ["--no-config", "--files-with-matches", "--null", "--text", "--encoding", "none", "--no-ignore", "--hidden", "--no-messages", "--file", "-"]
    try:
        done = subprocess.run([program, *fixed, *options, "--", *places], cwd=top, input=patterns, capture_output=True, check=False)
    except OSError:
        return -1, set()
    return done.returncode, {path for path in done.stdout.split(b"\0") if path}


def _lots(names: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """As many of the names at a time as fit on a command line."""
    lot: list[bytes] = []
    size = 0
    for name in names:
        if lot and size + len(name) > LINE:
            yield lot
            lot, size = [], 0
        lot.append(name)
        size += len(name) + 9  # its end, and a pointer
    if lot:
        yield lot


def git_grep(tree: Tree, paths: Sequence[str], needles: Words, where: Where = EVERYWHERE) -> set[str] | None:
    """``git grep`` for parts of the words over the work tree or a revision, then a scan of what it finds; None when it failed.

    git has no fast search for many whole words; for fixed strings it has one.
    """
    parts = [word for stem in needles.stems for word in ("-e", os.fsdecode(stem))]
    base = ["grep", "--no-color", "--files-with-matches", "-z", "--fixed-strings", "--text", "--no-textconv", "--full-name", *parts]
    limits = _pathspecs(where)
    if isinstance(tree, Revision):
        assert tree.revision is not None
        place, which, cut = tree.directory, [tree.revision, "--", *limits], len(tree.revision) + 1
    else:
        place, which, cut = tree.top, ["--untracked", "--", *limits], 0
    status, out, err = git.attempt(place, [*base, *which])
    if status not in (0, 1) or (err and isinstance(tree, Revision)):  # a blob that a partial clone does not hold
        return None
    near = {os.fsdecode(record[cut:]) for record in out.split(b"\0") if record}
    found = scan(tree, paths_of(near, paths), needles)
    return found if isinstance(tree, Revision) else found | _passed_over(tree, paths, needles, access=True)


def scan(tree: Tree, paths: Sequence[str], needles: Words, where: Where = EVERYWHERE) -> set[str]:
    """The search in Python, of many files on all processors. Streams files on disk, so that size does not matter."""
    paths = [path for path in paths if below(path, where.roots)]
    if isinstance(tree, Revision):
        return {path for path in paths if _blob_holds(tree, path, needles)}
    slices = [paths[at : at + SLICE] for at in range(0, len(paths), SLICE)]
    jobs = processors.usual() if len(slices) > 4 else 1

    def some(part: list[str]) -> list[str]:
        return [path for path in part if _leaves(tree, path) or _file_holds(os.path.join(tree.top, path), needles)]

    return {path for part in pool.map_ordered(some, slices, jobs, died=lambda part: part, most=1) for path in part}


def _passed_over(tree: Tree, paths: Sequence[str], needles: Words, access: bool) -> set[str]:
    """Which of ``paths`` survive although a search program says nothing of them: what is no regular file any more, lies behind a
    symbolic link, or cannot be read. ``access``: whether there may be files that cannot be read."""
    doubtful = [path for path in (paths if access else unseen(tree, paths)) if not (tree.stays(path) and _is_regular(os.path.join(tree.top, path), access))]
    return scan(tree, doubtful, needles)


def _is_regular(path: str, access: bool) -> bool:
    try:
        state = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and (not access or os.access(path, os.R_OK))


def _glob(prefix: str) -> str:
    """A glob of what starts with ``prefix``: a directory, so that it is not even entered, or whatever a part of a name goes on to."""
    text = "".join(f"[{char}]" if char in "*?[{" else "\\" + char if char in "\\}]" else char for char in prefix)
    return text if text.endswith("/") else text + "*"


def _pathspecs(where: Where) -> list[str]:
    places = [f":(top,literal){root}" for root in where.roots] if 0 < len(where.roots) <= MANY else [":(top)*.c", ":(top)*.h"]
    return [*places, *(f":(top,exclude,glob){_glob(prefix)}**" for prefix in where.skipped if prefix.endswith("/"))]


def _leaves(tree: Tree, path: str) -> bool:
    """Whether a symbolic link in place of a directory leads out of the tree, to where nothing is read."""
    full = os.path.join(tree.top, path)
    return not tree.stays(path) and os.path.lexists(full) and not inside(os.path.realpath(os.path.dirname(full)), tree.top)


def _blob_holds(tree: Tree, path: str, needles: Words) -> bool:
    try:
        data = tree.read(path)
    except Exception:
        return True
    return needles.within(data)


def _file_holds(path: str, needles: Words) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return True  # whoever reads it next says what is wrong with it
    data = b""
    first = True
    with open(descriptor, "rb", buffering=0) as file:
        try:
            while part := file.read(_CHUNK):
                data += part
                if needles.within(data, first, last=False):
                    return True
                if len(data) > needles.overlap:
                    data, first = data[-needles.overlap :], False
        except OSError:
            return True
    return needles.within(data, first)
