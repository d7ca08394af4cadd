"""The package as a wheel lays it out, without making one."""

from __future__ import annotations

import shutil
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
    with tempfile.TemporaryDirectory() as place:
        try:
            from tlblint.native import translated

            made = translated(ROOT, wheel()["hooks"]["custom"]["modules"], Path(place))
        except (Exception, SystemExit) as error:
            return f"{type(error).__name__}: {error}"
        for path, inside in made.items():
            shutil.copy(path, site / inside)
    return ""
