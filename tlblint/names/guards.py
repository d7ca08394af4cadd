"""Conditions at a point of a unit: names mean the macros that are defined there, and a name that is left counts as 0."""

from __future__ import annotations

from collections.abc import Callable

from tlblint.names.conditions import Meaning
from tlblint.names.errors import Inconclusive
from tlblint.names.tokens import Expander, Macro, Token

_BUDGET = 4000


class Macros(Meaning):
    """``lookup`` gives the macro that a name is."""

    def __init__(self, lookup: Callable[[str], Macro | None]) -> None:
        self.lookup = lookup

    def defined(self, name: str) -> bool | None:
        """Whether a macro of this name is defined."""
        return self.lookup(name) is not None

    def enabled(self, name: str) -> bool | None:
        """What IS_ENABLED(name) says: whether the macro is 1."""
        found = self.lookup(name)
        return found is not None and found.body == ("1",)

    def modular(self, name: str) -> bool | None:
        """What IS_MODULE(name) says."""
        return self.enabled(f"{name}_MODULE")

    def supported(self) -> bool | None:
        """No attribute or header that is asked for is taken to be there."""
        return False

    def expanded(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Macros replaced; nothing is left of what takes too long."""
        out = list(words)
        for index, word in enumerate(words):
            found = self.lookup(word) if word[0].isalpha() or word[0] == "_" else None
            if found is None:
                continue
            if found.params is not None or len(found.body) != 1 or not found.body[0][0].isdigit():
                return self._in_full(words)
            out[index] = found.body[0]
        return tuple(out)

    def _in_full(self, words: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(token.text for token in Expander(self.lookup, budget=_BUDGET).expand([Token(word) for word in words]))
        except Inconclusive:
            return ()

    def number(self, name: str) -> int | None:
        """What the preprocessor makes of a name that is no macro."""
        return 0
