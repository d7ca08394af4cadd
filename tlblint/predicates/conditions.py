"""The value of an ``#if`` condition: macros expanded, names that are left count as 0."""

from __future__ import annotations

from collections.abc import Callable

from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.tokens import Expander, Macro, Token, tokens

_LEVELS = {
    "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, "<=": 7, ">": 7, ">=": 7, "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1,
}  # fmt: skip
_CONFIG = frozenset(("IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE", "__is_defined"))
_DEPTH = 80


def truth(text: str, lookup: Callable[[str], Macro | None]) -> bool:
    """Whether a condition holds; one that cannot be read does not."""
    if text.strip().isalnum():
        found = lookup(text.strip())
        if found is None and not text.strip().isdigit():
            return False
    try:
        ready = Expander(lookup, budget=4000).expand(_resolved(tokens(text), lookup))
        return bool(_Reader([t.text for t in ready]).all())
    except (Inconclusive, _Bad):
        return False


def _resolved(source: list[Token], lookup: Callable[[str], Macro | None]) -> list[Token]:
    """``defined(X)`` and ``IS_ENABLED(X)`` become 0 or 1, before anything is expanded."""
    out: list[Token] = []
    index = 0
    while index < len(source):
        word = source[index].text
        if word == "defined" or word in _CONFIG:
            at = index + 1
            bracket = at < len(source) and source[at].text == "("
            at += bracket
            if at < len(source):
                found = lookup(source[at].text)
                out.append(Token("1" if found is not None and (word == "defined" or found.body == ("1",)) else "0"))
                index = at + 1 + bracket
                continue
        elif word in ("__has_include", "__has_attribute", "__has_builtin", "__has_feature"):
            depth, index = 0, index + 1
            while index < len(source):
                depth += (source[index].text == "(") - (source[index].text == ")")
                index += 1
                if not depth:
                    break
            out.append(Token("0"))
            continue
        out.append(source[index])
        index += 1
    return out


class _Bad(Exception):
    """Not a condition."""


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0
        self.depth = 0

    def all(self) -> int:
        value = self.expression(1)
        if self.at < len(self.words):
            raise _Bad
        return value

    def next(self) -> str:
        if self.at >= len(self.words):
            raise _Bad
        self.at += 1
        return self.words[self.at - 1]

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def expression(self, lowest: int) -> int:
        self.depth += 1
        if self.depth > _DEPTH:
            raise _Bad
        left = self.unary()
        while (level := _LEVELS.get(self.peek(), 0)) >= lowest:
            operator = self.next()
            left = apply(operator, left, self.expression(level + 1))
        if lowest == 1 and self.peek() == "?":
            self.next()
            yes = self.expression(1)
            if self.next() != ":":
                raise _Bad
            no = self.expression(1)
            left = yes if left else no
        self.depth -= 1
        return left

    def unary(self) -> int:
        word = self.next()
        if word == "(":
            value = self.expression(1)
            if self.next() != ")":
                raise _Bad
            return value
        if word in ("!", "-", "+", "~"):
            self.depth += 1
            if self.depth > _DEPTH:
                raise _Bad
            value = self.unary()
            self.depth -= 1
            return int(not value) if word == "!" else -value if word == "-" else ~value if word == "~" else value
        if word[0].isdigit():
            return number(word)
        if word[0].isalpha() or word[0] == "_":
            return 0
        raise _Bad


def number(word: str) -> int:
    """The value of an integer constant without regard to its type. Raises _Bad."""
    body = word.rstrip("uUlL")
    try:
        return int(body, 8) if len(body) > 1 and body[0] == "0" and body.isdigit() else int(body, 0)
    except ValueError:
        raise _Bad from None


def apply(operator: str, a: int, b: int) -> int:
    """An operator of the preprocessor on integers of 64 bits."""
    if (operator in ("/", "%") and not b) or (operator in ("<<", ">>") and not 0 <= b < 64):
        raise _Bad
    value = {
        "*": lambda: a * b, "/": lambda: a // b, "%": lambda: a % b, "+": lambda: a + b, "-": lambda: a - b, "<<": lambda: a << b, ">>": lambda: a >> b,
        "<": lambda: int(a < b), "<=": lambda: int(a <= b), ">": lambda: int(a > b), ">=": lambda: int(a >= b), "==": lambda: int(a == b),
        "!=": lambda: int(a != b), "&": lambda: a & b, "^": lambda: a ^ b, "|": lambda: a | b,
        "&&": lambda: int(bool(a and b)), "||": lambda: int(bool(a or b)),
    }[operator]()  # fmt: skip
    return value & (1 << 64) - 1 if value >> 64 > 0 else value
