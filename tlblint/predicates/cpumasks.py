"""CPU masks of which one bit is modelled, as a variable that is 0 or 1: what tests, changes and searches of a mask do to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tree_sitter import Node

from tlblint.predicates import expressions as ex
from tlblint.predicates.memory import NOTHING, Pointer, Value

if TYPE_CHECKING:
    from tlblint.predicates.thread import Shared, Thread

NAMES = frozenset(
    (
        "cpumask_test_cpu", "cpumask_set_cpu", "cpumask_clear_cpu", "__cpumask_set_cpu", "__cpumask_clear_cpu", "cpumask_test_and_clear_cpu",
        "cpumask_test_and_set_cpu", "cpumask_any_but", "cpumask_intersects", "cpumask_empty", "cpumask_or", "cpumask_atomic_or", "cpumask_clear",
    )
)  # fmt: skip


def call(m: Thread, name: str, arguments: Sequence[Node], mask: int) -> Value | None:
    """The value of a call that is about a shared mask; None when it is about none."""
    if name not in NAMES:
        return None
    places = [ex.value(m, argument, mask) for argument in arguments]
    masks = [m.word(value.place) if isinstance(value, Pointer) else None for value in places]
    found = next((word for word in masks if word is not None and word.mask is not None), None)
    if found is None:
        return None
    if name in ("cpumask_or", "cpumask_atomic_or"):
        return _joined(m, masks)
    if name == "cpumask_intersects":
        return m.space.constant(int(all(word is not None and m.access(word, "read") for word in masks)))
    if name in ("cpumask_empty", "cpumask_clear"):
        return _whole(m, name, found)
    cpu = next(m.memory.number(value).number for value, word in zip(places, masks, strict=True) if word is None)
    if name == "cpumask_any_but":
        there = cpu != found.mask and m.access(found, "read")
        return m.space.constant(int(found.mask or 0) if there else m.many)
    return _bit(m, name, found, cpu == found.mask)


def _joined(m: Thread, masks: Sequence[Shared | None]) -> Value:
    into = masks[0]
    others = [word for word in masks[1:] if word is not None and word is not into]
    if into is not None and any(m.access(word, "read") for word in others):
        m.access(into, "set", (1,))
    return NOTHING


def _whole(m: Thread, name: str, word: Shared) -> Value:
    if name == "cpumask_empty":
        return m.space.constant(int(not m.access(word, "read")))
    m.access(word, "set", (0,))
    return NOTHING


def _bit(m: Thread, name: str, word: Shared, modelled: bool) -> Value:
    if not modelled:
        return m.space.constant(0)
    if "test_and" in name:
        return m.space.constant(m.access(word, "xchg", (int("set" in name),)))
    if "test" in name:
        return m.space.constant(m.access(word, "read"))
    m.access(word, "set", (int("set" in name),))
    return NOTHING
