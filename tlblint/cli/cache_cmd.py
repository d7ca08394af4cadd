"""``tlblint cache``."""

from __future__ import annotations

import click

from tlblint.cli.groups import Suggesting


@click.group("cache", cls=Suggesting, short_help="Show or clear what earlier runs have left.")
def command() -> None:
    """Show or clear what earlier runs have left.

    Runs keep what they have read and found below $XDG_CACHE_HOME/tlblint, or ~/.cache/tlblint. Findings do not depend on it;
    'check --no-cache' neither reads nor writes it, and so does git config tlblint.cache false.
    """


@command.command("info")
def info() -> int:
    """Print where the cache lies and what is in it."""
    from tlblint.app import caches
    from tlblint.app.console import write_stdout

    write_stdout(caches.info().encode("utf-8", "backslashreplace"))
    return 0


@command.command("clear")
def clear() -> int:
    """Delete the cache."""
    from tlblint.app import caches
    from tlblint.app.console import write_stdout

    write_stdout(caches.clear().encode("utf-8", "backslashreplace"))
    return 0
