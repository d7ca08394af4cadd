"""``tlblint check``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tlblint.cli import options

if TYPE_CHECKING:
    from tlblint.app.request import Request

REV = "Check this revision, read from git objects; nothing is checked out. Its own tlblint.toml counts; baseline and rule files are read from disk."


@click.command("check", short_help="Check a tree for TLB-flush mistakes.")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--tree", metavar="DIR", default=None, help="The tree to check: a git top or any directory. Default: the git top above the current directory.")
@click.option("--rev", metavar="REV", default=None, help=REV)
@options.settings
@options.preview
@click.option("--update-baseline", is_flag=True, help="Write the findings of this run to the baseline file, keeping the reasons in it.")
@click.option("--exit-zero", is_flag=True, help="Exit status 0 whatever was found.")
@click.option("--no-cache", "cache", is_flag=True, flag_value=False, default=None, help="Neither use what earlier runs have left nor leave anything.")
@click.option("--timings", is_flag=True, help="Print to standard error how long each stage took.")
@click.option("--shard", metavar="I/N", default=None, help="Report on part I of N only; 'tlblint merge' makes one report of all parts.")
@click.option("--executor", metavar="dask://HOST:PORT", default=None, help="Read the files on the workers of this Dask cluster.")
@options.verbosity
def command(paths: tuple[str, ...], tree: str | None, rev: str | None, **values: Any) -> int:
    """Check a tree for TLB-flush mistakes.

    PATHs narrow the report to files and directories. They are relative to the current directory or, with --tree, to
    the top of that tree.
    """
    from tlblint.app.check import check
    from tlblint.app.console import Progress, Stages, note, silent, write_stderr
    from tlblint.app.request import Request
    from tlblint.cli.run import current_directory

    cwd = current_directory()
    flags = options.flags(values)
    verbosity = values["verbose"] - values["quiet"]
    progress = Progress(enabled=verbosity >= 0 and not silent(flags["format"]))
    request = Request(cwd, paths, tree, rev, flags, values["update_baseline"], values["debug"], progress, values["preview"], verbosity >= 1)
    stages = Stages()
    if values["executor"] is not None:
        request = replace(request, executor=values["executor"] or "''")
    request = replace(request, note=note if verbosity >= 1 else request.note, stage=stages)
    try:
        if values["shard"] is not None:
            return _shard(request, values["shard"])
        outcome = check(request)
    finally:
        progress.close()
    from tlblint.app.emit import emit, status
    from tlblint.app.targets import targets

    emit(outcome, targets(outcome.settings["format"].value), cwd, verbosity)
    if values["timings"]:
        write_stderr(stages.text())
    return status(outcome.report, outcome.settings, values["exit_zero"])


def _shard(request: Request, text: str) -> int:
    from tlblint.app.shard import parse
    from tlblint.app.shard_run import run

    words = [word for at, word in enumerate(sys.argv[1:]) if not word.startswith("--shard=") and "--shard" not in (word, sys.argv[at])]
    run(replace(request, shard=parse(text)), words)
    return 0
