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

from tlblint.app import reuse, stands
from tlblint.app.lastrun import LastRun
from tlblint.calls import record
from tlblint.io import cache
from tlblint.io.aside import Aside
from tlblint.model.store import Store

if TYPE_CHECKING:
    from tlblint.app.reader import Reader
    from tlblint.app.spine import Spine
    from tlblint.model.ir import FileFacts

MANY = 16
"""Lots of batches that are not judged out of sight: whoever waits for more wants to know how far it is."""
FEW = 2
"""Lots that are judged before other processes are ready to."""

_Kinds = dict[str, dict[bytes, bytes]]
_encode = msgspec.msgpack.Encoder().encode
_held: list[object] = []


class Early:
    """Has the files ``edited`` of a tree read, and begins to judge ``chosen``, what is expected to be of interest in it. Close it."""

    def __init__(self, reader: Reader, chosen: Sequence[str], edited: Sequence[str], spine: Spine, judging: reuse.Judging, top: str) -> None:
        reader.read(spine.key, edited, spine.facts)
        self._judging = Aside(partial(_judged, chosen, spine, judging, reader, top, os.getpid()), True)
        self._spine = spine
        self._waiting = True

    def facts(self, some: Mapping[str, bytes], store: Store, compute: reuse.Compute) -> list[FileFacts]:
        """The facts of files that the store does not know yet. Once it is known what came of the processes, so are those of most."""
        if self._waiting:
            self._waiting = False
            raw = self._judging.result()
            for kind, rows in msgspec.msgpack.decode(raw, type=_Kinds).items() if raw else ():
                store.put(kind, rows)
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


def _judged(chosen: Sequence[str], spine: Spine, judging: reuse.Judging, reader: Reader, top: str, parent: int) -> bytes:
    """All rows that are new. Nothing in the process that can do better."""
    if os.getpid() == parent:
        return b""
    store = _New()
    last = LastRun(store, spine, top, judging.part)
    names = last.names
    known = {path: names[path] for path in chosen if path in names}
    made = {}
    for name, row in reader.result().values():
        fact = record.decode(row)
        if not reuse.passing(fact.not_analysed):
            made[fact.path] = name, fact
            store.put(reuse.FACTS, {name: row})
    before = _facts(store, {path: names[path] for path in made if path in names})
    if _stands(spine, judging, store, names, chosen, before, made):
        return _encode(store.rows)
    facts = _facts(store, known) | {path: fact for path, (_, fact) in made.items()}
    known |= {path: name for path, (name, _) in made.items()}

    def few(function: Callable[[Any], Any], items: Sequence[Any], died: Callable[[Any], Any]) -> list[Any]:
        if len(items) > MANY:
            raise _TooMuchError
        return list(map(function, items)) if len(items) <= FEW else judging.over(function, items, died)

    if facts.keys() == set(chosen):
        with suppress(_TooMuchError):
            _held.append(facts)  # the process is about to end: nobody need tidy up
            everything = reuse.Facts(facts, {}, {}, reuse.digest(known), lambda lost: [], before=last.before(before))
            _held.append(reuse.judge(spine, everything, judging._replace(over=few), store))
    return _encode(store.rows)


def _facts(store: Store, names: Mapping[str, bytes]) -> dict[str, FileFacts]:
    """Those that the store has."""
    rows = store.get(reuse.FACTS, list(names.values()))
    return {path: record.decode(rows[name]) for path, name in names.items() if name in rows}


def _stands(spine: Spine, judging: reuse.Judging, store: Store, names: Mapping[str, bytes], chosen: Sequence[str],
            before: Mapping[str, FileFacts], made: Mapping[str, tuple[bytes, FileFacts]]) -> bool:  # fmt: skip
    """Whether the last run found what this one will, which is then put down as that of this one."""
    if not made or names.keys() != set(chosen) or not all(path in before and stands.only_moved(before[path], fact) for path, (_, fact) in made.items()):
        return False
    now = {**names, **{path: name for path, (name, _) in made.items()}}
    run, new = (reuse.run_of(spine, reuse.digest(some), judging) for some in (names, now))
    row = store.get(reuse.RUN, [run]).get(run)
    if row is None or not stands.silent(row, made):
        return False
    store.put(reuse.RUN, {new: row})
    return True
