"""Truth tables of many variables as reduced ordered decision diagrams: equal tables are one number, and small ones stay small.

A table is a number: 0 holds nowhere, 1 everywhere, and ``table ^ 1`` is the negation of any. A node is asked for one variable; its first branch is
never a negated one, which makes the form canonical.
"""

from __future__ import annotations

from tlblint.predicates.errors import Inconclusive

MOST_WORK = 100_000
"""Pairs of nodes that are combined in one way: a third of a second and 70 MB. A predicate of real headers takes a few thousand."""


class Diagrams:
    """All tables of one run over ``n`` variables. Those with close numbers are asked for close to each other."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._variable = [n]
        self._no = [0]
        self._yes = [0]
        self._known: dict[tuple[int, int, int], int] = {}
        self._ands: dict[tuple[int, int], int] = {}
        self._xors: dict[tuple[int, int], int] = {}
        self._counts: dict[int, int] = {0: 0}

    def node(self, variable: int, no: int, yes: int) -> int:
        """What is ``yes`` where the variable holds, else ``no``; both are of higher variables."""
        if no == yes:
            return no
        negated = no & 1
        key = (variable, no ^ negated, yes ^ negated)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = 2 * len(self._no)
            self._variable.append(variable)
            self._no.append(key[1])
            self._yes.append(key[2])
        return found ^ negated

    def both(self, a: int, b: int) -> int:
        """Conjunction. Raises Inconclusive where it takes too much work."""
        if a < 2 or b < 2:
            return 0 if not a or not b else b if a == 1 else a
        if a >> 1 == b >> 1:
            return a if a == b else 0
        key = (a, b) if a < b else (b, a)
        found = self._ands.get(key)
        if found is None:
            if len(self._ands) > MOST_WORK:
                raise Inconclusive("too much work on symbolic numbers")
            i, j = a >> 1, b >> 1
            first, second = self._variable[i], self._variable[j]
            no, yes = (self._no[i] ^ a & 1, self._yes[i] ^ a & 1) if first <= second else (a, a)
            no, yes = (self.both(no, self._no[j] ^ b & 1), self.both(yes, self._yes[j] ^ b & 1)) if second <= first else (self.both(no, b), self.both(yes, b))
            found = self._ands[key] = self.node(min(first, second), no, yes)
        return found

    def differ(self, a: int, b: int) -> int:
        """Exclusive or. Raises Inconclusive where it takes too much work."""
        negated, a, b = (a ^ b) & 1, a & ~1, b & ~1
        if not a or not b or a == b:
            return (a ^ b) ^ negated  # one of them is nothing, or both are the same
        key = (a, b) if a < b else (b, a)
        found = self._xors.get(key)
        if found is None:
            if len(self._xors) > MOST_WORK:
                raise Inconclusive("too much work on symbolic numbers")
            i, j = a >> 1, b >> 1
            first, second = self._variable[i], self._variable[j]
            no, yes = (self._no[i], self._yes[i]) if first <= second else (a, a)
            no, yes = (self.differ(no, self._no[j]), self.differ(yes, self._yes[j])) if second <= first else (self.differ(no, b), self.differ(yes, b))
            found = self._xors[key] = self.node(min(first, second), no, yes)
        return found ^ negated

    def count(self, table: int) -> int:
        """Of all assignments those under which a table holds."""
        return self._count(table) << self._variable[table >> 1]

    def _count(self, table: int) -> int:
        """The same, of assignments of a table's first variable and all behind it."""
        index = table >> 1
        found = self._counts.get(index)
        if found is None:
            variable = self._variable[index]
            branches = (self._no[index], self._yes[index])
            found = sum(self._count(branch) << self._variable[branch >> 1] - variable - 1 for branch in branches)
            self._counts[index] = found
        return (1 << self.n - self._variable[index]) - found if table & 1 else found
