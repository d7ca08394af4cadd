"""Lose an op of a mended program, or swap two: it is noticed, or the list says why not."""

from __future__ import annotations

from pathlib import Path

from tests.sim.mutants import mutants, survives

LIST = Path(__file__).with_name("survivors.txt")


def reviewed() -> dict[str, str]:
    """Survivor -> reason."""
    found = {}
    reason = ""
    for line in LIST.read_text().splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line and not line.startswith("##"):
            assert line not in found, f"listed twice: {line}"
            assert reason, f"no reason: {line}"
            found[line] = reason
    return found


def test_every_change_is_caught_or_excused() -> None:
    all_of_them = list(mutants())
    survivors = {mutant.key for mutant in all_of_them if survives(mutant)}
    known = set(reviewed())
    assert sorted(survivors - known) == [], "not caught, and no reason given"
    assert sorted(known - survivors) == [], "caught by now, or gone: take it off the list"
    lost = [mutant for mutant in all_of_them if mutant.what == "lose"]
    assert sum(mutant.key not in survivors for mutant in lost) > len(lost) * 0.6
