"""``tlblint report``."""

from __future__ import annotations

import click


@click.command("report", short_help="Render a stored result, or compare two.")
@click.argument("file", metavar="FINDINGS.json")
@click.option("--against", metavar="OLD.json", default=None, help="An older result: say what is new, gone and moved since.")
@click.option("-f", "--format", "formats", metavar="FORMAT[=FILE]", multiple=True, help="As for check: full (default), html, sarif, json ...; repeatable.")
@click.option("--tree", metavar="DIR", default=None, help="Where the sources are. Default: reports show places without source.")
@click.option("--rev", metavar="REV", default=None, help="Take the sources from this revision.")
@click.option("--rules", metavar="FILE", multiple=True, help="One more rule file, for its manual; repeatable.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default=None, help="Colour on standard output.")
@click.option("-q", "--quiet", count=True, help="No notes and no summary; twice: nothing on standard output.")
@click.option("-v", "--verbose", count=True, help="Suppressed findings, and all of a comparison, too.")
@click.option("--debug", is_flag=True, help="A traceback on internal errors.")
def command(
    file: str, against: str | None, formats: tuple[str, ...], tree: str | None, rev: str | None, rules: tuple[str, ...], color: str | None,
    quiet: int, verbose: int, debug: bool,
) -> int:  # fmt: skip
    """Render a stored result of 'tlblint check -f json' in any format, or compare it with an older one.

    FINDINGS.json is what -f json or -f jsonl wrote. Exit status 0 whatever it holds.
    """
    from tlblint.app.emit import emit
    from tlblint.app.report import ReportRequest, report
    from tlblint.app.targets import targets
    from tlblint.cli.run import current_directory

    cwd = current_directory()
    outcome = report(ReportRequest(cwd, file, against, tree, rev, {"format": formats, "color": color}, rules))
    emit(outcome, targets(outcome.settings["format"].value), cwd, verbose - quiet)
    return 0
