"""An installed copy: the package with its data inside, laid out as pyproject.toml tells the wheel, and no checkout beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installed import lay_out

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run that copy from a directory of its own: ``installed(*arguments)``."""
    site, work = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("work")
    lay_out(site)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, "-m", "tlblint", *arguments], cwd=work, env=env, capture_output=True, text=True, check=False)

    run.work = work  # type: ignore[attr-defined]
    return run


def test_the_demo_prints_paths_that_exist(installed: Run) -> None:
    done = installed("demo", "-f", "concise")
    paths = {line.split(":")[0] for line in done.stdout.splitlines()}
    assert done.returncode == 0 and len(paths) == 4, done.stderr
    assert all((installed.work / path).is_file() and "site" in path for path in paths)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "arguments",
    [
        ("rules",), ("explain", "lazy-mode-unpaired"), ("rule", "test", "TLB901"), ("config", "show", "--tree", "."), ("simulate", "--list"),
        ("demo", "-f", "html"),
    ],
)  # fmt: skip
def test_commands_find_their_data(installed: Run, arguments: tuple[str, ...]) -> None:
    done = installed(*arguments)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_a_mistake_in_a_rule_points_to_a_manual_that_is_there(installed: Run) -> None:
    (installed.work / "mine.md").write_text("# nothing\n")  # type: ignore[attr-defined]
    said = installed("rules", "--rules", "mine.md").stderr
    assert said.startswith("tlblint: ") and Path(said.rpartition("; see ")[2].strip()).is_file()
