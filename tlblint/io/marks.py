"""What a file of a tree is, in few bytes: enough to know another day that it is the same, or is still not there."""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Mapping

from tlblint.io.errors import Unreadable
from tlblint.io.overlay import Overlay
from tlblint.io.tree import Revision, Tree
from tlblint.io.walk import MARGIN
from tlblint.model.digest import blake2b

NONE = b""
"""There is no such file."""
_NEVER = b"?"
"""Something that is no file and may be one tomorrow: never the same."""
_OBJECT, _STATE, _TEXT = b"o", b"s", b"t"


def mark(tree: Tree, path: str) -> bytes:
    """What a path holds now. Files on disk are told apart by size, times and inode, as git does; those that were changed so lately that they may
    change once more without a trace, by what is in them."""
    if isinstance(tree, Overlay):
        return mark(tree.base, path) if path not in tree.changed else _text(tree, path) if tree.changed[path] is not None else NONE
    if isinstance(tree, Revision):
        oid = tree.object(path)
        return _OBJECT + oid.encode() if oid else NONE
    try:
        found = os.lstat(f"{tree.top}/{path}")
    except (FileNotFoundError, NotADirectoryError):
        return NONE
    except OSError:
        return _NEVER
    late = time.time_ns() - MARGIN
    if stat.S_ISREG(found.st_mode) and max(found.st_mtime_ns, found.st_ctime_ns) < late and tree.stays(path):
        return _STATE + _packed(found)
    return _text(tree, path)


def _text(tree: Tree, path: str) -> bytes:
    try:
        return _TEXT + blake2b(tree.read(path), digest_size=16).digest()
    except Unreadable:
        return _NEVER


def still(tree: Tree, path: str, before: bytes) -> bool:
    """Whether a path holds what it held when ``mark`` said ``before``."""
    if before[:1] == _TEXT:
        return before == _text(tree, path)
    if isinstance(tree, (Revision, Overlay)):
        return before != _NEVER and mark(tree, path) == before
    try:
        found = os.lstat(f"{tree.top}/{path}")
    except (FileNotFoundError, NotADirectoryError):
        return before == NONE
    except OSError:
        return False
    return before[:1] == _STATE and before[1:] == _packed(found) and tree.stays(path)


class Still:
    """The same for many paths of a tree as it is now: what is known stays known, and a directory that is not there is looked for once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._same: dict[bytes, bytes] = {}
        """Paths that hold what they held, with that."""
        self._folders: dict[bytes, bool] = {}

    def __call__(self, path: str, before: bytes) -> bool:
        """Whether a path holds what it held when ``mark`` said ``before``."""
        return not self.changed({os.fsencode(path): before})

    def changed(self, files: Mapping[bytes, bytes]) -> list[str]:
        """Those of ``files`` that do not hold what they held when ``mark`` said so."""
        same, out = self._same, []
        for name, before in files.items():
            if same.get(name) != before:
                if (before == NONE and not self._near(name)) or still(self._tree, os.fsdecode(name), before):
                    same[name] = before
                else:
                    out.append(os.fsdecode(name))
        return out

    def all(self, files: Mapping[bytes, bytes]) -> bool:
        """Whether all of them do."""
        return files.items() <= self._same.items() or not self.changed(files)

    def _near(self, name: bytes) -> bool:
        """Whether the directory of a path is there."""
        folder = name.rpartition(b"/")[0]
        near = self._folders.get(folder)
        if near is None:  # what is below a directory that is not there is not there
            near = (not folder or self._near(folder)) and self._tree.holds(os.fsdecode(folder)) == "directory"
            self._folders[folder] = near
        return near


def _packed(found: os.stat_result) -> bytes:
    return struct.pack("<qqqQ", found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & (1 << 64) - 1)
