"""Files that were edited since the last run are judged in a process of its own while the tree is still being walked.

What comes of that are rows for the store, under keys that say what they rest on. Where the walk finds more than those edits, nobody asks for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from tlblint.app import found, reuse
from tlblint.app.lastrun import LastRun
from tlblint.calls import record
from tlblint.engine.asked import Over
from tlblint.io import cache
from tlblint.io.aside import Aside
from tlblint.model.store import Store

if TYPE_CHECKING:
    from tlblint.app.reader import Reader
    from tlblint.app.spine import Spine
    from tlblint.model.ir import FileFacts

MANY = 16
"""Lots of batches that are not judged out of sight: whoever waits for more wants to know how far it is."""
SOON = 0.1
"""Seconds; a walk that is done has to wait where it takes longer."""
FEW = 2
"""Lots that are judged before other processes are ready to."""

_Kinds = dict[str, dict[bytes, bytes]]
_encode = msgspec.msgpack.Encoder().encode
_held: list[object] = []


class Early:
    """Has the files ``edited`` of a tree read, given what they hold, and begins to judge ``chosen``, what is expected to be of interest in it. Close it."""

    def __init__(self, reader: Reader, chosen: Sequence[str], edited: Mapping[str, bytes], spine: Spine, judging: found.Judging, top: str) -> None:
        reader.read(spine.key, edited, spine.facts)
        self._judging = Aside(partial(_judged, chosen, spine, judging, reader, top, os.getpid()), True)
        self._spine = spine
        self._waiting = True

    def take(self, store: Store) -> None:
        """What came of it, if that is soon: while the walk goes on there is nothing better to do, behind it everybody waits."""
        if self._waiting and self._judging.ready(SOON):
            self._put(store)

    def _put(self, store: Store) -> None:
        self._waiting = False
        raw = self._judging.result()
        for kind, rows in msgspec.msgpack.decode(raw, type=_Kinds).items() if raw else ():
            store.put(kind, rows)

    def facts(self, some: Mapping[str, bytes], store: Store, compute: reuse.Compute) -> list[FileFacts]:
        """The facts of files that the store does not know yet. Once it is known what came of the processes, so are those of most."""
        if self._waiting:
            self._put(store)
        return reuse.known_or(self._spine, some, store, compute)

    def close(self) -> None:
        """End a process that nobody waits for any more."""
        self._judging.close()


class _TooMuchError(Exception):
    """To be done where progress can be seen."""


class _New:
    """A store in a process beside the one that writes: it keeps what is new."""

    def __init__(self) -> None:
        self.rows: _Kinds = {}
        self._behind = cache.open_cache()

    def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        return self._behind.get(kind, keys)

    def put(self, kind: str, rows: Mapping[bytes, bytes]) -> None:
        self.rows.setdefault(kind, {}).update(rows)


def _judged(chosen: Sequence[str], spine: Spine, judging: found.Judging, reader: Reader, top: str, parent: int) -> bytes:
    """All rows that are new. Nothing in the process that can do better."""
    if os.getpid() == parent:
        return b""
    store = _New()
    last = LastRun(store, spine, top, judging.part)
    wanted = set(chosen)
    names = {path: name for path, name in last.names.items() if path in wanted}
    made = {}
    for name, row in reader.result().values():
        fact = record.decode(row)
        if not reuse.passing(fact.not_analysed):
            names[fact.path], made[fact.path] = name, fact
            store.put(reuse.FACTS, {name: row})

    def rows() -> dict[str, bytes]:
        held = store.get(reuse.FACTS, [name for path, name in names.items() if path not in made])
        try:
            return {path: held[name] for path, name in names.items() if path not in made}
        except KeyError:
            raise _TooMuchError from None

    def again(lost: list[str]) -> list[FileFacts]:
        raise _TooMuchError

    def few(function: Callable[[Any], Any], items: Sequence[Any], died: Callable[[Any], Any]) -> list[Any]:
        if len(items) > MANY:
            raise _TooMuchError
        return list(map(function, items)) if len(items) <= FEW else judging.over(function, items, died)

    if names.keys() == wanted:
        with suppress(_TooMuchError):
            before = last.before(names, {names[path]: fact for path, fact in made.items()})
            facts = reuse.Facts(made, rows, {}, reuse.digest(names), again, names, before)
            _held.append(facts)  # the process is about to end: nobody need tidy up
            _held.append(found.judge(spine, facts, judging._replace(over=Over(few)), store))
    return _encode(store.rows)
