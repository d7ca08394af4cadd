"""The pool: order, failures, deaths."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
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


def test_a_killed_worker_costs_few_processes_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another in its place: for the piece that it had, for the item in it, and for that item alone."""
    started: list[int] = []
    fork = os.fork

    def counted() -> int:
        started.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", counted)
    assert map_ordered(murder, range(2000), 2, died=lambda item: -item) == [-n if n in (5, 41) else n for n in range(2000)]
    assert len(started) < 12


def quit_late(item: int) -> int:
    """Kills the process that has done nine others before, wherever that is."""
    done.append(item)
    if len(done) == 10 and os.getpid() != MAIN:
        os._exit(3)
    return item


done: list[int] = []


def test_workers_that_die_of_nothing_in_particular_cost_nothing() -> None:
    assert map_ordered(quit_late, range(200), 3, died=lambda item: -1, most=4) == list(range(200))


def refuse() -> None:
    """What is called to make the exception again."""
    raise ValueError("not here")


class Unmade(Exception):
    """Can be pickled, and not be made again. What it says of that itself holds also where a library has other ways for the rest."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return refuse, ()


class Bound(Exception):
    """Cannot be pickled."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.why = lambda: what


@pytest.mark.parametrize("kind", [Unmade, Bound])
def test_an_exception_that_cannot_be_pickled_comes_through_by_name(kind: type[Exception]) -> None:
    def fails(item: int) -> int:
        raise kind("here")

    with pytest.raises(RuntimeError, match=f"{kind.__name__}: here"):
        map_ordered(fails, range(60), 2, died=double)


def test_an_exception_says_where_it_comes_from() -> None:
    with pytest.raises(ValueError, match="thirty") as caught:
        map_ordered(fail, range(60), 2, died=double)
    assert any("in fail" in note for note in caught.value.__notes__)


def test_more_pieces_than_go_into_a_pipe() -> None:
    assert map_ordered(double, range(3000), 3, died=double, most=1) == [n * 2 for n in range(3000)]


def test_large_results() -> None:
    assert map_ordered(lambda n: b"%d" % n * 900_000, range(9), 2, died=lambda n: b"") == [b"%d" % n * 900_000 for n in range(9)]


def test_results_travel_as_something_else() -> None:
    """What is sent is made by workers, and made a result again by this process; where there are no workers nothing travels."""
    sent: list[int] = []

    def got(item: int, text: tuple[int, str]) -> int:
        assert text[0] != MAIN
        sent.append(item)
        return int(text[1])

    for jobs in (1, 2):
        assert map_ordered(double, range(40), jobs, died=double, sent=lambda n: (os.getpid(), str(n)), got=got) == [n * 2 for n in range(40)]
    assert sorted(sent) == list(range(40))


def children() -> set[str]:
    """Processes that this one has begun, running or not; other tests may have some."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_no_child_is_left() -> None:
    before = children()
    map_ordered(murder, range(60), 3, died=double)
    with pytest.raises(ValueError, match="thirty"):
        map_ordered(fail, range(60), 3, died=double)

    def interrupted(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_ordered(double, range(60), 3, died=double, done=interrupted)
    assert children() <= before  # neither running nor waiting to be asked how it ended


ORPHANS = """
import os, signal, sys, time
from tlblint.io.pool import map_ordered

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored

def busy(item):
    os.write(1, b"busy\\n")
    while True:
        time.sleep(3600)

map_ordered(busy, range(40), 3, died=busy)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_do_not_outlive_their_parent(number: signal.Signals) -> None:
    """Whoever still writes to the pipe is alive: its end is the end of all of them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", ORPHANS], env=environment, stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline() for _ in range(3)] == [b"busy\n"] * 3
        parent.send_signal(number)  # to this one process, not to its group
        try:
            rest, _ = parent.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(parent.pid, signal.SIGKILL)
            raise
        assert rest == b"" and parent.returncode == -number


def hungry(item: int) -> tuple[int, int]:
    """Takes 16 MB for a while."""
    held = bytearray(16 << 20)
    return os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + held[item]


def test_memory_does_not_grow_with_the_number_of_items() -> None:
    first: dict[int, int] = {}
    for process, peak in map_ordered(hungry, range(120), 2, died=lambda item: (0, 0)):
        assert peak < first.setdefault(process, peak) + (24 << 10)
    assert len(first) == 2 and 0 not in first


def test_items_need_no_pickling() -> None:
    items = [lambda n=n: n for n in range(40)]  # type: ignore[misc]
    assert map_ordered(lambda item: item(), items, 2, died=lambda item: -1) == list(range(40))
