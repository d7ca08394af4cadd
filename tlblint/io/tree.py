"""What is checked: a git work tree, a plain directory, or a revision read straight from the object store.

Paths are relative to the top, with ``/``, sorted as strings. No tree ever reads outside its top: the tree may belong
to whoever wrote the patch under review.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property, lru_cache
from typing import Protocol

import msgspec

from tlblint.io import git
from tlblint.io.errors import InputError, Unreadable
from tlblint.io.walk import SUFFIXES, Ahead, Paths, Seen, Walked, walk
from tlblint.io.walk import is_c as is_c
from tlblint.io.walk import reason as _reason

LIMIT = 16 << 20
"""Bytes of the largest file that is read; kernels hold none that is both larger and C that matters here."""

class Listing(msgspec.Struct, frozen=True):
    """The C files of a tree, what looks like one but cannot be read: (path, why), and the submodules, which are not entered."""

    paths: Sequence[str]
    refused: tuple[tuple[str, str], ...] = ()
    submodules: tuple[str, ...] = ()


class Tree(Protocol):
    """A set of C files at one moment."""

    @property
    def kind(self) -> str:
        """"worktree", "directory" or "revision"."""

    @property
    def top(self) -> str:
        """Absolute path of the top directory: where relative paths start."""

    @property
    def revision(self) -> str | None:
        """Full commit id, or None for files on disk."""

    def list(self, paths: Sequence[str] = ()) -> Listing:
        """All .c and .h files, or those that are or lie below one of ``paths``."""

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises Unreadable."""

    def holds(self, path: str) -> str | None:
        """"file" or "directory" for what ``path`` names in this tree, None when nothing; "" names the top."""

    def place(self, full: str) -> str | None:
        """The path from the top of what an absolute path names in this tree, its symbolic links followed; "" for the top, None outside."""

    def stays(self, path: str) -> bool:
        """Whether the directory of a listed file is what it says, not a symbolic link that was put in its place."""

    def close(self) -> None:
        """End the processes behind the tree."""


def below(path: str, roots: Sequence[str]) -> bool:
    """Whether ``path`` is, or lies below, one of ``roots``; no roots means everywhere."""
    return not roots or any(not root or path == root or path.startswith(root + "/") for root in roots)


def inside(path: str, top: str) -> bool:
    """Whether an absolute path is ``top`` or below it."""
    return path == top or path.startswith(top.rstrip("/") + "/")


def _from(top: str, full: str) -> str | None:
    """An absolute path as seen from the top; None when it lies outside."""
    if not inside(full, top):
        return None
    return "" if full == top else os.path.relpath(full, top)


