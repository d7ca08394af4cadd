"""``tlblint graph``."""

from __future__ import annotations

import click


@click.command("graph", short_help="Show who calls the functions that change page table entries.")
@click.argument("functions", metavar="[FUNCTION]...", nargs=-1)
@click.option("--tree", metavar="DIR", default=None, help="The tree to read: a git top or any directory. Default: the git top above the current directory.")
@click.option("--rev", metavar="REV", default=None, help="Read this revision from git objects; nothing is checked out.")
@click.option("--path", "paths", metavar="PATH", multiple=True, help="Look only there and in the core of memory management; repeatable.")
@click.option("--depth", metavar="N", type=click.IntRange(0, 1000), default=None, help="Calls up and down. Default: 3; without FUNCTION: up to the roots.")
@click.option("--callers/--callees", "direction", default=None, help="Only one direction. Default: both.")
@click.option("-f", "--format", "formats", metavar="FORMAT[=FILE]", multiple=True, help="text (default), dot, svg, json; repeatable.")
@click.option("--profile", metavar="NAME", multiple=True, help="Read code as this architecture has it; repeatable.")
@click.option("--jobs", "-j", metavar="N", type=click.IntRange(0, 1024), default=None, help="Processes; 0 (default): one per processor.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default=None, help="Colour on standard output.")
@click.option("-q", "--quiet", count=True, help="No progress.")
@click.option("--debug", is_flag=True, help="A traceback on internal errors.")
def command(
    functions: tuple[str, ...], tree: str | None, rev: str | None, paths: tuple[str, ...], depth: int | None, direction: bool | None, formats: tuple[str, ...],
    profile: tuple[str, ...], jobs: int | None, color: str | None, quiet: int, debug: bool,
) -> int:  # fmt: skip
    """Show who calls the functions that change page table entries, and what they call.

    FUNCTION is a name or FILE:NAME. Without one: all functions that change entries, with their callers. Calls go directly, through
    operation tables, or through macros; locks that may be held are shown at calls and on entry.
    """
    from tlblint.app.console import Progress
    from tlblint.app.graph import GraphRequest, graph
    from tlblint.app.graph_out import emit, targets
    from tlblint.cli.run import current_directory

    cwd = current_directory()
    wanted = targets(formats)
    progress = Progress(enabled=not quiet)
    flags = {"profile": tuple(word for item in profile for word in item.split(",") if word), "jobs": jobs, "color": color}
    try:
        outcome = graph(GraphRequest(cwd, functions, paths, tree, rev, flags, depth, direction is not False, direction is not True, debug, progress))
    finally:
        progress.close()
    emit(outcome, wanted, cwd)
    return 0
