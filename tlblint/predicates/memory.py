"""Values that are not numbers, and a memory of places that come into being when they are looked at."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.words import Space, Word

Place = tuple[str | int, ...]
"""("arg", "mm", "tlb_flush_pending"): an object and the members that lead into it."""
MOST_PLACES = 20_000


class Pointer(msgspec.Struct, frozen=True):
    """The address of a place."""

    place: Place


class Struct(msgspec.Struct, frozen=True):
    """A struct by value: what stood at a place."""

    place: Place


class Cell(msgspec.Struct, frozen=True):
    """A place nobody has written: a number, a pointer or a struct, whichever is asked for."""

    place: Place


class Nothing(msgspec.Struct, frozen=True):
    """The value of a void expression."""


Value = Word | Pointer | Struct | Cell | Nothing
NOTHING = Nothing()


def moved(place: Place, by: int) -> Place:
    """The place ``by`` elements further in an array; a plain place counts as element 0."""
    if place and isinstance(place[-1], int):
        return (*place[:-1], place[-1] + by)
    return place if not by else (*place, by)


def said(place: Place) -> str:
    """``mm->tlb_flush_pending`` for people."""
    parts = [str(p) if isinstance(p, str) else f"[{p}]" for p in place[1:] if p != "*"]
    return "->".join(parts[:2]) + "".join(p if p[0] == "[" else f".{p}" for p in parts[2:]) if parts else str(place[0])


class Memory:
    """Places and what is in them. ``start`` gives the number in a place that is read before it is written."""

    def __init__(self, space: Space, start: Callable[[Place], Word]) -> None:
        self.space = space
        self.start = start
        self.held: dict[Place, Value] = {}
        self.known: set[Place] = set()

    def read(self, place: Place) -> Value:
        """What is in a place: a Cell when nothing was written there."""
        found = self.held.get(place)
        if found is not None:
            return found
        outer = self.held.get(place[:-1]) if len(place) > 2 else None
        if isinstance(outer, Word):  # the one member of a type that wraps a number
            return outer
        if (*place, "*") in self.known:  # followed as an address before
            return Pointer((*place, "*"))
        return Struct(place) if place in self.known else Cell(place)

    def write(self, place: Place, value: Value, mask: int) -> None:
        """Put a value there on the paths of ``mask``. Raises Inconclusive where two paths leave different addresses."""
        if len(self.held) > MOST_PLACES:
            raise Inconclusive("too many places in memory")
        if len(place) > 2 and isinstance(self.held.get(place[:-1]), Word):
            place = place[:-1]
        if isinstance(value, Cell):
            value = self.read(value.place)
        if isinstance(value, Struct | Cell):
            self._copy(place, value)
            return
        old = self.held.get(place)
        if mask != self.space.full and old != value and isinstance(value, Word):
            if old is None and place[0] != "local":
                old = self.start(place)
            if isinstance(old, Word):
                value = self.space.cast(self.space.merge(mask, value, old), old.width, old.signed)
        elif mask != self.space.full and old is not None and old != value:
            raise Inconclusive("an address that depends on the entry")
        self.held[place] = value
        for n in range(1, len(place)):
            self.known.add(place[:n])

    def forget(self, frame: int) -> None:
        """Drop the local variables of a call that is over."""
        for place in [p for p in self.held if p[0] == "local" and p[1] == frame]:
            del self.held[place]

    def _copy(self, place: Place, value: Struct | Cell) -> None:
        size = len(value.place)
        inside = [(p, v) for p, v in self.held.items() if p[:size] == value.place and p != value.place]
        for p, v in inside:
            self.held[place + p[size:]] = v
        if isinstance(value, Cell) and not inside:
            self.held[place] = value
        self.known.update(place[:n] for n in range(1, len(place) + bool(inside)))

    def number(self, value: Value) -> Word:
        """A value as a number; a place nobody wrote gets its start value now."""
        if isinstance(value, Word):
            return value
        if isinstance(value, Cell):
            if (*value.place, "*") in self.known:
                return self.number(Pointer((*value.place, "*")))
            word = self.start(value.place)
            self.held.setdefault(value.place, word)
            return word
        if isinstance(value, Pointer) or (isinstance(value, Struct) and not self.space.n):  # an array is the address of its first element
            return self.space.constant(_address(value.place), 64, False)
        raise Inconclusive("a struct or nothing used as a number")

    def target(self, value: Value) -> Place:
        """The place that an address points to. Raises Inconclusive for null."""
        if isinstance(value, Pointer):
            return value.place
        if isinstance(value, Cell):
            return (*value.place, "*")
        if isinstance(value, Struct):
            return (*value.place, 0)
        if isinstance(value, Word) and value.value:
            return ("at", value.value)
        raise Inconclusive("a null pointer is followed" if isinstance(value, Word) and value.value == 0 else "an address that depends on the entry")


def _address(place: Place) -> int:
    """A number for an address: the same for the same place, far from null, aligned."""
    total = 0xCBF29CE484222325
    for part in place:
        for char in str(part):
            total = (total ^ ord(char)) * 0x100000001B3 & (1 << 64) - 1
    return 0xFFFF_8000_0000_0000 | (total & 0x3FFF_FFFF_F000)
