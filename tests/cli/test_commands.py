"""The other commands, and the start of the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest

from tests.conftest import ROOT, Write
from tlblint import __version__
from tlblint.cli.run import COMMANDS

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def test_version_imports_next_to_nothing() -> None:
    script = "import sys; sys.argv[1:] = ['--version']\nfrom tlblint.cli.main import main\ntry: main()\nfinally: print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-S", "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    first, modules = done.stdout.splitlines()
    assert first == f"tlblint {__version__}"
    assert {name for name in modules.split() if name.startswith("tlblint")} == {"tlblint", "tlblint.cli", "tlblint.cli.main"}
    assert not {"click", "subprocess", "re", "tempfile", "json"} & set(modules.split())


def test_help_does_not_import_the_commands() -> None:
    script = "import sys; sys.argv[1:] = ['--help']\nfrom tlblint.cli.main import main\ntry: main()\nfinally: print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert not {"tree_sitter", "msgspec", "jinja2", "tlblint.app.check", "tlblint.engine", "subprocess"} & set(done.stdout.splitlines()[-1].split())
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_short_help_is_the_commands_own(name: str) -> None:
    command = import_module(f"tlblint.cli.{name}_cmd").command
    assert isinstance(command, click.Command)
    assert (command.name, command.get_short_help_str(100)) == (name, COMMANDS[name])


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("check", "--help"), ("rule", "test", "-h")])
def test_harmless_ones_succeed(tmp_path: Path, tlblint: Run, arguments: tuple[str, ...]) -> None:
    done = tlblint(tmp_path, *arguments)
    assert done.returncode == 0 and done.stdout and not done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("zzz",), "No such command 'zzz'; see 'tlblint --help'"),
        (("rule", "zzz"), "rule: No such command 'zzz'; see 'tlblint rule --help'"),
        (("chekc",), "No such command 'chekc'; did you mean check?"),
        (("Check", "mm"), "No such command 'Check'; did you mean check?"),
        (("rule", "tset"), "rule: No such command 'tset'; did you mean test?"),
        (("mm/mprotect.c",), "No such command 'mm/mprotect.c'; did you mean check mm/mprotect.c?"),
        (("config", "mm/mprotect.c"), "config: No such command 'mm/mprotect.c'; see 'tlblint config --help'"),
        (("explain",), "explain: Missing argument 'CODE'; see 'tlblint explain --help'"),
        (("explain", "TLB03"), "TLB03: no such rule; did you mean TLB003?"),
        (("explain", "lazy-mode"), "lazy-mode: no such rule; did you mean lazy-mode-unpaired?"),
        (("explain", "\x1b\n"), "\\x1b\\x0a: no such rule; 'tlblint rules' lists them"),
    ],
)
def test_mistakes(tmp_path: Path, tlblint: Run, arguments: tuple[str, ...], line: str) -> None:
    done = tlblint(tmp_path, *arguments)
    assert (done.returncode, done.stderr.decode()) == (2, f"tlblint: {line}\n")


def test_no_arguments_is_help_and_a_mistake(tmp_path: Path, tlblint: Run) -> None:
    done = tlblint(tmp_path)
    assert done.returncode == 2 and b"Usage: tlblint" in done.stderr


def test_rules(tmp_path: Path, tlblint: Run) -> None:
    text = tlblint(tmp_path, "rules").stdout.decode().splitlines()
    assert [line.split()[0] for line in text] == ["TLB001", "TLB003", "TLB901", "TLB902"]
    listed = json.loads(tlblint(tmp_path, "rules", "-f", "json").stdout)
    assert listed["schema"] == "tlblint-rules/1"
    assert [(rule["code"], rule["severity"], rule["status"]) for rule in listed["rules"]][1] == ("TLB003", "error", "stable")


@pytest.mark.parametrize("name", ["TLB003", "tlb003", "lazy-mode-unpaired"])
def test_explain(tmp_path: Path, tlblint: Run, name: str) -> None:
    assert tlblint(tmp_path, "explain", name).stdout.startswith(b"# TLB003 lazy-mode-unpaired\n")


def test_explain_the_tools_own(tmp_path: Path, tlblint: Run) -> None:
    assert b"A suppression that suppressed nothing." in tlblint(tmp_path, "explain", "TLB901").stdout


def test_rule_test(tmp_path: Path, tlblint: Run) -> None:
    good = tlblint(tmp_path, "rule", "test")
    assert (good.returncode, good.stdout) == (0, b"TLB003: 2 examples, ok\n")


def test_config_show(repository: Write, tlblint: Run) -> None:
    top = repository({"tlblint.toml": b"jobs = 2\n"})
    rows = [" ".join(line.split()) for line in tlblint(top, "config", "show", "--fail-on", "note").stdout.decode().splitlines()]
    assert "jobs = 2 # tlblint.toml" in rows and 'fail-on = "note" # --fail-on' in rows and 'color = "auto" # default' in rows


def test_config_show_outside_of_a_tree(tmp_path: Path, tlblint: Run) -> None:
    done = tlblint(tmp_path, "config", "show", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert done.returncode == 0 and b"# default" in done.stdout
    assert Path(done.stdout.decode().splitlines()[-1].partition(": ")[2]).joinpath("api/contracts.toml").is_file()
