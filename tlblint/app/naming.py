"""The index of the names of a tree, one for all who ask in a process; and what its headers make of the names in the role tables.

What they make of them is remembered together with the headers that were looked at, those included that were looked for and are not there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from tlblint.app.reading import Reading
from tlblint.io.marks import Still, mark
from tlblint.io.stamp import stamp
from tlblint.io.tree import Tree
from tlblint.model.store import NOTHING, Store, key
from tlblint.names.index import Index, Texts
from tlblint.roles.meant import Meant

if TYPE_CHECKING:  # what is remembered needs none of it
    from tlblint.app.front import Configs
    from tlblint.roles import RoleTable

KIND = "names"
HEADER = "include/linux/mm.h"
"""A tree that lacks it is no kernel, and its headers are not looked at."""
_INDICES: WeakKeyDictionary[Tree, Index] = WeakKeyDictionary()


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a tree means otherwise than the tables, and what was read for it, with what it was then."""

    meant: tuple[Meant, ...]
    files: dict[bytes, bytes]


def index_of(tree: Tree) -> Index:
    """The index of a tree as it is."""
    if tree not in _INDICES:
        _INDICES[tree] = Index(Reading(tree))
    return _INDICES[tree]


class Given:
    """What somebody else has asked a tree."""

    texts = None

    def __init__(self, told: tuple[Meant, ...]) -> None:
        self._told = told

    def meant(self, table: RoleTable, arches: Sequence[str], configs: Configs, named: str) -> tuple[Meant, ...]:
        """The same for any table."""
        return self._told


class Naming:
    """Asks a tree what it means by the names of a table; ``after``: files as a series leaves them."""

    def __init__(self, tree: Tree, store: Store = NOTHING, after: Mapping[str, bytes | None] | None = None) -> None:
        self._tree, self._store, self._after = tree, store, after or {}

    @property
    def texts(self) -> Texts:
        """What has been taken apart of the tree."""
        return index_of(self._tree).texts

    def meant(self, table: RoleTable, arches: Sequence[str], configs: Configs, named: str) -> tuple[Meant, ...]:
        """What headers mean otherwise than ``table``."""
        if self._tree.holds(HEADER) != "file":
            return ()
        own = [part for path, raw in sorted(self._after.items()) if path.endswith(".h") for part in (os.fsencode(path), raw or b"")]
        name = key(stamp(), named, self._tree.kind, os.fsencode(self._tree.top), *arches, "", *own)
        found = self._known(name)
        if found is None:
            found = self._told(table, arches, configs)
            self._store.put(KIND, {name: msgspec.msgpack.encode(found)})
        return found.meant

    def _known(self, name: bytes) -> Told | None:
        row = self._store.get(KIND, [name]).get(name)
        if row is not None:
            with suppress(msgspec.DecodeError, ValueError):
                told = msgspec.msgpack.decode(row, type=Told)
                if Still(self._tree).all(told.files):
                    return told
        return None

    def _told(self, table: RoleTable, arches: Sequence[str], configs: Configs) -> Told:
        from tlblint.names.unit import Places
        from tlblint.roles import declared

        index, asked = self._index(), set(self._after)
        places = {arch: Places((f"arch/{arch}/include", "include")) for arch in arches if self._tree.holds(f"arch/{arch}") == "directory"}
        headers = {arch: index.lead_to(where, declared.ROOTS, declared.follow, asked) for arch, where in places.items()}
        more = declared.meant(table, index, headers, lambda arch: configs[arch if arch in configs else ""])
        marks = {os.fsencode(path): mark(self._tree, path) for path in sorted(asked)} if self._store is not NOTHING else {}
        return Told(more, marks)

    def _index(self) -> Index:
        if not self._after:
            return index_of(self._tree)
        base = index_of(self._tree)
        return Index(lambda path: self._after[path] if path in self._after else base.read(path), base.texts)
