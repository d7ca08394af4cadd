"""A process pool that keeps order, dies quietly on Ctrl-C and survives the death of a worker.

Workers are forked, so the function and what it closes over are inherited, not pickled; results are pickled.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 8
"""Fewer items than this are not worth a fork."""

_function: Callable[[Any], Any] | None = None


def cpus() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    died: Callable[[Item], Result],
    done: Callable[[int], None] = lambda count: None,
    most: int = 32,
) -> list[Result]:
    """``[function(item) for item in items]`` on ``jobs`` processes; the result does not depend on ``jobs``.

    ``died(item)`` gives the result for an item whose worker process was killed. ``done(n)`` is told about progress.
    ``most``: so many items at most go to a worker at once; 1 where few items make most of the work.
    An exception of ``function`` ends the map and is raised here.
    """
    if jobs <= 1 or len(items) < (FEW if most > 1 else 2):
        return _in_process(function, items, done)
    size = max(1, min(most, len(items) // (jobs * 4)))
    chunks = [items[at : at + size] for at in range(0, len(items), size)]
    results: list[Result] = []
    for chunk, part in zip(chunks, _over_pool(function, chunks, jobs), strict=True):
        results.extend(part if part is not None else _one_by_one(function, chunk, died))
        done(len(results))
    return results


def _in_process(function: Callable[[Item], Result], items: Sequence[Item], done: Callable[[int], None]) -> list[Result]:
    results = []
    for count, item in enumerate(items, 1):
        results.append(function(item))
        done(count)
    return results


def _over_pool(function: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], jobs: int) -> Iterator[list[Result] | None]:
    """Results chunk by chunk; None for a chunk that was lost because some worker died."""
    executor = ProcessPoolExecutor(min(jobs, len(chunks)), multiprocessing.get_context("fork"), _start, (function,))
    try:
        try:
            # Held back while workers are born: one that is interrupted before _start() would print a traceback.
            held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                futures: list[Future[list[Result]]] = [executor.submit(_run_chunk, chunk) for chunk in chunks]
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, held)
        except BrokenProcessPool:
            yield from (None for _ in chunks)
            return
        for future in futures:
            try:
                yield future.result()
            except BrokenProcessPool:
                yield None
    except BaseException:
        for process in list((getattr(executor, "_processes", None) or {}).values()):
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _one_by_one(function: Callable[[Item], Result], chunk: Sequence[Item], died: Callable[[Item], Result]) -> list[Result]:
    """Each item in a process of its own, to find the one that kills its worker."""
    results = []
    for item in chunk:
        [part] = _over_pool(function, [[item]], 1)
        results.append(part[0] if part is not None else died(item))
    return results


def _start(function: Callable[[Any], Any]) -> None:
    """Set a worker up: Ctrl-C is the parent's business."""
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _run_chunk(chunk: Sequence[Any]) -> list[Any]:
    assert _function is not None
    return [_function(item) for item in chunk]
