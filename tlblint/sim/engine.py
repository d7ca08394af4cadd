"""Programs as functions over mutable bytes: the explorer's quick form of the guarded commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import cast

from tlblint.sim.ir import Alt, Bin, Branch, Const, Effect, Expr, Fail, Not, Program, Set, Step, Var, When

State = Sequence[int]
Test = Callable[[State], int]
Act = Callable[[bytearray], None]


class Way:
    """An alternative of a thread, ready to run: ``guard`` (None: always), ``act`` on a copy of the state, ``behind``: where the thread is then,
    or ``goto`` that says so of the state. ``blot``: of one that leaves a state as it is or commits a violation, whether it does that; None
    for all others. ``number``: of the alternative in its step.

    And how often it was taken; of a flush how often that changed the cached translations.
    """

    __slots__ = ("act", "behind", "blot", "flush", "goto", "guard", "node", "number", "thread", "times", "useful")

    def __init__(self, place: tuple[int, int, int], guard: Test | None, blot: Test | None, act: Act, goto: Callable[[State], int] | int, flush: bool) -> None:
        self.thread, self.node, self.number = place
        self.guard = guard
        self.blot = blot
        self.act = act
        self.behind: int = goto if isinstance(goto, int) else 0
        self.goto: Callable[[State], int] | None = None if isinstance(goto, int) else goto
        self.flush = flush
        self.times = 0
        self.useful = 0


class Machinery:
    """``ways[thread][pc]`` are the ways on. A state is: a byte per thread (its pc), the violation, the variables."""

    def __init__(self, start: bytes, ways: list[list[tuple[Way, ...]]], ends: list[int]) -> None:
        self.start = start
        self.ways = ways
        self.ends = ends
        """pc of a thread that is done; -1 for a daemon."""
        self.bad = len(ends)
        """Where in a state the violation stands."""
        self.final: list[tuple[Test, int]] = []
        self.always: list[tuple[Test, int]] = []
        self.sometimes: list[tuple[str, Test]] = []
        self.cached: list[int] = []
        """Places of the cached translations."""


def build(program: Program) -> Machinery:
    """The functions of a program."""
    count = len(program.codes)
    at = {name: count + 1 + place for place, name in enumerate(program.init)}
    maker = _Maker(at, count)
    ways = [[maker.ways(thread, code.nodes, pc) for pc in range(len(code.nodes) + 1)] for thread, code in enumerate(program.codes)]
    start = bytearray([*([0] * count), 0, *program.init.values()])
    for thread, code in enumerate(program.codes):
        goto = maker.settle(code.nodes, 0)
        start[thread] = goto if isinstance(goto, int) else goto(start)
    made = Machinery(bytes(start), ways, [-1 if code.daemon else len(code.nodes) for code in program.codes])
    made.final = [(maker.test(fail.cond), fail.code) for fail in program.final]
    made.always = [(maker.test(expr), code) for expr, code in program.always]
    made.sometimes = [(words, maker.test(expr)) for words, expr in program.sometimes]
    made.cached = [at[name] for name in program.tlbs]
    return made


class _Maker:
    def __init__(self, at: dict[str, int], bad: int) -> None:
        self._at = at
        self._bad = bad
        self._settled: dict[tuple[int, int], Callable[[State], int] | int] = {}

    # -- expressions

    def test(self, expr: Expr) -> Test:
        if isinstance(expr, Var):
            return cast(Test, itemgetter(self._at[expr.name]))
        if isinstance(expr, Const):
            value = expr.value
            return lambda s: value
        if isinstance(expr, Not):
            x = self.test(expr.x)
            return lambda s: not x(s)
        if isinstance(expr, Bin):
            return self._bin(expr)
        table = expr.table
        if isinstance(expr.x, Var):
            i = self._at[expr.x.name]
            return lambda s: table[s[i]]
        x = self.test(expr.x)
        return lambda s: table[x(s)]

    def _bin(self, expr: Bin) -> Test:
        if isinstance(expr.x, Var) and isinstance(expr.y, Const):
            made = _with_constant(expr.op, self._at[expr.x.name], expr.y.value)
            if made is not None:
                return made
        x, y = self.test(expr.x), self.test(expr.y)
        table: dict[str, Test] = {
            "and": lambda s: 1 if x(s) and y(s) else 0,
            "or": lambda s: 1 if x(s) or y(s) else 0,
            "==": lambda s: x(s) == y(s),
            "!=": lambda s: x(s) != y(s),
            "<": lambda s: x(s) < y(s),
            "<=": lambda s: x(s) <= y(s),
            ">": lambda s: x(s) > y(s),
            ">=": lambda s: x(s) >= y(s),
            "|": lambda s: x(s) | y(s),
            "&": lambda s: x(s) & y(s),
            "+": lambda s: (x(s) + y(s)) & 255,
            "-": lambda s: (x(s) - y(s)) & 255,
        }
        return table[expr.op]

    # -- effects

    def act(self, effects: tuple[Effect, ...]) -> Act:
        made = [self._effect(effect) for effect in effects]
        if not made:
            return lambda b: None
        if len(made) == 1:
            return made[0]
        if len(made) == 2:
            first, second = made

            def both(b: bytearray) -> None:
                first(b)
                second(b)

            return both

        def run(b: bytearray) -> None:
            for one in made:
                one(b)

        return run

    def _effect(self, effect: Effect) -> Act:
        if isinstance(effect, Set):
            return self._set(self._at[effect.var], effect.value)
        if isinstance(effect, Fail):
            return self._fail(effect)
        return self._when(effect)

    def _set(self, i: int, expr: Expr) -> Act:
        if isinstance(expr, Const):
            value = expr.value

            def constant(b: bytearray) -> None:
                b[i] = value

            return constant
        read = self.test(expr)

        def assign(b: bytearray) -> None:
            b[i] = read(b)

        return assign

    def _when(self, effect: When) -> Act:
        cond, inner = self.test(effect.cond), self.act(effect.effects)

        def when(b: bytearray) -> None:
            if cond(b):
                inner(b)

        return when

    def _fail(self, effect: Fail) -> Act:
        cond, code, bad = self.test(effect.cond), effect.code, self._bad

        def fail(b: bytearray) -> None:
            if not b[bad] and cond(b):
                b[bad] = code

        return fail

    # -- control

    def ways(self, thread: int, nodes: tuple[Step | Branch, ...], pc: int) -> tuple[Way, ...]:
        node = nodes[pc] if pc < len(nodes) else None
        if not isinstance(node, Step):
            return ()
        return tuple([self._way((thread, pc, number), nodes, alt) for number, alt in enumerate(node.alts)])

    def _way(self, place: tuple[int, int, int], nodes: tuple[Step | Branch, ...], alt: Alt) -> Way:
        goto = self.settle(nodes, alt.goto)
        idle = goto == place[1] and not alt.flush and all(isinstance(effect, Fail) for effect in alt.effects)
        blot = _any([self.test(effect.cond) for effect in alt.effects if isinstance(effect, Fail)]) if idle else None
        return Way(place, None if alt.guard is None else self.test(alt.guard), blot, self.act(alt.effects), goto, alt.flush)

    def settle(self, nodes: tuple[Step | Branch, ...], pc: int) -> Callable[[State], int] | int:
        """Where a thread that comes to ``pc`` stands after the branches there."""
        key = (id(nodes), pc)
        if key not in self._settled:
            self._settled[key] = self._settle(nodes, pc)
        return self._settled[key]

    def _settle(self, nodes: tuple[Step | Branch, ...], pc: int) -> Callable[[State], int] | int:
        node = nodes[pc] if pc < len(nodes) else None
        if not isinstance(node, Branch):
            return pc
        then, other = self.settle(nodes, node.then), self.settle(nodes, node.other)
        if isinstance(node.cond, Const):
            return then if node.cond.value else other
        cond = self.test(node.cond)

        def choose(s: State) -> int:
            chosen = then if cond(s) else other
            return chosen if isinstance(chosen, int) else chosen(s)

        return choose


def _any(tests: Sequence[Test]) -> Test:
    if not tests:
        return lambda s: 0
    if len(tests) == 1:
        return tests[0]
    first, rest = tests[0], _any(tests[1:])
    return lambda s: first(s) or rest(s)


def _with_constant(op: str, i: int, value: int) -> Test | None:
    """The commonest shape, a variable against a constant, in one call."""
    if op == "==":
        return lambda s: s[i] == value
    if op == "!=":
        return lambda s: s[i] != value
    if op == "&":
        return lambda s: s[i] & value
    if op == "|":
        return lambda s: s[i] | value
    return None
