"""Conditions at a point of a unit: names mean the macros that are defined there, and a name that is left counts as 0."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tlblint.names.conditions import Meaning, evaluate, names_in
from tlblint.names.errors import Inconclusive
from tlblint.names.tokens import Expander, Macro, Token

_BUDGET = 4000
Body = tuple[str, ...] | None
"""What an object-like macro stands for; None for a name that is no macro."""
Lookup = Callable[[str], Macro | None]


def holds(word: str, text: str, lookup: Lookup) -> bool:
    """Whether a condition is known to hold. Most ask for a few names that are nothing or a number, and are asked again for another machine."""
    bodies: list[Body] = []
    for name in _asked(text):
        found = lookup(name)
        body = None if found is None else found.body
        if found is not None and (found.params is not None or (found.body and (len(found.body) > 1 or not found.body[0][0].isdigit()))):
            return evaluate(word, text, Macros(lookup)) is True
        bodies.append(body)
    return _holds(word, text, tuple(bodies))


@lru_cache(maxsize=8192)
def _asked(text: str) -> tuple[str, ...]:
    names = names_in(text)
    return (*names, *(f"{name}_MODULE" for name in names)) if "MODULE" in text else tuple(names)


@lru_cache(maxsize=8192)
def _holds(word: str, text: str, bodies: tuple[Body, ...]) -> bool:
    known = {name: Macro(name, None, body) for name, body in zip(_asked(text), bodies, strict=True) if body is not None}
    return evaluate(word, text, Macros(known.get)) is True


class Macros(Meaning):
    """``lookup`` gives the macro that a name is."""

    def __init__(self, lookup: Lookup) -> None:
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
