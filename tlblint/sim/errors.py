"""What is wrong with a scenario or model, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 400
"""Characters of the longest message: what it quotes may be a megabyte."""


class ScenarioError(Exception):
    """``text`` says what is wrong and what was expected. ``line`` and ``column`` are 1-based, 0 when the model has no text; ``path`` is "" unless known."""

    def __init__(self, text: str, line: int = 0, column: int = 0, path: str = "") -> None:
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 100]} ... {text[-90:]}"
        super().__init__(text, line, column, path)
        self.text = text
        self.line = line
        self.column = column
        self.path = path

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        return f"{where}: {self.text}" if where else self.text


def nearest(name: str, known: Iterable[str]) -> str:
    """'; did you mean "x"?' for the name in ``known`` most like ``name``, else the known names, else ""."""
    known = sorted(set(known))
    close = difflib.get_close_matches(name, known, 1, 0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known: {', '.join(known)}" if 0 < len(known) <= 12 else ""
