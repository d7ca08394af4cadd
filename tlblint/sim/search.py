"""What a search saw. Apart from the search itself, which is translated to C: a record of msgspec's cannot be made there."""

from __future__ import annotations

from collections import Counter

import msgspec


class Search(msgspec.Struct):
    """``violations`` are the codes met at ``length``."""

    states: int = 0
    transitions: int = 0
    length: int | None = None
    violations: set[int] = msgspec.field(default_factory=set)
    complete: bool = True
    hits: Counter[tuple[int, int]] = msgspec.field(default_factory=Counter)
    """(thread, node) -> times taken."""
    useful: dict[tuple[int, int], list[int]] = msgspec.field(default_factory=dict)
    """(thread, node) -> [times it changed the cached translations, times it ran], for flushes."""
    sometimes: dict[str, bool] = msgspec.field(default_factory=dict)
    ended: bool = False


def note(search: Search, length: int, code: int) -> None:
    """A violation at ``length``: the shortest ones count."""
    if search.length is None or length < search.length:
        search.length, search.violations = length, set()
    if length == search.length:
        search.violations.add(code)
