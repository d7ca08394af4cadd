"""The state of one path: locks, lazy MMU mode, open counts and rule instances, plus the environment.

The first half is hashable and keeps states apart; the environment merges where the first half agrees
(property simulation: Das, Lerner, Seigle, PLDI 2002).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tlblint.engine.events import Instance
from tlblint.engine.values import Env, Value

Lock = tuple[str, str, str]
"""(symbol, level, "rmap" when page_vma_mapped_walk() holds it or "")"""

Trail = tuple | None  # type: ignore[type-arg]
"""A linked list of records, newest first: (previous, (site, kind, text, more)). ``more`` is of a branch which way it went, of a call the
Frame of its names, of an event (objects, attributes, level, truth, value)."""

Record = tuple[int, str, str, Any]


class Auto(NamedTuple):
    """The hashable half of a state. ``lazy`` and ``pending`` are depths; ``paused`` counts lazy.pause. ``lazy`` may be TOLD, ``pending`` has
    OPEN_GATHER in it, too."""

    held: tuple[Lock, ...]
    lazy: int
    paused: int
    pending: int
    instances: tuple[Instance, ...]


TOLD = -1
"""Lazy MMU mode is off because it was told that it is on, and should not be. To leave it is no mistake."""

_new = tuple.__new__


def with_instances(auto: Auto, instances: tuple[Instance, ...]) -> Auto:
    """The same but for the instances; as _replace() does it, in a tenth of the time."""
    return _new(Auto, (auto[0], auto[1], auto[2], auto[3], instances))


SHIFT = 26
"""A site is (function index << SHIFT) + offset in its file + 1."""

START = Auto((), 0, 0, 0, ())


class Path:
    """A path being followed through one block."""

    __slots__ = ("auto", "env", "trail")

    def __init__(self, auto: Auto, env: Env, trail: Trail) -> None:
        self.auto = auto
        self.env = env
        self.trail = trail

    def fork(self) -> Path:
        """An independent copy; the trail is shared, it only grows at its head."""
        return Path(self.auto, dict(self.env), self.trail)


Apart = tuple[tuple[int, Value], ...]
"""See presence()."""


class Node:
    """A visited (block, state): what is known there, and the shortest way it was reached. ``sort``: what of the state keeps nodes of a block
    apart, by number; ``apart``: the presence facts that do so, None where they would have to be looked for again."""

    __slots__ = ("apart", "auto", "before", "block", "depth", "env", "sort", "trail", "waiting")

    def __init__(self, block: int, auto: Auto, env: Env, depth: int, before: Node | None, trail: Trail, sort: int, apart: Apart) -> None:
        self.block = block
        self.auto = auto
        self.env = env
        self.depth = depth
        self.before = before
        self.trail = trail
        self.sort = sort
        self.apart: Apart | None = apart
        self.waiting = False


class Exit(NamedTuple):
    """One way out of a function: the state, the returned value, and the facts on what parameters point to."""

    auto: Auto
    value: Any  # what is evaluated
    env: tuple[tuple[str, object], ...]
    trail: tuple  # type: ignore[type-arg]
    """How the exit was reached: (last node, trail in its block)."""
