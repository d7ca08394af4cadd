"""Every scenario that ships: verdict, length of the shortest witness, states. A new scenario needs its lines in golden.txt.

After a change that is meant: ``TLBLINT_GOLDEN=write pytest tests/sim/test_golden.py`` and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sim.catalogue import NAMES, scenario
from tlblint.sim import naive
from tlblint.sim.explore import Explorer, explore
from tlblint.sim.lower import lower

GOLDEN = Path(__file__).with_name("golden.txt")


def lines(name: str) -> list[str]:
    found = []
    for variant in scenario(name).variants:
        outcome = explore(variant.model, variant.bounds)
        found.append(f"{name} {variant.name} {outcome.verdict} {outcome.length or '-'} {outcome.switches if outcome.length else '-'} {outcome.states}")
    return found


def test_nothing_moved() -> None:
    """name, variant, verdict, length, switches of context, states."""
    now = [line for name in NAMES for line in lines(name)]
    if os.environ.get("TLBLINT_GOLDEN") == "write":
        GOLDEN.write_text("".join(f"{line}\n" for line in now))
    assert now == GOLDEN.read_text().splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str) -> None:
    """Verdict and length are what the file expects; the reference interpreter, reduction and fills as steps agree."""
    one = scenario(name)
    assert one.name == name
    assert one.about.endswith(".")
    assert one.source
    for variant in one.variants:
        outcome = explore(variant.model, variant.bounds)
        assert outcome.verdict == variant.expected.verdict
        assert outcome.length == variant.expected.length
        assert outcome.states < 5000
        assert all(outcome.sometimes.values()) or outcome.verdict != "safe"
        program = lower(variant.model)
        found = naive.search(program)
        assert (outcome.length, outcome.states) == (found.length, found.states)
        assert outcome.verdict in found.verdict.split(" or ")
        reduced = Explorer(program, reduced=True).run(10_000)
        assert (reduced.length is None) == (outcome.length is None)
        if variant.model.profile.entries == "tlb" and not any(va.explicit for va in variant.model.vas):
            fills = Explorer(lower(variant.model, fill=True)).run(100_000)
            assert (fills.length or 0) - (outcome.length or 0) in (0, 1)


IDLE = {("rfc03_wrong_condition", "mprot", "flush(a)"): "the scenario is about a flush that is never needed: the corrected condition skips it"}
"""Steps of mended programs that rightly never run."""


@pytest.mark.parametrize("name", NAMES)
def test_the_mended_program_does_all_it_says(name: str) -> None:
    """A proof over steps that never run would be worth nothing."""
    fixed = scenario(name).variants[1]
    outcome = explore(fixed.model, fixed.bounds)
    for thread in fixed.model.threads:
        for at, line in enumerate(thread.steps):
            if line.ways[0].body and not line.ways[0].text.startswith(("if ", "goto ")):
                idle = (name, thread.name, line.ways[0].text) in IDLE
                assert ((thread.name, at) not in outcome.coverage) == idle, (thread.name, line.ways[0].text)
