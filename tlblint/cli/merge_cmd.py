"""``tlblint merge``."""

from __future__ import annotations

import sys
from typing import Any

import click

from tlblint.app.configshow import BY_NAME
from tlblint.cli import options


@click.command("merge", short_help="Make one report of the shards of a check.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("-f", "--format", "format", metavar="FORMAT[=FILE]", multiple=True, help=options.FORMATS)
@click.option("--fail-on", type=click.Choice(BY_NAME["fail-on"].choices), default=None, help="Lowest severity that makes exit status 1.")
@click.option("--fail-on-incomplete", is_flag=True, default=None, help="Exit status 3 when something was not analysed.")
@click.option("--baseline", metavar="FILE", default=None, help="File of known findings, instead of that of the shards.")
@click.option("--update-baseline", is_flag=True, help="Write the findings to the baseline file, keeping the reasons in it.")
@click.option("--color", type=click.Choice(BY_NAME["color"].choices), default=None, help="Colour on standard output.")
@click.option("--exit-zero", is_flag=True, help="Exit status 0 whatever was found.")
@options.verbosity
def command(files: tuple[str, ...], **values: Any) -> int:
    """Make one report of the shards of a check.

    FILEs are what 'tlblint check --shard 1/4' to '4/4' printed, in any order. The report is, byte for byte, that of the same check without
    --shard. Settings of the tree hold; options given here win.

    Results of -f json, of many series or of checks under other settings, are listed, with -f json put into one document.
    """
    from tlblint.app.emit import emit, status
    from tlblint.app.merge import Request, merge, read
    from tlblint.app.results import are_results
    from tlblint.app.targets import targets
    from tlblint.cli.run import current_directory

    cwd = current_directory()
    verbosity = values["verbose"] - values["quiet"]
    given = tuple(word for word in sys.argv[2:] if word not in files)
    flags = {name: value for name, value in options.flags(values).items() if value}
    targets(flags.get("format", ()))
    request = Request(cwd, files, flags, values["update_baseline"], verbosity >= 1, given)
    raws = read(request)
    if are_results(raws[0]):
        return _results(cwd, files, flags, values)
    outcome = merge(request, raws)
    emit(outcome, targets(outcome.settings["format"].value), cwd, verbosity)
    return status(outcome.report, outcome.settings, values["exit_zero"])


def _results(cwd: str, files: tuple[str, ...], flags: dict[str, Any], values: dict[str, Any]) -> int:
    from tlblint.app.console import InputError, write_stdout
    from tlblint.app.results import as_json, load, text, worst

    form = flags.get("format", ("full",))
    if form not in (("full",), ("json",)) or values["update_baseline"] or values["baseline"]:
        raise InputError("merge", "results are only listed", "give -f json, or no -f at all, and no baseline")
    results = load(cwd, files)
    if values["quiet"] < 2:
        write_stdout((as_json if form == ("json",) else text)(results).encode())
    return worst(results, flags, values["exit_zero"])
