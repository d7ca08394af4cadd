"""``tlblint config``."""

from __future__ import annotations

from typing import Any

import click

from tlblint.cli import options
from tlblint.cli.groups import Suggesting


@click.group("config", cls=Suggesting, short_help="Show settings and where they come from.")
def command() -> None:
    """Show settings and where they come from."""


@command.command("show")
@click.option("--tree", metavar="DIR", default=None, help="The tree whose settings to show.")
@click.option("--rev", metavar="REV", default=None, help="The revision whose settings to show.")
@options.settings
def show(tree: str | None, rev: str | None, **values: Any) -> int:
    """Print every setting, its value, and where that came from."""
    from tlblint.app.configshow import configured
    from tlblint.app.console import write_stdout
    from tlblint.cli.run import current_directory

    write_stdout(configured(current_directory(), tree, rev, options.flags(values)).encode("utf-8", "backslashreplace"))
    return 0
