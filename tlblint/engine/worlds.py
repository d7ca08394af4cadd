"""Makes the worlds of one program, and those in which one of its functions is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tlblint.engine.asked import Entry
from tlblint.engine.automata import Automata, Place
from tlblint.engine.code import Code
from tlblint.engine.compile import Compiler
from tlblint.engine.cutoff import Run
from tlblint.engine.flows import Flows
from tlblint.engine.shared import Shared
from tlblint.engine.world import World
from tlblint.model.ir import Function


class Worlds:
    """``says``, ``events``: what is promised of each function and which events it raises, by index; ``user``, ``entry``: whether the page tables that
    it is about are user space's, how a contract says that it is entered. ``parts``: automata by the states that count in them, to be added to."""

    def __init__(self, compiler: Compiler, code: Callable[[int], Code], says: Mapping[int, frozenset[str]], events: Sequence[frozenset[str]],
                 user: Callable[[int], bool], entry: Callable[[int], Entry | None], whole: Automata, parts: dict[frozenset[Place], Automata]) -> None:
        self._compiler, self._code = compiler, code
        self._says, self._events, self._user, self._entry = says, list(events), user, entry
        self._whole, self._parts = whole, parts
        self._flows, self._shared = Flows(code), Shared()

    def world(self, places: frozenset[Place]) -> World:
        """One in which these states of rules count."""
        return self._made(places, self._code, self._flows, self._shared)

    def other(self, index: int, fn: Function) -> Run:
        """The program with ``fn`` in place of a function."""
        compiled = self._compiler.compile(index, fn)
        code = lambda at: compiled if at == index else self._code(at)  # noqa: E731
        flows, shared = Flows(code), Shared()
        return Run(code, flows.of, lambda places: self._made(places, code, flows, shared))

    def _made(self, places: frozenset[Place], code: Callable[[int], Code], flows: Flows, shared: Shared) -> World:
        if places not in self._parts:
            self._parts[places] = self._whole.part(places)
        out = World(code, self._parts[places], self._says, self._user, self._events, self._entry)
        out.flows, out.shared = flows, shared
        return out
