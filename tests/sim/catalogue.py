"""The scenarios that ship, for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tlblint.sim import Profile, profiles
from tlblint.sim import scenario as scenarios
from tlblint.sim.scenario import Scenario

PLACE = Path(__file__).resolve().parents[2] / "fixtures" / "scenarios"


@cache
def machines() -> tuple[Profile, ...]:
    return tuple(profiles.parse(path.name, path.read_text()) for path in sorted((PLACE / "profiles").glob("*.toml")))


@cache
def scenario(name: str) -> Scenario:
    return scenarios.parse((PLACE / f"{name}.scn").read_text(), machines(), f"{name}.scn")


NAMES = sorted(path.stem for path in PLACE.glob("*.scn"))
