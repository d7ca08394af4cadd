"""What a file of a tree is, in few bytes: enough to know another day that it is the same, or is still not there."""

from __future__ import annotations

import os
import stat
import struct
import time
from hashlib import blake2b

from tlblint.io.errors import Unreadable
from tlblint.io.overlay import Overlay
from tlblint.io.tree import Revision, Tree
from tlblint.io.walk import MARGIN

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
        found = os.lstat(os.path.join(tree.top, path))
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
        found = os.lstat(os.path.join(tree.top, path))
    except (FileNotFoundError, NotADirectoryError):
        return before == NONE
    except OSError:
        return False
    return before[:1] == _STATE and before[1:] == _packed(found) and tree.stays(path)


class Still:
    """The same for many paths of a tree as it is now: what is known stays known, and a directory that is not there is looked for once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[tuple[str, bytes], bool] = {}
        self._folders: dict[str, bool] = {}

    def __call__(self, path: str, before: bytes) -> bool:
        """Whether a path holds what it held when ``mark`` said ``before``."""
        asked = (path, before)
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = (before == NONE and not self._near(path)) or still(self._tree, path, before)
        return known

    def _near(self, path: str) -> bool:
        """Whether the directory of a path is there."""
        folder = os.path.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = self._tree.holds(folder) == "directory"
        return self._folders[folder]


def _packed(found: os.stat_result) -> bytes:
    return struct.pack("<qqqQ", found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & (1 << 64) - 1)
