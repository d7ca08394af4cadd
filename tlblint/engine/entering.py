"""Runs functions from the states that nobody who is analysed calls them in: as roots, and variants of functions in the states of the first one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tlblint.engine.asked import Entry
from tlblint.engine.entries import entered
from tlblint.engine.interp import analyse_function
from tlblint.engine.state import START
from tlblint.engine.world import World
from tlblint.model.ir import Function


def run(world: World, starts: Sequence[tuple[int, Entry | None]], function: Callable[[int], Function], twins: Callable[[int], Iterable[int]]) -> None:
    """Run functions with all that they call, each of which ``function`` gives; the other arms of their #if groups (``twins``) come last."""
    for index, entry in starts:
        guarded(world, index, lambda i=index, e=entry: enter(world, i, function(i), e))  # type: ignore[misc]
    for key in list(world.table):
        for twin in twins(key[0]):
            guarded(world, twin, lambda t=twin, k=key: replay(world, k, t))  # type: ignore[misc]


def enter(world: World, index: int, fn: Function, entry: Entry | None) -> None:
    """Run one function as a root."""
    says = world.says.get(index, frozenset())
    auto = START if entry is None else entered(world.automata, world.scope(index), says, index, fn, entry)
    analyse_function(world, index, auto, is_root=True, inherited=entry.says if entry else frozenset(), walked=entry is not None and entry.walker)


def replay(world: World, key: tuple[Any, ...], twin: int) -> None:
    """Run a variant from the entry state of another one, ``key`` in the table."""
    _, auto, entry, is_root, says, walked = key
    analyse_function(world, twin, auto, dict(entry), is_root=is_root, inherited=says, walked=walked)


def guarded(world: World, index: int, go: Callable[[], object]) -> None:
    """One function's crash is that function's TLB902, not the run's end."""
    depth = len(world.stack)
    try:
        go()
    except (RecursionError, AssertionError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        culprit = index if world.culprit is None else world.culprit
        world.culprit = None
        world.stopped[culprit] = f"internal error: {type(error).__name__}: {re.sub(r'0x[0-9a-f]+', '0x', str(error))[:80]}"
        del world.stack[depth:]
