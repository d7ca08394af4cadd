"""Three ways to explore, one answer: over random programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.sim.programs import model
from tlblint.sim import naive
from tlblint.sim.errors import ScenarioError
from tlblint.sim.explore import Explorer, Search
from tlblint.sim.ir import VIOLATIONS, Program
from tlblint.sim.lower import lower
from tlblint.sim.lowered import Lowered
from tlblint.sim.model import Model
from tlblint.sim.profiles import Profile
from tlblint.sim.tidy import tidied

BOUND = 4000
BATCHES = 7
EACH = 300


def verdict(search: Search) -> str:
    return " or ".join(sorted(VIOLATIONS[code - 1] for code in search.violations)) or "safe"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_engines_agree(batch: int) -> None:
    """Quick and naive: verdict, length, states. Reduced: safe or not, and then the same steps. Tidied: verdict, length, steps.
    Fills as steps: safe or not, hardly longer, never shorter."""
    kinds: Counter[str] = Counter()
    fewer = 0
    for seed in range(batch * EACH, (batch + 1) * EACH):
        one = model(seed)
        program = lower(one)
        full = Explorer(program).run(BOUND)
        if not full.complete:
            kinds["big"] += 1
            continue
        kinds[verdict(full)] += 1
        found = naive.search(program, BOUND)
        assert (found.verdict, found.length, found.states) == (verdict(full), full.length, full.states), seed
        reduced = Explorer(program, reduced=True).run(BOUND)
        assert (reduced.length is None) == (full.length is None), seed
        assert reduced.states <= full.states or full.length is not None, seed
        tidy = Explorer(tidied(program)).run(BOUND)
        assert (tidy.violations, tidy.length, set(tidy.hits)) == (full.violations, full.length, set(full.hits)), seed
        assert tidy.states <= full.states, seed
        fewer += tidy.states < full.states
        both = Explorer(tidied(program), reduced=True).run(BOUND)
        assert (both.length is None) == (full.length is None), seed
        assert full.length is not None or set(both.hits) == set(full.hits), f"{seed}: a step that runs is not seen to"
        fills = Explorer(lower(one, fill=True)).run(8 * BOUND)
        if fills.complete or fills.length is not None:
            kinds["filled"] += 1
            assert (fills.length is None) == (full.length is None), seed
            assert full.length is None or (fills.length is not None and full.length <= fills.length <= full.length + 4), (seed, full.length, fills.length)
    assert kinds["big"] < EACH / 20
    assert kinds["filled"] > EACH * 0.8
    assert kinds["safe"] > EACH / 20, "the programs are too wild to tell engines apart"
    assert fewer > 5
    assert len(kinds) > 8, "the programs are too tame"


@pytest.mark.parametrize("seed", range(0, 400, 7))
def test_witnesses_are_shortest_and_run(seed: int) -> None:
    """explore() replays its witness with the reference interpreter, which raises if it disagrees."""
    from tlblint.sim import Bounds, explore

    outcome = explore(model(seed), Bounds(BOUND))
    if outcome.witness is not None:
        rows = [row for row in outcome.witness.steps if row.number]
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) == outcome.length
        assert rows == [] or rows[-1].mark == "violation"
        assert all(row.cause is None or 0 < row.cause < row.number for row in rows)


def lowered(one: Model, memory: Lowered | None = None) -> tuple[Program, list[str]] | str:
    """The program of a model, and its bytes in their order; or what is wrong with it."""
    try:
        program = lower(one, memory=memory)
    except ScenarioError as error:
        return str(error)
    return program, list(program.init)


def others(one: Model, machines: list[Profile]) -> Iterator[Model]:
    """Models with the same threads, down to their lines, in which these come to other bytes."""
    yield one
    yield replace(one, threads=one.threads[::-1])
    yield replace(one, cpus=one.cpus + 1)
    yield replace(one, variables={**one.variables, "odd": 1})
    for number in range(len(one.threads)):
        yield replace(one, threads=(*one.threads[:number], *one.threads[number + 1 :]))
        yield replace(one, threads=(one.threads[number],))
    for machine in machines:
        yield replace(one, profile=machine)


def test_what_was_lowered_before_changes_nothing() -> None:
    machines = [model(seed).profile for seed in range(12)]
    memory, again = Lowered(), 0
    for seed in range(100):
        for other in others(model(seed), machines):
            found = lowered(other, memory)
            assert found == lowered(other), seed
            again += not isinstance(found, str)
    assert again > 500
