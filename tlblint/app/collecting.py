"""Facts of all files, read by as many processes as there are to be."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from tlblint.app import front
from tlblint.app.request import Request
from tlblint.app.spine import Spine
from tlblint.io import pool, processors
from tlblint.model.ir import FileFacts, NotAnalysed

if TYPE_CHECKING:
    from tlblint.app.farm import Reader


def collect(spine: Spine, contents: Mapping[str, bytes], jobs: int, request: Request, far: Reader | None = None) -> list[FileFacts]:
    """Facts of every file, in path order, whatever the number of jobs and wherever they run. Progress counts bytes: files take time by their size."""
    paths = sorted(contents)
    bytes_of = [0, *accumulate(len(contents[path]) for path in paths)]
    one = partial(facts_of, spine, contents, request.debug)

    def died(path: str) -> FileFacts:
        return nothing(path, contents[path], "the analysis of this file ran out of memory or crashed")

    def done(count: int) -> None:
        request.progress("reading", bytes_of[count], bytes_of[-1])

    done(0)
    front.load()
    return far(contents, one, died, done) if far is not None else pool.map_ordered(one, paths, workers(jobs), died, done)


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
    newlines = tuple(at for at, byte in enumerate(raw) if byte == 10)
    return FileFacts(path, (), (), (NotAnalysed(path, "", 0, why),), 0, 0, newlines)
