"""A tree with some files changed in memory: what a tree is after the first k patches of a series."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from tlblint.io.errors import Unreadable
from tlblint.io.tree import LIMIT, Listing, Tree, below, is_c


class Overlay:
    """``base`` with ``changed`` (path -> bytes, None: deleted) laid over it. Closing it closes nothing: the base belongs to its owner."""

    kind = "series"

    def __init__(self, base: Tree, changed: Mapping[str, bytes | None]) -> None:
        below_it: Mapping[str, bytes | None] = base.changed if isinstance(base, Overlay) else {}
        self.base: Tree = base.base if isinstance(base, Overlay) else base
        self.changed: Mapping[str, bytes | None] = {**below_it, **changed}
        self.top = base.top
        self.revision: str | None = base.revision

    @cached_property
    def _folders(self) -> frozenset[str]:
        """Directories that the changed files lie in, "" excluded."""
        folders: set[str] = set()
        for path, raw in self.changed.items():
            folder = os.path.dirname(path) if raw is not None else ""
            while folder and folder not in folders:
                folders.add(folder)
                folder = os.path.dirname(folder)
        return frozenset(folders)

    def list(self, paths: Sequence[str] = ()) -> Listing:
        listing = self.base.list(tuple(path for path in paths if self.base.holds(path)) if paths else ()) if self._known(paths) else Listing(())
        kept = {path for path in listing.paths if path not in self.changed}
        new = {path for path, raw in self.changed.items() if raw is not None and is_c(path) and below(path, paths)}
        refused = tuple(row for row in listing.refused if row[0] not in self.changed)
        return replace(listing, paths=tuple(sorted(kept | new)), refused=refused)

    def _known(self, paths: Sequence[str]) -> bool:
        return not paths or any(self.base.holds(path) for path in paths)

    def read(self, path: str) -> bytes:
        """The bytes of a file after the patches. Raises Unreadable."""
        if path not in self.changed:
            return self.base.read(path)
        raw = self.changed[path]
        if raw is None:
            raise Unreadable(path, "deleted by the series")
        if len(raw) > LIMIT:
            raise Unreadable(path, f"larger than {LIMIT >> 20} MB")
        return raw

    def holds(self, path: str) -> str | None:
        if path in self.changed:
            return "file" if self.changed[path] is not None else None
        return "directory" if path in self._folders else self.base.holds(path)

    def place(self, full: str) -> str | None:
        return self.base.place(full)

    def stays(self, path: str) -> bool:
        return path in self.changed or self.base.stays(path)

    def close(self) -> None:
        """Nothing to end."""
