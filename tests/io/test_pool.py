"""The pool: order, failures, deaths."""

from __future__ import annotations

import os
import signal

import pytest

from tlblint.io.pool import map_ordered

MAIN = os.getpid()


def double(item: int) -> int:
    return item * 2


def murder(item: int) -> int:
    if item in (5, 41) and os.getpid() != MAIN:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def fail(item: int) -> int:
    if item == 30:
        raise ValueError("thirty")
    return item


@pytest.mark.parametrize("jobs", [0, 1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 50])
def test_the_result_does_not_depend_on_jobs(jobs: int, count: int) -> None:
    told: list[int] = []
    assert map_ordered(double, range(count), jobs, died=double, done=told.append) == [n * 2 for n in range(count)]
    assert told == sorted(told) and (told[-1:] == [count] or not count)


def test_what_the_function_closes_over_needs_no_pickling() -> None:
    unpicklable = {"f": lambda n: n + 1}
    assert map_ordered(lambda n: unpicklable["f"](n), range(20), 2, died=double) == list(range(1, 21))


def test_a_killed_worker_costs_one_item() -> None:
    assert map_ordered(murder, range(60), 2, died=lambda item: -item) == [-n if n in (5, 41) else n for n in range(60)]


def test_an_exception_comes_through() -> None:
    with pytest.raises(ValueError, match="thirty"):
        map_ordered(fail, range(60), 2, died=double)
