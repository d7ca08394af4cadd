"""Redundant flushes by single bits, against a walk that runs the predicate on ordinary numbers; and the predicate of a series of 2021."""

from __future__ import annotations

import os
import random

import pytest

from tests.predicates.mini import DATA, RIGHT, WASTEFUL, machine_of, seen, tree
from tlblint.app.reading import Reading
from tlblint.io.tree import open_tree
from tlblint.names.unit import Shelf
from tlblint.predicates import survey
from tlblint.predicates.ctypes import AUTO
from tlblint.predicates.formula import evaluate
from tlblint.predicates.machine import Machine
from tlblint.predicates.survey import PAIRS, Reader, Row, reader
from tlblint.predicates.words import Space

KERNELS = os.environ.get("TLBLINT_KERNELS", "")
RFC = os.environ.get("TLBLINT_RFC", "")
SAMPLES = 64


def walked(own: Reader, name: str, level: str) -> dict[str, set[str]]:
    """Oracle -> changes of one bit that the predicate flushes for and the oracle does not need, among entries with random other bits."""
    bits = own.profile.bits()
    found: dict[str, set[str]] = {one.name: set() for one in own.profile.oracles()}
    machine, rng = Machine(own.names, own.modelled, own.base), random.Random(name)
    space = Space(0)
    for bit in bits:
        for _ in range(SAMPLES):
            old = {one.name: rng.randrange(2) for one in bits}
            new = {**old, bit.name: 1 - old[bit.name]}
            tables = {f"{side}.{one}": value for side, entry in (("old", old), ("new", new)) for one, value in entry.items()}
            numbers = [sum(entry[one.name] << one.at[level] for one in bits) | own.profile.fixed for entry in (old, new)]
            given = {key: (machine.space.constant(number, 64, False), AUTO) for key, number in zip(("o__", "n__"), numbers, strict=True)}
            machine.steps = 0
            flushes = machine.memory.number(machine.evaluate(f"{name}(o__, n__)", given)).number
            machine.memory.held.clear()
            for one in own.profile.oracles() if flushes else ():
                if not evaluate(one.needed, space, tables):
                    found[one.name].add(f"{bit.name} {'set' if new[bit.name] else 'cleared'}")
    return found


def named(row: Row) -> dict[str, set[str]]:
    return {verdict.oracle: {change.words for change in verdict.changes} for verdict in row.verdicts if verdict.kind != "unsafe"}


def agree(own: Reader) -> None:
    rows = {row.name: row for row in survey.predicates(own) if row.verdicts}
    assert rows
    for name, level in PAIRS:
        found = walked(own, name, level) if name in rows else {}
        assert {oracle: found[oracle] for oracle in named(rows[name])} == named(rows[name]) if found else True, name


@pytest.mark.parametrize("header", [RIGHT, WASTEFUL])
def test_every_single_bit_that_costs_a_redundant_flush_is_named(header: str) -> None:
    agree(seen(tree(header)))


def of_tree(directory: str, revision: str | None = None) -> Reader:
    read = Reading(open_tree(directory, directory, revision))
    return reader(Shelf(read), read, machine_of("x86-64"), DATA.modelled, DATA.sizes)


@pytest.mark.skipif(not KERNELS, reason="TLBLINT_KERNELS is not set")
@pytest.mark.parametrize("version", ["6.1", "6.12", "7.3"])
def test_every_single_bit_is_named_on_kernels(version: str) -> None:
    place = os.path.join(KERNELS, f"linux-source-{version}")
    if not os.path.isdir(place):
        pytest.skip(f"no {version}")
    agree(of_tree(place))


CLEAN_STAYS = WASTEFUL.replace("!(diff & ~(_PAGE_RW | ignored)) && !(pte_val(o) & _PAGE_DIRTY)", "diff == _PAGE_RW && !(pte_val(o) & _PAGE_DIRTY)")


def judged_as_in_2021(own: Reader) -> None:
    """Conservative, and wrong about the write protection of a clean entry only where a translation may be dirty nevertheless."""
    (row,) = (one for one in survey.predicates(own) if one.name == "pte_may_need_flush")
    first, *others = row.verdicts
    assert (first.kind, first.oracle) == ("conservative", "D re-checked") and {"P set", "US set"} <= {change.words for change in first.changes}
    assert row.refuted is None and row.edit is not None and row.edit.spared > 0 and not row.edit.mended
    assert [(one.oracle, one.kind) for one in others] == [("clean in flight", "unsafe"), ("D not re-checked", "unsafe")]
    for one in others:
        assert [change.words for change in one.changes] == ["RW cleared"] and (one.old, one.new) == (("P", "RW"), ("P",))


def test_a_predicate_that_lets_clean_entries_pass() -> None:
    assert CLEAN_STAYS != WASTEFUL
    judged_as_in_2021(seen(tree(CLEAN_STAYS)))


@pytest.mark.skipif(not RFC, reason="TLBLINT_RFC is not set")
def test_patch_03_of_the_series() -> None:
    judged_as_in_2021(of_tree(RFC, "HEAD~17"))
