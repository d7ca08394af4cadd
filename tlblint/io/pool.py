"""A process pool that keeps order, dies quietly on Ctrl-C and survives the death of a worker; its workers do not survive its own.

Workers are forked, so the function and what it closes over are inherited, not pickled; results are pickled.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 8
"""Fewer items than this are not worth a fork."""

_function: Callable[[Any], Any] | None = None


def map_ordered(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    died: Callable[[Item], Result],
    done: Callable[[int], None] = lambda count: None,
    most: int = 32,
) -> list[Result]:
    """``[function(item) for item in items]`` on ``jobs`` processes; the result does not depend on ``jobs``.

    ``died(item)`` gives the result for an item whose worker process was killed. ``done(n)`` is told how many of the first items are done.
    ``most``: so many items at most go to a worker at once; 1 where few items make most of the work.
    An exception of ``function`` ends the map and is raised here.
    """
    if jobs <= 1 or len(items) < (FEW if most > 1 else 2):
        return _in_process(function, items, done)
    size = max(1, min(most, len(items) // (jobs * 4)))
    waiting = [range(at, min(at + size, len(items))) for at in range(0, len(items), size)]
    results: dict[int, Result] = {}
    count = 0
    while waiting:
        lost = []
        with closing(_over_pool(function, [[items[at] for at in span] for span in waiting], jobs)) as parts:
            for span, part in zip(waiting, parts, strict=True):
                if part is None:
                    lost.append(span)
                    continue
                results.update(zip(span, part, strict=True))
                while count in results:
                    count += 1
                done(count)
        # They start in order, so that what ran when a worker died is among the first that did not end: on each worker, or in its queue.
        suspects, waiting = lost[: 2 * jobs + 1], lost[2 * jobs + 1 :]
        for at in (at for span in suspects if len(span) == 1 for at in span):
            results[at] = _alone(function, items[at], died)
        waiting = [*(range(at, at + 1) for span in suspects if len(span) > 1 for at in span), *waiting]
    return [results[at] for at in range(len(items))]


def _in_process(function: Callable[[Item], Result], items: Sequence[Item], done: Callable[[int], None]) -> list[Result]:
    results = []
    for count, item in enumerate(items, 1):
        results.append(function(item))
        done(count)
    return results


def _over_pool(function: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], jobs: int) -> Generator[list[Result] | None, None, None]:
    """Results chunk by chunk; None for a chunk that was lost because some worker died."""
    import multiprocessing  # these are slow to load, and most runs find everything remembered
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

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


def _alone(function: Callable[[Item], Result], item: Item, died: Callable[[Item], Result]) -> Result:
    """In a process of its own, to find the one that kills its worker."""
    with closing(_over_pool(function, [[item]], 1)) as parts:
        [part] = parts
    return part[0] if part is not None else died(item)


def _start(function: Callable[[Any], Any]) -> None:
    """Set a worker up: Ctrl-C is the parent's business, and nobody works for a parent that was killed."""
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """Ends this process with its parent. The queue to a worker does not tell: workers hold the other end of it, too."""
    import multiprocessing
    from multiprocessing import connection

    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run_chunk(chunk: Sequence[Any]) -> list[Any]:
    assert _function is not None
    return [_function(item) for item in chunk]
