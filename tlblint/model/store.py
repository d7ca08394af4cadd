"""A memory for results that cost time: bytes under keys that name everything a result depends on.

A store may forget anything at any time; it never answers with other bytes than it was given. Nobody may need it to be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tlblint.model.digest import blake2b


class Store(Protocol):
    """Rows by kind and key. Neither method raises for what happens to the memory behind it."""

    def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The rows that are held, of those asked for."""

    def put(self, kind: str, rows: Mapping[bytes, bytes]) -> None:
        """Take rows; equal keys mean equal rows."""


class Nothing:
    """Holds nothing."""

    def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Nothing."""
        return {}

    def put(self, kind: str, rows: Mapping[bytes, bytes]) -> None:
        """Forgotten at once."""


NOTHING: Store = Nothing()


class Held:
    """Rows in memory, for as long as this object lives. ``behind``: asked for what is not here, and told what comes in."""

    def __init__(self, behind: Store = NOTHING) -> None:
        self._rows: dict[tuple[str, bytes], bytes] = {}
        self._behind = behind

    def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """From memory, then from behind."""
        found = {key: self._rows[kind, key] for key in keys if (kind, key) in self._rows}
        missing = [key for key in keys if key not in found]
        more = self._behind.get(kind, missing) if missing else {}
        self._rows.update({(kind, key): row for key, row in more.items()})
        return {**found, **more}

    def put(self, kind: str, rows: Mapping[bytes, bytes]) -> None:
        """Into memory, and behind."""
        self._rows.update({(kind, key): row for key, row in rows.items()})
        self._behind.put(kind, rows)


def key(*parts: bytes | str) -> bytes:
    """16 bytes that differ, for all that matters, whenever any part does."""
    text = blake2b(digest_size=16)
    for part in parts:
        raw = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        text.update(len(raw).to_bytes(8, "little") + raw)
    return text.digest()
