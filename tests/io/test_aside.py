"""Work in a process of its own gives what it gives here, also when that process dies."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable

import pytest

from tlblint.io import processors
from tlblint.io.aside import Aside
from tlblint.io.walk import Ahead


def children() -> str:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read()


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("raw", [b"", b"\x01", b"x" * 5_000_000])
def test_the_result_is_the_same_with_one_processor_and_with_two(raw: bytes, several: bool) -> None:
    before = children()
    assert Aside(lambda: raw, several).result() == raw
    assert children() == before


def test_it_runs_elsewhere_and_begins_at_once() -> None:
    aside = Aside(lambda: str(os.getpid()).encode(), True)
    assert aside.result() not in (b"", str(os.getpid()).encode())


def _killed() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def _raises() -> bytes:
    raise RuntimeError("there")


@pytest.mark.parametrize("there", [_killed, _raises, lambda: os._exit(0)])
def test_what_dies_is_done_here(there: Callable[[], bytes]) -> None:
    ours = os.getpid()
    assert Aside(lambda: b"here" if os.getpid() == ours else there(), True).result() == b"here"


def test_what_is_wrong_is_raised_here() -> None:
    with pytest.raises(RuntimeError, match="there"):
        Aside(_raises, True).result()


def test_nothing_stays_when_nobody_waits() -> None:
    before = children()
    aside = Aside(lambda: b"x" * 1_000_000, True)
    assert children() != before
    aside.close()
    assert children() == before


def test_nobody_goes_on_for_a_parent_that_was_killed() -> None:
    alive, held = os.pipe()
    if not (parent := os.fork()):
        Aside(lambda: b"x" * 1_000_000, True)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    os.close(held)
    assert select.select([alive], [], [], 30)[0], "a process holds what it was forked with"
    os.close(alive)


@pytest.mark.parametrize(("start", "forks"), [(lambda: Aside(lambda: b"", True), 1), (lambda: Ahead(".", [""]), 1), (lambda: Ahead(".", [""]), 2)])
def test_an_interrupt_while_it_begins_leaves_nothing_behind(start: Callable[[], object], forks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process with one thread, as a run is: where other tests have left some, one of those takes the signal that this one holds back."""
    monkeypatch.setattr(processors, "count", lambda: 2)
    if not (alone := os.fork()):
        os._exit(0 if _ended(start, forks) else 1)
    assert os.waitpid(alone, 0)[1] == 0


def _ended(start: Callable[[], object], forks: int) -> bool:
    """Whether nobody is left after an interrupt behind so many forks."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fork, left = os.fork, forks

    def interrupted() -> int:
        nonlocal left
        left -= 1
        if (process := fork()) and not left:
            os.kill(os.getpid(), signal.SIGINT)
        return process

    os.fork = interrupted
    try:
        start()
    except KeyboardInterrupt:
        return not children()
    return False
