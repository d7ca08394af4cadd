"""The one evaluator of ``#if`` conditions. It reads words; what a name means is its caller's: a configuration, or the macros at a point of a unit.

Values are integers of 64 bits, signed unless something in them is not, or None: not known. What a compiler would not read is not known either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_WORD = re.compile(
    r"""[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|&&|\|\||==|!=|<=|>=|<<|>>|\#\#|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\S""", re.ASCII | re.DOTALL
)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uU]?(?:ll?|LL?)?|(?:ll?|LL?)[uU])", re.ASCII)
_ENABLED = frozenset(("IS_ENABLED", "IS_BUILTIN", "IS_MODULE", "IS_REACHABLE", "__is_defined"))
_COMPILER = frozenset(("__has_include", "__has_include_next", "__has_attribute", "__has_builtin", "__has_feature", "__has_extension", "__has_c_attribute"))
_QUESTIONS = _ENABLED | _COMPILER | {"defined"}
_LEVELS = {
    "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, "<=": 7, ">": 7, ">=": 7, "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1,
}  # fmt: skip
_ANSWERS = frozenset(("<", "<=", ">", ">=", "==", "!="))
_DEEPEST = 80
_MASK = (1 << 64) - 1
_UNKNOWN = "?unknown"
"""Stands for the answer to a question that nobody can answer; no word of a text is spelled so."""


class Unsigned(int):
    """A value that is not signed, and makes what it meets so, too. Never negative."""


