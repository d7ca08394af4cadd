"""The package as a wheel lays it out, without making one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from tests.conftest import ROOT


def wheel() -> dict[str, Any]:
    """What pyproject.toml says of it."""
    said: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    return said


def lay_out(site: Path) -> None:
    """Package and data below ``site``."""
    for package in wheel()["packages"]:
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__", "_data", "native.py"))
    for source, target in wheel()["force-include"].items():
        shutil.copytree(ROOT / source, site / target)


def translate(site: Path) -> str:
    """Add the modules in C, as the hook of the build does. "" or why that cannot be done here."""
    command = [sys.executable, "-m", "tests.installed", str(site)]
    made = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    return "" if made.returncode == 0 else made.stderr.strip() or f"exit code {made.returncode}"


def _translate(site: Path) -> None:
    """In a process of its own: what a process that is started takes of memory is counted from what its parent had."""
    from tlblint.native import translated

    with tempfile.TemporaryDirectory() as place:
        for path, inside in translated(ROOT, wheel()["hooks"]["custom"]["modules"], Path(place)).items():
            shutil.copy(path, site / inside)


if __name__ == "__main__":
    _translate(Path(sys.argv[1]))
