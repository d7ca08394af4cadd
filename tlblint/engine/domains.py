"""Variables that hold one of a few numbers whatever way control takes: states of an enumeration, counts up to two.

What the variable is at a join is lost, but not that it is one of those; so the higher of it and the highest state is the highest state.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from tlblint.model.ir import Expr, Function

_MANY = 8
"""So many numbers are no states any more."""
_TESTS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
"""The same comparison with its sides exchanged."""
_BOUNDS = {"<?": min, ">?": max}

Domains = Mapping[str, frozenset[int]]


def domains(fn: Function, stores: Mapping[str, list[Expr]]) -> Domains:
    """By local variable the numbers that it can hold, for those that are only ever set to known ones. ``stores``: all that is stored to each."""
    conds = [block.cond for block in fn.blocks if block.cond is not None and block.cond[0] == "op" and block.cond[1] in _TESTS]
    asked = {side[1] for cond in conds for side in cond[2:] if side[0] == "v"}
    asked |= {name for name, exprs in stores.items() if any(expr[0] == "op" and expr[1] in _BOUNDS for expr in exprs)}
    known: dict[str, frozenset[int]] = {}
    open_ = _closed(asked & stores.keys(), stores) - {name for name, _ in fn.params} - _elsewhere(fn)
    for _ in range(len(open_) + 1):
        known = {name: frozenset() for name in open_}
        if not _settle(known, stores):
            break
        wrong = {name for name in open_ if len(known[name]) > _MANY or any(_numbers(expr, known) is None for expr in stores[name])}
        if not wrong:
            return {name: held for name, held in known.items() if len(held) > 1}
        open_ -= wrong
    return {}


def possible(expr: Expr, known: Domains, held: object) -> frozenset[int] | None:
    """The numbers that an expression can have. ``held``: what is known of its value on the path."""
    if type(held) is int:
        return frozenset((held,))
    if type(held) is tuple and held[0] == "of":
        return frozenset(held[1:])
    return known.get(expr[1]) if expr[0] == "v" else None


def left(cond: Expr, outcome: bool, known: Domains, held: object) -> tuple[str, frozenset[int]] | None:
    """The variable that a comparison with a number is about, and what it can still hold once the answer is ``outcome``; None where that is
    not such a comparison. ``held``: as for possible()."""
    if cond[0] != "op" or cond[1] not in _TESTS:
        return None
    test, var, number = (cond[1], *cond[2:]) if cond[2][0] == "v" else (SWAPPED[cond[1]], cond[3], cond[2])
    wanted = number[1] if number[0] == "n" else number[2] if number[0] == "k" and len(number) > 2 else None
    if var[0] != "v" or var[1] not in known or wanted is None:
        return None
    now = possible(var, known, held) or known[var[1]]
    return var[1], frozenset(n for n in now if _TESTS[test](n, wanted) == outcome)


def _closed(names: set[str], stores: Mapping[str, list[Expr]]) -> set[str]:
    """``names`` and the variables that are stored to them."""
    work = list(names)
    while work:
        for expr in stores.get(work.pop(), ()):
            for part in (expr, *(part for part in expr[2:] if expr[0] == "op")):
                if part[0] == "v" and part[1] in stores and part[1] not in names:
                    names.add(part[1])
                    work.append(part[1])
    return names


def _elsewhere(fn: Function) -> set[str]:
    """What may be written in another way than by a store to its name."""
    out: set[str] = set()
    for block in fn.blocks:
        for instr in block.instrs:
            if instr[0] == "havoc":
                out.add(instr[1])
            elif instr[0] in ("call", "icall"):
                out.update(arg[1] for arg in instr[3] if arg[0] == "&")
            elif instr[0] == "set" and instr[2][0] == "&":
                out.add(instr[2][1])
            if instr[0] == "set" and (instr[1][0] == "*" or "->" in instr[1] or "." in instr[1] or "[" in instr[1]):
                out.add(instr[1])
    return out


def _settle(known: dict[str, frozenset[int]], stores: Mapping[str, list[Expr]]) -> bool:
    """Let numbers flow along assignments until nothing changes. False if there is nothing to follow."""
    grew = bool(known)
    while grew:
        grew = False
        for name, held in known.items():
            new = held.union(*(_numbers(expr, known) or frozenset() for expr in stores[name]))
            if len(new) > len(held) and len(held) <= _MANY:
                known[name] = new
                grew = True
    return bool(known)


def _numbers(expr: Expr, known: Domains) -> frozenset[int] | None:
    if expr[0] == "n":
        return frozenset((expr[1],))
    if expr[0] == "k" and len(expr) > 2:
        return frozenset((expr[2],))
    if expr[0] == "op" and expr[1] in _BOUNDS:
        one, other = _numbers(expr[2], known), _numbers(expr[3], known)
        return None if one is None or other is None else frozenset(_BOUNDS[expr[1]](a, b) for a in one for b in other)
    return known.get(expr[1]) if expr[0] == "v" else None
