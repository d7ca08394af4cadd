"""Call graphs to their destinations."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tlblint.app.graph import GraphOutcome
from tlblint.io import output, term
from tlblint.io.errors import InputError
from tlblint.report.graph_formats import GRAPH_FORMATS
from tlblint.report.view import Style

Target = tuple[str, str | None]
"""A format, and a file or None for standard output."""


def targets(words: Sequence[str]) -> list[Target]:
    """Parse the values of -f. Raises InputError for unknown formats and two formats in one place."""
    found: list[Target] = []
    for word in words or ("text",):
        name, equals, file = word.partition("=")
        if name not in GRAPH_FORMATS:
            raise InputError(f"-f {word}", f"unknown format {name!r}", "choose from " + ", ".join(GRAPH_FORMATS))
        if equals and not file:
            raise InputError(f"-f {word}", "no file after '='", f"write -f {name}=FILE")
        found.append((name, None if file in ("", "-") else file))
    places = [os.path.realpath(file) if file else None for _, file in found]
    for at, target in enumerate(found):
        if places[at] in places[:at]:
            raise InputError(f"-f {target[0]}", f"two formats for {target[1] or 'standard output'}", "give each a file of its own: -f FORMAT=FILE")
    return found


def emit(outcome: GraphOutcome, wanted: Sequence[Target], cwd: str) -> None:
    """Write every format, files first."""
    for name, file in sorted(wanted, key=lambda target: target[1] is None):
        printer = GRAPH_FORMATS[name]
        if file is not None:
            output.write_file(os.path.join(cwd, file), _bytes(printer.render(outcome.view, Style(unicode=True))), f"-f {name}={file}")
            continue
        color = printer.terminal and term.wants_color(outcome.settings["color"].value, sys.stdout)
        unicode = term.speaks_unicode(sys.stdout) if printer.terminal else True
        output.write_stdout(_bytes(printer.render(outcome.view, Style(color=color, unicode=unicode, width=term.width()))))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
