"""Where reports go: the values of -f."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from tlblint.io.errors import InputError
from tlblint.report.formats import FORMATS


class Target(msgspec.Struct, frozen=True):
    """One ``-f FORMAT[=FILE]``; ``file`` is None for standard output."""

    format: str
    file: str | None


def targets(words: Sequence[str]) -> tuple[Target, ...]:
    """Parse the values of -f. Raises InputError for unknown formats and two formats in one place."""
    found = []
    for word in words:
        name, equals, file = word.partition("=")
        if name not in FORMATS:
            raise InputError(f"-f {word}", f"unknown format {name!r}", "choose from " + ", ".join(FORMATS))
        if equals and not file:
            raise InputError(f"-f {word}", "no file after '='", f"write -f {name}=FILE")
        found.append(Target(name, None if file in ("", "-") else file))
    places = [os.path.realpath(target.file) if target.file else None for target in found]
    for at, target in enumerate(found):
        if places[at] in places[:at]:
            raise InputError(f"-f {target.format}", f"two formats for {target.file or 'standard output'}", "give each a file of its own: -f FORMAT=FILE")
    return tuple(found)
