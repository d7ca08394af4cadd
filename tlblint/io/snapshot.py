"""Which files of a tree are of interest, remembered from run to run.

A file that the file system says is unchanged is not searched again. Files on disk are told apart by size, times and inode, as git does; what may
have changed since it was last looked at without a trace counts as changed. Files of a revision are told apart by their object id.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

import msgspec

from tlblint.io.errors import Unreadable
from tlblint.io.overlay import Overlay
from tlblint.io.prefilter import Where, survivors
from tlblint.io.tree import PlainDir, Revision, Tree, Worktree, below, last_of, seen_ahead
from tlblint.io.walk import Paths, Seen, Walked, parts, state_of
from tlblint.io.words import Words
from tlblint.model.store import NOTHING, Store, key

TREE, BLOBS = "tree", "blobs"
FEW = 32
"""Changed files that are searched again by the next run, too: that costs less than to write down anew what is known of all."""

MANY = 300
"""Directories that are not as they were; the same of them: to list one takes as long as to look at a file."""

MOST = 400_000
"""Objects that are remembered as being of no interest."""


_Row = tuple[dict[bytes, bytes], bytes, bytes, dict[bytes, bytes]]


def remembered(tree: Tree, paths: Sequence[str], words: Iterable[bytes], where: Where, hints: Collection[bytes], store: Store) -> tuple[str, ...]:
    """What ``prefilter.survivors`` answers; files that are as they were when they were searched last are not searched. Those on disk only after
    ``look_ahead``."""
    words = frozenset(words)
    if isinstance(tree, Overlay):
        needles = Words(words, hints)
        same = remembered(tree.base, [path for path in paths if path not in tree.changed], words, where, hints, store)
        found = {*same, *(path for path in where.cut(paths) if (raw := tree.changed.get(path)) is not None and needles.within(raw))}
        return tuple(path for path in paths if path in found)
    if isinstance(tree, Revision) and store is not NOTHING:
        return _of_revision(tree, where.cut(paths), words, where, hints, store)
    walked = seen_ahead(tree)
    if walked is None or store is NOTHING:
        return survivors(tree, paths, words, where, hints)
    name = _name(tree, where, words)
    seen = walked.last if walked.last is not None and walked.last.name == name else _read(store, name)
    listed = paths if isinstance(paths, Paths) else frozenset(paths)
    beside = () if paths is walked.files else set(listed).symmetric_difference(walked.files)
    changed = _changed(seen, walked)
    doubtful = {*changed, *seen.doubt, *beside}
    if isinstance(listed, Paths) and len(doubtful) > FEW:  # of a few it is quicker to ask one by one
        listed = frozenset(listed)
    doubtful = {path for path in doubtful if path in listed}
    again = survivors(tree, sorted(doubtful), words, where, hints) if doubtful else ()
    closed = {path for path in again if not os.access(os.path.join(tree.top, path), os.R_OK)}  # of interest because nobody knows
    found = (seen.found - doubtful).union(again)
    chosen = where.cut(sorted(path for path in found if path in listed))
    if walked.last is None or walked.last.name != name:
        store.put(TREE, {_pointer(tree): name})
    if seen.states and len(doubtful) <= FEW and len(walked.folders) <= MANY:
        since = {os.fsencode(path): changed[path] for path in chosen if path in changed and path not in walked.recent}
        if since != seen.since:
            store.put(TREE, {key(name): msgspec.msgpack.encode(since)})
        return chosen
    now = Seen(walked.whole(), set(chosen), {*walked.recent, *walked.lost, *closed, *(path for path in beside if path not in listed)}, name)
    if walked.places != ("",):  # what lies elsewhere stays as it was
        now.states = {folder: states for folder, states in seen.states.items() if not below(os.fsdecode(folder), walked.places)} | dict(now.states)
        now.found |= {path for path in seen.found if not below(path, walked.places)}
        now.doubt |= {path for path in seen.doubt if not below(path, walked.places)}
    if now != seen or walked.folders:
        join = (os.fsencode("\0".join(sorted(names))) for names in (now.found, now.doubt))
        store.put(TREE, {name: msgspec.msgpack.encode((now.states, *join, {**seen.folders, **walked.folders}))})
    return chosen


def last(tree: Tree, store: Store) -> Seen | None:
    """What the last run has left of a tree on disk, whatever it looked for."""
    if store is NOTHING or not isinstance(tree, (Worktree, PlainDir)):
        return None
    pointer = _pointer(tree)
    seen = _read(store, store.get(TREE, [pointer]).get(pointer, b""))
    return msgspec.structs.replace(seen, touched=_touched(tree, seen)) if seen.states else None


def _touched(tree: Tree, seen: Seen) -> frozenset[str]:
    known: dict[str, bytes] = {}
    since = {os.fsdecode(path): state for path, state in seen.since.items()}
    for folder in {path.rpartition("/")[0] for path in seen.found}:
        known.update(parts(folder, seen.states.get(os.fsencode(folder), b"")))
    out = []
    for path in seen.found:
        try:
            state = state_of(os.lstat(f"{tree.top}/{path}"))
        except OSError:
            state = b""
        if state != since.get(path, known.get(path)):
            out.append(path)
    return frozenset(out)


def expected(tree: Tree, words: Iterable[bytes], where: Where, hints: Collection[bytes], store: Store) -> tuple[tuple[str, ...], frozenset[str]]:
    """(what ``remembered`` will answer if but for edits of files of interest all is as it was, those that were edited); nothing where there are no
    such edits, and without ``look_ahead``. The walk goes on meanwhile."""
    words = frozenset(words)
    seen = last_of(tree)
    if store is NOTHING or seen is None or not seen.touched or seen.name != _name(tree, where, words):
        return (), frozenset()
    doubtful = {*seen.touched, *seen.doubt}
    return where.cut(sorted((seen.found - doubtful).union(survivors(tree, sorted(doubtful), words, where, hints)))), seen.touched


def found_last(tree: Tree) -> list[str]:
    """The files that were of interest the last time, whatever was looked for."""
    seen = last_of(tree)
    return sorted(seen.found) if seen is not None else []


def _name(tree: Tree, where: Where, words: frozenset[bytes]) -> bytes:
    """Of the memory of a tree: where what was looked for."""
    return key(os.fsencode(tree.top), str(os.geteuid()), *where.skipped, *sorted(words))


def _pointer(tree: Tree) -> bytes:
    """Under which the name of the last memory of a tree is kept."""
    return key("last", os.fsencode(tree.top), str(os.geteuid()))


def _read(store: Store, name: bytes) -> Seen:
    row = store.get(TREE, [name]).get(name)
    if row is not None:
        with suppress(msgspec.DecodeError):
            states, found, doubt, folders = msgspec.msgpack.decode(row, type=_Row)
            some, others = (set(os.fsdecode(names).split("\0")) if names else set() for names in (found, doubt))
            return Seen(states, some, others, name, folders, _since(store, name))
    return Seen(name=name)


def _since(store: Store, name: bytes) -> dict[bytes, bytes]:
    row = store.get(TREE, [key(name)]).get(key(name))
    with suppress(msgspec.DecodeError):
        return msgspec.msgpack.decode(row, type=dict[bytes, bytes]) if row is not None else {}
    return {}


def _changed(seen: Seen, walked: Walked) -> dict[str, bytes]:
    """The files that are not as they were, with their states."""
    out: dict[str, bytes] = {}
    for folder, states in (walked.states if walked.last is seen else walked.whole()).items():
        before = seen.states.get(folder, b"")
        if states != before:
            place = os.fsdecode(folder)
            known = dict(parts(place, before)) if before else {}
            out.update((path, state) for path, state in parts(place, states) if known.get(path) != state)
    return out


def _of_revision(tree: Revision, paths: Sequence[str], words: frozenset[bytes], where: Where, hints: Collection[bytes], store: Store) -> tuple[str, ...]:
    """A file whose object was searched before, in whatever revision and under whatever name, is not searched."""
    name = key(*sorted(words))
    row = store.get(BLOBS, [name]).get(name, b"")
    of_none, _, of_some = row.partition(b"|")
    idle, known = set(of_none.split()), set(of_some.split())
    objects = {path: tree.object(path).encode() for path in paths}
    doubtful = [path for path in paths if objects[path] not in idle and objects[path] not in known]
    again = set(survivors(tree, doubtful, words, where, hints)) if doubtful else set()
    if doubtful:
        more = {objects[path] for path in doubtful if path not in again}
        idle = idle | more if len(idle) + len(more) <= MOST else set(objects.values()) - {objects[path] for path in again}
        needles = Words(words, hints)
        known |= {objects[path] for path in again if _holds(tree, path, needles)}
        store.put(BLOBS, {name: b" ".join(sorted(idle - known)) + b"|" + b" ".join(sorted(known))})
    return tuple(path for path in paths if objects[path] in known or path in again)


def _holds(tree: Tree, path: str, needles: Words) -> bool:
    """Whether a file is of interest for what is in it, not because it cannot be read."""
    try:
        return needles.within(tree.read(path))
    except Unreadable:
        return False
