"""What the files of a tree hold while a series is applied to it: the tree's own bytes until a patch has changed them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property

from tlblint.io import git
from tlblint.io.errors import InputError, Unreadable
from tlblint.io.tree import LIMIT, PlainDir, Revision, Tree

TOTAL = 512 << 20
"""Bytes of all files together that a series may touch."""


class Missing(Exception):
    """A file that is not as a patch needs it. ``why`` goes on after its name; ``there``: it is in the way."""

    def __init__(self, path: str, why: str, there: bool = False) -> None:
        super().__init__(path, why)
        self.path, self.why, self.there = path, why, there


class Files:
    """``tree`` is only read. Paths are checked already: they stay below its top."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._changed: dict[str, bytes | None] = {}
        self._size = 0
        self.links: set[str] = set()
        """Symbolic links and submodules that patches put there, which are not applied: git puts nothing below them."""

    def take(self, changed: Mapping[str, bytes | None]) -> None:
        """What a patch made of some files. Raises InputError beyond the limits."""
        for path, raw in changed.items():
            if raw is not None and len(raw) > LIMIT:
                raise InputError(path, f"larger than {LIMIT >> 20} MB after the patch")
            self._size += len(raw or b"") - len(self._changed.get(path) or b"")
        self._changed.update(changed)
        if self._size > TOTAL:
            raise InputError("series", f"its files hold more than {TOTAL >> 20} MB", "give a part of it")

    def now(self, path: str) -> bytes | None:
        """The bytes of a file, None where there is none. Raises Missing for what cannot be read."""
        if path in self._changed:
            return self._changed[path]
        if self.tree.holds(path) is None:
            return None
        if not self.tree.stays(path):
            raise Missing(path, "lies behind a symbolic link: it does not apply")
        try:
            return self.tree.read(path)
        except Unreadable as error:
            raise Missing(path, f"cannot be read ({error.why}): it does not apply", there=True) from None

    def read(self, path: str) -> bytes:
        """The bytes of a file that a patch changes. Raises Missing."""
        raw = self.now(path)
        if raw is None:
            raise Missing(path, "is not there: it does not apply")
        return raw

    def free(self, path: str, dropped: bool) -> None:
        """Nothing, when a file can be created at ``path``. ``dropped``: the patch itself takes away what is there. Raises Missing."""
        if not dropped and (self._changed[path] is not None if path in self._changed else self.tree.holds(path) is not None):
            raise Missing(path, "is there already: it does not apply", there=True)
        if path not in self._changed and not self.tree.stays(path):
            raise Missing(path, "lies behind a symbolic link: it does not apply")
        folder = os.path.dirname(path)
        while folder:
            if folder in self.links:
                raise Missing(path, f"would lie below {folder}, which is no directory: it does not apply")
            if self._changed.get(folder) is not None or (folder not in self._changed and self.tree.holds(folder) == "file"):
                raise Missing(path, f"would lie below the file {folder}: it does not apply")
            folder = os.path.dirname(folder)

    @cached_property
    def _repository(self) -> str | None:
        """Where blobs may be found."""
        if isinstance(self.tree, Revision):
            return self.tree.directory
        return None if isinstance(self.tree, PlainDir) else self.tree.top

    def blob(self, oid: str, path: str) -> bytes | None:
        """A blob by its full or abbreviated id, None when the repository has no such one."""
        if self._repository is None:
            return None
        try:
            with git.blobs(self._repository) as blobs:
                return blobs.read(path, oid, LIMIT)
        except (Unreadable, BrokenPipeError):
            return None
