"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tlblint.app.configshow import BY_NAME
from tlblint.app.console import InputError

FORMATS = "full (default), concise, html, sarif, json, jsonl, checkpatch, b4, b4-review, github, mail; repeatable."
Command = TypeVar("Command", bound=Callable[..., Any])


def settings(command: Command) -> Command:
    """The options that override settings of the configuration, under the names of ``io.config.KEYS``."""
    for option in reversed(
        [
            click.option("-f", "--format", "format", metavar="FORMAT[=FILE]", multiple=True, help=FORMATS),
            click.option("--profile", metavar="NAME", multiple=True, help="Judge by this flush model only; repeatable."),
            click.option("--select", metavar="RULE", multiple=True, help="Run this rule only, by code or name; repeatable."),
            click.option("--ignore", metavar="RULE", multiple=True, help="Do not run this rule; repeatable."),
            click.option("--rules", metavar="FILE", multiple=True, help="One more rule file; repeatable."),
            click.option("--fail-on", type=click.Choice(BY_NAME["fail-on"].choices), default=None, help="Lowest severity that makes exit status 1."),
            click.option("--fail-on-incomplete", is_flag=True, default=None, help="Exit status 3 when something was not analysed."),
            click.option("--baseline", metavar="FILE", default=None, help="File of known findings."),
            click.option("--jobs", "-j", metavar="N", type=click.IntRange(0, 1024), default=None, help="Processes; 0 (default): one per processor."),
            click.option("--sim/--no-sim", "sim", default=None, help="Judge findings by simulation, or do not."),
            click.option("--sim-budget", metavar="MS", type=click.IntRange(0, 1_000_000), default=None, help="How much to simulate for one finding."),
            click.option("--color", type=click.Choice(BY_NAME["color"].choices), default=None, help="Colour on standard output."),
        ]
    ):
        command = option(command)
    return command


def preview(command: Command) -> Command:
    """--preview: a choice of the person at the keyboard, so no setting of a configuration."""
    return click.option("--preview", is_flag=True, help="Run the rules that 'tlblint rules' marks as preview, too.")(command)


def verbosity(command: Command) -> Command:
    """-q, -v and --debug."""
    for option in reversed(
        [
            click.option("-q", "--quiet", count=True, help="No notes and no summary; twice: nothing but the exit status."),
            click.option("-v", "--verbose", count=True, help="Suppressed findings, and what contracts excuse, too."),
            click.option("--debug", is_flag=True, help="A traceback on internal errors."),
        ]
    ):
        command = option(command)
    return command


def flags(values: dict[str, Any]) -> dict[str, Any]:
    """The settings among the parameters of a command, by their configuration names; lists also split at commas. Raises InputError."""
    found = {}
    for name, key in BY_NAME.items():
        value = values.get(name.replace("-", "_"))
        if any(not item.strip(", ") for item in ((value,) if isinstance(value, str) else value if isinstance(value, tuple) else ())):
            raise InputError(f"--{name}", "an empty value", "name something, or leave the option out")  # "$UNSET" must not mean everything
        if key.kind == "words" and name != "format" and value:
            value = tuple(word for item in value for word in item.split(",") if word)
        found[name] = value
    return found
