"""Answers that hold in more than one world.

Worlds differ in the states of rules that count in them, and each root's budget is its own. What a function does hangs only on those states that
an event on the way begins or moves: where they are the same, so is the answer. An answer that met a bound, or cut a ring of calls short, hangs on
the way to it and is not shared; nor is one taken over where working it out would have met a bound. So nothing that is found depends on what was
worked out before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tlblint.engine.automata import Place
from tlblint.engine.summary import Summary
from tlblint.engine.world import MAX_CONTEXTS, MAX_DEPTH, World

Key = tuple[Any, ...]


class Known(NamedTuple):
    """An answer where the states of ``only`` count."""

    only: frozenset[Place]
    summary: Summary


class Shared:
    """The answers of the worlds of one program, and of those before it that still hold."""

    def __init__(self) -> None:
        self._known: dict[int, dict[Key, list[Known]]] = {}
        """By function."""

    def put(self, world: World, summary: Summary) -> None:
        """Offer an answer to other worlds."""
        only = world.automata.only
        if summary.clean and only is not None:
            self._known.setdefault(summary.key[0], {}).setdefault(summary.key, []).append(Known(only, summary))

    def forget(self, index: int) -> dict[Key, list[Known]]:
        """The answers of a function, which are no longer offered."""
        return self._known.pop(index, {})

    def recall(self, index: int, known: dict[Key, list[Known]]) -> None:
        """Offer again what was forgotten."""
        self._known[index] = known

    def take(self, world: World, key: Key) -> Summary | None:
        """The answer to ``key``, if another world has it; it and all it was made from go into the world's table."""
        only = world.automata.only
        offered = self._known.get(key[0], {}).get(key, ())
        found = next((known.summary for known in offered if only is not None and _same(world, known, only)), None)
        if found is None:
            return None
        new: dict[Key, Summary] = {}
        if not _missing(found, world, new) or not _affords(world, found, new):
            return None
        for summary in new.values():
            index = summary.key[0]
            world.budget -= summary.cost
            world.contexts[index] = world.contexts.get(index, 0) + 1
            world.visited.add(index)
            world.table[summary.key] = summary
        return found


def _same(world: World, known: Known, only: frozenset[Place]) -> bool:
    """Whether of the states that matter to an answer the same count."""
    asked = world.automata.asked(known.summary.kinds, known.summary.met)
    return known.only is only or asked & only == asked & known.only


def _missing(summary: Summary, world: World, new: dict[Key, Summary]) -> bool:
    """Gather in ``new`` what the world has no answer to yet, in the order in which it would be worked out. False where it has one that was
    made under bounds."""
    held = world.table.get(summary.key)
    if held is not None:
        return held.clean
    if summary.key not in new:
        for below in summary.below:
            if not _missing(below, world, new):
                return False
        new[summary.key] = summary
    return True


def _affords(world: World, found: Summary, new: dict[Key, Summary]) -> bool:
    """Whether working all that out would have met no bound: neither of the budget, nor in the number of entry states, nor a ring of calls."""
    if len(world.stack) + found.height > MAX_DEPTH or world.budget < sum(summary.cost for summary in new.values()):
        return False
    counts: dict[int, int] = {}
    for summary in new.values():
        index = summary.key[0]
        counts[index] = counts.get(index, 0) + 1
    return counts.keys().isdisjoint(world.stack) and all(world.contexts.get(index, 0) + count <= MAX_CONTEXTS for index, count in counts.items())
