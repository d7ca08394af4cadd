"""Mended programs with one thing wrong: an op lost, or two neighbours in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from tests.sim.catalogue import NAMES, scenario
from tlblint.sim import Bounds, Model, ScenarioError, Thread, explore
from tlblint.sim.syntax import Line, Way


class Mutant(msgspec.Struct, frozen=True):
    """``what``: "lose" a step or "swap" it with the next. ``ops`` is the step, or both."""

    scenario: str
    thread: str
    what: str
    ops: str
    model: Model

    @property
    def key(self) -> str:
        return f"{self.scenario} | {self.thread} | {self.what} | {self.ops}"


def mutants() -> Iterator[Mutant]:
    """All of the catalogue's mended programs; users are left alone."""
    for name in NAMES:
        model = scenario(name).variants[1].model
        for at, thread in enumerate(model.threads):
            if thread.kind in ("thread", "daemon"):
                for what, ops, steps in _changed(thread):
                    yield Mutant(name, thread.name, what, ops, replace(model, threads=_with(model.threads, at, replace(thread, steps=steps))))


def _with(threads: tuple[Thread, ...], at: int, thread: Thread) -> tuple[Thread, ...]:
    return (*threads[:at], thread, *threads[at + 1 :])


def _changed(thread: Thread) -> Iterator[tuple[str, str, tuple[Line, ...]]]:
    steps = thread.steps
    for at, line in enumerate(steps):
        if not line.ways[0].body:
            continue
        number = sum(_text(other) == _text(line) for other in steps[:at])
        mark = f" #{number + 1}" if number else ""
        yield "lose", _text(line) + mark, (*steps[:at], replace(line, ways=(Way((), ""),)), *steps[at + 1 :])
        if at + 1 < len(steps) and steps[at + 1].ways[0].body and steps[at + 1].ways != line.ways:
            after = steps[at + 1]
            swapped = (replace(line, ways=after.ways), replace(after, ways=line.ways))
            yield "swap", f"{_text(line)}{mark} <> {_text(after)}", (*steps[:at], *swapped, *steps[at + 2 :])


def _text(line: Line) -> str:
    return line.ways[0].text


def survives(mutant: Mutant) -> bool:
    """Whether exploring finds nothing wrong."""
    try:
        return explore(mutant.model, Bounds(20_000)).verdict == "safe"
    except ScenarioError:  # a register that nothing sets any more
        return False
