"""The last run over the same part of a tree: by which names the store holds the facts of its files. What an edit has changed is told from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property

import msgspec

from tlblint.app.reuse import FACTS
from tlblint.app.spine import Spine
from tlblint.calls import record
from tlblint.engine.last import Before
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store, key

KIND = "held"
NONE: Mapping[bytes, FileFacts] = {}
_encode = msgspec.msgpack.Encoder().encode


class LastRun:
    """What ``store`` knows of the last run over ``part`` of the tree at ``top``."""

    def __init__(self, store: Store, spine: Spine, top: str, part: str) -> None:
        self._store = store
        self._key = key("last run", spine.key, os.fsencode(top), part) if spine.key and store is not NOTHING else b""
        self._row: bytes | None = None

    @cached_property
    def names(self) -> dict[str, bytes]:
        """Path -> name of the facts of a file."""
        row = self._read()
        with suppress(msgspec.DecodeError):
            return {os.fsdecode(path): name for path, name in msgspec.msgpack.decode(row, type=dict[bytes, bytes]).items()} if row else {}
        return {}

    def before(self, files: Mapping[str, bytes], known: Mapping[bytes, FileFacts] = NONE) -> Before | None:
        """The same for the engine. ``files``: the names of the facts that are judged now; ``known``: facts by name that are at hand."""
        if not self._key:
            return None
        held = dict(known)

        def facts(name: bytes) -> FileFacts | None:
            if name not in held:
                row = self._store.get(FACTS, [name]).get(name)
                with suppress(ValueError):
                    if row is not None:
                        held[name] = record.decode(row)
            return held.get(name)

        return Before(self._key, files, facts)

    def keep(self, names: Mapping[str, bytes]) -> None:
        """Remember this run."""
        if names and self._key:
            row = _encode({os.fsencode(path): name for path, name in names.items()})
            if self._store.get(KIND, [self._key]).get(self._key) != row:
                self._store.put(KIND, {self._key: row})

    def _read(self) -> bytes:
        if self._row is None:
            self._row = self._store.get(KIND, [self._key]).get(self._key, b"") if self._key else b""
        return self._row