class Meaning:
    """What the names of a condition mean. As it stands, nothing is known of any."""

    def defined(self, name: str) -> bool | None:
        """Whether a macro of this name is defined."""
        return None

    def enabled(self, name: str) -> bool | None:
        """What IS_ENABLED(name), and __is_defined(name), say."""
        return self.defined(name)

    def modular(self, name: str) -> bool | None:
        """What IS_MODULE(name) says."""
        return self.enabled(name)

    def supported(self) -> bool | None:
        """What the compiler answers to __has_attribute() and its like."""
        return None

    def expanded(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The words with macros replaced, once the questions are answered."""
        return words

    def number(self, name: str) -> int | None:
        """The value of a name that is left."""
        return None


def evaluate(kind: str, text: str, names: Meaning) -> bool | None:
    """Whether a condition holds: ``kind`` is if, elif, ifdef, ifndef, elifdef or elifndef. None: not known, or unreadable."""
    found = words(text)
    if kind in ("if", "elif"):
        if not _QUESTIONS.isdisjoint(found):
            found = _answered(found, names)
        found = names.expanded(found)
        if "defined" in found:  # a macro asks, which compilers allow
            found = _answered(found, names)
        value = _value(found, names)
        return None if value is None else value != 0
    state = names.defined(found[0]) if found else None
    return state if state is None or kind in ("ifdef", "elifdef") else not state


@lru_cache(maxsize=8192)
def words(text: str) -> tuple[str, ...]:
    """The words of a condition: names, numbers, literals and operators."""
    return tuple(_WORD.findall(text))


def names_in(text: str) -> frozenset[str]:
    """The macros that a condition mentions."""
    return frozenset(_NAME.findall(text)) - _QUESTIONS


def number(word: str) -> int | None:
    """The value of an integer constant without regard to its type; None for what is none."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        return None
    digits = found.group(1)
    try:
        return int(digits, 8) if digits[0] == "0" and digits.isdigit() else int(digits, 0)
    except ValueError:  # 08, or more digits than are worth reading
        return None


def _constant(word: str) -> int | None:
    """The value of an integer constant with its type: one that is too large for a signed number is an unsigned one, cut to 64 bits."""
    value = number(word)
    if value is None:
        return None
    return Unsigned(value & _MASK) if value >> 63 or "u" in word[-3:].lower() else value


def _answered(source: tuple[str, ...], names: Meaning) -> tuple[str, ...]:
    """``defined(X)``, ``IS_ENABLED(X)`` and what is asked of the compiler become 0 or 1, before anything is expanded."""
    out: list[str] = []
    index = 0
    while index < len(source):
        word = source[index]
        index += 1
        if word in _COMPILER:
            index = _behind(source, index)
            out.append(_said(names.supported()))
        elif word in _QUESTIONS and (name := _operand(source, index)):
            index += 3 if source[index] == "(" else 1
            out.append(_answer(word, name, names))
        else:
            out.append(word)
    return tuple(out)


def _operand(source: tuple[str, ...], index: int) -> str:
    """The word that a question is about; "" when there is none, or more than one."""
    if source[index : index + 1] != ("(",):
        return source[index] if index < len(source) and _NAME.fullmatch(source[index]) else ""
    return source[index + 1] if source[index + 2 : index + 3] == (")",) else ""


def _answer(word: str, name: str, names: Meaning) -> str:
    if not _NAME.fullmatch(name):
        return str(int(word == "defined" or name == "1"))  # a macro was here
    return _said(names.defined(name) if word == "defined" else names.modular(name) if word == "IS_MODULE" else names.enabled(name))


def _said(state: bool | None) -> str:
    return _UNKNOWN if state is None else "1" if state else "0"


def _behind(source: tuple[str, ...], index: int) -> int:
    """The index behind the brackets that open at ``index``."""
    depth = 0
    while index < len(source):
        depth += (source[index] == "(") - (source[index] == ")")
        index += 1
        if depth <= 0:
            break
    return index


class _Bad(Exception):
    """Not a condition."""


def _value(source: tuple[str, ...], names: Meaning) -> int | None:
    if len(source) == 1 and (plain := _constant(source[0])) is not None:
        return plain
    reader = _Reader(source, names)
    try:
        value = reader.expression(1)
    except _Bad:
        return None
    return value if reader.at == len(source) else None


class _Reader:
    """Precedence climbing."""

    def __init__(self, source: tuple[str, ...], names: Meaning) -> None:
        self.words = source
        self.names = names
        self.at = 0
        self.depth = 0

    def next(self) -> str:
        if self.at >= len(self.words):
            raise _Bad
        self.at += 1
        return self.words[self.at - 1]

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def expect(self, word: str) -> None:
        if self.next() != word:
            raise _Bad

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Bad

    def expression(self, lowest: int) -> int | None:
        self.deeper()
        left = self.unary()
        while (level := _LEVELS.get(self.peek(), 0)) >= lowest:
            operator = self.next()
            left = _applied(operator, left, self.expression(level + 1))
        if lowest == 1 and self.peek() == "?":
            left = self.ternary(left)
        self.depth -= 1
        return left

    def ternary(self, condition: int | None) -> int | None:
        self.expect("?")
        yes = self.expression(1)
        self.expect(":")
        no = self.expression(1)
        chosen = None if condition is None else yes if condition else no
        return chosen if chosen is None else _fitted(chosen, isinstance(yes, Unsigned) or isinstance(no, Unsigned))

    def unary(self) -> int | None:
        word = self.next()
        if word == "(":
            value = self.expression(1)
            self.expect(")")
            return value
        if word in ("!", "-", "+", "~"):
            self.deeper()
            value = self.unary()
            self.depth -= 1
            if value is None or word == "+":
                return value
            return int(not value) if word == "!" else _fitted(-value if word == "-" else ~value, isinstance(value, Unsigned))
        if word[0].isdigit():
            value = _constant(word)
            if value is None:
                raise _Bad
            return value
        return self.name(word)

    def name(self, word: str) -> int | None:
        if word == _UNKNOWN:
            return None
        if word == "defined" or not (word[0].isalpha() or word[0] == "_"):
            raise _Bad
        if self.peek() == "(":  # a macro with parameters that nobody knows
            end = _behind(self.words, self.at)
            if self.words[end - 1] != ")":
                raise _Bad
            self.at = end
            return None
        return self.names.number(word)


def _applied(operator: str, a: int | None, b: int | None) -> int | None:
    if operator == "&&":
        return 0 if a == 0 or b == 0 else None if a is None or b is None else 1
    if operator == "||":
        return 1 if a or b else None if a is None or b is None else 0
    if a is None or b is None:
        return None
    unsigned = isinstance(a, Unsigned) or (isinstance(b, Unsigned) and operator not in ("<<", ">>"))
    if unsigned and operator not in ("<<", ">>"):
        a, b = a & _MASK, b & _MASK
    value = _ARITHMETIC[operator](a, b)
    return value if value is None or operator in _ANSWERS else _fitted(value, unsigned)


def _fitted(value: int, unsigned: bool) -> int:
    """A value as 64 bits hold it."""
    if unsigned:
        return Unsigned(value & _MASK)
    return int(value) if -1 << 63 <= value < 1 << 63 else (value + (1 << 63) & _MASK) - (1 << 63)


def _quotient(a: int, b: int) -> int | None:
    """C rounds towards zero."""
    if not b:
        return None
    return abs(a) // abs(b) if (a < 0) == (b < 0) else -(abs(a) // abs(b))


def _rest(a: int, b: int) -> int | None:
    whole = _quotient(a, b)
    return None if whole is None else a - whole * b


_ARITHMETIC: dict[str, Callable[[int, int], int | None]] = {
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": _rest,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "<<": lambda a, b: a << b if 0 <= b < 64 else None,
    ">>": lambda a, b: a >> b if 0 <= b < 64 else None,
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "|": lambda a, b: a | b,
}
