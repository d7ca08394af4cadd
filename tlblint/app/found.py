"""What was found in the facts of all files: remembered where all of them are the same, taken over where that stands, or judged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import starmap
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from tlblint.app import stands
from tlblint.app.reuse import Facts, digest, passing
from tlblint.app.spine import Result, Spine
from tlblint.engine.asked import EngineResult, Over
from tlblint.model.store import NOTHING, Store, key

RUN = "run"


class Judging(NamedTuple):
    """How facts are judged: of which files to report, how to map over batches, and what that is in words."""

    only: Callable[[str], bool] | None
    over: Over
    part: str


def run_of(spine: Spine, facts: bytes, judging: Judging) -> bytes:
    """Under which name it is held what was found in the facts of files with this digest."""
    return key(spine.judging, facts, judging.part)


def judge(spine: Spine, facts: Facts, judging: Judging, store: Store) -> Result:
    """What the engine finds in ``facts``."""
    only, over, _ = judging
    if not spine.judging or store is NOTHING:
        return spine.analyse(facts.full(), only, over)
    name = run_of(spine, facts.digest, judging)
    row = store.get(RUN, [name]).get(name) if facts.digest else None
    if row is None and facts.digest and (row := _stands(spine, facts, judging, store)) is not None:
        store.put(RUN, {name: row})
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            return msgspec.msgpack.decode(row, type=EngineResult)
    result = spine.analyse(facts.full(), only, over, store, facts.before)
    if facts.digest and isinstance(result, EngineResult) and not passing(result.not_analysed):
        store.put(RUN, {name: msgspec.msgpack.encode(result)})
    return result


def _stands(spine: Spine, facts: Facts, judging: Judging, store: Store) -> bytes | None:
    """The row of what the last run that judged has found, where that is what would be found now."""
    edits = stands.edits(facts, store)
    if edits is None or facts.before is None:
        return None
    was = run_of(spine, digest(edits.last.files), judging)
    row = store.get(RUN, [was]).get(was)
    result = stands.silent(row, edits.changed) if row is not None else None
    if result is None or all(starmap(stands.only_moved, edits.changed.values())):
        return row if result is not None else None
    more = spine.stands(edits.last, facts.before, edits.changed, store) if spine.stands is not None else None
    return msgspec.msgpack.encode(replace(result, contexts=result.contexts + more)) if more is not None else None
