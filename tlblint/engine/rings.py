"""Functions in the order in which their callees come first, those that call each other in a ring together (Tarjan 1972)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence


def rings(start: int, callees: Callable[[int], Sequence[int]], known: Container[int]) -> Iterator[list[int]]:
    """``start`` and all below it that is not in ``known``, callees first, however long the chain is. A ring comes in one list, in an
    order that does not depend on ``start``. Each list has to be in ``known`` before the next is asked for."""
    if start in known:
        return
    low = {start: 0}
    path = [start]
    stack = [(start, 0, iter(callees(start)))]
    while stack:
        at, number, rest = stack[-1]
        for callee in rest:
            if callee in known:
                continue
            if callee not in low:
                low[callee] = len(low)
                path.append(callee)
                stack.append((callee, low[callee], iter(callees(callee))))
                break
            low[at] = min(low[at], low[callee])
        else:
            stack.pop()
            if stack:
                above = stack[-1][0]
                low[above] = min(low[above], low[at])
            if low[at] == number:
                ring = path[path.index(at) :]
                del path[len(path) - len(ring) :]
                yield ring if len(ring) == 1 else _inside(set(ring), callees)


def _inside(ring: set[int], callees: Callable[[int], Sequence[int]]) -> list[int]:
    """The members of a ring, callees first as seen from the one with the smallest number."""
    order: list[int] = []
    entered = {min(ring)}
    stack = [(min(ring), iter(callees(min(ring))))]
    while stack:
        at, rest = stack[-1]
        callee = next((c for c in rest if c in ring and c not in entered), None)
        if callee is None:
            order.append(at)
            stack.pop()
        else:
            entered.add(callee)
            stack.append((callee, iter(callees(callee))))
    return order
