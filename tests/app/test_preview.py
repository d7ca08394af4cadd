"""Rules in preview run when they are asked for, and only then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tlblint.app.rules import as_text, catalogue
from tlblint.app.ruletest import run
from tlblint.app.spine import Wanted, load
from tlblint.io.errors import InputError


@pytest.fixture
def early(tmp_path: Path) -> str:
    """The file of TLB003 as it looked if the rule were in preview."""
    text = (ROOT / "rules/TLB003.md").read_text()
    assert text.count('status = "stable"') == 1
    (tmp_path / "early.md").write_text(text.replace('status = "stable"', 'status = "preview"'))
    return str(tmp_path / "early.md")


def test_a_preview_rule_runs_only_with_preview(early: str) -> None:
    assert load(Wanted(rule_files=(early,))).active == load(Wanted()).active - {"TLB003"}
    assert load(Wanted(rule_files=(early,), preview=True)).active == load(Wanted()).active
    assert load(Wanted(rule_files=(early,), preview=True, ignore=("lazy-mode-unpaired",))).active == load(Wanted()).active - {"TLB003"}


@pytest.mark.parametrize("name", ["TLB003", "lazy-mode-unpaired"])
def test_naming_one_is_not_enough(early: str, name: str) -> None:
    with pytest.raises(InputError, match="TLB003: a preview rule; add --preview to run it"):
        load(Wanted(rule_files=(early,), select=(name,)))
    assert load(Wanted(rule_files=(early,), select=(name,), preview=True)).active == {"TLB003"}


def test_the_list_marks_it_and_its_examples_are_run(early: str) -> None:
    marked = [line.split()[0] for line in as_text(catalogue((early,))).splitlines() if line.endswith("(preview)")]
    assert marked == ["TLB003"] and "(preview)" not in as_text(catalogue())
    [tested] = run(("TLB003",), (early,))
    assert tested.examples > 0 and tested.problems == ()


@pytest.mark.parametrize(("options", "found"), [((), False), (("--preview",), True)])
def test_the_option_reaches_the_run(early: str, tmp_path: Path, options: tuple[str, ...], found: bool) -> None:
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(ROOT / "fixtures/demo"), "-f", "concise", "--rules", early, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert (": TLB003 " in done.stdout, ": TLB001 " in done.stdout) == (found, True)