class _Disk:
    """What the two trees on disk share."""

    revision: str | None = None
    ahead: Ahead | None = None
    """A walk that was started early."""

    def __init__(self, top: str) -> None:
        self.top = os.path.realpath(top)
        self.regular: list[Paths] = []
        """Files that walks of this run have seen to be regular ones that no link leads to."""
        self._home = lru_cache(maxsize=None)(self._is_home)
        self._own = lru_cache(maxsize=None)(self._is_own)

    def _is_home(self, directory: str) -> bool:
        """Whether a directory of the tree is reached without leaving the tree through a symbolic link."""
        return inside(os.path.realpath(os.path.join(self.top, directory)), self.top)

    def read(self, path: str) -> bytes:
        """The bytes of a regular file of at most LIMIT bytes. Raises Unreadable."""
        if not self._home(os.path.dirname(path)):
            raise Unreadable(path, "reached through a symbolic link that leaves the tree")
        try:
            # O_NONBLOCK: a FIFO that calls itself x.c must not hang the run.
            descriptor = os.open(os.path.join(self.top, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Unreadable(path, _reason(error)) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable(path, "not a regular file")
            if status.st_size > LIMIT:
                raise Unreadable(path, f"larger than {LIMIT >> 20} MB")
            data = os.read(descriptor, status.st_size + 1)  # all of it, but for a file that grows
            while data and len(data) <= LIMIT and (more := os.read(descriptor, _MORE)):
                data += more
        except OSError as error:
            raise Unreadable(path, _reason(error)) from None
        finally:
            os.close(descriptor)
        if len(data) > LIMIT:
            raise Unreadable(path, f"larger than {LIMIT >> 20} MB")
        return data

    def stays(self, path: str) -> bool:
        return self._own(os.path.dirname(path))

    def _is_own(self, directory: str) -> bool:
        # Directories have most of their way in common: each part of it is looked at once. The top is no link.
        return not directory or (self._own(os.path.dirname(directory)) and not os.path.islink(os.path.join(self.top, directory)))

    def holds(self, path: str) -> str | None:
        full = os.path.join(self.top, path)
        if os.path.isdir(full):
            return "directory"
        return "file" if os.path.lexists(full) else None

    def place(self, full: str) -> str | None:
        return _from(self.top, os.path.realpath(full))

    def close(self) -> None:
        """End a walk that nobody waits for any more."""
        if self.ahead is not None:
            self.ahead.close()

    def _link(self, path: str, listed: Container[str]) -> str | None:
        """Why a symbolic link to a C file is refused; None when its target is a listed file of this tree."""
        target = os.path.realpath(os.path.join(self.top, path))
        if not inside(target, self.top):
            return "a symbolic link that leaves the tree"
        return None if os.path.relpath(target, self.top) in listed else "a symbolic link that leads to no C file of the tree"


class Worktree(_Disk):
    """A git work tree: tracked files, and untracked ones that git does not ignore."""

    kind = "worktree"

    @cached_property
    def _listing(self) -> Listing:
        # Not narrowed to C files: a submodule has any name.
        entries = [record.split(b"\t", 1) for record in git.run(self.top, ["ls-files", "-z", "--stage"]).split(b"\0") if record]
        modules = {os.fsdecode(path) for head, path in entries if head.startswith(b"160000")}
        entries = [entry for entry in entries if entry[1].endswith(_ENDS) and not entry[0].startswith(b"160000")]
        files = {os.fsdecode(path) for head, path in entries if not head.startswith(b"120000")}
        links = {os.fsdecode(path) for head, path in entries if head.startswith(b"120000")}
        for path in self._others(files | links):
            (links if os.path.islink(os.path.join(self.top, path)) else files).add(path)
        refused = ((path, self._link(path, files)) for path in sorted(links) if os.path.lexists(os.path.join(self.top, path)))
        return Listing(tuple(sorted(files)), tuple((path, why) for path, why in refused if why), tuple(sorted(modules)))

    def _others(self, tracked: set[str]) -> Iterator[str]:
        """C files and links that git neither tracks nor ignores. It is asked only where a walk has seen what it might name."""
        where = _globs()
        if self.ahead is not None and self.ahead.places == ("",):
            seen = self.ahead.result()
            more = [path for path in (*seen.files, *seen.links) if path not in tracked]
            if not more:
                return
            where = [f":(top,literal){path}" for path in more] if len(more) < _FEW else where
        out = git.run(self.top, ["ls-files", "-z", "--others", "--exclude-standard", "--", *where])
        yield from map(os.fsdecode, filter(None, out.split(b"\0")))

    def list(self, paths: Sequence[str] = ()) -> Listing:
        return _narrow(self._listing, paths)


class PlainDir(_Disk):
    """Any directory, walked without following symbolic links."""

    kind = "directory"

    @cached_property
    def _listing(self) -> Listing:
        files, links, refused = self._walk([""])
        more = [(path, why) for path in links if (why := self._link(path, files))]
        return Listing(files, tuple(sorted([*refused, *more])))

    def _walk(self, places: Sequence[str]) -> tuple[Paths, Sequence[str], Sequence[tuple[str, str]]]:
        """(C files, symbolic links to C files, what is refused) below the directories ``places``."""
        ahead = self.ahead.result() if self.ahead is not None and self.ahead.places == tuple(places) else walk(self.top, places, states=False)
        self.regular.append(ahead.files)
        return ahead.files, ahead.links, ahead.refused

    def list(self, paths: Sequence[str] = ()) -> Listing:
        # A part of a large tree is walked by itself; only a link needs to know all files of the tree.
        if paths and "_listing" not in self.__dict__:
            apart = [path for path in dict.fromkeys(paths) if path and not any(below(path, [other]) for other in paths if other != path)]
            lone = [path for path in apart if self._is_plain(path)]
            folders = [path for path in apart if self.holds(path) == "directory"]
            if len(lone) + len(folders) == len(apart):
                files, links, refused = self._walk(folders)
                if not links:
                    return Listing(tuple(sorted([*files, *lone])) if lone else files, tuple(sorted(refused)))
        return _narrow(self._listing, paths)

    def _is_plain(self, path: str) -> bool:
        """Whether a path is a C file that no link leads to."""
        full = os.path.join(self.top, path)
        return is_c(path) and os.path.isfile(full) and not os.path.islink(full) and self.stays(path)


class Revision:
    """A revision of a git repository; blobs come from one ``git cat-file --batch`` process."""

    kind = "revision"

    def __init__(self, directory: str, top: str, revision: str) -> None:
        self.top = top
        self.directory = directory
        self.revision: str | None = git.resolve(directory, revision)
        self._stack = ExitStack()
        self._folder = lru_cache(maxsize=None)(self._look)
        self._listed = lru_cache(maxsize=None)(self._list)

    @cached_property
    def _all(self) -> Mapping[str, tuple[str, str]]:
        assert self.revision is not None
        return {path: (mode, oid) for mode, oid, path in git.listing(self.directory, self.revision)}

    def _look(self, folder: str) -> Mapping[str, tuple[str, str]]:
        """What a directory holds, directories included, by name. Nothing for what is none."""
        if not folder:
            return self._blobs.folder(f"{self.revision}^{{tree}}")
        entry = self._named(folder)
        return self._blobs.folder(entry[1]) if entry is not None and entry[0] == _FOLDER else {}

    def _named(self, path: str) -> tuple[str, str] | None:
        """(mode, object id) of what a path names."""
        folder, _, name = path.rpartition("/")
        return self._folder(folder).get(name)

    def _entry(self, path: str) -> tuple[str, str] | None:
        """The same, of what is no directory."""
        entry = self._named(path)
        return entry if entry is not None and entry[0] != _FOLDER else None

    def _below(self, paths: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """All that is, or lies below, one of ``paths``, directories excluded: all of a revision at once, a part of it directory by directory."""
        if not paths or "" in paths:
            return self._all
        found: dict[str, tuple[str, str]] = {}
        waiting = [(path, entry) for path in paths if (entry := self._named(path)) is not None]
        while waiting:
            path, entry = waiting.pop()
            if entry[0] == _FOLDER:
                waiting.extend((f"{path}/{name}", inner) for name, inner in self._folder(path).items())
            else:
                found[path] = entry
        return found

    @cached_property
    def _blobs(self) -> git.Blobs:
        return self._stack.enter_context(git.blobs(self.directory))

    def list(self, paths: Sequence[str] = ()) -> Listing:
        return self._listed(tuple(paths))

    def _list(self, paths: tuple[str, ...]) -> Listing:
        entries = self._below(paths)
        chosen = [path for path in sorted(entries) if is_c(path)]
        links = [path for path in chosen if entries[path][0] == "120000"]
        refused = ((path, self._link(path, entries[path][1])) for path in links)
        files = tuple(path for path in chosen if entries[path][0].startswith("100"))
        modules = tuple(path for path, (mode, _) in sorted(entries.items()) if mode == "160000")
        return Listing(files, tuple((path, why) for path, why in refused if why), modules)

    def object(self, path: str) -> str:
        """The id of a listed file's object: equal for equal contents."""
        entry = self._entry(path)
        return entry[1] if entry is not None else ""

    def _link(self, path: str, oid: str) -> str | None:
        try:
            target = os.fsdecode(self._blobs.read(path, oid, _TARGET))
        except Unreadable as error:
            return f"a symbolic link without a target: {error.why}"
        place = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if target.startswith("/") or place == ".." or place.startswith("../"):
            return "a symbolic link that leaves the tree"
        known = self._entry(place)
        return None if known and is_c(place) and known[0].startswith("100") else "a symbolic link that leads to no C file of the tree"

    def read(self, path: str) -> bytes:
        """The bytes of a blob of at most LIMIT bytes. Raises Unreadable."""
        entry = self._entry(path)
        if entry is None:
            raise Unreadable(path, "no such file in this revision")
        if not entry[0].startswith("100"):
            raise Unreadable(path, "a symbolic link" if entry[0] == "120000" else "not a regular file")
        return self._blobs.read(path, entry[1], LIMIT)

    def holds(self, path: str) -> str | None:
        entry = self._named(path) if path else (_FOLDER, "")
        if entry is None:
            return None
        return "directory" if entry[0] in (_FOLDER, "160000") else "file"

    def place(self, full: str) -> str | None:
        # What the disk holds at that path says nothing of a revision. It is asked only for the way to the top, and for
        # links of its own that lead into the tree.
        named = _from(self.top, os.path.normpath(full))
        if named is not None and (found := self._follow(named)) is not None and self.holds(found):
            return found
        real = _from(self.top, os.path.realpath(full))
        return real if real is not None else named

    def stays(self, path: str) -> bool:
        return True  # git keeps no paths through symbolic links

    def _follow(self, path: str) -> str | None:
        """``path`` with the symbolic links of this revision followed; None when they leave the tree or go in a circle."""
        for _ in range(_HOPS):
            parts = path.split("/")
            starts = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
            found = next(((start, entry[1]) for start in starts if (entry := self._entry(start)) is not None and entry[0] == "120000"), None)
            if found is None:
                return path
            link, oid = found
            try:
                target = os.fsdecode(self._blobs.read(link, oid, _TARGET))
            except Unreadable:
                return None
            path = os.path.normpath(os.path.join(os.path.dirname(link), target, path[len(link) + 1 :]))
            if path.startswith("/") or path == ".." or path.startswith("../"):
                return None
            path = "" if path == "." else path
        return None

    def close(self) -> None:
        """End the cat-file process."""
        self._stack.close()


_MORE = 1 << 16
"""Bytes of what a file has grown by that are read at once."""

_FEW = 200
"""Paths that fit on a command line."""

_FOLDER = "40000"
"""The mode of a directory in git's own directories."""

_HOPS = 40
"""Symbolic links that are followed one after the other, as in the kernel."""

_TARGET = 4096
"""Bytes of the longest target of a symbolic link."""

_ENDS = tuple(suffix.encode() for suffix in SUFFIXES)


def _globs() -> list[str]:
    return [f"*{suffix}" for suffix in SUFFIXES]


def _narrow(listing: Listing, roots: Sequence[str]) -> Listing:
    if not roots or "" in roots:
        return listing
    exact, prefixes = frozenset(roots), tuple(f"{root}/" for root in roots)
    paths = tuple(path for path in listing.paths if path.startswith(prefixes) or path in exact)
    modules = tuple(path for path in listing.submodules if below(path, roots))
    return Listing(paths, tuple(row for row in listing.refused if below(row[0], roots)), modules)


def open_tree(cwd: str, tree: str | None, revision: str | None) -> Tree:
    """The tree that the options name. Raises InputError."""
    if tree == "":
        raise InputError("--tree", "no directory given", "name a kernel source tree, or leave --tree out for the one above the current directory")
    start = os.path.join(cwd, tree) if tree is not None else cwd
    if tree is not None and not os.path.isdir(start):
        raise InputError(f"--tree {tree}", "no such directory" if not os.path.lexists(start) else "not a directory", "name a kernel source tree")
    top = git.toplevel(start)
    if revision is not None:
        if top is None and not git.is_repository(start):
            raise InputError(f"--rev {revision}", f"{tree or cwd} is not in a git repository", "name one with --tree DIR")
        return Revision(start, top or os.path.realpath(start), revision)
    if tree is None:
        if top is None:
            raise InputError(cwd, "not in a git work tree", "name a source tree with --tree DIR")
        return Worktree(top)
    # --tree names the top of what is checked. A directory below a git top is a plain directory of its own.
    return Worktree(top) if top == os.path.realpath(start) else PlainDir(start)


def look_ahead(tree: Tree, places: Sequence[str], states: bool = True, last: Seen | None = None) -> None:
    """Start to look at what lies below ``places`` of a tree on disk (none: everything) while something else is done. Without ``states`` names are
    all that is wanted; ``last`` as Ahead has it."""
    if isinstance(tree, _Disk):
        tree.ahead = Ahead(tree.top, places or ("",), states, last)


def seen_ahead(tree: Tree) -> Walked | None:
    """What was seen of it; None where nobody looked."""
    return tree.ahead.result() if isinstance(tree, _Disk) and tree.ahead is not None else None


def last_of(tree: Tree) -> Seen | None:
    """What those who look ahead know of an earlier run."""
    return tree.ahead.last if isinstance(tree, _Disk) and tree.ahead is not None else None


def unseen(tree: Tree, paths: Iterable[str]) -> Iterable[str]:
    """Those of ``paths`` of which no walk has seen that they are regular files of this tree."""
    if not isinstance(tree, _Disk):
        return paths
    return set(paths).difference(*(tree.regular or ([tree.ahead.result().files] if tree.ahead is not None else [])))


def read_all(tree: Tree, paths: Iterable[str]) -> tuple[dict[str, bytes], tuple[tuple[str, str], ...]]:
    """Contents by path, and what could not be read as (path, why)."""
    contents: dict[str, bytes] = {}
    refused: list[tuple[str, str]] = []
    for path in paths:
        try:
            contents[path] = tree.read(path)
        except Unreadable as error:
            refused.append((path, error.why))
    return contents, tuple(refused)
