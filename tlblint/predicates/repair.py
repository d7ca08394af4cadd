"""A small edit that makes a predicate say less, or more, and is right: searched among guards of one or two bits, checked on all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tlblint.predicates import formula
from tlblint.predicates.profile import Bit, Oracle
from tlblint.predicates.truth import Table
from tlblint.predicates.words import Space


class Edit(msgspec.Struct, frozen=True):
    """``code`` is a guard for the top of the predicate. ``spared``: redundant flushes it saves; ``mended``: flushes it adds."""

    code: tuple[str, ...]
    words: tuple[str, ...]
    spared: int
    mended: int = 0


class _Guard(msgspec.Struct, frozen=True):
    words: str
    code: str
    table: int


class _Needs(msgspec.Struct, frozen=True):
    """A table with what is needed."""

    space: Space
    bits: tuple[Bit, ...]
    tables: Mapping[str, int]
    needed: int


def narrower(table: Table, oracles: Sequence[Oracle], names: tuple[str, str] = ("oldpte", "newpte"), most: int = 3) -> Edit | None:
    """Guards returning false that keep every flush that any of ``oracles`` needs; None when none saves anything."""
    space = table.space
    needed = 0
    for oracle in oracles:
        needed = space.or_(needed, formula.evaluate(oracle.needed, space, table.tables))
    result, chosen = table.result, []
    guards = [g for g in _guards(_Needs(space, table.bits, table.tables, needed), names) if not space.and_(space.and_(g.table, needed), table.result)]
    worth = [space.count(table.result)] * len(guards)  # at most; what is taken from the result makes no guard worth more
    for _ in range(most):
        best = _best(space, result, guards, worth)
        if best is None:
            break
        chosen.append(best)
        result = space.and_(result, space.not_(best.table))
    if not chosen:
        return None
    spared = space.count(table.result) - space.count(result)
    return Edit(tuple(f"if ({g.code}) return false;" for g in chosen), tuple(g.words for g in chosen), spared)


def _best(space: Space, result: int, guards: Sequence[_Guard], worth: list[int]) -> _Guard | None:
    """The guard that saves most of ``result``, the first of several; None when none saves any. ``worth``: what each may save, kept up to date."""
    most, best = 0, None
    for index, guard in enumerate(guards):
        if worth[index] > most:
            worth[index] = space.count(space.and_(result, guard.table))
            if worth[index] > most:
                most, best = worth[index], guard
    return best


def wider(table: Table, oracle: Oracle, names: tuple[str, str] = ("oldpte", "newpte"), most: int = 4) -> Edit | None:
    """Guards returning true that add the flushes that are missed, and as few others as can be; None when they cannot."""
    space = table.space
    needed = formula.evaluate(oracle.needed, space, table.tables)
    result, chosen = table.result, []
    guards = list(_guards(_Needs(space, table.bits, table.tables, needed), names))
    for _ in range(most):
        missed = space.and_(needed, space.not_(result))
        if not missed:
            break

        def worth(guard: _Guard, missed: int = missed, result: int = result) -> tuple[int, int]:
            added = space.and_(guard.table, space.not_(result))
            count = space.count(added)
            return space.count(space.and_(added, missed)) * 2 - count, -count

        best = max((g for g in guards if space.and_(g.table, missed)), key=worth, default=None)
        if best is None:
            return None
        chosen.append(best)
        result = space.or_(result, best.table)
    if space.and_(needed, space.not_(result)):
        return None
    mended = space.count(result) - space.count(table.result)
    return Edit(tuple(f"if ({g.code}) return true;" for g in chosen), tuple(g.words for g in chosen), 0, mended)


def _guards(table: _Needs, names: tuple[str, str]) -> Iterator[_Guard]:
    """Conditions on a bit: old entry without it; it is the only change; it changes one way, alone or whatever else changes."""
    space, (old, new) = table.space, names
    kind = "pmd" if "pmd" in old else "pte"
    present = table.bits[0]
    alive = table.tables[f"old.{present.name}"]
    yield _Guard(f"{present.name} clear in the old entry", f"!({kind}_val({old}) & {present.c})", space.not_(alive))
    gone = {b.name: space.and_(table.tables[f"old.{b.name}"], space.not_(table.tables[f"new.{b.name}"])) for b in table.bits}
    came = {b.name: space.and_(space.not_(table.tables[f"old.{b.name}"]), table.tables[f"new.{b.name}"]) for b in table.bits}
    same = [space.not_(space.or_(gone[b.name], came[b.name])) for b in table.bits]
    for bit, others in zip(table.bits, _without_each(space, same), strict=True):
        diff = f"({kind}_val({old}) ^ {kind}_val({new}))"
        for side, name, words in ((came, new, "set"), (gone, old, "cleared")):
            changed = f"{diff} & {kind}_val({name}) & {bit.c}"
            yield _Guard(f"only {bit.name} is {words}", f"!({diff} & ~{bit.c}) && ({changed})", space.and_(side[bit.name], others))
            yield _Guard(f"{bit.name} is {words} in a present entry", f"({kind}_val({old}) & {present.c}) && ({changed})", space.and_(side[bit.name], alive))
    yield _promotion(table, names, kind, gone, came)


def _without_each(space: Space, tables: Sequence[int]) -> list[int]:
    """For each of some tables the conjunction of all others."""
    before, after = [space.full], [space.full]
    for table in tables:
        before.append(space.and_(before[-1], table))
    for table in reversed(tables):
        after.append(space.and_(after[-1], table))
    return [space.and_(before[index], after[len(tables) - 1 - index]) for index in range(len(tables))]


def _promotion(table: _Needs, names: tuple[str, str], kind: str, gone: dict[str, int], came: dict[str, int]) -> _Guard:
    """Nothing changes but some bits, each in directions that no needed flush takes part in: as many bits as can be."""
    space = table.space
    allowed = {b.name: space.not_(space.or_(gone[b.name], came[b.name])) for b in table.bits}
    ways: dict[str, str] = {}
    behind = [space.full]  # what the bits behind one allow, from the last
    for bit in reversed(table.bits[1:]):
        behind.append(space.and_(behind[-1], allowed[bit.name]))
    before = allowed[table.bits[0].name]
    for bit in table.bits[1:]:
        behind.pop()
        rest = space.and_(before, behind[-1])
        for way, freed in (("changed", space.full), ("set", space.not_(gone[bit.name])), ("cleared", space.not_(came[bit.name]))):
            if not space.and_(space.and_(rest, freed), table.needed):
                allowed[bit.name], ways[bit.name] = freed, way
                break
        before = space.and_(before, allowed[bit.name])
    held = before
    code = {bit.name: bit.c for bit in table.bits}
    old, new = f"{kind}_val({names[0]})", f"{kind}_val({names[1]})"
    parts = [f"!(({old} ^ {new}) & ~({' | '.join(code[n] for n in ways) or 0}))"]
    for way, first, second in (("set", old, new), ("cleared", new, old)):
        if mask := " | ".join(code[n] for n, w in ways.items() if w == way):
            parts.append(f"!({first} & ~{second} & ({mask}))")
    words = "; ".join(f"{', '.join(n for n, w in ways.items() if w == way)} {way}" for way in ("changed", "set", "cleared") if way in ways.values())
    return _Guard(f"nothing changes but {words}", " && ".join(parts), held)
