"""A kernel configuration and the three-valued value of a preprocessor condition under it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(rb"\s*(?:(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|([A-Za-z_]\w*)|(&&|\|\||==|!=|<=|>=|<<|>>|[-+*/%<>!()&|^~?:,]))")
_IS_CONFIG = frozenset((b"IS_ENABLED", b"IS_BUILTIN", b"IS_MODULE", b"IS_REACHABLE"))
_TRUE = frozenset(("__KERNEL__", "__GNUC__", "MODULE", "__LINUX_KERNEL__", "CC_USING_FENTRY"))
_FALSE = frozenset(
    (
        "__ASSEMBLY__", "__ASSEMBLER__", "__CHECKER__", "__GENKSYMS__", "__PAGETABLE_P4D_FOLDED", "__PAGETABLE_PUD_FOLDED",
        "__PAGETABLE_PMD_FOLDED", "BUILD_VDSO", "__DISABLE_EXPORTS", "DEBUG", "BITS_PER_LONG_32",
    )
)  # fmt: skip
_PRECEDENCE = {
    b"*": 10, b"/": 10, b"%": 10, b"+": 9, b"-": 9, b"<<": 8, b">>": 8, b"<": 7, b"<=": 7, b">": 7, b">=": 7, b"==": 6, b"!=": 6,
    b"&": 5, b"^": 4, b"|": 3, b"&&": 2, b"||": 1,
}  # fmt: skip
_DEEPEST = 60


@dataclass(frozen=True)
class Config:
    """Which CONFIG_ names are set. Names carry their prefix; a CONFIG_ name in neither set counts as on.

    Other macro names may be listed too (``__PAGETABLE_PMD_FOLDED``); those in neither set are unknown.
    """

    on: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()

    def defined(self, name: str) -> bool | None:
        """Return whether ``name`` is defined, or None when nothing is known about it."""
        if name in self.off:
            return False
        if name in self.on:
            return True
        if name.startswith("CONFIG_"):
            return not name.endswith("_MODULE")
        if name in _TRUE:
            return True
        return False if name in _FALSE else None

    def flipped(self, names: frozenset[str]) -> Config:
        """Return the configuration in which each of ``names`` has the opposite state; an unknown name becomes off."""
        off = frozenset(n for n in names if self.defined(n) is not False)
        return Config((self.on | names) - off, (self.off - names) | off)


class _Bad(Exception):
    """The condition is not one that we can read."""


class _Reader:
    """Precedence climbing over the tokens of one condition. None means: value not known."""

    def __init__(self, text: bytes, config: Config) -> None:
        self.tokens = [m.group(1) or m.group(2) or m.group(3) for m in _TOKEN.finditer(text)]
        self.at = 0
        self.depth = 0
        self.config = config

    def next(self) -> bytes:
        if self.at >= len(self.tokens):
            raise _Bad
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self) -> bytes:
        return self.tokens[self.at] if self.at < len(self.tokens) else b""

    def expect(self, token: bytes) -> None:
        if self.next() != token:
            raise _Bad

    def expression(self, lowest: int = 1) -> int | None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Bad
        left = self.unary()
        while (level := _PRECEDENCE.get(self.peek(), 0)) >= lowest:
            operator = self.next()
            left = _apply(operator, left, self.expression(level + 1))
        if lowest == 1 and self.peek() == b"?":
            left = self.ternary(left)
        self.depth -= 1
        return left

    def ternary(self, condition: int | None) -> int | None:
        self.expect(b"?")
        yes = self.expression()
        self.expect(b":")
        no = self.expression()
        return None if condition is None else yes if condition else no

    def unary(self) -> int | None:
        token = self.next()
        if token == b"(":
            value = self.expression()
            self.expect(b")")
            return value
        if token in (b"!", b"-", b"+", b"~"):
            return self.negated(token)
        if token[:1].isdigit():
            return int(token, 0) if token[:2].lower() == b"0x" or not token.startswith(b"0") else int(token, 8)
        return self.name(token)

    def negated(self, operator: bytes) -> int | None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Bad
        value = self.unary()
        self.depth -= 1
        if value is None or operator == b"+":
            return value
        return int(not value) if operator == b"!" else -value if operator == b"-" else ~value

    def name(self, token: bytes) -> int | None:
        if not (token[:1].isalpha() or token[:1] == b"_"):
            raise _Bad
        if token == b"defined" or token in _IS_CONFIG:
            return self.defined()
        if self.peek() == b"(":
            self.skip_arguments()
            return None
        state = self.config.defined(token.decode("latin-1"))
        return None if state is None else int(state)

    def defined(self) -> int | None:
        token = self.next()
        if token == b"(":
            token = self.next()
            self.expect(b")")
        state = self.config.defined(token.decode("latin-1"))
        return None if state is None else int(state)

    def skip_arguments(self) -> None:
        depth = 0
        while True:
            token = self.next()
            depth += (token == b"(") - (token == b")")
            if not depth:
                return


def _apply(operator: bytes, a: int | None, b: int | None) -> int | None:
    if operator == b"&&":
        return 0 if a == 0 or b == 0 else None if a is None or b is None else 1
    if operator == b"||":
        return 1 if a or b else None if a is None or b is None else 0
    if a is None or b is None:
        return None
    value = _ARITHMETIC[operator](a, b)
    return None if value is None or abs(value) >> 64 else value


_ARITHMETIC: dict[bytes, Callable[[int, int], int | None]] = {
    b"*": lambda a, b: a * b,
    b"/": lambda a, b: a // b if b else None,
    b"%": lambda a, b: a % b if b else None,
    b"+": lambda a, b: a + b,
    b"-": lambda a, b: a - b,
    b"<<": lambda a, b: a << b if 0 <= b < 64 else None,
    b">>": lambda a, b: a >> b if 0 <= b < 64 else None,
    b"<": lambda a, b: int(a < b),
    b"<=": lambda a, b: int(a <= b),
    b">": lambda a, b: int(a > b),
    b">=": lambda a, b: int(a >= b),
    b"==": lambda a, b: int(a == b),
    b"!=": lambda a, b: int(a != b),
    b"&": lambda a, b: a & b,
    b"^": lambda a, b: a ^ b,
    b"|": lambda a, b: a | b,
}


def evaluate(kind: bytes, text: bytes, config: Config) -> bool | None:
    """Value of a condition: ``kind`` is if, elif, ifdef, ifndef, elifdef or elifndef. None: undecided or unreadable."""
    if kind in (b"if", b"elif"):
        reader = _Reader(text, config)
        try:
            value = reader.expression()
        except (_Bad, ValueError):
            return None
        return None if value is None or reader.at < len(reader.tokens) else bool(value)
    state = config.defined(text.strip().decode("latin-1"))
    return state if state is None or kind in (b"ifdef", b"elifdef") else not state


_NAME = re.compile(rb"[A-Za-z_]\w*")
_NOT_NAMES = _IS_CONFIG | {b"defined"}


def names_in(text: bytes) -> frozenset[str]:
    """Return the macro names that a condition mentions."""
    return frozenset(n.decode("latin-1") for n in _NAME.findall(text) if n not in _NOT_NAMES)
