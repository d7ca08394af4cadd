"""A system to explore, and what exploring it found."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tlblint.model.witness import Witness
from tlblint.sim.profiles import Profile
from tlblint.sim.syntax import Line

MOST_THREADS, MOST_VAS = 8, 8


class Va(msgspec.Struct, frozen=True):
    """A virtual page. ``entry`` is an expression for its entry at the start. ``explicit``: walks are steps and set A.

    ``at`` is the (line, column) where ``entry`` stands in a scenario file.
    """

    name: str
    entry: str = "P|W|D|pfn(1)"
    explicit: bool = False
    at: tuple[int, int] = (0, 1)


class Page(msgspec.Struct, frozen=True):
    """A physical page 1..3 whose ``fields`` (ref, pd, gd, mapped...) do not start at 0."""

    number: int
    fields: Mapping[str, int] = msgspec.field(default_factory=dict)


class Thread(msgspec.Struct, frozen=True):
    """A program on a CPU. ``kind`` is thread, user, device or daemon (which need not finish)."""

    name: str
    cpu: int
    steps: tuple[Line, ...]
    kind: str = "thread"


class Check(msgspec.Struct, frozen=True):
    """``expr`` that holds in some state (``violation`` None) or in every state. ``words`` name it."""

    words: str
    expr: str
    violation: str | None = None
    at: tuple[int, int] = (0, 1)


class Model(msgspec.Struct, frozen=True):
    """A closed system. ``tlbs`` are the CPUs that have one (None: all). ``init`` gives other start values ("tlb[1,a]": 0).

    ``needs`` are the assumptions a witness of it rests on, in words.
    """

    name: str
    profile: Profile
    threads: tuple[Thread, ...]
    cpus: int = 2
    vas: tuple[Va, ...] = ()
    locks: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    tables: tuple[str, ...] = ()
    variables: Mapping[str, int] = msgspec.field(default_factory=dict)
    counters: Mapping[str, int] = msgspec.field(default_factory=dict)
    init: Mapping[str, int] = msgspec.field(default_factory=dict)
    tlbs: tuple[int, ...] | None = None
    checks: tuple[Check, ...] = ()
    needs: tuple[str, ...] = ()
    init_at: Mapping[str, tuple[int, int]] = msgspec.field(default_factory=dict)
    """(line, column) of the names in ``init``."""


class Bounds(msgspec.Struct, frozen=True):
    """Where a search stops: ``states`` visited."""

    states: int = 200_000


BOUND = "inconclusive: bound"
"""The verdict of a search that met its bound."""


class Outcome(msgspec.Struct, frozen=True):
    """``verdict`` is "safe", a class of violation, or BOUND. ``length`` is that of the shortest witness, in steps.

    ``trace`` lists (thread index, alternative's text) of the shortest witness, among the shortest the one with fewest
    ``switches`` of context. ``coverage``: (thread name, index in Thread.steps) -> times a step was taken.
    ``usefulness``: the same key, for steps that flush -> (times it removed a translation, times it ran).
    ``sometimes``: words -> whether some state satisfied it (known only to a search that saw all states).
    ``ended``: whether some state was met in which all threads are done; without one nothing is known of leaks and of lost data.
    """

    verdict: str
    length: int | None
    states: int
    transitions: int
    witness: Witness | None = None
    trace: tuple[tuple[int, str], ...] = ()
    switches: int = 0
    coverage: Mapping[tuple[str, int], int] = msgspec.field(default_factory=dict)
    usefulness: Mapping[tuple[str, int], tuple[int, int]] = msgspec.field(default_factory=dict)
    sometimes: Mapping[str, bool] = msgspec.field(default_factory=dict)
    ended: bool = True
