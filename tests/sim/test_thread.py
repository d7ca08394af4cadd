"""The document about the 2021 thread says what exploring its scenarios finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tlblint.sim import explore, profiles, scenario

SCENARIOS = Path(__file__).parents[2] / "fixtures/scenarios"
ROWS = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", (SCENARIOS / "THREAD.md").read_text(), re.M)
PROFILES = [profiles.parse(path.name, path.read_text()) for path in sorted((SCENARIOS / "profiles").glob("*.toml"))]


def test_the_table_was_read() -> None:
    assert len(ROWS) == 17


@pytest.mark.parametrize(("name", "posted", "mended"), ROWS)
def test_each_line_of_the_table_can_be_repeated(name: str, posted: str, mended: str) -> None:
    found = scenario.parse((SCENARIOS / f"{name}.scn").read_text(), PROFILES, name)
    told = {}
    for variant in found.variants:
        outcome = explore(variant.model, variant.bounds)
        told[variant.name] = outcome.verdict + (f" in {outcome.length}" if outcome.length else "")
    assert told == {"buggy": posted, "fixed": mended}


def test_the_wrong_condition_of_patch_03_flushes_in_vain() -> None:
    found = scenario.parse((SCENARIOS / "rfc03_wrong_condition.scn").read_text(), PROFILES, "rfc03")
    buggy = next(variant for variant in found.variants if variant.name == "buggy")
    [(useful, visited)] = explore(buggy.model, buggy.bounds).usefulness.values()
    assert (useful, visited > 0) == (0, True)
