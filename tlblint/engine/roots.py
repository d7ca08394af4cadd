"""Runs over roots: functions with the state they are entered in, judged with all that they call.

Roots go in batches that depend on nothing but the program; a batch shares one table of answers, batches share nothing. So they may go
to several processes, and a report on a part of a tree needs only the roots from which that part is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Protocol

import msgspec

from tlblint.calls.program import Program
from tlblint.engine.asked import Entry, Over, in_order
from tlblint.engine.automata import Place
from tlblint.engine.entering import enter, run
from tlblint.engine.lots import together
from tlblint.engine.scope import Scope
from tlblint.engine.story import with_events
from tlblint.engine.summary import Hit
from tlblint.engine.world import World

Start = tuple[int, Entry | None]
"""A function's index and how it is entered."""


BATCH = 4
"""Roots that share a table. Neighbours in a file call the same helpers in the same state; but what one edit reaches is judged again whole."""


LOT = 4
"""Batches of one file that always go to a process together: it has worked out what they have in common once."""


class Judged(msgspec.Struct):
    """What some runs found: violations, functions that were stopped and why, functions seen, entry states met."""

    hits: list[Hit] = msgspec.field(default_factory=list)
    stopped: dict[int, str] = msgspec.field(default_factory=dict)
    visited: set[int] = msgspec.field(default_factory=set)
    contexts: int = 0
    asked: bytes = b""
    """Of one batch: see Keeping.asked()."""

    def add(self, *others: Judged) -> None:
        """Take over what later runs found; the first reason for a stop stays."""
        for other in others:
            self.hits.extend(other.hits)
            self.stopped = {**other.stopped, **self.stopped}
            self.visited |= other.visited
            self.contexts += other.contexts


class Keeping(Protocol):
    """What remembers judged batches from other runs."""

    def find(self, batches: Iterable[tuple[Start, ...]]) -> dict[tuple[Start, ...], Judged]:
        """Those of ``batches`` that were judged before, as they would be judged now."""

    def keep(self, judged: Mapping[tuple[Start, ...], Judged]) -> None:
        """Remember."""

    def asked(self, batch: tuple[Start, ...], worlds: Sequence[World]) -> bytes:
        """What is to be remembered of the answers in the worlds that a batch was judged in."""

    def done(self) -> None:
        """All is judged."""


