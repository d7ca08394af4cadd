"""A flush predicate over all entries at once, held against what an oracle says is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tlblint.predicates import formula
from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.machine import Bounds, Machine
from tlblint.predicates.memory import Place, Pointer, Value
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Names
from tlblint.predicates.profile import Bit
from tlblint.predicates.words import Space, Word


class Table(msgspec.Struct, frozen=True):
    """What a predicate says for every assignment. ``tables``: "old.P" -> truth table."""

    space: Space
    bits: tuple[Bit, ...]
    tables: Mapping[str, int]
    result: int
    called: frozenset[str]
    pairs: bool = True
    alone: dict[str, int] = msgspec.field(default_factory=dict)
    """What _only() found."""


class Change(msgspec.Struct, frozen=True):
    """A set of entry changes: ``count`` assignments; ``words`` name the bit and its direction ("RW set")."""

    words: str
    count: int


class Verdict(msgspec.Struct, frozen=True):
    """``kind``: unsafe, conservative or exact. ``count``: assignments that are wrong so; ``old``/``new``: the smallest one, as bit names."""

    kind: str
    oracle: str
    count: int
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    missed: int = 0
    redundant: int = 0


def entry(space: Space, bits: Sequence[Bit], tables: Mapping[str, int], side: str, level: str, fixed: int = 0) -> Word:
    """An entry whose named bits are symbolic, the others those of ``fixed``."""
    held = [space.full if fixed >> i & 1 else 0 for i in range(64)]
    for bit in bits:
        held[bit.at[level]] = tables[f"{side}.{bit.name}"]
    return space.of_bits(held, False)


def run_pair(names: Names, models: Models, setting: Setting, bits: Sequence[Bit], function: str, level: str, fixed: int = 0) -> Table:
    """Execute ``function(old, new)`` for all pairs of entries. Raises Inconclusive."""
    space = Space(2 * len(bits))
    tables = {f"{side}.{bit.name}": space.variable(2 * i + at) for side, at in (("old", 0), ("new", 1)) for i, bit in enumerate(bits)}
    machine = Machine(names, models, setting, space, Bounds(60_000, 60, 80))
    given: dict[str, tuple[Value, CType]] = {
        "o__": (entry(space, bits, tables, "old", level, fixed), AUTO),
        "n__": (entry(space, bits, tables, "new", level, fixed), AUTO),
    }
    result = machine.memory.number(machine.evaluate(f"{function}(o__, n__)", given))
    return Table(space, tuple(bits), tables, space.truth(result), frozenset(machine.called))


def run_accessible(names: Names, models: Models, setting: Setting, bits: Sequence[Bit]) -> Table:
    """Execute ``pte_accessible(mm, pte)`` for all entries, with a flush pending and without ("pending")."""
    space = Space(len(bits) + 1)
    tables = {f"old.{bit.name}": space.variable(i) for i, bit in enumerate(bits)}
    tables["pending"] = space.variable(len(bits))

    def start(inner: Space, place: Place) -> Word:
        if place[-1] == "tlb_flush_pending":
            return inner.flag(tables["pending"])
        return setting.start(inner, place)

    own = Setting(start, setting.constants, setting.features, setting.sizes, False)
    machine = Machine(names, models, own, space, Bounds(60_000, 60, 80))
    given: dict[str, tuple[Value, CType]] = {"m__": (Pointer(("object", "mm")), AUTO), "o__": (entry(space, bits, tables, "old", "pte"), AUTO)}
    result = machine.memory.number(machine.evaluate("pte_accessible(m__, o__)", given))
    return Table(space, tuple(bits), tables, space.truth(result), frozenset(machine.called), False)


def no_start(space: Space, place: Place) -> Word:
    """For predicates of entries alone: a place that is read was never given."""
    raise Inconclusive(f"the start value of {place[1] if len(place) > 1 else place[0]}" + (f"->{place[-1]}" if len(place) > 2 else ""))


def judge(table: Table, oracle: str, needed_text: str) -> Verdict:
    """Hold a predicate against a formula of what is needed. Raises DataError for a bad formula."""
    space = table.space
    needed = formula.evaluate(needed_text, space, table.tables)
    missed = space.and_(needed, space.not_(table.result))
    redundant = space.and_(table.result, space.not_(needed))
    lost, extra = space.count(missed), space.count(redundant)
    wrong = missed or redundant
    if not wrong:
        return Verdict("exact", oracle, 0)
    old, new = smallest(table, wrong)
    kind = "unsafe" if missed else "conservative"
    return Verdict(kind, oracle, lost if missed else extra, old, new, by_change(table, wrong) if table.pairs else (), lost, extra)


def _only(table: Table) -> dict[str, int]:
    """For each bit the assignments in which it changes and no other does; under "" those in which none does."""
    if not table.alone:
        space = table.space
        same = {bit.name: space.not_(space.xor(table.tables[f"old.{bit.name}"], table.tables[f"new.{bit.name}"])) for bit in table.bits}
        before, after = [space.full], [space.full]  # how far all bits are the same, from either end
        for bit in table.bits:
            before.append(space.and_(before[-1], same[bit.name]))
        for bit in reversed(table.bits):
            after.append(space.and_(after[-1], same[bit.name]))
        table.alone[""] = before[-1]
        for index, bit in enumerate(table.bits):
            others = space.and_(before[index], after[len(table.bits) - 1 - index])
            table.alone[bit.name] = space.and_(others, space.not_(same[bit.name]))
    return table.alone


def by_change(table: Table, wrong: int) -> tuple[Change, ...]:
    """How many wrong assignments there are for each change of a single bit, most first."""
    found = []
    for bit in table.bits:
        only = table.space.and_(wrong, _only(table)[bit.name])
        for words, side in (("set", "new"), ("cleared", "old")):
            count = table.space.count(table.space.and_(only, table.tables[f"{side}.{bit.name}"]))
            if count:
                found.append(Change(f"{bit.name} {words}", count))
    return tuple(sorted(found, key=lambda c: (-c.count, c.words)))


def smallest(table: Table, wrong: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the wrong assignments one with fewest changed bits (by one, by two, then greedily), then with fewest bits set."""
    space, names = table.space, [bit.name for bit in table.bits]
    held = wrong
    if table.pairs:
        singles = (space.and_(wrong, _only(table)[name]) for name in names)
        held = next((t for t in singles if t), 0) or space.and_(wrong, _only(table)[""]) or _greedy_same(table, wrong)
    chosen: dict[str, bool] = {}
    for key in sorted(table.tables, key=lambda k: (k.rpartition(".")[2] in ("P", "RW"), k)):
        without = space.and_(held, space.not_(table.tables[key]))
        chosen[key] = not without
        held = without or held
    old = tuple(k.rpartition(".")[2] for k in table.tables if chosen[k] and not k.startswith("new."))
    return old, tuple(k[4:] for k in table.tables if chosen[k] and k.startswith("new."))


def _greedy_same(table: Table, wrong: int) -> int:
    space = table.space
    for bit in table.bits:
        same = space.not_(space.xor(table.tables[f"old.{bit.name}"], table.tables[f"new.{bit.name}"]))
        wrong = space.and_(wrong, same) or wrong
    return wrong
