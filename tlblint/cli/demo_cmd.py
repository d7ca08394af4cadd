"""``tlblint demo``."""

from __future__ import annotations

from typing import Any

import click

from tlblint.cli import options


@click.command("demo", short_help="Check the shipped miniature tree.")
@options.settings
@options.preview
@options.verbosity
def command(**values: Any) -> int:
    """Check the shipped miniature tree: every core rule finds something there. Needs no kernel. Exit status 0."""
    from tlblint.app.demo import demo
    from tlblint.app.emit import emit
    from tlblint.app.targets import targets
    from tlblint.cli.run import current_directory

    verbosity = values["verbose"] - values["quiet"]
    outcome = demo(options.flags(values), preview=values["preview"], excused=verbosity >= 1)
    emit(outcome, targets(outcome.settings["format"].value), current_directory(), verbosity)
    return 0
