"""README.md against the tool: its example is what the demo prints, and its tables hold what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tlblint.app.demo import demo
from tlblint.app.spine import Wanted, load
from tlblint.cli.run import COMMANDS
from tlblint.io.config import BY_NAME
from tlblint.report.formats import FORMATS
from tlblint.report.view import Style

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_example_is_what_the_demo_prints() -> None:
    report = demo({"select": ("TLB003",)}).report
    printed = FORMATS["full"].render(report, Style(unicode=True, place=lambda path: f"fixtures/demo/{path}"))
    shown = README.split("$ tlblint demo --select TLB003\n", 1)[1].split("```", 1)[0]
    assert printed.startswith(shown)


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        (r"^\| `tlblint (\w+)", set(COMMANDS)),
        (r"^\| `-f ([\w-]+)`", set(FORMATS)),
        (r"^\| (TLB\d{3} [\w-]+) ", {f"{rule.code} {rule.slug}" for rule in load(Wanted()).rules}),
    ],
)
def test_the_tables_are_complete(pattern: str, known: set[str]) -> None:
    assert set(re.findall(pattern, README, re.MULTILINE)) == known


def test_all_settings_and_profiles_are_named() -> None:
    keys = README.split("\nKeys: ", 1)[1].split(".", 1)[0]
    assert re.findall(r"`([\w-]+)`", keys) == list(BY_NAME)
    profiles = README.split("There are eight: ", 1)[1].split(".", 1)[0]
    assert tuple(re.split(r",\s+", profiles)) == load(Wanted()).profiles


def test_every_directory_that_is_named_is_there_and_the_other_way_round() -> None:
    table = README.split("| directory | holds |", 1)[1].split("\n\n", 1)[0]
    named = {path for row in table.splitlines() for path in re.findall(r"`([\w/]+)`", row.split(" | ")[0])}
    assert sorted(path for path in named if not (ROOT / path).is_dir()) == []
    assert {f"tlblint/{path.name}" for path in (ROOT / "tlblint").iterdir() if (path / "__init__.py").is_file()} <= named
