"""What goes to a process together: roots that call the same functions, so that these are compiled and judged in one process only.

That is a matter of time alone: what a root's judging finds does not depend on what was judged before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

KIN = 0.5
"""The part of what an item leads to that others must lead to as well for it to go with them."""


def together(items: Sequence[Item], below: Callable[[Item], set[int]], weights: Sequence[int], parts: int) -> list[list[Item]]:
    """All items in groups, for ``parts`` processes: the heaviest first, so that none ends late. ``below``: the functions that an item leads to;
    ``weights``: what each function weighs. No group weighs more than one part of the whole, unless one item does.
    """
    if parts < 2:
        return [[item] for item in items]
    reached = [below(item) for item in items]
    loads = [sum([weights[index] for index in found]) for found in reached]
    most = sum(loads) / parts
    groups: list[list[int]] = []
    heavy: list[int] = []
    where: dict[int, list[int]] = {}
    for at in sorted(range(len(items)), key=loads.__getitem__, reverse=True):
        group = _kin(reached[at], loads, at, where, weights, heavy, most)
        if group == len(groups):
            groups.append([])
            heavy.append(0)
        groups[group].append(at)
        heavy[group] += loads[at]
        for index in reached[at]:
            held = where.setdefault(index, [])
            if group not in held:
                held.append(group)
    order = sorted(range(len(groups)), key=heavy.__getitem__, reverse=True)
    return [[items[at] for at in sorted(groups[group])] for group in order]


def _kin(found: set[int], loads: Sequence[int], at: int, where: dict[int, list[int]], weights: Sequence[int], heavy: Sequence[int], most: float) -> int:
    """The group that leads to most of what an item leads to; a new one if none leads to enough of it."""
    shared: dict[int, int] = {}
    for index in found:
        for group in where.get(index, ()):
            shared[group] = shared.get(group, 0) + weights[index]
    fitting = [(weight, -group) for group, weight in shared.items() if heavy[group] + loads[at] <= most and weight >= KIN * loads[at]]
    return -max(fitting)[1] if fitting else len(heavy)
