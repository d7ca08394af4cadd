"""Judging one tree again and again while it changes: answers that a change cannot reach are kept.

A function that only moved keeps its index and the positions it was first seen at, so that what was said of it stays true; where things
stand now is put right when violations are handed out. After a change go the answers of functions whose own text, promises, marks or
callees are other ones, and of all that call them, however far up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from tlblint.calls.program import Program
from tlblint.calls.walks import Walks
from tlblint.engine.automata import Automata, Place
from tlblint.engine.code import Code
from tlblint.engine.concerned import Concerned
from tlblint.engine.entering import guarded, replay
from tlblint.engine.flows import Flows
from tlblint.engine.roots import Judged, Roots, Start, closure
from tlblint.engine.scope import Scope
from tlblint.engine.shared import Known, Shared
from tlblint.engine.state import SHIFT
from tlblint.engine.story import with_events
from tlblint.engine.summary import Hit, Summary
from tlblint.engine.view import Registry, Shift, View
from tlblint.engine.world import MAX_BUDGET, World
from tlblint.model.digest import blake2b
from tlblint.model.ir import FileFacts

Name = tuple[str, str]
"""(path, function)."""
Key = tuple[object, ...]


class Told(msgspec.Struct, frozen=True):
    """What was found out about a state of the tree beside its violations. ``near``: the functions from which the part is reached: all that
    can be found in them was. ``changed``: functions that are not what they were in the state before."""

    near: frozenset[Name] = frozenset()
    changed: frozenset[Name] = frozenset()


STATES = 12
"""Programs that are kept ready: each is worth the time to find out who calls what, and a megabyte or two."""


class _Kept(msgspec.Struct):
    """What was known of a function: its code, answers by (places, key), and those that other worlds may use."""

    code: Code | None
    offered: dict[Key, list[Known]]
    answers: list[tuple[frozenset[Place], Key, Summary]] = msgspec.field(default_factory=list)


Result = TypeVar("Result")


class State(msgspec.Struct, Generic[Result], frozen=True):
    """A program that is ready to be judged. ``signs`` are Memory.signs(), ``flags`` Hearing.flags, ``code`` compiles for it; ``tell`` makes a result
    of what was judged, for files in which code may have moved."""

    view: View
    roots: Roots
    signs: Mapping[int, Key]
    flags: frozenset[str]
    code: Callable[[int], Code]
    tell: Callable[[Sequence[FileFacts], Judged], Result]


class Memory(Generic[Result]):
    """What is remembered from one state of a tree for the next. ``part``: the functions that the next judging is about, None for all;
    ``told`` speaks of the last one."""

    def __init__(self) -> None:
        self.part: frozenset[Name] | None = None
        self.told = Told()
        self.flags: frozenset[str] = frozenset()
        """Hearing.flags of the last state."""
        self.codes: dict[int, Code] = {}
        self.automata: dict[frozenset[Place], Automata] = {}
        self._registry = Registry()
        self._view: View | None = None
        self._signs: Mapping[int, Key] = {}
        self._tables: dict[frozenset[Place], dict[Key, Summary]] = {}
        self._shelf: dict[int, dict[Key, _Kept]] = {}
        self._numbers: dict[Key, int] = {}
        self._flows = Flows(self._code)
        self._shared = Shared()
        self._code_of: Callable[[int], Code] | None = None
        self._states: dict[tuple[int, ...], State[Result]] = {}
        """The last ones that were judged, by Registry.state()."""
        self._last: tuple[tuple[int, ...], frozenset[Name] | None, _Run] | None = None
        """The last judging: of which state, of which part, its run."""

    def program(self, facts: Sequence[FileFacts]) -> Program:
        """The program of the next state."""
        self._view = View(self._registry, facts)
        return self._view

    def repeat(self, facts: Sequence[FileFacts]) -> Result | None:
        """What is found when all functions and tables are those of a state that is still known, wherever they stand; None for another one."""
        number = self._registry.state(facts)
        state = self._states.pop(number, None)
        if state is None or not state.view.move(facts):
            return None
        self._states[number] = state
        if self._last is None or self._last[:2] != (number, self.part):
            return self._judged(number, facts, state)
        self.told = replace(self.told, changed=frozenset())
        return state.tell(facts, self._last[2].judged(state.view))

    def judge(self, facts: Sequence[FileFacts], state: State[Result]) -> Result:
        """What is found in the part, of a new state."""
        number = self._registry.state(facts)
        self._states[number] = state
        while len(self._states) > STATES:
            del self._states[next(iter(self._states))]
        return self._judged(number, facts, state)

    def _judged(self, number: tuple[int, ...], facts: Sequence[FileFacts], state: State[Result]) -> Result:
        self._settle(state)
        run = self._ran(state)
        self._last = number, self.part, run
        return state.tell(facts, run.judged(state.view))

    def _settle(self, state: State[Result]) -> None:
        """Forget what the change from the state before may have made untrue."""
        view, signs, before, flags = state.view, state.signs, self._signs, self.flags
        callers = state.roots.scope.callers
        self._code_of = state.code
        self.told = Told(changed=view.names(view.alive ^ before.keys()) if before else frozenset())
        stale = {index for index, sign in signs.items() if before.get(index) != sign} | (before.keys() - signs.keys())
        if before and flags != state.flags:
            concerned = Concerned(flags ^ state.flags)
            stale |= {index for index in view.alive if concerned(view.functions[index])}
        self._signs, self.flags = signs, state.flags
        gone = closure(stale, lambda index: callers.get(index, ()))
        if before:
            self._put_by(gone & before.keys(), before, flags)
            self._take_back(gone & signs.keys(), signs, state.flags)

    def _put_by(self, gone: Iterable[int], signs: Mapping[int, Key], flags: frozenset[str]) -> None:
        """Keep what was said of functions under what it rests on: the next patch may put things back, or the series be gone through again."""
        kept = {index: _Kept(self.codes.pop(index, None), self._shared.forget(index)) for index in gone}
        for places, table in self._tables.items():
            for key in [key for key in table if key[0] in kept]:
                kept[key[0]].answers.append((places, key, table.pop(key)))  # type: ignore[index]
        for index, held in kept.items():
            self._flows.forget(index)
            if held.answers:
                self._shelf.setdefault(index, {})[flags, self._rest(index, signs)] = held

    def _take_back(self, gone: set[int], signs: Mapping[int, Key], flags: frozenset[str]) -> None:
        for index in gone & self._shelf.keys():
            held = self._shelf[index].get((flags, self._rest(index, signs)))
            if held is not None:
                if held.code is not None:
                    self.codes[index] = held.code
                self._shared.recall(index, held.offered)
                for places, key, summary in held.answers:
                    self._tables[places][key] = summary

    def _rest(self, index: int, signs: Mapping[int, Key]) -> bytes:
        """A name for what the answers of a function rest on: itself and all that it calls, as they were."""
        below = closure({index}, lambda at: (callee for callee in signs[at][0] if callee in signs))  # type: ignore[attr-defined]
        rows = [(at, self._numbers.setdefault(signs[at], len(self._numbers))) for at in sorted(below)]
        return blake2b(repr(rows).encode(), digest_size=16).digest()

    def signs(self, scope: Scope, says: Mapping[int, frozenset[str]], kinds: Mapping[int, frozenset[str]], walks: Walks) -> Mapping[int, Key]:
        """By index all that the answers of a function hang on, apart from its text and what it calls: these are its index and theirs."""
        view = self.now()
        slots = {index: tuple(sorted(places.items())) for index, places in walks.entries.items()}
        return {index: (scope.callees[index], says.get(index), kinds.get(index), tuple(view.twins(index)), slots.get(index, ())) for index in view.alive}

    def automaton(self, places: frozenset[Place], make: Callable[[], Automata]) -> Automata:
        """The rules as one automaton, which remembers much of what it was asked: they do not hang on the program."""
        if places not in self.automata:
            self.automata[places] = make()
        return self.automata[places]

    def _ran(self, state: State[Result]) -> _Run:
        """Like Roots.judge(), for the part."""
        view, roots = state.view, state.roots
        run = _Run(roots, self._table, self._flows, self._shared)
        near = roots.near_to(None if self.part is None else {i for i in view.alive if view.name(i) in self.part})
        run.start((index, entry) for index, entry in sorted(roots.starts(), key=lambda start: start[0]) if index in near)
        for index in roots.unreached(near, run.visited):
            run.start([(index, roots.entry(index))])
        self.told = replace(self.told, near=view.names(near))
        run.drop_doubtful()
        return run

    def _table(self, places: frozenset[Place]) -> dict[Key, Summary]:
        return self._tables.setdefault(places, {})

    def now(self) -> View:
        """What program() gave last."""
        assert self._view is not None
        return self._view

    def _code(self, index: int) -> Code:
        assert self._code_of is not None
        return self._code_of(index)


class _Run:
    """The starts of one state, over tables that hold answers of earlier ones. What is found is what these starts reach."""

    def __init__(self, roots: Roots, table: Callable[[frozenset[Place]], dict[Key, Summary]], flows: Flows, shared: Shared) -> None:
        self._roots = roots
        self._table = table
        self._flows = flows
        self._shared = shared
        self._worlds: dict[frozenset[Place], World] = {}
        self._tops: dict[frozenset[Place], list[Summary]] = {}
        self._reached: dict[frozenset[Place], dict[int, Summary]] = {}
        self._replayed: set[int] = set()
        self._doubtful: list[tuple[dict[Key, Summary], Key]] = []
        self.visited: set[int] = set()
        """The functions that were run, now or for an answer that still holds."""

    def start(self, starts: Iterable[Start]) -> None:
        """Run functions as roots; then the other arms of #if groups in all that these met, from every entry state that the first ones had."""
        for index, entry in starts:
            places = self._roots.able(index)
            if places:
                self._guarded(places, index, partial(self._roots.enter, index=index, entry=entry))
        for places in self._worlds:
            for summary in self._reach(places):
                for twin in self._roots.program.twins(summary.key[0]) if id(summary) not in self._replayed else ():
                    self._replayed.add(id(summary))
                    self._guarded(places, twin, partial(replay, key=summary.key, twin=twin))
            self._reach(places)

    def _guarded(self, places: frozenset[Place], index: int, go: Callable[[World], object]) -> None:
        """Run with a budget of its own. What came of a run that met a bound or a defect is good for this state only."""
        world = self._world(places)
        known, stopped = len(world.table), len(world.stopped)
        world.left = 4 * MAX_BUDGET
        world.contexts.clear()
        guarded(world, index, lambda: go(world))
        del world.asking[1:]
        if len(world.stopped) > stopped:
            self._doubtful.extend((world.table, key) for key in list(world.table)[known:])

    def _world(self, places: frozenset[Place]) -> World:
        world = self._worlds.get(places)
        if world is None:
            world = self._worlds[places] = self._roots.world(places)
            world.table = self._table(places)
            world.flows, world.shared = self._flows, self._shared
            world.asking = [self._tops.setdefault(places, [])]
            world.visited = self.visited
            self._reached[places] = {}
        return world

    def _reach(self, places: frozenset[Place]) -> list[Summary]:
        """The answers that the starts since the last time lead to."""
        seen: dict[int, Summary] = {}
        work = self._tops[places]
        while work:
            summary = work.pop()
            if id(summary) not in seen:
                seen[id(summary)] = summary
                self.visited.add(summary.key[0])
                work.extend(summary.below)
        self._reached[places].update(seen)
        return list(seen.values())

    def drop_doubtful(self) -> None:
        """What must not be used for another state."""
        for table, key in self._doubtful:
            table.pop(key, None)

    def judged(self, view: View) -> Judged:
        """Violations where they stand now."""
        hits: dict[Hit, None] = {}
        for places in self._worlds:
            hits.update((hit, None) for summary in self._reached[places].values() for hit in summary.hits if hit.origin >= 0)
        stopped = {index: why for world in self._worlds.values() for index, why in world.stopped.items()}
        functions = view.placed()
        moved = [with_events(_moved(hit, view.shifts), functions) for hit in hits]
        return Judged(moved, stopped, self.visited, sum(map(len, self._reached.values())))


def _moved(hit: Hit, shifts: Mapping[int, Shift]) -> Hit:
    """A violation with its sites where they are now."""
    if not shifts:
        return hit

    def now(site: int) -> int:
        index = site >> SHIFT
        if site < 0 or index not in shifts:
            return site
        return (index << SHIFT) + shifts[index]((site & ((1 << SHIFT) - 1)) - 1) + 1

    story = tuple((now(record[0]), *record[1:]) for record in hit.story if isinstance(record, tuple))
    trail = tuple((now(site), kind, text, note) for site, kind, text, note in hit.trail)
    return replace(hit, origin=now(hit.origin), act=now(hit.act), trail=trail, story=story)
