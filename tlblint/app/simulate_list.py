"""``tlblint simulate --list``: read from the heads of the scenarios, without what it takes to explore one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from tlblint.io import data
from tlblint.report.text import cells, clean

PLACE = "fixtures/scenarios"
SUFFIX = ".scn"
_LINE = re.compile(r"^(?:\[buggy\][ \t]*)?(scenario|about|profile|expect)[ \t]+(.*)$", re.MULTILINE)


def shipped() -> dict[str, str]:
    """Path of every scenario that ships, by name."""
    place = data.root(PLACE)
    return {name.removesuffix(SUFFIX): os.path.join(place, name) for name in data.files(place, SUFFIX)}


def listed() -> str:
    """One line a scenario: name, machine, what its bug leads to, what goes wrong. Raises InputError."""
    return columns([_row(raw.decode()) for raw in data.files(data.root(PLACE), SUFFIX).values()])


def _row(text: str) -> tuple[str, ...]:
    """Those that ship are whole, and their lines say once what they say."""
    said: dict[str, list[str]] = {"scenario": [], "about": [], "profile": [], "expect": []}
    for word, rest in _LINE.findall(text):
        said[word].append(rest.strip())
    buggy = next(words.split()[1] for words in said["expect"] if words.startswith("buggy"))
    return said["scenario"][0], said["profile"][0].split()[0], buggy, " ".join(said["about"])


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as they have to be."""
    wide = [max(cells(clean(row[at])) for row in rows) for at in range(len(rows[0]))] if rows else []
    lines = ("  ".join(clean(text) + " " * (wide[at] - cells(clean(text))) for at, text in enumerate(row)).rstrip() for row in rows)
    return "".join(line + "\n" for line in lines)
