"""The cache on disk: one SQLite file of rows with a check sum each, shared by all runs of a user.

Whatever is wrong with it - no room, no right to write, a damaged file, another run in the middle of a change - a run goes on without it.
Rows are written once, at the end of a run or when many have gathered; a run that is killed leaves what was there before.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress

import msgspec

from tlblint.model.store import NOTHING, Store

SCHEMA = 1
"""Part of the file's name: versions that do not know each other's rows do not share a file."""

NAME = f"rows-{SCHEMA}.sqlite"
LIMIT = 512 << 20
"""Bytes of rows; past that the rows that no run has asked for the longest go."""

KEPT = 0.75
"""Share of the limit that is left after that."""

GATHERED = 32 << 20
"""Bytes of rows that wait for the end of the run at most."""

PATIENCE = 2.0
"""Seconds to wait for another run that is writing."""

DAY = 86400
_ASKED = 500
_SUM = struct.Struct("<IQ")

# Rows are of some kilobytes, some of megabytes: four times SQLite's usual page, and they are read in a third of the time.
_TABLES = """
PRAGMA page_size = 16384;
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, key BLOB NOT NULL, used INTEGER NOT NULL, sum BLOB NOT NULL, value BLOB NOT NULL, UNIQUE (kind, key));
CREATE INDEX IF NOT EXISTS rows_used ON rows (used);
"""

Say = Callable[[str], None]


def _quiet(text: str) -> None:
    """Nobody wants to know."""


class Kind(msgspec.Struct, frozen=True):
    """What the cache holds of one kind of rows. ``size`` in bytes."""

    name: str
    rows: int
    size: int


def directory() -> str | None:
    """Where the cache lies: ``$XDG_CACHE_HOME/tlblint``, or below ``~/.cache``; None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the specification says to ignore those
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "tlblint")


class Cache:
    """A Store in a file. Every failure turns it off for the rest of the run; ``say`` is told why, once."""

    def __init__(self, path: str, say: Say = _quiet, limit: int = LIMIT) -> None:
        self._path = path
        self._say = say
        self._limit = limit
        self._process = os.getpid()
        self._now = int(time.time())
        self._waiting: dict[tuple[str, bytes], bytes] = {}
        self._size = 0
        self._touched: set[tuple[str, bytes]] = set()
        self._link: sqlite3.Connection | None = None
        try:
            self._link = _connect(path)
            if not self._link.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows_used'").fetchall():
                self._link.executescript(_TABLES)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Rows that are there and whole."""
        found = {key: self._waiting[kind, key] for key in keys if (kind, key) in self._waiting}
        if self._link is None or os.getpid() != self._process:
            return found
        try:
            for part in _parts([key for key in keys if key not in found]):
                marks = ",".join("?" * len(part))
                for key, used, check, value in self._link.execute(f"SELECT key, used, sum, value FROM rows WHERE kind = ? AND key IN ({marks})", (kind, *part)):
                    if type(key) is bytes and type(value) is bytes and check == _sum(kind, key, value):
                        found[key] = value
                        if not isinstance(used, int) or abs(self._now - used) > DAY:
                            self._touched.add((kind, key))
        except (sqlite3.Error, OSError, OverflowError) as error:
            self._give_up(error)
        return found

    def put(self, kind: str, rows: Mapping[bytes, bytes]) -> None:
        """Take rows to be written with the next others."""
        if self._link is None or os.getpid() != self._process:
            return
        self._waiting.update({(kind, key): row for key, row in rows.items()})
        self._size += sum(map(len, rows.values()))
        if self._size > GATHERED:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction, and make room."""
        if self._link is None or os.getpid() != self._process or not (self._waiting or self._touched):
            return
        rows = [(kind, key, self._now, _sum(kind, key, value), value) for (kind, key), value in self._waiting.items()]
        try:
            with self._link:
                self._link.execute("BEGIN IMMEDIATE")
                self._link.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", rows)
                self._link.executemany("UPDATE rows SET used = ? WHERE kind = ? AND key = ?", [(self._now, *at) for at in sorted(self._touched)])
            if rows:
                self._make_room(self._link)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        self._waiting.clear()
        self._touched.clear()
        self._size = 0

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self.flush()
        link, self._link = self._link, None
        if link is not None and os.getpid() == self._process:
            with suppress(sqlite3.Error):
                link.close()

    def _make_room(self, link: sqlite3.Connection) -> None:
        """Drop the rows that were asked for least lately, until the file is small enough."""
        if _bytes(link) <= self._limit:
            return
        with link:
            link.execute("BEGIN IMMEDIATE")
            excess = _bytes(link) - int(self._limit * KEPT)
            for row, size in link.execute("SELECT rowid, length(value) + 100 FROM rows ORDER BY used, rowid").fetchall():
                if excess <= 0:
                    break
                link.execute("DELETE FROM rows WHERE rowid = ?", (row,))
                excess -= size
        link.executescript("PRAGMA incremental_vacuum")  # execute() would free one page

    def _give_up(self, error: Exception) -> None:
        """From here on there is no cache. A file that is none of SQLite's, or is damaged, goes: the next run starts a new one."""
        link, self._link = self._link, None
        self._waiting.clear()
        if link is not None:
            with suppress(sqlite3.Error):
                link.close()
        if damaged(error):
            remove(self._path)
        self._say(f"no cache: {self._path}: {str(error) or type(error).__name__}")


