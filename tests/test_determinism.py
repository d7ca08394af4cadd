"""The same tree gives the same bytes: whatever the number of jobs, the order of PATHs, or the hash seed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tlblint.io.pool import FEW

ROOT = Path(__file__).resolve().parent.parent
FORMATS = ("json", "full", "concise")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo tree, with the traps of the same kernel in it: enough files for a process pool, and many more findings."""
    top = tmp_path_factory.mktemp("same") / "demo"
    shutil.copytree(ROOT / "fixtures" / "demo", top)
    traps = [path for path in (ROOT / "fixtures" / "traps").glob("*.c") if "kernel=6.12" in path.read_text().splitlines()[0]]
    for path in traps:
        folder = top / ("fs" if path.name > "d15" else "mm") / "traps"
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder / path.name)
    assert len(traps) > 2 * FEW
    return top


def check(tree: Path, *arguments: str, seed: str = "0") -> bytes:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(tree), "--exit-zero", *arguments]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, check=True)
    assert done.stdout
    return done.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_jobs_and_hash_seed_do_not_matter(tree: Path, form: str) -> None:
    one = check(tree, "-f", form, "--jobs", "1", seed="1")
    assert one == check(tree, "-f", form, "--jobs", "2", seed="2")
    assert b"TLB001" in one and b"TLB004" in one


@pytest.mark.parametrize("form", FORMATS)
def test_the_order_of_paths_does_not_matter(tree: Path, form: str) -> None:
    one = check(tree, "-f", form, "mm", "fs", "include")
    other = check(tree, "-f", form, "include", "fs", "mm")
    assert one == other


def test_naming_everything_is_naming_nothing(tree: Path) -> None:
    """PATHs that cover the tree find what a run without PATHs finds."""
    assert check(tree, "-f", "concise", ".") == check(tree, "-f", "concise")
