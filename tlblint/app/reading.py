"""Files of a tree for those who look for headers in many places."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from tlblint.io.errors import Unreadable
from tlblint.io.marks import NONE, mark
from tlblint.io.tree import Tree


class Reading:
    """Reads files of a tree: None for what is not there or cannot be read. Most headers are looked for in places that do not even have their
    directory, and by several machines."""

    def __init__(self, tree: Tree, before: Reading | None = None, changed: Collection[str] = ()) -> None:
        """``before``: of another state of the tree, in which but for ``changed`` paths all is the same."""
        self.tree = tree
        self._folders: dict[str, bool] = {}
        self._marks: dict[str, bytes] = {}
        if before is not None:
            touched = {parent for path in changed for parent in _parents(path)}
            self._folders = {path: there for path, there in before._folders.items() if path not in touched}
            self._marks = {path: found for path, found in before._marks.items() if path not in changed}

    def __call__(self, path: str) -> bytes | None:
        if not self._near(path):
            return None
        try:
            return self.tree.read(path)
        except Unreadable:
            return None

    def mark(self, path: str) -> bytes:
        """What a path holds, as tlblint.io.marks has it."""
        if path not in self._marks:
            self._marks[path] = mark(self.tree, path) if self._near(path) else NONE
        return self._marks[path]

    def _near(self, path: str) -> bool:
        """Whether the directory of a path is there."""
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = self.tree.holds(folder) == "directory"
        return self._folders[folder]


def _parents(path: str) -> Iterator[str]:
    while path:
        path = os.path.dirname(path)
        yield path