def open_cache(wanted: bool = True, say: Say = _quiet, limit: int = LIMIT) -> Store:
    """The user's cache, or a store that holds nothing. Call ``close`` with it at the end."""
    place = directory() if wanted else None
    if place is None:
        return NOTHING
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        state = os.stat(place)
    except (OSError, ValueError) as error:
        say(f"no cache: {place}: {(getattr(error, 'strerror', None) or str(error)).lower()}")
        return NOTHING
    if state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o022:
        say(f"no cache: {place}: others can write there")  # what they put there would decide what is found
        return NOTHING
    return Cache(os.path.join(place, NAME), say, limit)


def close(store: Store) -> None:
    """End a store that ``open_cache`` gave."""
    if isinstance(store, Cache):
        store.close()


def kinds(path: str) -> tuple[Kind, ...]:
    """What a cache file holds, sorted by kind. Raises OSError."""
    if not os.path.exists(path):
        return ()
    try:
        with closing(_connect(path)) as link:
            return tuple(Kind(str(name), rows, size) for name, rows, size in link.execute(
                "SELECT kind, count(*), coalesce(sum(length(value)), 0) FROM rows GROUP BY kind ORDER BY kind"))
    except sqlite3.Error as error:
        raise OSError(str(error)) from None


def remove(path: str) -> int:
    """Delete a cache file with what SQLite keeps beside it; the bytes that this frees. Never raises."""
    freed = 0
    for name in (path, f"{path}-journal", f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):
            size = os.lstat(name).st_size
            os.unlink(name)
            freed += size
    return freed


def damaged(error: Exception) -> bool:
    """Whether an error says that the file itself is bad, not that it cannot be used now."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_ERROR)


def _connect(path: str) -> sqlite3.Connection:
    link = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        # Losing the last rows when the machine goes down costs a run that is slow once; waiting for the disk would cost every run.
        link.execute("PRAGMA synchronous = OFF")
        link.execute("PRAGMA trusted_schema = OFF")
    except sqlite3.Error:
        link.close()
        raise
    return link


def _bytes(link: sqlite3.Connection) -> int:
    [(pages,)], [(free,)], [(size,)] = (link.execute(f"PRAGMA {name}").fetchall() for name in ("page_count", "freelist_count", "page_size"))
    return int((pages - free) * size)


def _sum(kind: str, key: bytes, value: bytes) -> bytes:
    """Tells damage, which is all that can happen to a file that nobody else may write: a digest would take as long as to read the rows."""
    return _SUM.pack(zlib.crc32(value, zlib.crc32(key, zlib.crc32(kind.encode()))), len(value))


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[at : at + _ASKED] for at in range(0, len(keys), _ASKED))

