"""``tlblint series``."""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import replace

from tlblint.cli import options

BASE = "What the series applies to. Default: the series' own base-commit, else the revision whose blobs its index lines name, else HEAD."


@click.command("series", short_help="Judge a patch series, patch by patch.")
@click.argument("words", metavar="RANGE | FILE... | -", nargs=-1, required=True)
@click.option("--base", metavar="REV", default=None, help=BASE)
@click.option("--tree", metavar="DIR", default=None, help="The tree that the series is for. Default: the git top above the current directory.")
@options.settings
@options.preview
@click.option("--wide", is_flag=True, help="Look for callers in all of the tree, not only in the core of memory management.")
@click.option("--exit-zero", is_flag=True, help="Exit status 0 whatever was found.")
@click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
@options.verbosity
def command(words: tuple[str, ...], base: str | None, tree: str | None, **values: Any) -> int:
    """Judge a patch series, patch by patch.

    The series is a git range a..b, patch files or mailboxes (git format-patch, b4, saved from an archive), or "-" for standard input. It is
    applied in memory. Each finding is told at the patch that introduces it; what a later patch mends again is told, too, since a
    bisection can land between. Exit status 1 when a finding at or above --fail-on is introduced.
    """
    from tlblint.app.console import Progress, note
    from tlblint.app.emit import emit, status
    from tlblint.app.series import Request, series
    from tlblint.app.targets import targets
    from tlblint.cli.run import current_directory

    cwd = current_directory()
    flags = options.flags(values)
    verbosity = values["verbose"] - values["quiet"]
    progress = Progress(enabled=verbosity >= 0)
    try:
        asked = Request(cwd, words, base, tree, flags, values["debug"], progress, values["preview"], cache=not values["no_cache"], wide=values["wide"])
        outcome = series(replace(asked, note=note) if verbosity >= 1 else asked)
    finally:
        progress.close()
    emit(outcome, targets(outcome.settings["format"].value), cwd, verbosity)
    return status(outcome.report, outcome.settings, values["exit_zero"])
