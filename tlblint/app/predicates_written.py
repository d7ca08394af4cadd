"""``tlblint predicates -f FORMAT[=FILE]``: what was executed, to where it is wanted."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from tlblint.app.emit import templates
from tlblint.app.predicates import Surveyed, as_json, as_text
from tlblint.io import output
from tlblint.io.errors import InputError
from tlblint.io.tree import open_tree
from tlblint.report.view import Style

FORMATS = ("text", "json", "html")


def destinations(words: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """(format, file or None for standard output) of each -f, files first. Raises InputError."""
    found = []
    for word in words:
        name, equals, file = word.partition("=")
        if name not in FORMATS:
            raise InputError(f"-f {word}", f"unknown format {name!r}", f"choose from {', '.join(FORMATS)}")
        if equals and not file:
            raise InputError(f"-f {word}", "no file after '='", f"write -f {name}=FILE")
        found.append((name, None if file in ("", "-") else file))
    if sum(file is None for _, file in found) > 1:
        raise InputError("-f", "two formats in one place", "give one of them a file: -f html=FILE")
    return tuple(sorted(found, key=lambda target: target[1] is None))


def write(
    found: Sequence[Surveyed], wanted: Sequence[tuple[str, str | None]], cwd: str, directory: str | None, revision: str | None, in_full: bool
) -> None:  # fmt: skip
    """Every report to its destination. Raises InputError."""
    for name, file in wanted:
        text = as_text(found, in_full) if name == "text" else as_json(found) if name == "json" else _page(found, cwd, directory, revision)
        raw = text.encode("utf-8", "backslashreplace")
        if file is None:
            output.write_stdout(raw)
        else:
            output.write_file(os.path.join(cwd, file), raw, f"-f {name}={file}")


def _page(found: Sequence[Surveyed], cwd: str, directory: str | None, revision: str | None) -> str:
    from tlblint.app.predicates_shown import report_of  # the template engine would cost other runs their start
    from tlblint.report import html

    tree = open_tree(cwd, directory, revision)
    try:
        shown = report_of(found, tree.kind, tree.revision, shlex.join(["tlblint", *sys.argv[1:]]))
    finally:
        tree.close()
    return html.render(shown, Style(unicode=True, templates=templates()))
