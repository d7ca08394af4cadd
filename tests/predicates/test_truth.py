"""Verdicts on predicates, and edits that are put into the source and judged again."""

from __future__ import annotations

import itertools

import pytest

from tests.predicates.mini import RIGHT, WASTEFUL, WRONG, holds, machine_of, seen, tree
from tlblint.predicates import survey, truth
from tlblint.predicates.errors import DataError
from tlblint.predicates.formula import evaluate
from tlblint.predicates.survey import Row
from tlblint.predicates.words import Space


def row(header: str, name: str = "pte_needs_flush") -> Row:
    (found,) = (one for one in survey.predicates(seen(tree(header))) if one.name == name)
    return found


def test_a_predicate_that_asks_for_what_is_needed_is_exact() -> None:
    found = row(RIGHT)
    assert [v.kind for v in found.verdicts] == ["exact", "unsafe", "unsafe"]
    assert (found.path, found.line, found.refuted, found.edit) == ("arch/x86/include/asm/tlbflush.h", 3, None, None)


def test_a_write_protect_of_a_clean_entry_is_wrong_only_where_a_translation_may_be_dirty() -> None:
    """256: RW cleared in a present, clean entry, all other bits free and the same."""
    found = row(RIGHT)
    for verdict in found.verdicts[1:]:
        assert (verdict.old, verdict.new) == (("P", "RW"), ("P",))
        assert [(c.words, c.count) for c in verdict.changes] == [("RW cleared", 256)]


def test_a_predicate_that_drops_a_needed_flush_is_refuted_with_the_smallest_pair() -> None:
    found = row(WRONG)
    assert found.refuted is not None
    assert (found.refuted.old, found.refuted.new) == (("P", "RW", "D"), ("P", "D"))
    assert found.refuted.count == 256


def test_a_wasteful_predicate_names_the_bits_and_gets_a_guard_that_is_safe() -> None:
    found = row(WASTEFUL, "pte_may_need_flush")
    first = found.verdicts[0]
    assert first.kind == "conservative"
    assert {"P set", "US set", "NX cleared"} <= {c.words for c in first.changes}
    assert found.edit is not None and found.edit.spared > 0
    mended = WASTEFUL.replace("pteval_t diff", " ".join(found.edit.code) + "\n\tpteval_t diff", 1)
    again = row(mended, "pte_may_need_flush")
    assert again.verdicts[0].kind in ("conservative", "exact")
    assert first.redundant - again.verdicts[0].redundant == found.edit.spared
    assert [v.missed for v in again.verdicts] == [v.missed for v in found.verdicts]


def test_a_wrong_predicate_gets_a_guard_that_mends_it() -> None:
    found = row(WRONG)
    assert found.edit is not None and found.edit.mended > 0
    mended = WRONG.replace("pteval_t diff", " ".join(found.edit.code) + "\n\tpteval_t diff", 1)
    assert row(mended).verdicts[0].missed == 0


def test_counts_are_those_of_a_walk_over_all_pairs() -> None:
    """The truth tables against one run for each pair, on the bits that matter here."""
    own = seen(tree(WRONG))
    bits = [bit for bit in machine_of("x86-64").bits() if bit.name in ("P", "RW", "D", "PFN")]
    table = truth.run_pair(own.names, own.modelled, own.base, bits, "pte_needs_flush", "pte")
    for index, (old, new) in enumerate(itertools.product(range(16), repeat=2)):
        expected = (old ^ new) & ~2 != 0
        assignment = sum((old >> bit & 1) << 2 * bit | (new >> bit & 1) << 2 * bit + 1 for bit in range(4))
        assert holds(table.space, table.result, assignment) is expected, index


def test_an_entry_that_is_asked_for_memory_is_inconclusive() -> None:
    found = row("#include <asm/pgtable_types.h>\nextern int setting;\nstatic inline bool pte_needs_flush(pte_t o, pte_t n) { return setting; }\n")
    assert (found.blocker, found.verdicts) == ("the start value of setting", ())


def test_a_huge_entry_has_its_frame_at_bit_21() -> None:
    header = "#include <asm/pgtable_types.h>\nstatic inline bool huge_pmd_needs_flush(pmd_t oldpmd, pmd_t newpmd)\n"
    header += "{\n\treturn (pmd_val(oldpmd) ^ pmd_val(newpmd)) >> 21;\n}\n"
    verdict = row(header, "huge_pmd_needs_flush").verdicts[0]
    assert verdict.kind == "unsafe" and not any(c.words.startswith("PFN") for c in verdict.changes)


@pytest.mark.parametrize("text", ["old.X", "old.P &", "(old.P", "old.P old.P", "old.P; import os", "!" * 3000 + "old.P"])
def test_a_formula_that_is_none_is_told(text: str) -> None:
    with pytest.raises((DataError, RecursionError)):
        evaluate(text, Space(1), {"old.P": 2})


ACCESSIBLE = """
#include <asm/pgtable_types.h>
#define _PAGE_PROTNONE _PAGE_GLOBAL
struct mm_struct { atomic_t tlb_flush_pending; };
static inline bool pte_accessible(struct mm_struct *mm, pte_t a)
{
	if (pte_val(a) & _PAGE_PRESENT)
		return true;
	return (pte_val(a) & _PAGE_PROTNONE) WHAT;
}
"""


@pytest.mark.parametrize(
    ("what", "kind"), [("&& atomic_read(&mm->tlb_flush_pending)", "exact"), ("", "conservative"), ("&& atomic_read(&mm->tlb_flush_pending) > 1", "unsafe")]
)
def test_accessible_is_judged_with_a_flush_pending_and_without(what: str, kind: str) -> None:
    assert row(ACCESSIBLE.replace("WHAT", what), "pte_accessible").verdicts[0].kind == kind
