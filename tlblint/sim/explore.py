"""Every interleaving, breadth first: verdict, shortest witness, what was reached, which flushes did anything."""

from __future__ import annotations

from msgspec.structs import replace

from tlblint.sim.engine import Machinery, Test, build
from tlblint.sim.ir import PRUNED, VIOLATIONS, Program, Step, code_of
from tlblint.sim.lower import lower
from tlblint.sim.lowered import Lowered
from tlblint.sim.model import BOUND, Bounds, Model, Outcome
from tlblint.sim.reduce import Reduction
from tlblint.sim.search import Search, note
from tlblint.sim.tidy import tidied
from tlblint.sim.witness import Taken, tell

DEADLOCK = code_of("deadlock")
FEW = 800
"""States below which it costs more to find out what can be left out than it saves."""


class Explorer:
    """Searches over one program."""

    def __init__(self, program: Program, reduced: bool = False) -> None:
        self.program = program
        self.machinery: Machinery = build(program)
        self._count = len(program.codes)
        self._solos: dict[bytes, int] = {}
        self._reduction = Reduction(program) if reduced and not program.always else None

    def _solo(self, pcs: bytes) -> int:
        """A thread at ``pcs`` whose step no other can notice, now or later; -1 when there is none, or that is not asked."""
        if self._reduction is None:
            return -1
        found = self._solos.get(pcs)
        if found is None:
            thread = self._reduction.solo(pcs)
            found = self._solos[pcs] = -1 if thread is None else thread
        return found

    def _finished(self, state: bytes) -> bool:
        """Whether all threads are done that have to be."""
        ends = self.machinery.ends
        for thread in range(self._count):  # noqa: SIM110 - asked of every state
            if ends[thread] != state[thread] and ends[thread] >= 0:
                return False
        return True

    def ending(self, state: bytes, moved: bool, finished: bool) -> int:
        """The violation of a state as an end: deadlock, leak, lost data; 0 for none. ``moved``: something is still enabled."""
        if not finished:
            return 0 if moved else DEADLOCK
        return next((code for test, code in self.machinery.final if test(state)), 0)

    def run(self, bound: int) -> Search:
        """Breadth first until a layer holds a violation, all is seen, or more than ``bound`` states are."""
        search = Search()
        start, count = self.machinery.start, self._count
        seen, layer, depth = {start}, [start], 0
        pending = list(self.machinery.sometimes)
        self._watch(start, search, pending, 0)
        while layer and search.length is None and search.complete:
            following: list[bytes] = []
            for state in layer:
                solo = self._solo(state[:count])
                moved = solo >= 0 and self._take(solo, state, seen, following, search, depth)
                if not moved:
                    for thread in range(count):
                        moved |= self._take(thread, state, seen, following, search, depth)
                finished = self._finished(state)
                if finished or not moved:
                    search.ended = search.ended or finished
                    if code := self.ending(state, moved, finished):
                        note(search, depth, code)
                if len(seen) > bound:
                    search.complete = False
                    break
            depth += 1
            if pending or self.machinery.always:
                for state in following:
                    self._watch(state, search, pending, depth)
            layer = following
        self._count_up(search)
        search.states, search.transitions = len(seen), sum(search.hits.values())
        search.sometimes = {words: all(words != left for left, _ in pending) for words, _ in self.machinery.sometimes}
        return search

    def _watch(self, state: bytes, search: Search, pending: list[tuple[str, Test]], depth: int) -> None:
        for test, code in self.machinery.always:
            if not test(state):
                note(search, depth, code)
        pending[:] = [(words, test) for words, test in pending if not test(state)]

    def _take(self, thread: int, state: bytes, seen: set[bytes], following: list[bytes], search: Search, depth: int) -> bool:
        """All that one thread may do next. False if it can do nothing."""
        bad = self._count
        moved = False
        for way in self.machinery.ways[thread][state[thread]]:
            guard = way.guard
            if guard is not None and not guard(state):
                continue
            moved = True
            way.times += 1
            blot = way.blot
            if blot is not None and not blot(state):  # as most accesses of a user: the state stays what it is
                continue
            buffer = bytearray(state)
            way.act(buffer)
            goto = way.goto
            buffer[thread] = way.behind if goto is None else goto(buffer)
            if way.flush:
                way.useful += self._cleans(state, buffer)
            if buffer[bad]:
                if buffer[bad] != PRUNED:
                    note(search, depth + 1, buffer[bad])
                continue
            after = bytes(buffer)
            if after not in seen:
                seen.add(after)
                following.append(after)
        return moved

    def _cleans(self, before: bytes, after: bytearray) -> bool:
        for at in self.machinery.cached:  # noqa: SIM110 - asked of every flush
            if before[at] != after[at]:
                return True
        return False

    def _count_up(self, search: Search) -> None:
        """How often steps ran goes where it is asked for."""
        for nodes in self.machinery.ways:
            for ways in nodes:
                for way in ways:
                    if not way.times:
                        continue
                    key = (way.thread, way.node)
                    search.hits[key] += way.times
                    if way.flush:
                        counts = search.useful.setdefault(key, [0, 0])
                        counts[0] += way.useful
                        counts[1] += way.times
                    way.times = way.useful = 0

    # -- the shortest witness

    def shortest(self, length: int) -> tuple[list[Taken], int, int]:
        """(steps, violation, switches of context) of a witness of ``length`` with the fewest switches."""
        start = self.machinery.start
        layers: list[dict[tuple[bytes, int], tuple[int, tuple[bytes, int] | None, int]]] = [{(start, -1): (0, None, -1)}]
        seen = {start}
        best: tuple[int, int, tuple[bytes, int], Taken | None] | None = None
        for depth in range(length + 1):
            fresh: dict[tuple[bytes, int], tuple[int, tuple[bytes, int] | None, int]] = {}
            for key, (cost, _, _) in layers[-1].items():
                best = self._better(best, key, cost, depth == length, depth + 1 == length, seen, fresh)
            if depth == length:
                break
            seen.update(state for state, _ in fresh)
            layers.append(fresh)
        if best is None:
            raise AssertionError("a violation that the search met is not met again")
        cost, code, key, last = best
        return self._back(layers, key, last), code, cost

    def _better(
        self,
        best: tuple[int, int, tuple[bytes, int], Taken | None] | None,
        key: tuple[bytes, int],
        cost: int,
        at_end: bool,
        before_end: bool,
        seen: set[bytes],
        fresh: dict[tuple[bytes, int], tuple[int, tuple[bytes, int] | None, int]],
    ) -> tuple[int, int, tuple[bytes, int], Taken | None] | None:
        """Go on from ``key``: put what comes next into ``fresh``, and what violates into ``best`` if it costs less."""
        state, last = key
        bad, moved = self._count, False
        for thread in range(bad):
            for way in self.machinery.ways[thread][state[thread]]:
                if way.guard is not None and not way.guard(state):
                    continue
                moved = True
                buffer = bytearray(state)
                way.act(buffer)
                buffer[thread] = way.behind if way.goto is None else way.goto(buffer)
                price = cost + (last not in (-1, thread))
                if buffer[bad]:
                    if before_end and buffer[bad] != PRUNED and (best is None or price < best[0]):
                        best = (price, buffer[bad], key, (thread, way.node, way.number))
                    continue
                after = bytes(buffer)
                if after in seen or at_end:
                    continue
                old = fresh.get((after, thread))
                if old is None or price < old[0]:
                    fresh[after, thread] = (price, key, way.number)
        if at_end:
            code = self.ending(state, moved, self._finished(state)) or next((code for test, code in self.machinery.always if not test(state)), 0)
            if code and (best is None or cost < best[0]):
                best = (cost, code, key, None)
        return best

    def _back(
        self, layers: list[dict[tuple[bytes, int], tuple[int, tuple[bytes, int] | None, int]]], key: tuple[bytes, int], last: Taken | None
    ) -> list[Taken]:
        found = [] if last is None else [last]
        depth = next(number for number in range(len(layers) - 1, -1, -1) if key in layers[number])
        while depth:
            _, before, number = layers[depth][key]
            assert before is not None
            thread = key[1]
            found.append((thread, self.machinery.ways[thread][before[0][thread]][number].node, number))
            key, depth = before, depth - 1
        return found[::-1]


