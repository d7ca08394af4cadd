"""How data files name what is in memory: ``tlb.mm`` is a member of an argument, ``:nr_cpu_ids`` a global, ``@current`` the task under way."""

from __future__ import annotations

from tlblint.predicates.memory import Place, Pointer, Value
from tlblint.predicates.words import Space


def place(spelled: str) -> Place:
    """The place that a data file means."""
    kind = {":": "global", "@": "object"}.get(spelled[0], "arg")
    return (kind, *spelled.lstrip(":@").split("."))


def given(space: Space, value: int | str) -> Value:
    """A number, or the address of what follows a ``&``."""
    return space.constant(value, 64, True) if isinstance(value, int) else Pointer(place(value.removeprefix("&")))


def spelled(at: Place) -> tuple[str, ...]:
    """The names that lead to a place: elements and followed addresses left out."""
    return tuple(part for part in at[1:] if isinstance(part, str) and part != "*")


def ends(at: Place, wanted: tuple[str, ...]) -> bool:
    """Whether the names that lead to a place end with ``wanted``."""
    names = spelled(at)
    return names[-len(wanted) :] == wanted
