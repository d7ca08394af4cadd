"""A pair of functions as threads: a flag that forgets is refuted, a counter is safe, and a counter without its cmpxchg is refuted again."""

from __future__ import annotations

import os

import pytest

from tests.predicates.mini import DATA, PROTOCOLS, seen, tree
from tlblint.app.reading import Reading
from tlblint.app.simulate import machines
from tlblint.io.tree import PlainDir
from tlblint.predicates import protocol
from tlblint.predicates.protocol import Explored
from tlblint.predicates.survey import Reader

HEAD = "#include <asm/pgtable_types.h>\nstruct mm_struct { int tlb_flush_batched; };\nvoid flush_tlb_mm(struct mm_struct *mm);\n"
FLAG = """
static void set_tlb_ubc_flush_pending(struct mm_struct *mm, bool writable)
{
	mm->tlb_flush_batched = true;
}

void flush_tlb_batched_pending(struct mm_struct *mm)
{
	if (mm->tlb_flush_batched) {
		flush_tlb_mm(mm);
		mm->tlb_flush_batched = false;
	}
}
"""
COUNTER = """
#define LOW 0xffff
static void set_tlb_ubc_flush_pending(struct mm_struct *mm, bool writable)
{
	int seen, old = atomic_read(&mm->tlb_flush_batched);

again:
	if ((old & LOW) > LOW / 2) {
		seen = atomic_cmpxchg(&mm->tlb_flush_batched, old, 1);
		if (seen != old) {
			old = seen;
			goto again;
		}
	} else {
		atomic_inc(&mm->tlb_flush_batched);
	}
}

void flush_tlb_batched_pending(struct mm_struct *mm)
{
	int old = atomic_read(&mm->tlb_flush_batched);
	int wanted = old & LOW, done = old >> 16;

	if (wanted != done) {
		flush_tlb_mm(mm);
		atomic_cmpxchg(&mm->tlb_flush_batched, old, wanted | wanted << 16);
	}
}
"""
WEAK = COUNTER.replace("atomic_cmpxchg(&mm->tlb_flush_batched, old, wanted", "atomic_set(&mm->tlb_flush_batched, wanted")
EARLY = COUNTER.replace("\t\tflush_tlb_mm(mm);\n", "")


ONE, SHELL = next(given for given in PROTOCOLS if given[0].name == "batched_pending")


def explored(own: Reader) -> list[Explored]:
    return [run for run in protocol.run(own, ONE, SHELL, machines()) if not run.variant]


def of(text: str) -> list[Explored]:
    return explored(seen(tree("", {"mm/rmap.c": HEAD + text})))


def test_a_flag_forgets_what_was_deferred_during_the_flush() -> None:
    (found,) = of(FLAG)
    assert (found.verdict, found.start, found.length) == ("contract", 0, 21)
    assert found.witness is not None
    cited = {(step.actor, step.path, step.line) for step in found.witness.steps if step.path}
    assert {("reclaim", "mm/rmap.c", 7), ("mprotect_a", "mm/rmap.c", 12), ("mprotect_a", "mm/rmap.c", 14)} <= cited


def test_a_counter_is_safe_from_every_start_also_where_it_is_reset() -> None:
    found = of(COUNTER)
    assert [run.verdict for run in found] == ["safe"] * 4
    assert max(run.nodes for run in found) > min(run.nodes for run in found), "no start reaches the reset"


@pytest.mark.parametrize("text", [WEAK, EARLY])
def test_a_counter_that_is_weakened_is_refuted(text: str) -> None:
    assert text != COUNTER
    assert [run.verdict for run in of(text)][:2] == ["contract"] * 2


def test_what_the_functions_cannot_do_is_told() -> None:
    found = of(COUNTER.replace("atomic_inc(", "atomic_inc_somehow("))
    assert {run.verdict for run in found} == {"inconclusive"} and "atomic_inc_somehow" in found[0].blocker


def test_a_retry_without_an_end_is_bounded() -> None:
    found = of(COUNTER.replace("if (seen != old)", "if (1)"))
    assert len(found) == 4


WEAKER = ["contract"] * 2
"""What the flush's compare-and-exchange is worth: without looking, and expecting whatever is there."""


def weakened(own: Reader) -> list[str]:
    return [run.verdict for run in protocol.run(own, ONE, SHELL, machines()) if run.variant]


def test_the_tool_weakens_it_itself() -> None:
    own = seen(tree("", {"mm/rmap.c": HEAD + COUNTER}))
    assert weakened(own) == WEAKER
    assert weakened(seen(tree("", {"mm/rmap.c": HEAD + FLAG}))) == [], "nothing to weaken"


KERNELS = os.environ.get("TLBLINT_KERNELS", "")


@pytest.mark.skipif(not KERNELS, reason="TLBLINT_KERNELS is not set")
@pytest.mark.parametrize(("version", "verdicts"), [("5.10", ["contract"]), ("6.1", ["safe"] * 4), ("6.12", ["safe"] * 4), ("7.3", ["safe"] * 4)])
def test_kernels(version: str, verdicts: list[str]) -> None:
    place = os.path.join(KERNELS, f"linux-source-{version}")
    if not os.path.isdir(place):
        pytest.skip(f"no {version}")
    from tests.predicates.mini import machine_of
    from tlblint.names.unit import Shelf
    from tlblint.predicates.survey import reader

    read = Reading(PlainDir(place))
    own = reader(Shelf(read), read, machine_of("x86-64"), DATA.modelled, DATA.sizes)
    found = explored(own)
    assert [run.verdict for run in found] == verdicts
    assert weakened(own) == (WEAKER if verdicts[0] == "safe" else [])
