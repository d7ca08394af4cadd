"""Early cutoff: where the functions that an edit has changed still answer as before, what was judged by their answers holds.

So build systems pass over what depends on an output that came out the same: Mokhov, Mitchell, Peyton Jones, Build Systems a la Carte (ICFP 2018).
Of a batch in which nothing was found it is kept which function was asked in which state. When one of them is edited, it is run in each of these
states as it was and as it is. Callers see of it how it is left, which events it raises, what it needs of the budget, and what its parameters are
used for. If all that is the same but for the places in the function itself, no caller is run again. Places have to stay one or several: what two
calls owe for one place is one thing, for two places it is two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, cast

import msgspec
from msgspec.structs import replace

from tlblint.engine.automata import Place
from tlblint.engine.code import MARKS, Code
from tlblint.engine.flows import Flow, root
from tlblint.engine.interp import analyse_function
from tlblint.engine.state import SHIFT, Auto
from tlblint.engine.summary import Summary
from tlblint.engine.values import Env
from tlblint.engine.world import MAX_BUDGET, World
from tlblint.model.ir import Function
from tlblint.model.store import key as key_of

FEW = 8
"""More functions that are not what they were are not run twice: most of what rests on them will be other, too."""

_Atom: TypeAlias = str | int | bool | None
_Value: TypeAlias = _Atom | tuple[_Atom | tuple[_Atom | tuple[_Atom, ...], ...], ...]
_Lock: TypeAlias = tuple[str, str, str]
_Instance: TypeAlias = tuple[int, str, tuple[_Value, ...], int]
_State: TypeAlias = tuple[tuple[_Lock, ...], int, int, int, tuple[_Instance, ...]]
_Known: TypeAlias = tuple[int, tuple[int, ...], bytes]
_Asked: TypeAlias = tuple[int, _State, tuple[tuple[str, _Value], ...], tuple[str, ...], bool, _Known | None]
"""(rank of the function, its entry state, what it was told, what its caller was promised, in a walk, the answer where that is dear; see _signed())."""
_Worlds: TypeAlias = tuple[tuple[int, tuple[_Asked, ...], tuple[int, ...]], ...]
"""Of each world what all its answers took of the budget, the questions, and the ranks of functions that nobody asked: starts, and variants of starts."""
DEAR = 60
"""Block visits of an answer that is worth to be written down: to run the function as it was takes as long as to run it as it is."""
_DECODER = msgspec.msgpack.Decoder(_Worlds)
_encode = msgspec.msgpack.Encoder().encode
_NUMBER = re.compile(r"\d+")


class Run(msgspec.Struct, frozen=True):
    """A program in which one function may be another than it is: its code, what goes through parameters, and worlds."""

    code: Callable[[int], Code]
    flow: Callable[[int], Flow]
    world: Callable[[frozenset[Place]], World]


Worlds = Callable[[int, Function], Run]


class Sides:
    """A function as it was and as it is, each with worlds to be run in. ``worlds`` makes those in which one function is another."""

    def __init__(self, index: int, old: Function, new: Function, worlds: Worlds) -> None:
        self._index = index
        self._ends = (old, new)
        self._runs = tuple(worlds(index, fn) for fn in self._ends)
        self._worlds: dict[frozenset[Place], tuple[World, World]] = {}
        self._told: dict[tuple[frozenset[Place], _Asked], int | None] = {}
        self._follows: dict[int, int] = {}
        """Where the places are now that answers have spoken of."""
        self.alike = self._alike()
        """Whether callers use it in the same way."""

    def _alike(self) -> bool:
        one, other = (_used(run.code(self._index), run.flow(self._index)) for run in self._runs)
        return one == other

    def dearer(self, places: frozenset[Place], asked: _Asked) -> int | None:
        """How much more the function takes of the budget than it did, where it answers the same; None where it does not."""
        known = (places, asked)
        if known not in self._told:
            new = self._answer(1, places, asked)
            self._told[known] = self._same(new, asked[5], places, asked) if new is not None else None
        return self._told[known]

    def _same(self, new: tuple[Any, ...], held: _Known | None, places: frozenset[Place], asked: _Asked) -> int | None:
        if held is not None and _signed(new, self._index, self._ends[1])[2] == held[2]:
            base = _base(self._index, self._ends[0])
            return new[0] - held[0] if self._corresponds([base + place for place in held[1]], new[1]) else None
        old = self._answer(0, places, asked)
        return new[0] - old[0] if old is not None and old[2:] == new[2:] and self._corresponds(old[1], new[1]) else None

    def _corresponds(self, old: Sequence[int], new: Sequence[int]) -> bool:
        """Whether places that correspond in one pair of answers do so in all others, too, and in the same order."""
        pairs = dict(zip(old, new, strict=True))
        both = {**self._follows, **pairs}
        if not self._follows.items() <= both.items() or any(one >= other for one, other in pairwise(both[place] for place in sorted(both))):
            return False
        self._follows = both
        return True

    def _answer(self, side: int, places: frozenset[Place], asked: _Asked) -> tuple[Any, ...] | None:
        """(cost, places, all that others see but those); None for an answer that hangs on more than the question, or tells of something wrong."""
        if places not in self._worlds:
            self._worlds[places] = (self._runs[0].world(places), self._runs[1].world(places))
        world = self._worlds[places][side]
        _, state, told, says, walked, _ = asked
        world.left, world.budget = 4 * MAX_BUDGET, MAX_BUDGET
        world.contexts.clear()
        try:
            summary = self._ask(world, Auto(*state), cast(Env, dict(told)), frozenset(says), walked)
        except Exception:  # whoever judges it again says what is wrong
            return None
        return _seen(summary, self._index, self._ends[side]) if not world.stopped else None

    def _ask(self, world: World, state: Auto, told: Env, says: frozenset[str], walked: bool) -> Summary:
        """What the function does from a state, taken over from another world where that holds."""
        assert world.shared is not None
        known = world.shared.take(world, (self._index, state, tuple(told.items()), False, says, walked))
        return known or analyse_function(world, self._index, state, told, is_root=False, inherited=says, walked=walked)


class Cutoff:
    """Asks whether batches hold. ``now``: a function; ``was``: that as it was judged last, if it is known; ``alike``: whether two functions say the
    same of the program by their text alone."""

    def __init__(self, now: Callable[[int], Function], was: Callable[[int], Function | None], worlds: Worlds,
                 alike: Callable[[Function, Function], bool]) -> None:
        self._now = now
        self._was = was
        self._worlds = worlds
        self._alike = alike
        self._sides: dict[int, Sides | None] = {}

    def asked(self, worlds: Sequence[World], members: Sequence[int]) -> bytes:
        """What is to be kept of the worlds that a batch was judged in; nothing where something was found, or a bound met."""
        ranks = {index: rank for rank, index in enumerate(members)}
        out = []
        for world in worlds:
            if world.stopped or any(one.hits or not one.clean for one in world.table.values()):
                return b""
            asked = [(ranks.get(index, -1), auto, told, sorted(says), walked, self._known(one)) for (index, auto, told, is_root, says, walked), one
                     in world.table.items() if not is_root]  # fmt: skip
            begun = sorted({ranks.get(index, -1) for index, _, _, is_root, _, _ in world.table if is_root})
            out.append((sum(one.cost for one in world.table.values()), asked, begun))
        try:
            return _encode(out)
        except (TypeError, OverflowError, UnicodeEncodeError):
            return b""

    def _known(self, summary: Summary) -> _Known | None:
        index = summary.key[0]
        seen = _seen(summary, index, self._now(index)) if summary.cost >= DEAR else None
        return _signed(seen, index, self._now(index)) if seen is not None else None

    def still(self, raw: bytes, places: Sequence[frozenset[Place]], members: Sequence[int], changed: Collection[int]) -> bytes:
        """What ``asked`` has kept of worlds in which the states ``places`` count, as it is now that some functions have ``changed``; nothing where the
        batch has to be judged again."""
        try:
            worlds = _DECODER.decode(raw) if raw else ()
        except msgspec.DecodeError:
            worlds = ()
        if not worlds or len(worlds) != len(places) or len(changed) > FEW:
            return b""
        sides = {rank: self._side(index) for rank, index in enumerate(members) if index in changed}
        out = []
        for where, (cost, questions, begun) in zip(places, worlds, strict=True):
            if not sides.keys().isdisjoint(begun):
                return b""
            for question in questions:
                if question[0] in sides:
                    side = sides[question[0]]
                    more = side.dearer(where, question) if side is not None else None
                    if more is None:
                        return b""
                    cost += more
            if cost > MAX_BUDGET:
                return b""
            # What was kept of the answers of a function that is another now is another's.
            out.append((cost, [(*question[:5], None) if question[0] in sides else question for question in questions], begun))
        return _encode(out)

    def _side(self, index: int) -> Sides | None:
        """None where nobody knows what a function was, or others need not even ask it to see that it is another."""
        if index not in self._sides:
            self._sides[index] = self._compared(index, self._was(index))
        return self._sides[index]

    def _compared(self, index: int, was: Function | None) -> Sides | None:
        now = self._now(index)
        if was is None or not self._alike(was, now):
            return None
        try:
            sides = Sides(index, _moved(was, now.start), now, self._worlds)
        except Exception:  # whoever judges it again says what is wrong
            return None
        return sides if sides.alike else None


def counting(able: Iterable[frozenset[Place]]) -> list[frozenset[Place]]:
    """The states that count in each of the worlds in which a batch is judged, in the order of these. ``able``: those of each start."""
    return list(dict.fromkeys(filter(None, able)))


def _used(code: Code, flow: Flow) -> tuple[Any, ...]:
    """All that a caller asks of a function but its answers: of paths, what begins at a parameter. What others are called is the function's own
    business, and temps have other numbers when a call comes before them."""
    fn = code.fn
    params = {name for name, _ in fn.params}

    def own(paths: frozenset[str]) -> frozenset[str]:
        return frozenset(path for path in paths if path[-1] == "(" or root(path.lstrip(MARKS)) in params)

    paths = tuple(map(own, (code.writes, code.reads, flow.writes, flow.raised, flow.tests, flow.taken)))
    return (fn.params, fn.returns, fn.static, paths, code.kept, code.entry_pointers, flow.constants)


def _below(summary: Summary) -> dict[tuple[Any, ...], Summary]:
    """An answer with those that it was made from, by their questions."""
    out: dict[tuple[Any, ...], Summary] = {}
    work = [summary]
    while work:
        one = work.pop()
        if one.key not in out:
            out[one.key] = one
            work += one.below
    return out


def _seen(summary: Summary, index: int, fn: Function) -> tuple[Any, ...] | None:
    """(cost, places, all that others see but those) of an answer of a function; None where it hangs on more than the question, or tells of something
    wrong."""
    below = _below(summary)
    if any(one.hits or one.bounded or not one.clean for one in below.values()):
        return None
    others = frozenset(key for key in below if key[0] != index)
    mine = sum(one.cost for key, one in below.items() if key[0] == index)
    return (mine, *_left(summary, index, fn), summary.kinds, summary.met, summary.height, len(below), others)


def _signed(seen: tuple[Any, ...], index: int, fn: Function) -> _Known:
    """The same for another process: its places from the start of the function, the rest as a digest."""
    cost, places, text, kinds, met, height, count, others = seen
    asked = sorted(repr((*key[:4], sorted(key[4]), *key[5:])) for key in others)
    return cost, tuple(place - _base(index, fn) for place in places), key_of(text, *sorted(kinds), "", repr((sorted(met), height, count, asked)))


def _base(index: int, fn: Function) -> int:
    """The site at the start of a function."""
    return (index << SHIFT) + 1 + fn.start


def _left(summary: Summary, index: int, fn: Function) -> tuple[list[int], str]:
    """The places in a function that are spoken of where it is left, and how it is left, with each of them by its number among these: callers compare
    places, and ask no more of them. Their texts hold places, too."""
    text = repr([(tuple(leave.auto), leave.value, leave.env) for leave in summary.exits])
    base = (index << SHIFT) + 1
    places = sorted({number for number in map(int, _NUMBER.findall(text)) if base + fn.start <= number <= base + fn.end})
    names = {str(number): f"place {at}" for at, number in enumerate(places)}
    return places, _NUMBER.sub(lambda match: names.get(match[0], match[0]), text)


def _moved(fn: Function, start: int) -> Function:
    """A function as it would be if it began elsewhere."""
    by = start - fn.start
    blocks = tuple(replace(b, instrs=tuple((*instr[:-1], instr[-1] + by) for instr in b.instrs), pos=b.pos + by) for b in fn.blocks)
    return replace(fn, start=start, end=fn.end + by, blocks=blocks)
