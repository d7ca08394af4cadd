"""Facts of many versions of files, from the cache where it has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tlblint.app import front
from tlblint.app.spine import Spine
from tlblint.calls.record import decode, encode
from tlblint.io import pool
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store, key

Version = tuple[str, bytes]
"""A path and what it holds."""
KIND = "facts"
OURS = ("internal error", "the analysis of", "nested too deeply")
"""How reasons begin that say nothing about the file: another run may have more luck."""


def facts_key(spine: Spine, path: str, raw: bytes) -> bytes:
    """The key of the facts of a version in a store."""
    return key(spine.key, path, raw)


def read(
    spine: Spine, versions: Sequence[Version], one: Callable[[Version], FileFacts], died: Callable[[Version], FileFacts], jobs: int,
    store: Store = NOTHING, done: Callable[[int], None] = lambda count: None,
) -> list[FileFacts]:  # fmt: skip
    """The facts of each version, in order. ``one`` reads one, ``died`` says what to know of one that killed its process."""
    keys = [facts_key(spine, path, raw) for path, raw in versions] if spine.key and store is not NOTHING else []
    rows = store.get(KIND, keys) if keys else {}
    found: list[FileFacts | None]
    found = [_decoded(rows.get(at), path) for at, (path, _) in zip(keys, versions, strict=True)] if keys else [None] * len(versions)
    missing = [number for number, facts in enumerate(found) if facts is None]
    if missing:
        front.load()
    fresh = pool.map_ordered(one, [versions[number] for number in missing], jobs, died, done=done)
    for number, facts in zip(missing, fresh, strict=True):
        found[number] = facts
    if keys:
        store.put(KIND, {keys[number]: row for number, facts in zip(missing, fresh, strict=True) if (row := _encoded(facts))})
    return [facts for facts in found if facts is not None]


def _decoded(row: bytes | None, path: str) -> FileFacts | None:
    try:
        facts = decode(row) if row is not None else None
    except ValueError:
        return None
    return facts if facts is not None and facts.path == path else None


def _encoded(facts: FileFacts) -> bytes:
    """The row, or nothing for what is not to be kept."""
    if any(gap.why.startswith(OURS) for gap in facts.not_analysed):
        return b""
    try:
        return encode(facts)
    except ValueError:
        return b""
