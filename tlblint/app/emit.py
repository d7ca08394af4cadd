"""Reports to their destinations, and the exit status of a run."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from tlblint.app.request import Outcome
from tlblint.app.targets import Target
from tlblint.io import data, output, term
from tlblint.io.config import Settings
from tlblint.io.git import toplevel
from tlblint.report.formats import FORMATS, Format
from tlblint.report.health import closing
from tlblint.report.silent import SILENT
from tlblint.report.view import SEVERITIES, Report, Style, counts


def emit(outcome: Outcome, wanted: Sequence[Target], cwd: str, verbosity: int) -> None:
    """Write every report: files first, so that a reader of stdout who goes away costs nothing.

    Where standard output gets nothing, or findings only, summary and health go to standard error.
    """

    def here(path: str) -> str:
        return os.path.relpath(os.path.join(outcome.top, path), cwd)

    for target in sorted(wanted, key=lambda target: target.file is None):
        printer = FORMATS[target.format]
        place = in_repository(outcome) if printer.repository else outcome.place or here
        report, texts = _repeatable(outcome) if printer.templates else outcome.report, templates() if printer.templates else {}
        if target.file is not None:
            style = Style(unicode=True, verbosity=max(verbosity, -1), place=place, templates=texts)
            output.write_file(os.path.join(cwd, target.file), _bytes(printer.render(report, style)), f"-f {target.format}={target.file}")
        elif verbosity > -2:
            style = replace(_style(printer, outcome.settings, verbosity, place=place), templates=texts)
            output.write_stdout(_bytes(printer.render(report, style)))
    aside = all(target.file is not None or FORMATS[target.format].health_aside for target in wanted)
    if verbosity >= 0 and aside and not any(target.format in SILENT for target in wanted):
        output.write_stderr(closing(outcome.report, Style(unicode=True, verbosity=verbosity, place=outcome.place or here)))


def in_repository(outcome: Outcome) -> Callable[[str], str]:
    """Paths in the repository that holds the tree; without one, in the tree."""
    top = toplevel(outcome.top) if outcome.place is None else None
    lead = os.path.relpath(os.path.realpath(outcome.top), top) if top is not None else "."
    return lambda path: os.path.normpath(os.path.join(lead, path))


def templates() -> Mapping[str, str]:
    """The shipped templates by name. Raises InputError."""
    directory = data.root("reports/templates")
    return {name: raw.decode() for suffix in (".j2", ".css", ".js") for name, raw in data.files(directory, suffix).items()}


def _repeatable(outcome: Outcome) -> Report:
    """With the command line of this run, unless report or outcome know their own."""
    return replace(outcome.report, command=outcome.report.command or outcome.command or shlex.join(["tlblint", *sys.argv[1:]]))


def _style(printer: Format, settings: Settings, verbosity: int, place: object) -> Style:
    assert callable(place)
    color = printer.terminal and term.wants_color(settings["color"].value, sys.stdout)
    return Style(color=color, unicode=term.speaks_unicode(sys.stdout), width=term.width(), verbosity=verbosity, place=place)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def status(report: Report, settings: Settings, exit_zero: bool = False) -> int:
    """0 nothing at or above the --fail-on level, 1 findings, 3 incomplete when that was asked for."""
    if exit_zero:
        return 0
    level = settings["fail-on"].value
    found = counts(report)
    if level != "never" and any(found[severity] for severity in SEVERITIES[: SEVERITIES.index(level) + 1]):
        return 1
    return 3 if settings["fail-on-incomplete"].value and report.health.not_analysed else 0