def explore(model: Model, bounds: Bounds | None = None, tidy: bool = False, memory: Lowered | None = None) -> Outcome:
    """All interleavings of a model up to ``bounds``. ``tidy``: what needs many states is first looked at with fewer, which is enough if all
    is well: registers are set back when they are of no more use, and steps that nobody notices are taken alone. How often steps ran is then
    less than in all interleavings, and each "sometimes" must be one that stays true. ``memory``: what was lowered for other models.

    Raises ScenarioError for a model that makes no sense.
    """
    program, bounds = lower(model, memory=memory), bounds or Bounds()
    if not tidy or bounds.states <= FEW:
        return judge(program, model, bounds)
    explorer = Explorer(program)
    search = explorer.run(FEW)  # most are over before it is worth while
    if search.complete or search.length is not None:
        return _outcome(explorer, search, model)
    program = tidied(program)
    explorer = Explorer(program, reduced=True)
    search = explorer.run(bounds.states)
    return _outcome(explorer, search, model) if search.complete and search.length is None else judge(program, model, bounds)


def judge(program: Program, model: Model, bounds: Bounds) -> Outcome:
    """The outcome of a program that ``model`` became."""
    explorer = Explorer(program)
    search = explorer.run(bounds.states)
    if not search.complete and search.length is None and not program.always:
        explorer = Explorer(program, reduced=True)
        second = explorer.run(bounds.states)
        if second.complete:
            search = second
    return _outcome(explorer, search, model)


def _outcome(explorer: Explorer, search: Search, model: Model) -> Outcome:
    program = explorer.program
    if search.length is None:
        return _with_figures(Outcome("safe" if search.complete else BOUND, None, search.states, search.transitions), program, search)
    taken, code, switches = explorer.shortest(search.length)
    verdict = VIOLATIONS[code - 1]
    trace = tuple((thread, _alternative(program, thread, node, number)) for thread, node, number in taken)
    witness = tell(program, model, taken, verdict)
    return _with_figures(Outcome(verdict, len(taken), search.states, search.transitions, witness, trace, switches), program, search)


def _alternative(program: Program, thread: int, node: int, number: int) -> str:
    step = program.codes[thread].nodes[node]
    return step.alts[number].text if isinstance(step, Step) else ""


def _with_figures(outcome: Outcome, program: Program, search: Search) -> Outcome:
    """Counts by step of the model instead of by node."""
    coverage: dict[tuple[str, int], int] = {}
    usefulness: dict[tuple[str, int], tuple[int, int]] = {}
    for (thread, node), times in search.hits.items():
        key = _origin(program, thread, node)
        coverage[key] = coverage.get(key, 0) + times
    for (thread, node), (useful, ran) in search.useful.items():
        key = _origin(program, thread, node)
        before = usefulness.get(key, (0, 0))
        usefulness[key] = (before[0] + useful, before[1] + ran)
    return replace(outcome, coverage=coverage, usefulness=usefulness, sometimes=search.sometimes, ended=search.ended)


def _origin(program: Program, thread: int, node: int) -> tuple[str, int]:
    step = program.codes[thread].nodes[node]
    return program.codes[thread].name, step.origin if isinstance(step, Step) else -1