class Roots(msgspec.Struct, frozen=True):
    """Chooses the starts and runs them. ``entries`` is the Context's; ``subject`` is false of functions that
    are not judged for themselves."""

    program: Program
    scope: Scope
    entries: Callable[[str, str], Entry | None]
    subject: Callable[[int], bool]
    able: Callable[[int], frozenset[Place]]
    world: Callable[[frozenset[Place]], World]
    kept: Keeping | None = None

    def judge(self, only: Callable[[str], bool] | None, over: Over) -> Judged:
        """Callbacks with their slot's entry, then roots, then what nobody reached; of all those, what leads to files of ``only``."""
        near = self.near_to(None if only is None else {index for index, fn in enumerate(self.program.functions) if only(fn.path)})
        total = Judged()
        # Whole batches, also where only one start is near: what shares a table must not depend on what is asked for.
        batches = [batch for batch in self._batches(self.starts()) if any(index in near for index, _ in batch)]
        apart = self._apart(near, {index for batch in batches for index, _ in batch})
        parts = self._known([*batches, *(((index, self.entry(index)),) for index in apart)], over)
        early = dict(zip(apart, parts[len(batches) :], strict=True))
        for made in parts[: len(batches)]:
            total.add(*made)
        for index in self.unreached(near, total.visited):
            total.add(*(early[index] if index in early else self._known([((index, self.entry(index)),)], in_order)[0]))
        if self.kept is not None:
            self.kept.done()
        return total

    def _apart(self, near: set[int], starts: set[int]) -> list[int]:
        """Those of unreached() that no call leads to from ``starts``, nor from one another: they need not wait for what others visit."""
        left = self._left(near, closure(starts, self._leads))
        below = {index: closure({index}, self._leads) for index in left}
        return [index for index in left if not any(index in found for other, found in below.items() if other != index)]

    def _leads(self, index: int) -> Iterable[int]:
        return (*self.scope.callees[index], *self.program.twins(index))

    def _left(self, near: set[int], visited: Container[int]) -> list[int]:
        functions = self.program.functions
        return [i for i in sorted(self.scope.carrying & near) if i not in visited and not functions[i].variant and self.subject(i) and self.able(i)]

    def unreached(self, near: set[int], visited: set[int]) -> Iterable[int]:
        """What carries state and is not ``visited``, which grows meanwhile. Callers come before what they call: that is entered in the state
        they leave it in."""
        left = self._left(near, visited)
        while left:
            waiting = set(left)
            index = next((i for i in left if waiting.isdisjoint({*self.scope.callers.get(i, ())} - {i})), left[0])
            yield index
            left = [i for i in left if i != index and i not in visited]

    def _known(self, batches: list[tuple[Start, ...]], over: Over) -> list[list[Judged]]:
        """All batches in their order, each in one part or several, those that are remembered without being run."""
        known = self.kept.find(batches) if self.kept is not None else {}
        missing = [batch for batch in batches if batch not in known]
        made = dict(zip(missing, self._over(missing, over), strict=True))
        if self.kept is not None:
            self.kept.keep({batch: parts[0] for batch, parts in made.items() if len(parts) == 1})
        return [[known[batch]] if batch in known else made[batch] for batch in batches]

    def _over(self, batches: list[tuple[Start, ...]], over: Over) -> Iterable[list[Judged]]:
        """Each batch as one or, where it killed its process, once more start by start; in the order of ``batches``."""
        lots = self._lots(batches, over.parts)
        made: list[list[Judged] | None] = over(self._run_all, lots, lambda lot: None)
        known = {batch: part for lot, some in zip(lots, made, strict=True) if some is not None for batch, part in zip(lot, some, strict=True)}
        parts = [known.get(batch) for batch in batches]
        again = [(start,) for batch, part in zip(batches, parts, strict=True) if part is None for start in batch]
        second = dict(zip(again, over(self._run, again, self._died), strict=True)) if len(again) > 1 else {batch: self._died(batch) for batch in again}
        for batch, part in zip(batches, parts, strict=True):
            yield [part] if part is not None else [second[(start,)] for start in batch]

    def _lots(self, batches: list[tuple[Start, ...]], parts: int) -> list[tuple[tuple[Start, ...], ...]]:
        """The same in lots for so many processes."""
        lots: list[tuple[tuple[Start, ...], ...]] = []
        for _, group in groupby(batches, key=lambda batch: self.program.functions[batch[0][0]].path):
            members = list(group)
            lots += [tuple(members[at : at + LOT]) for at in range(0, len(members), LOT)]
        weights = [len(fn.blocks) for fn in self.program.functions] if parts > 1 and len(lots) > 1 else []
        return [tuple(chain.from_iterable(group)) for group in together(lots, self._below, weights, parts if weights else 1)]

    def _below(self, lot: tuple[tuple[Start, ...], ...]) -> set[int]:
        """The functions that are followed from a lot."""
        followed = self.scope.followed
        return closure({index for batch in lot for index, _ in batch}, lambda index: [other for other in self.scope.callees[index] if other in followed])

    def _died(self, batch: tuple[Start, ...]) -> Judged:
        """What it called counts as visited: nothing that killed a process may run in the next one."""
        (start,) = batch
        stopped = {start[0]: "the analysis ran out of memory or crashed"}
        return Judged(stopped=stopped, visited=closure({start[0]}, self._leads))

    def near_to(self, part: set[int] | None) -> set[int]:
        """The functions from which one of ``part`` is reached; all for None."""
        functions = self.program.functions
        if part is None:
            return set(range(len(functions)))
        firsts: dict[int, list[int]] = {}
        for index in range(len(functions)):
            for twin in self.program.twins(index):
                firsts.setdefault(twin, []).append(index)
        return closure(part, lambda index: (*self.scope.callers.get(index, ()), *firsts.get(index, ())))

    def starts(self) -> Iterable[Start]:
        """What is judged by itself, with how it is entered."""
        starts: dict[Start, None] = {}
        starts.update(((index, self.entry(index)), None) for index in self.scope.roots() if self.subject(index))
        return starts

    def _batches(self, starts: Iterable[Start]) -> list[tuple[Start, ...]]:
        """All starts, in an order and in groups that depend on nothing but the program, and in one file on nothing in others."""
        ordered = sorted(starts, key=lambda start: start[0])  # entries of one function stay in the order of their tables
        out: list[tuple[Start, ...]] = []
        for _, group in groupby(ordered, key=lambda start: self.program.functions[start[0]].path):
            members = list(group)
            out += [tuple(members[at : at + BATCH]) for at in range(0, len(members), BATCH)]
        return out

    def entry(self, index: int) -> Entry | None:
        """How a contract says that a function is entered."""
        fn = self.program.functions[index]
        return self.entries(fn.path, fn.name)

    def _run_all(self, lot: tuple[tuple[Start, ...], ...]) -> list[Judged]:
        return [self._run(batch) for batch in lot]

    def _run(self, batch: tuple[Start, ...]) -> Judged:
        """Run each start under what it can break: what can come to nothing there would only multiply the states."""
        starts: dict[frozenset[Place], list[Start]] = {}
        for index, entry in batch:
            starts.setdefault(self.able(index), []).append((index, entry))
        total = Judged()
        worlds = [self.world(places) for places in starts if places]
        for world, members in zip(worlds, (members for places, members in starts.items() if places), strict=True):
            total.add(self._run_under(world, members))
        if self.kept is not None:
            total.asked = self.kept.asked(batch, worlds)
        return total

    def _run_under(self, world: World, starts: Sequence[Start]) -> Judged:
        run(world, starts, self.program.functions.__getitem__, self.program.twins)
        hits = {hit: None for summary in world.table.values() for hit in summary.hits if hit.origin >= 0}
        return Judged([with_events(hit, self.program.functions) for hit in hits], world.stopped, world.visited, len(world.table))

    def enter(self, world: World, index: int, entry: Entry | None) -> None:
        """Run one function as a root."""
        enter(world, index, self.program.functions[index], entry)


def closure(seeds: set[int], step: Callable[[int], Iterable[int]]) -> set[int]:
    """What is reached from ``seeds``, them included."""
    out, work = set(seeds), list(seeds)
    while work:
        for index in step(work.pop()):
            if index not in out:
                out.add(index)
                work.append(index)
    return out
