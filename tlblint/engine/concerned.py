"""Whom it concerns when the functions of a program together say other things than before: see Hearing.flags."""

from __future__ import annotations

import re
from collections.abc import Collection

from tlblint.model.ir import Function


class Concerned:
    """Tells the functions whose events hang on one of ``flags``: the one that a flag names, or all that mention what it is about."""

    def __init__(self, flags: Collection[str]) -> None:
        self._names: set[str] = set()
        self._words: set[str] = set()
        for flag in flags:
            if flag.startswith("unset:"):
                self._names.add(flag.split(":")[1])
            elif flag.startswith("late "):
                self._names.add(flag[len("late ") :].partition(":")[0])
            else:
                self._words.add((flag.rpartition("/")[0] or flag).rpartition(":")[2])

    def __call__(self, fn: Function) -> bool:
        return fn.name in self._names or (bool(self._words) and not self._words.isdisjoint(_mentioned(fn)))


def _mentioned(fn: Function) -> frozenset[str]:
    """Every identifier in a function."""
    return frozenset(re.findall(r"\w+", repr(fn.blocks)))
