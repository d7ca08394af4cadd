"""Boolean formulas over named truth tables: ``old.P & (!new.P | old.RW & !new.RW)``. Shipped as data, read here, never executed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tlblint.predicates.errors import DataError
from tlblint.predicates.words import Space

_TOKEN = re.compile(r"\s*([A-Za-z_][\w.]*|[01]|[&|^!()])")
_LEVELS = {"|": 1, "^": 2, "&": 3}


def parse(text: str) -> list[str]:
    """The tokens of a formula. Raises DataError."""
    out, at = [], 0
    text = " ".join(text.split())
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise DataError(f"a formula that is not read at {text[at : at + 20]!r}")
        out.append(found[1])
        at = found.end()
    return out


def evaluate(text: str, space: Space, tables: Mapping[str, int]) -> int:
    """The truth table of a formula. ``same.X`` and ``differ.X`` compare old.X with new.X. Raises DataError for an unknown name."""
    reader = _Reader(parse(text), space, tables)
    result = reader.expression(1)
    if reader.at < len(reader.words):
        raise DataError(f"a formula that goes on behind its end: {reader.words[reader.at]}")
    return result


class _Reader:
    def __init__(self, words: list[str], space: Space, tables: Mapping[str, int]) -> None:
        self.words = words
        self.space = space
        self.tables = tables
        self.at = 0
        self.depth = 0

    def next(self) -> str:
        if self.at >= len(self.words):
            raise DataError("a formula that ends too soon")
        self.at += 1
        return self.words[self.at - 1]

    def expression(self, lowest: int) -> int:
        self.depth += 1
        if self.depth > 100:
            raise DataError("a formula that nests too deeply")
        left = self.unary()
        while self.at < len(self.words) and _LEVELS.get(self.words[self.at], 0) >= lowest:
            operator = self.next()
            right = self.expression(_LEVELS[operator] + 1)
            left = {"|": self.space.or_, "^": self.space.xor, "&": self.space.and_}[operator](left, right)
        self.depth -= 1
        return left

    def unary(self) -> int:
        word = self.next()
        if word == "!":
            return self.space.not_(self.unary())
        if word == "(":
            value = self.expression(1)
            if self.next() != ")":
                raise DataError("a formula with a bracket that is not closed")
            return value
        if word in ("0", "1"):
            return self.space.full if word == "1" else 0
        if word.startswith("differ.") and f"old.{word[7:]}" in self.tables:
            return self.space.xor(self.tables[f"old.{word[7:]}"], self.tables[f"new.{word[7:]}"])
        if word not in self.tables:
            raise DataError(f"a formula names {word!r}, which is no symbolic bit")
        return self.tables[word]
