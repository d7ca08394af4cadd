"""One configuration of an architecture: some symbols are chosen, the others follow from Kconfig."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import final

from tlblint.names.symbols import Expr, Kconfig, Symbol

_STEPS = 60_000
_DEPTH = 60
_NEST = 100
_RINGS = 4
_NOISE = frozenset(("EXPERT", "COMPILE_TEST", "DEBUG_KERNEL"))
"""Many things can be chosen under these, and no code is written for them."""


class Settings:
    """Values are "y", "n" or text. ``chosen`` says of symbols with a prompt, and of members of choices, whether they are on. ``first``: another
    configuration of the same architecture: what does not hang on any symbol that is chosen otherwise is taken from there."""

    def __init__(self, kconfig: Kconfig, chosen: Mapping[str, bool], first: Settings | None = None) -> None:
        self.kconfig, self.chosen, self.first = kconfig, chosen, first
        self.known: dict[str, str] = {}
        self.bits: dict[str, int] = {} if first is None else first.bits
        self.seen: dict[str, bool] = {}
        self.asked: dict[str, int] = {}
        """For a symbol that is known: all that it was asked of, as bits."""
        self.mask = 0  # the same of the one that is being asked for
        self.other = 0 if first is None else self._bits(name for name in {*chosen, *first.chosen} if chosen.get(name) != first.chosen.get(name))
        self.open: dict[str, int] = {}
        self.lowest = 0  # how far down the stack of open symbols the last answer reached into a circle
        self.steps = 0

    def values(self, names: Iterable[str]) -> tuple[str, ...]:
        """The values of some symbols. Most are what they are in the first configuration."""
        first, value = self.first, self.value
        if first is None:
            return tuple(map(value, names))
        known, asked, other = first.known, first.asked, self.other
        return tuple(known[name] if name in known and not asked[name] & other else value(name) for name in names)

    def value(self, name: str) -> str:
        """The value of a symbol without its prefix; "n" for one that is not there, or cannot be told within bounds."""
        found = self.known.get(name)
        if found is not None:
            self.mask |= self.asked[name]
            return found
        bit = self.bits.get(name)
        if bit is None:
            bit = self.bits[name] = 1 << len(self.bits)
        if name in self.open:
            self.lowest = min(self.lowest, self.open[name])
            self.mask |= bit
            return "n"
        if self.first is not None and name in self.first.known and not self.first.asked[name] & self.other:
            self.known[name], self.asked[name] = self.first.known[name], self.first.asked[name]
            self.mask |= self.asked[name]
            return self.known[name]
        symbol = self.kconfig.symbols.get(name)
        self.steps += 1
        if symbol is None or self.steps > _STEPS or len(self.open) > _NEST:
            self.mask |= bit
            return "n"
        around, level, outer = self.lowest, len(self.open), self.mask
        self.open[name], self.lowest, self.mask = level, level, bit
        value = self._of(symbol)
        del self.open[name]
        asked, self.mask = self.mask, self.mask | outer
        if self.lowest >= level:
            self.known[name], self.asked[name] = value, asked  # else it holds only as long as what it was asked for is not known
            self.lowest = around
        else:
            self.lowest = min(self.lowest, around)
        return value

    def _bits(self, names: Iterable[str]) -> int:
        out = 0
        for name in names:
            out |= self.bits.setdefault(name, 1 << len(self.bits))
        return out

    def _of(self, symbol: Symbol) -> str:
        boolean, name = symbol.boolean, symbol.name
        if boolean:
            for by, condition in self.kconfig.selects.get(name, ()):
                if self.holds(condition) and self.value(by) == "y":
                    return "y"
        if not self.possible(symbol):
            return "n" if boolean else ""
        if boolean and symbol.choice:
            return "y" if self._picked(symbol.choice) == name else "n"
        if boolean and name in self.chosen and self.visible(symbol):
            return "y" if self.chosen[name] else "n"
        for number, value, condition in symbol.defaults:
            if self.holds(condition) and self._all(symbol.depends[number]):
                return ("y" if self.holds(value) else "n") if boolean else self._text(value)
        return "n" if boolean else ""

    def possible(self, symbol: Symbol) -> bool:
        """Whether what a symbol depends on holds."""
        for conditions in symbol.depends:  # loops, here and below: most of a configuration is asked for in them
            if self._all(conditions):
                return True
        return not symbol.depends

    def visible(self, symbol: Symbol) -> bool:
        """Whether a symbol can be chosen."""
        return any(self.holds(condition) and self._all(symbol.depends[number]) for number, condition in symbol.prompts)

    def choosable(self, symbol: Symbol) -> bool:
        """The same, remembered."""
        found = self.seen.get(symbol.name)
        if found is None:
            found = self.seen[symbol.name] = self.visible(symbol)
        return found

    def _all(self, conditions: Iterable[Expr]) -> bool:
        for condition in conditions:  # noqa: SIM110
            if not self.holds(condition):
                return False
        return True

    def _picked(self, group: int) -> str:
        self.mask |= self._bits(self.kconfig.choices[group])
        members = [name for name in self.kconfig.choices[group] if self.possible(self.kconfig.symbols[name])]
        wanted = [name for name in members if self.chosen.get(name)]
        default = [name for name in members if name == self.kconfig.chosen.get(group) and self.chosen.get(name) is not False]
        other = [name for name in members if self.chosen.get(name) is not False]
        return (*wanted, *default, *other, *members, "")[0]

    def _text(self, value: Expr) -> str:
        word = value[0] if value else ""
        return word.strip("\"'") if word[:1] in ("'", '"') or word not in self.kconfig.symbols else self.value(word)

    def holds(self, condition: Expr) -> bool:
        """Whether a condition holds: an empty one does, one that cannot be read does not."""
        if not condition:
            return True
        found = parsed(condition)
        return found is not None and self._true(found)

    def _true(self, node: Node) -> bool:
        word = node.word
        if not word:
            left = self.value(node.left) if node.symbol else self._spelled(node.left)
            return left == "y" or left.startswith("$(")  # what a compiler or a script would be asked counts as yes
        if word == "&&":
            for part in node.parts:  # noqa: SIM110
                if not self._true(part):
                    return False
            return True
        if word == "||":
            return any(self._true(part) for part in node.parts)
        if word == "!":
            return not self._true(node.parts[0])
        return _compared(word, self._spelled(node.left), self._spelled(node.right))

    def _spelled(self, word: str) -> str:
        """The text that a word of an expression stands for."""
        if _is_symbol(word):
            return self.value(word)
        if word[:1] in ("'", '"'):
            return word.strip("\"'").replace("$(ARCH)", self.kconfig.arch).replace("$(SRCARCH)", self.kconfig.arch)
        return {"y": "y", "m": "y", "n": "n"}.get(word, word)


def _is_symbol(word: str) -> bool:
    """Whether a word of an expression is a symbol that has a value, not a value."""
    return word[:1] not in ("'", '"') and word not in ("y", "m", "n") and not word.isdigit() and not word.startswith(("0x", "$("))


def _compared(operator: str, left: str, right: str) -> bool:
    if operator in ("=", "!="):
        return (left == right) == (operator == "=")
    try:
        a, b = int(left, 0), int(right, 0)
    except ValueError:
        return False
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[operator]


@final
class Node:
    """An expression: "||", "&&" and "!" of ``parts``, a comparison of ``left`` and ``right``, or with "" just ``left``, which may be a ``symbol``."""

    __slots__ = ("left", "parts", "right", "symbol", "word")

    def __init__(self, word: str, left: str, right: str, parts: tuple[Node, ...], symbol: bool) -> None:
        self.word = word
        self.left = left
        self.right = right
        self.parts = parts
        self.symbol = symbol


@lru_cache(maxsize=32768)
def parsed(condition: Expr) -> Node | None:
    """The tree of an expression; None for one that cannot be read. There are few, and each configuration asks for them again."""
    reader = _Expression(condition)
    try:
        found = reader.either()
    except _Bad:
        return None
    return found if reader.at == len(condition) else None


def _joined(word: str, parts: list[Node]) -> Node:
    return Node(word, "", "", tuple(parts), False)


class _Bad(Exception):
    """Not an expression."""


class _Expression:
    def __init__(self, words: Expr) -> None:
        self.words, self.at, self.depth = words, 0, 0

    def next(self) -> str:
        if self.at >= len(self.words):
            raise _Bad
        self.at += 1
        return self.words[self.at - 1]

    def took(self, *words: str) -> str:
        if self.at < len(self.words) and self.words[self.at] in words:
            return self.next()
        return ""

    def either(self) -> Node:
        parts = [self.both()]
        while self.took("||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else _joined("||", parts)

    def both(self) -> Node:
        parts = [self.one()]
        while self.took("&&"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else _joined("&&", parts)

    def one(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise _Bad
        word = self.next()
        if word == "!":
            found = _joined("!", [self.one()])
        elif word == "(":
            found = self.either()
            if not self.took(")"):
                raise _Bad
        else:
            operator = self.took("=", "!=", "<", ">", "<=", ">=")
            found = Node(operator, word, self.next() if operator else "", (), _is_symbol(word))
        self.depth -= 1
        return found


def free(settings: Settings, names: Iterable[str], most: int) -> tuple[str, ...]:
    """The symbols that can be chosen and that the values of ``names`` hang on: first those that are named, then what these come from."""
    kconfig, out, seen = settings.kconfig, [], set()
    ring = list(dict.fromkeys(names))
    for _ in range(_RINGS):
        after: list[str] = []
        for name in ring:
            symbol = kconfig.symbols.get(name)
            if symbol is None or name in seen:
                continue
            seen.add(name)
            if symbol.boolean and settings.choosable(symbol):
                out += [name] * (name not in _NOISE)
            else:
                after += [word for word in _behind(kconfig, symbol) if word in kconfig.symbols]
        ring = list(dict.fromkeys(after))
    return tuple(out[:most])


def _behind(kconfig: Kconfig, symbol: Symbol) -> list[str]:
    words = [word for some in symbol.depends for condition in some for word in condition]
    words += [word for _, value, condition in symbol.defaults for word in (*value, *condition)]
    return words + [word for by, condition in kconfig.selects.get(symbol.name, ())[:12] for word in (by, *condition)]
