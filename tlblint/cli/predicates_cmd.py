"""``tlblint predicates``."""

from __future__ import annotations

import click


@click.command("predicates", short_help="Execute a tree's own flush predicates for all entries.")
@click.option("--tree", metavar="DIR", default=None, help="The tree to read: a git top or any directory. Default: the git top above the current directory.")
@click.option("--rev", metavar="REV", default=None, help="Read this revision from git objects; nothing is checked out.")
@click.option("--profile", metavar="NAME", multiple=True, help="Only for this machine; repeatable. Default: all of rules/predicates.")
@click.option("--no-helpers", is_flag=True, help="Only predicates, no coverage of helpers.")
@click.option("-v", "--verbose", is_flag=True, help="Name the helpers that are executed, too.")
@click.option(
    "-f", "--format", "formats", metavar="FORMAT[=FILE]", multiple=True, default=("text",), show_default=True, help="text, json or html; repeatable."
)
def command(tree: str | None, rev: str | None, profile: tuple[str, ...], no_helpers: bool, verbose: bool, formats: tuple[str, ...]) -> int:
    """Execute pte_needs_flush() and its like out of the tree's own headers, for all pairs of entries at once.

    Each is held against what the machine needs: unsafe (a flush is missing), conservative (some are redundant), or exact.
    What cannot be executed names its blocker. Functions that share a word between CPUs are put into threads and explored.
    Exit status: 0 nothing unsafe, 1 something is, 2 bad input.
    """
    from tlblint.app.predicates import predicates
    from tlblint.app.predicates_written import destinations, write
    from tlblint.cli.run import current_directory

    wanted = destinations(formats)

    found = predicates(current_directory(), tree, rev, tuple(word for item in profile for word in item.split(",") if word), not no_helpers)
    write(found, wanted, current_directory(), tree, rev, verbose)
    return int(any(row.refuted is not None for one in found for row in one.rows) or any(run.refuted for one in found for run in one.explored))
