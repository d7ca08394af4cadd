"""Facts of all files, read by as many processes as there are to be."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from tlblint.app import filefacts
from tlblint.app.request import Request
from tlblint.app.spine import Spine
from tlblint.calls import record
from tlblint.io import pool, processors
from tlblint.model.ir import FileFacts, NotAnalysed

if TYPE_CHECKING:
    from tlblint.app.farm import Reader

AT_ONCE = 4
"""Files that go to a worker at once."""


def collect(spine: Spine, contents: Mapping[str, bytes], jobs: int, request: Request, far: Reader | None = None) -> list[FileFacts]:
    """Facts of every file, in path order, whatever the number of jobs and wherever they run. Progress counts bytes: files take time by their
    size, and the large ones go first, so that nobody waits for one at the end."""
    paths = sorted(contents, key=lambda path: (-len(contents[path]), path))
    bytes_of = [0, *accumulate(len(contents[path]) for path in paths)]
    one = partial(facts_of, spine, contents, request.debug)

    def died(path: str) -> FileFacts:
        return nothing(path, contents[path], "the analysis of this file ran out of memory or crashed")

    def done(count: int) -> None:
        request.progress("reading", bytes_of[count], bytes_of[-1])

    done(0)
    filefacts.load(spine.words)
    if far is not None:
        return far(contents, one, died, done)

    def got(path: str, row: bytes | FileFacts) -> FileFacts:
        with suppress(ValueError):
            return record.decode(row) if isinstance(row, bytes) else row
        return one(path)  # what is nested deeper than a row may be

    return sorted(pool.map_ordered(one, paths, workers(jobs), died, done, most=AT_ONCE, sent=_row, got=got), key=lambda facts: facts.path)


def _row(facts: FileFacts) -> bytes | FileFacts:
    """Facts as a cache keeps them: made by a worker, and read faster than what is pickled."""
    with suppress(ValueError):
        return record.encode(facts)
    return facts


def workers(jobs: int) -> int:
    """How many processes to use; ``jobs`` 0 means one for each processor."""
    return min(jobs, 4 * processors.count()) or processors.usual()


def facts_of(spine: Spine, contents: Mapping[str, bytes], debug: bool, path: str) -> FileFacts:
    """Facts of one file. A defect of ours becomes a gap that the report names, never the end of the run."""
    try:
        return spine.facts(path, contents[path])
    except Exception as error:
        if debug:
            raise
        return nothing(path, contents[path], f"internal error: {type(error).__name__}")


def nothing(path: str, raw: bytes, why: str) -> FileFacts:
    """Facts of a file of which ``why`` is all that is known."""
    return FileFacts(path, (), (), (NotAnalysed(path, "", 0, why),), 0, 0, array("I", (at for at, byte in enumerate(raw) if byte == 10)))
