"""``tlblint simulate``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.sim.catalogue import NAMES, PLACE
from tlblint.app.simulate import Wanted, as_json, simulate
from tlblint.app.simulate_text import lanes, shown, story
from tlblint.report.text import cells


def command(cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run([sys.executable, "-m", "tlblint", "simulate", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_all_are_as_expected(tmp_path: Path) -> None:
    done = command(tmp_path, "-f", "json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert list(report) == ["schema", "scenarios"]
    assert report["schema"] == "tlblint-simulation/1"
    assert [row["name"] for row in report["scenarios"]] == [name for name in NAMES for _ in range(2)]
    assert {tuple(row) for row in report["scenarios"]} == {("name", "variant", "profile", "expected", "verdict", "length", "states", "seconds", "ok")}
    assert all(row["ok"] is True and row["expected"] == row["verdict"] for row in report["scenarios"])


def test_the_table(tmp_path: Path) -> None:
    done = command(tmp_path, "ttu_vs_mprotect", "unbalanced_finish")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0].split() == ["scenario", "variant", "verdict", "steps", "states", "ms"]
    assert [line.split()[:3] for line in lines[1:5]] == [
        ["ttu_vs_mprotect", "buggy", "contract"],
        ["ttu_vs_mprotect", "fixed", "safe"],
        ["unbalanced_finish", "buggy", "unbalanced"],
        ["unbalanced_finish", "fixed", "safe"],
    ]
    assert lines[-1].startswith("4 programs, ")
    assert lines[-1].endswith(": all as expected")


def test_the_list(tmp_path: Path) -> None:
    done = command(tmp_path, "--list")
    assert [line.split()[0] for line in done.stdout.splitlines()] == NAMES
    assert "x86-ipi" in done.stdout.splitlines()[0]


def test_one_in_full(tmp_path: Path) -> None:
    done = command(tmp_path, "ttu_vs_mprotect", COLUMNS="120")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    heads = [at for at, line in enumerate(lines) if line.startswith("   #   ")]
    assert len(heads) == 1
    assert lines[heads[0]].split() == ["#", "reclaim@cpu0", "mprotect@cpu0", "app@cpu1"]
    rows = [line for line in lines[heads[0] + 1 :] if line[:1] == " " and line[4:5].isdigit()]
    assert [int(line[2:5]) for line in rows] == list(range(1, 10))
    column = {name: lines[heads[0]].index(name) for name in ("reclaim@", "mprotect@", "app@")}
    assert rows[0].index("lock(ptl)") == column["reclaim@"]
    assert rows[4].index("lock(ptl)") == column["mprotect@"]
    assert rows[8].startswith(" X")
    assert rows[8].index("stores to a") == column["app@"]
    birth = next(line for line in lines if line.startswith(" +"))
    assert birth.index("CPU1 caches a -> page 1 writable") == column["app@"]
    missed = lines.index(next(line for line in lines if line.startswith(" ! ")))
    assert "mprotect's r is none: skips flush_tlb_range" in lines[missed + 1]
    assert "       ~ entry of a: page 1, writable, dirty -> none" in lines
    assert any(line.strip().startswith("VIOLATION: ") for line in lines)
    assert "fixed on x86-ipi: safe" in done.stdout
    assert "removed something in 12 of 26 states where it ran" in done.stdout


def test_columns_are_for_threads_that_take_part() -> None:
    for run in simulate(Wanted()):
        witness = run.outcome.witness
        if witness is not None:
            lines = list(lanes(witness, 100, unicode=True))
            assert all(cells(line) < 400 for line in lines)
            assert {(step.actor, step.cpu) for step in witness.steps} <= set(witness.actors), run.scenario.name
            assert [step.mark for step in witness.steps].count("violation") == 1
            assert [step.mark for step in witness.steps].count("birth") <= 1
            assert {change.thing for step in witness.steps for change in step.changes} == set(witness.things)


def sentence(name: str) -> str:
    witness = simulate(Wanted((name,), "buggy"))[0].outcome.witness
    assert witness is not None
    return witness.sentence


def test_witnesses_do_not_claim_what_did_not_happen() -> None:
    """A rule of the scenario is no store; a walk has an owner; a flush whose condition is false is not done."""
    assert "After step 2" in sentence("contpte_unfold_without_break")
    assert "does not: not (tlb[1,a] & rw(1) and tlb[1,a] & rw(2))." in sentence("contpte_unfold_without_break")
    assert sentence("gup_fast_vs_pt_free_no_ipi").endswith("still reaches: software walk on CPU1 of table T.")
    witness = simulate(Wanted(("invlpgb_transition_half_way",), "buggy"))[0].outcome.witness
    assert witness is not None
    idle = [step.text for step in witness.steps if step.text.endswith(" (does nothing here)")]
    assert idle == ["INVLPGB by the global ASID (does nothing here)", "IPI to CPU1 (does nothing here)"]


def test_a_rule_that_is_broken_from_the_start(tmp_path: Path) -> None:
    text = "scenario s\nprofile x86-ipi\nvar x = 0\nalways x == RULE else leak\nexpect buggy leak\nexpect fixed leak\nthread k on cpu0\n    x = 1\n"
    (tmp_path / "s.scn").write_text(text.replace("RULE", "1"))
    done = command(tmp_path, "s.scn", "--variant", "buggy").stdout.splitlines()
    assert done[3:] == ["At the start what must always hold does not: x == 1."]
    (tmp_path / "s.scn").write_text(text.replace("RULE", "0"))
    assert "After step 1 (k on CPU0: x = 1) what must always hold does not: x == 0." in command(tmp_path, "s.scn").stdout


def test_a_path_names_a_file(tmp_path: Path) -> None:
    copy = tmp_path / "mine.scn"
    copy.write_text((PLACE / "unbalanced_finish.scn").read_text().replace("unbalanced in 3", "leak in 3"))
    done = command(tmp_path, "mine.scn", "--variant", "buggy", "-f", "json")
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["scenarios"]
    assert (row["expected"], row["verdict"], row["length"], row["ok"]) == ("leak", "unbalanced", 3, False)
    done = command(tmp_path, "mine.scn")
    assert done.returncode == 1
    assert "EXPECTED leak in 3" in done.stdout


def test_a_length_that_is_not_the_expected_one(tmp_path: Path) -> None:
    copy = tmp_path / "mine.scn"
    copy.write_text((PLACE / "unbalanced_finish.scn").read_text().replace("unbalanced in 3", "unbalanced in 2"))
    done = command(tmp_path, str(copy), "ttu_vs_mprotect")
    assert done.returncode == 1
    assert "EXPECTED unbalanced in 2" in done.stdout
    assert "1 verdict not as expected" in done.stdout


def test_another_machine_and_nothing_expected(tmp_path: Path) -> None:
    done = command(tmp_path, "may_need_flush_on_soft_dirty_arch", "--variant", "buggy", "--profile", "x86-ipi", "-f", "json")
    (row,) = json.loads(done.stdout)["scenarios"]
    assert done.returncode == 0
    assert (row["profile"], row["expected"], row["verdict"], row["ok"]) == ("x86-ipi", None, "safe", True)
    done = command(tmp_path, "may_need_flush_on_soft_dirty_arch", "ttu_vs_mprotect", "--profile", "arm64-broadcast")
    assert done.stdout.endswith(": nothing expected\n")
    done = command(tmp_path, "may_need_flush_on_soft_dirty_arch", "ttu_vs_mprotect", "--profile", "x86-ipi")
    assert done.stdout.endswith(": all as expected, 1 with nothing expected\n")
    assert [line.partition("(")[2] for line in done.stdout.splitlines()[1:5]] == ["its machine is arm64-soft-dirty)", "", "", ""]
    done = command(tmp_path, "may_need_flush_on_soft_dirty_arch", "ttu_vs_mprotect", "--profile", "s390")
    assert [line.partition("(its machine is ")[2] for line in done.stdout.splitlines()[1:3]] == ["arm64-soft-dirty)", "x86-ipi)"]


@pytest.mark.parametrize("machine", ["s390", "powerpc-hash", "x86-ipi"])
def test_all_on_another_machine_leaves_out_what_cannot_run_there(tmp_path: Path, machine: str) -> None:
    """Named, such a scenario is a mistake; among all, it must not keep the rest from being shown."""
    done = command(tmp_path, "--profile", machine)
    assert done.returncode == 0 and " programs, " in done.stdout
    assert ("hash_lazy_left_after_ptl" in done.stderr) == (machine != "powerpc-hash") and "/" not in done.stderr
    assert command(tmp_path, "--profile", "s390", "hash_lazy_left_after_ptl").returncode == 2


def test_what_never_comes_true_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "mine.scn"
    text = (PLACE / "unbalanced_finish.scn").read_text().replace("thread", '[fixed] sometimes "it rains" pending == 9\nthread', 1)
    copy.write_text(text)
    done = command(tmp_path, str(copy), "--variant", "fixed")
    assert done.returncode == 1
    assert "NEVER: it rains" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("ttu_vs_mprotec",), 'ttu_vs_mprotec: no such scenario; did you mean "ttu_vs_mprotect"?'),
        (("--list", "-f", "json"), "simulate: --list stands alone; see 'tlblint simulate --help'"),
        (("--list", "zzz"), "simulate: --list stands alone; see 'tlblint simulate --help'"),
        (("zzz",), "zzz: no such scenario; see 'tlblint simulate --list'; a file needs its path or .scn"),
        (("",), "NAME: no such scenario; see 'tlblint simulate --list'; a file needs its path or .scn"),
        (("dir.scn/ttu_vs_mprotect.scn",), 'dir.scn/ttu_vs_mprotect.scn: no such scenario; did you mean "ttu_vs_mprotect"?'),
        (("TTU_vs_mprotect",), 'TTU_vs_mprotect: no such scenario; did you mean "ttu_vs_mprotect"?'),
        (("zzz.scn",), "zzz.scn: cannot be read: no such file or directory"),
        (("--profile", "x86-ipy"), '--profile: no profile "x86-ipy"; did you mean "x86-ipi"?'),
        (("--variant", "bugy"), "simulate: Invalid value for '--variant': 'bugy' is not one of 'buggy', 'fixed'; see 'tlblint simulate --help'"),
        (("op.scn",), 'op.scn:7:5: unknown op "lok"; did you mean "lock"?'),
        (("head.scn",), 'head.scn:2:1: expected a line of the head (steps are indented), got "profil"; did you mean "profile"?'),
        (("bytes.scn",), "bytes.scn:2:7: byte 0xff is not UTF-8; expected a text file in UTF-8"),
        (("empty.scn",), 'empty.scn:1:1: expected "scenario NAME" as the first line'),
        (("dir.scn",), "dir.scn: cannot be read: is a directory"),
    ],
)
def test_mistakes(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    (tmp_path / "op.scn").write_text("scenario op\nprofile x86-ipi\nlock l\nexpect buggy safe\nexpect fixed safe\nthread k on cpu0\n    lok(l)\n")
    (tmp_path / "head.scn").write_text("scenario op\nprofil x86-ipi\n")
    (tmp_path / "bytes.scn").write_bytes(b"scenario b\nabout \xff\n")
    (tmp_path / "empty.scn").write_text("")
    (tmp_path / "dir.scn").mkdir()
    done = command(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"tlblint: {line}\n")


def test_too_many_states_are_said(tmp_path: Path) -> None:
    busy = "".join("    x = x + 1\n    y = y + x\n" for _ in range(6))
    threads = "".join(f"thread k{at} on cpu0\n{busy}" for at in range(4))
    text = f"scenario big\nabout big.\nprofile x86-ipi\nvar x = 0\nvar y = 0\nbound 2000\nexpect buggy safe\nexpect fixed safe\n{threads}"
    (tmp_path / "big.scn").write_text(text)
    done = command(tmp_path, "big.scn", "--variant", "buggy", "-f", "json")
    (row,) = json.loads(done.stdout)["scenarios"]
    assert done.returncode == 1
    assert (row["verdict"], row["length"], row["ok"]) == ("inconclusive: bound", None, False)
    assert 2000 < row["states"] < 2010
    done = command(tmp_path, "big.scn", "--variant", "buggy")
    assert "the bound is 2000" in done.stdout
    assert "EXPECTED safe" in done.stdout


def test_a_program_that_never_ends_is_said(tmp_path: Path) -> None:
    text = "scenario loop\nprofile x86-ipi\nexpect buggy safe\nexpect fixed safe\nthread k on cpu0\n    top: nop()\n    goto top\n"
    (tmp_path / "loop.scn").write_text(text)
    done = command(tmp_path, "loop.scn")
    assert done.returncode == 1
    assert done.stdout.count("NEVER: all threads are done") == 2
    (tmp_path / "loop.scn").write_text(text.replace("thread", "daemon"))
    assert command(tmp_path, "loop.scn").returncode == 0


@pytest.mark.parametrize("width", [60, 80, 132])
def test_rows_stay_within_the_terminal(width: int) -> None:
    # Only a word that is longer than its place, or a last column that has none, goes over the edge.
    for line in story(simulate(Wanted(("nested_gather_no_force_flush",))), width, unicode=True).splitlines():
        assert cells(line) <= width, line


def test_long_rows_lose_nothing() -> None:
    runs = simulate(Wanted(("nested_gather_no_force_flush",)))
    words = [sorted(story(runs, width, unicode=True).split()) for width in (60, 300)]
    assert words[0] == words[1]


def test_one_way_to_print_is_the_same_twice() -> None:
    once, again = (simulate(Wanted(("batched_clear_after_flush",))) for _ in range(2))
    for run, other in zip(once, again, strict=True):
        assert run.outcome == other.outcome
    assert [row | {"seconds": 0} for row in json.loads(as_json(once))["scenarios"]] == [row | {"seconds": 0} for row in json.loads(as_json(again))["scenarios"]]


def test_ascii_when_the_terminal_knows_no_better() -> None:
    runs = simulate(Wanted(("ttu_vs_mprotect",)))
    assert story(runs, 80, unicode=False).isascii()
    assert shown(runs, in_full=False).startswith("scenario")


def test_hostile_words_play_no_tricks(tmp_path: Path) -> None:
    copy = tmp_path / "mine.scn"
    text = (PLACE / "unbalanced_finish.scn").read_text()
    copy.write_text(text.replace("about ", "about \x1b[31m\u202e ").replace("thread env", "thread env", 1))
    done = command(tmp_path, str(copy))
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
