"""A process pool that keeps order, dies quietly on Ctrl-C and survives the death of a worker; its workers do not survive its own.

Workers are forked, so the function, what it closes over and the items are inherited, not pickled; results are pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 8
"""Fewer items than this are not worth a fork."""


def map_ordered(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    died: Callable[[Item], Result],
    done: Callable[[int], None] = lambda count: None,
    most: int = 32,
    sent: Callable[[Result], Any] | None = None,
    got: Callable[[Item, Any], Result] | None = None,
) -> list[Result]:
    """``[function(item) for item in items]`` on ``jobs`` processes; the result does not depend on ``jobs``.

    ``died(item)`` gives the result for an item whose worker process was killed. ``done(n)`` is told how many of the first items are done.
    ``most``: so many items at most go to a worker at once; 1 where few items make most of the work. What ``sent`` makes of a result is
    pickled in its place, and ``got`` makes the result of an item of it.
    An exception of ``function`` ends the map and is raised here.
    """
    if jobs <= 1 or len(items) < (FEW if most > 1 else 2):
        return _in_process(function, items, done)

    def made(span: range) -> list[Any]:
        results = [function(items[at]) for at in span]
        return results if sent is None else [*map(sent, results)]

    size = max(1, min(most, len(items) // (jobs * 4)))
    waiting = [range(at, min(at + size, len(items))) for at in range(0, len(items), size)]
    results: dict[int, Result] = {}
    count = 0
    # What is lost with a worker is done again item by item, as one of them may be the reason; and that one by itself, as it may not.
    for processes in (jobs, jobs, 1):
        with closing(_by_team(made, waiting, processes)) as parts:
            for span, answers in parts:
                results.update((at, answer if got is None else got(items[at], answer)) for at, answer in zip(span, answers, strict=True))
                while count in results:
                    count += 1
                done(count)
        waiting = [range(at, at + 1) for span in waiting for at in span if at not in results]
    if waiting:
        results.update((at, died(items[at])) for span in waiting for at in span)
        done(len(items))
    return [results[at] for at in range(len(items))]


def _in_process(function: Callable[[Item], Result], items: Sequence[Item], done: Callable[[int], None]) -> list[Result]:
    results = []
    for count, item in enumerate(items, 1):
        results.append(function(item))
        done(count)
    return results


def _by_team(function: Callable[[range], list[Any]], spans: Sequence[range], jobs: int) -> Generator[tuple[range, list[Any]], None, None]:
    """What comes of spans, as it comes; those that a worker died of are missing."""
    from tlblint.io import team  # where all is remembered there is nothing to hand out

    for first in range(0, len(spans), team.LONGEST):
        some = spans[first : first + team.LONGEST]
        with closing(team.Team(function, some, jobs)) as workers:
            for number, answers in workers.results():
                yield some[number], answers
