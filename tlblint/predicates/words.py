"""C integers whose bits are truth tables over a few symbolic bits: one execution covers every assignment of them.

Tables are those of predicates.diagrams. Without symbolic bits there is one assignment, and a word is an ordinary number.
"""

from __future__ import annotations

import msgspec

from tlblint.predicates.diagrams import Diagrams
from tlblint.predicates.errors import Inconclusive

MOST_BITS = 24


class Word(msgspec.Struct, frozen=True):
    """``width`` bits, lowest first. ``value`` is the number when no bit is symbolic (never negative), then ``bits`` is empty."""

    width: int
    signed: bool
    value: int | None
    bits: tuple[int, ...] = ()

    @property
    def number(self) -> int:
        """The C value of a word without symbolic bits. Raises Inconclusive."""
        if self.value is None:
            raise Inconclusive("a number that depends on the entry")
        return self.value - (1 << self.width) if self.signed and self.value >> (self.width - 1) else self.value


class Space:
    """Operations on words over ``n`` symbolic bits."""

    def __init__(self, n: int = 0) -> None:
        if n > MOST_BITS:
            raise Inconclusive(f"{n} symbolic bits")
        self.n = n
        self.full = 1
        self.diagrams = Diagrams(n)
        self.and_ = self.diagrams.both
        self.xor = self.diagrams.differ
        self.count = self.diagrams.count

    def variable(self, index: int) -> int:
        """The truth table of symbolic bit ``index``. Bits that are held against each other are best numbered one after the other."""
        return self.diagrams.node(index, 0, 1)

    def or_(self, a: int, b: int) -> int:
        """Disjunction of truth tables."""
        return self.and_(a ^ 1, b ^ 1) ^ 1

    def not_(self, a: int) -> int:
        """Negation of a truth table."""
        return a ^ 1

    def choose(self, mask: int, yes: int, no: int) -> int:
        """``yes`` where ``mask`` holds, else ``no``."""
        if yes == no:
            return yes
        return self.or_(self.and_(mask, yes), self.and_(self.not_(mask), no))

    # words

    def constant(self, value: int, width: int = 32, signed: bool = True) -> Word:
        """A word of a number, cut to ``width``."""
        return Word(width, signed, value & (1 << width) - 1)

    def of_bits(self, bits: list[int], signed: bool) -> Word:
        """A word of truth tables; an ordinary number when none is symbolic."""
        full, value = self.full, 0
        for index, bit in enumerate(bits):
            if bit == full:
                value |= 1 << index
            elif bit:
                return Word(len(bits), signed, None, tuple(bits))
        return Word(len(bits), signed, value)

    def tables(self, word: Word) -> tuple[int, ...]:
        """The bits of a word as truth tables."""
        if word.value is None:
            return word.bits
        return tuple(self.full if word.value >> i & 1 else 0 for i in range(word.width))

    def flag(self, table: int) -> Word:
        """The int 1 where ``table`` holds, else 0."""
        if table == 0 or table == self.full:
            return Word(32, True, int(table != 0))
        return Word(32, True, None, (table,) + (0,) * 31)

    def truth(self, word: Word) -> int:
        """The truth table of "not zero"."""
        if word.value is not None:
            return self.full if word.value else 0
        table = 0
        for bit in word.bits:
            table = self.or_(table, bit)
        return table

    def cast(self, word: Word, width: int, signed: bool) -> Word:
        """The word as another integer type."""
        if word.value is not None:
            return Word(width, signed, word.number & (1 << width) - 1)
        fill = word.bits[-1] if word.signed else 0
        bits = list(word.bits[:width]) + [fill] * (width - word.width)
        return self.of_bits(bits, signed)

    def promoted(self, word: Word) -> Word:
        """After integer promotion: at least an int."""
        return word if word.width >= 32 else self.cast(word, 32, True)

    def common(self, a: Word, b: Word) -> tuple[Word, Word]:
        """Both operands after the usual arithmetic conversions."""
        a, b = self.promoted(a), self.promoted(b)
        width = max(a.width, b.width)
        signed = all(w.signed or w.width < width for w in (a, b))
        return self.cast(a, width, signed), self.cast(b, width, signed)

    def merge(self, mask: int, yes: Word, no: Word) -> Word:
        """``yes`` where ``mask`` holds, else ``no``; in the wider type of the two."""
        if mask == self.full or yes == no:
            return yes
        if yes.width != no.width or yes.signed != no.signed:
            yes, no = self.common(yes, no)
        bits = [self.choose(mask, y, n) for y, n in zip(self.tables(yes), self.tables(no), strict=True)]
        return self.of_bits(bits, yes.signed)

    def complement(self, word: Word) -> Word:
        """``~word``."""
        word = self.promoted(word)
        if word.value is not None:
            return Word(word.width, word.signed, word.value ^ (1 << word.width) - 1)
        return self.of_bits([self.not_(b) for b in word.bits], word.signed)

    def negative(self, word: Word) -> Word:
        """``-word``."""
        word = self.promoted(word)
        return self.binary("-", self.constant(0, word.width, word.signed), word)

    def binary(self, operator: str, a: Word, b: Word) -> Word:
        """The value of ``a operator b`` in C (not ``&&`` and ``||``). Raises Inconclusive for what has no bit-wise form."""
        if operator in ("<<", ">>"):
            return self._shift(operator, self.promoted(a), self.promoted(b))
        a, b = self.common(a, b)
        if a.value is not None and b.value is not None:
            return self._numbers(operator, a, b)
        if operator in _BITWISE:
            operation = {"&": self.and_, "|": self.or_, "^": self.xor}[operator]
            return self.of_bits([operation(x, y) for x, y in zip(self.tables(a), self.tables(b), strict=True)], a.signed)
        if operator in ("==", "!="):
            differ = 0
            for x, y in zip(self.tables(a), self.tables(b), strict=True):
                differ = self.or_(differ, self.xor(x, y))
            return self.flag(differ if operator == "!=" else self.not_(differ))
        if operator in ("<", ">", "<=", ">="):
            swap = operator in (">", "<=")
            less = self._less(*((b, a) if swap else (a, b)))
            return self.flag(less if operator in ("<", ">") else self.not_(less))
        return self._arithmetic(operator, a, b)

    def _numbers(self, operator: str, a: Word, b: Word) -> Word:
        x, y = a.number, b.number
        if operator in ("==", "!=", "<", ">", "<=", ">="):
            return Word(32, True, int({"==": x == y, "!=": x != y, "<": x < y, ">": x > y, "<=": x <= y, ">=": x >= y}[operator]))
        if operator in ("/", "%"):
            if not y:
                raise Inconclusive("a division by zero")
            quotient = abs(x) // abs(y) * (-1 if (x < 0) != (y < 0) else 1)
            value = quotient if operator == "/" else x - quotient * y
        else:
            value = {"+": x + y, "-": x - y, "*": x * y, "&": x & y, "|": x | y, "^": x ^ y}[operator]
        return self.constant(value, a.width, a.signed)

    def _less(self, a: Word, b: Word) -> int:
        less = 0
        rows = list(zip(self.tables(a), self.tables(b), strict=True))
        for index, (x, y) in enumerate(rows):
            if a.signed and index == len(rows) - 1:
                x, y = y, x
            differ = self.xor(x, y)
            less = self.choose(differ, y, less)
        return less

    def _arithmetic(self, operator: str, a: Word, b: Word) -> Word:
        if operator in ("+", "-"):
            carry = 0 if operator == "+" else self.full
            bits = []
            for x, y in zip(self.tables(a), self.tables(b), strict=True):
                y = y if operator == "+" else self.not_(y)
                half = self.xor(x, y)
                bits.append(self.xor(half, carry))
                carry = self.or_(self.and_(x, y), self.and_(half, carry))
            return self.of_bits(bits, a.signed)
        constant, other = (a, b) if a.value is not None else (b, a)
        if operator == "*" and constant.value is not None and bin(constant.value).count("1") <= 8:
            total = self.constant(0, a.width, a.signed)
            for index in range(a.width):
                if constant.value >> index & 1:
                    total = self._arithmetic("+", total, self._shift("<<", other, self.constant(index)))
            return total
        if operator in ("/", "%") and b.value and not b.value & (b.value - 1) and not a.signed:
            if operator == "%":
                return self.binary("&", a, self.constant(b.value - 1, a.width, False))
            return self._shift(">>", a, self.constant(b.value.bit_length() - 1))
        raise Inconclusive(f"{operator} of symbolic numbers")

    def _shift(self, operator: str, a: Word, by: Word) -> Word:
        if by.value is not None:
            n = by.number
            if not 0 <= n < a.width:
                raise Inconclusive(f"a shift by {n} of {a.width} bits")
            if a.value is not None:
                return self.constant(a.value << n if operator == "<<" else a.number >> n, a.width, a.signed)
            fill = a.bits[-1] if a.signed else 0
            bits = [0] * n + list(a.bits[: a.width - n]) if operator == "<<" else list(a.bits[n:]) + [fill] * n
            return self.of_bits(bits, a.signed)
        for index in range((a.width - 1).bit_length()):
            moved = self._shift(operator, a, self.constant(1 << index))
            a = self.merge(self.tables(by)[index], moved, a)
        return a


_BITWISE = frozenset("&|^")
