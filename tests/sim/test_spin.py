"""SPIN as another engine for the same programs: it says whether our search is right, not whether our machine is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sim.catalogue import scenario
from tests.sim.programs import model
from tests.sim.promela import judge, prunes
from tlblint.sim.explore import Explorer
from tlblint.sim.ir import Program, code_of
from tlblint.sim.lower import lower

pytestmark = pytest.mark.skipif(shutil.which("spin") is None or shutil.which("gcc") is None, reason="needs spin and gcc")

AT_END = {code_of(name) for name in ("leak", "deadlock", "lost-dirty")}
BEFORE, AFTER = 1, 3
"""Steps of the Promela process that are none of ours: the start, and the judgement of an end."""


def compare(program: Program, place: Path) -> None:
    search = Explorer(program).run(50_000)
    first, second = place / "verdict", place / "states"
    first.mkdir()
    found = judge(program, first)
    assert found.violated == (search.length is not None)
    if search.length is not None:
        assert found.depth - search.length in ({BEFORE, BEFORE + AFTER} if search.violations & AT_END else {BEFORE})
    else:
        second.mkdir()
        assert judge(program, second, ending=False).states == search.states + BEFORE


@pytest.mark.parametrize("name", ["mremap_vs_page_mkclean", "flush_under_lock_vs_irqoff_spinner"])
def test_scenarios(name: str, tmp_path: Path) -> None:
    for variant in scenario(name).variants:
        (tmp_path / variant.name).mkdir()
        compare(lower(variant.model), tmp_path / variant.name)


def test_random_programs(tmp_path: Path) -> None:
    done = 0
    for seed in range(50_000, 50_020):
        program = lower(model(seed))
        if not prunes(program) and done < 3:
            done += 1
            (tmp_path / str(seed)).mkdir()
            compare(program, tmp_path / str(seed))
    assert done == 3
