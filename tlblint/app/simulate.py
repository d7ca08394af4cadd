"""``tlblint simulate``: explore scenarios and hold what is found against what they expect."""

from __future__ import annotations

import difflib
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.app.simulate_list import PLACE, SUFFIX, shipped
from tlblint.io import data
from tlblint.io.errors import InputError
from tlblint.sim import Outcome, Profile, ScenarioError, explore, profiles
from tlblint.sim import scenario as scenarios
from tlblint.sim.scenario import VARIANTS, Scenario, Variant


class Wanted(msgspec.Struct, frozen=True):
    """``names`` are scenarios or paths of .scn files (none: all that ship). ``profile`` puts them on another machine."""

    names: tuple[str, ...] = ()
    variant: str | None = None
    profile: str | None = None


class Run(msgspec.Struct, frozen=True):
    """One variant, explored. ``expected`` is None on a machine that the scenario does not speak of."""

    scenario: Scenario
    variant: Variant
    expected: str | None
    outcome: Outcome
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether verdict and length are the expected ones and every "sometimes" came true."""
        if self.expected is None:
            return True
        same = self.outcome.verdict == self.variant.expected.verdict
        length = self.variant.expected.length in (None, self.outcome.length)
        return same and length and not (self.outcome.verdict == "safe" and self.never())

    def never(self) -> tuple[str, ...]:
        """The "sometimes" that no state satisfied; that all threads are done is expected of every scenario."""
        words = tuple(words for words, held in self.outcome.sometimes.items() if not held)
        return words if self.outcome.ended else (*words, "all threads are done")


def machines() -> tuple[Profile, ...]:
    """The profiles that ship. Raises InputError."""
    place = os.path.join(data.root(PLACE), "profiles")
    found = []
    for name, raw in data.files(place, ".toml").items():
        try:
            found.append(profiles.parse(os.path.join(place, name), raw.decode()))
        except (ScenarioError, UnicodeDecodeError) as error:
            raise _input_error(error, name) from None
    return tuple(found)


def load(names: Sequence[str], known: Iterable[Profile]) -> list[Scenario]:
    """Scenarios by name or path; all that ship when ``names`` is empty. Raises InputError."""
    by_name = shipped()
    known = tuple(known)
    return [read(by_name[name] if name in by_name else _path(name, by_name), known) for name in dict.fromkeys(names or by_name)]


def _path(name: str, by_name: dict[str, str]) -> str:
    if (name.endswith(SUFFIX) or os.sep in name) and (os.path.lexists(name) or _plain(name) not in by_name):
        return name
    near = difflib.get_close_matches(_plain(name).lower(), by_name, 1, 0.5)
    advice = f'did you mean "{near[0]}"?' if near else "see 'tlblint simulate --list'; a file needs its path or .scn"
    raise InputError(name or "NAME", "no such scenario", advice)


def _plain(name: str) -> str:
    return os.path.basename(name).removesuffix(SUFFIX)


def read(path: str, known: tuple[Profile, ...]) -> Scenario:
    """The scenario of a file. Raises InputError with path:line:column."""
    try:
        return scenarios.parse(data.read(path).decode(), known, path)
    except (ScenarioError, UnicodeDecodeError) as error:
        raise _input_error(error, path) from None


def _input_error(error: ScenarioError | UnicodeDecodeError, path: str) -> InputError:
    if isinstance(error, UnicodeDecodeError):
        before = error.object[: error.start]
        column = error.start - before.rfind(b"\n")
        return InputError(f"{path}:{before.count(10) + 1}:{column}", f"byte 0x{error.object[error.start]:02x} is not UTF-8", "expected a text file in UTF-8")
    where = ":".join(str(part) for part in (error.path or path, error.line, error.column) if part)
    what, _, todo = error.text.partition("; ")
    return InputError(where, what, todo)


def simulate(wanted: Wanted, misfit: Callable[[str], None] | None = None) -> list[Run]:
    """Explore what is wanted. Raises InputError. Where nothing is named, ``misfit`` is told which scenario needs what ``profile`` lacks."""
    known = machines()
    machine = None
    if wanted.profile is not None:
        try:
            machine = profiles.find(known, wanted.profile)
        except ScenarioError as error:
            raise _input_error(error, "--profile") from None
    found = []
    for one in load(wanted.names, known):
        try:
            found += [_run(one, variant, machine) for variant in one.variants if wanted.variant in (None, variant.name)]
        except InputError:
            if misfit is None or wanted.names or machine is None:
                raise
            misfit(one.name)
    return found


def _run(one: Scenario, variant: Variant, machine: Profile | None) -> Run:
    expected: str | None = variant.expected.verdict
    if machine is not None and machine != variant.model.profile:
        variant, expected = replace(variant, model=replace(variant.model, profile=machine)), None
    start = time.perf_counter()
    try:
        outcome = explore(variant.model, variant.bounds)
    except ScenarioError as error:
        raise _input_error(error, one.path) from None
    return Run(one, variant, expected, outcome, time.perf_counter() - start)


def as_json(runs: Sequence[Run]) -> str:
    """``{"schema": "tlblint-simulation/1", "scenarios": [...]}``, a row for each variant."""
    rows = [
        {
            "name": run.scenario.name,
            "variant": run.variant.name,
            "profile": run.variant.model.profile.name,
            "expected": run.expected,
            "verdict": run.outcome.verdict,
            "length": run.outcome.length,
            "states": run.outcome.states,
            "seconds": round(run.seconds, 6),
            "ok": run.ok,
        }
        for run in runs
    ]
    return json.dumps({"schema": "tlblint-simulation/1", "scenarios": rows}, indent=2) + "\n"


__all__ = ["VARIANTS", "Run", "Wanted", "as_json", "machines", "simulate"]
