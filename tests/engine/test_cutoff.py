"""What rests on an edited function is judged again only where that answers otherwise than it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.test_kept import SPINE, Kept, judge, named, same
from tlblint.engine import cutoff, stood
from tlblint.engine.batches import quiet
from tlblint.engine.code import Code
from tlblint.engine.compile import Compiler
from tlblint.engine.last import Before, remembered
from tlblint.engine.roots import Roots
from tlblint.model.ir import FileFacts, Function

CALLER = b"""#include <linux/mm.h>

void caller(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	flush_tlb_batched_pending(vma->vm_mm);
	inner(vma, pte, addr, end);
	pte_unmap_unlock(pte, ptl);
}
"""
INNER = b"""#include <linux/mm.h>

void inner(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, unsigned long end)
{
	unsigned long start = addr;
	pte_t entry;

	if (end < addr || cond_odd(vma))
		return;
	for (; addr < end; pte++, addr += PAGE_SIZE) {
		entry = ptep_get_and_clear(vma->vm_mm, addr, pte);
		set_pte_at(vma->vm_mm, addr, pte, pte_wrprotect(entry));
	}
	flush_tlb_range(vma, start, end);
}
"""
FLUSH = b"\tflush_tlb_range(vma, start, end);\n"


def facts(inner: bytes, caller: bytes = CALLER) -> dict[str, FileFacts]:
    return {"mm/caller.c": SPINE.facts("mm/caller.c", caller), "mm/inner.c": SPINE.facts("mm/inner.c", inner)}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The first function of each batch that is run."""
    seen: list[str] = []
    run = Roots._run

    def noted(self: Roots, batch: tuple[tuple[int, object], ...]) -> object:
        seen.append(self.program.functions[batch[0][0]].name)
        return run(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Roots, "_run", noted)
    yield seen


@pytest.fixture
def store(runs: list[str]) -> Kept:
    """Knows the two files as they are above."""
    made = Kept()
    assert not judge(facts(INNER), made).findings
    assert "caller" in runs
    runs.clear()
    return made


def both(new: dict[str, FileFacts], store: Kept, runs: list[str]) -> list[str]:
    """What is run when the files are ``new``, which tells as much as a run from nothing."""
    found = judge(new, store)
    out = list(runs)
    same(found, judge(new))
    runs.clear()
    return out


SAME = {
    "a call of something unknown": INNER.replace(FLUSH, b"\tcond_say(start);\n" + FLUSH),
    "a call before others": INNER.replace(b"\tif (end < addr", b"\tcond_say(start);\n\tif (end < addr"),
    "a comment": INNER.replace(FLUSH, b"\t/* all of it */\n" + FLUSH),
    "a line less": INNER.replace(b"\n\tpte_t entry;\n", b" pte_t entry;\n"),
    "another local variable": INNER.replace(FLUSH, b"\tunsigned long told = start;\n\n\tcond_say(told);\n" + FLUSH),
}
OTHER = {
    "no flush": INNER.replace(FLUSH, b""),
    "a return before the flush": INNER.replace(FLUSH, b"\tif (cond_say(start))\n\t\treturn;\n" + FLUSH),
    "a parameter that decides": INNER.replace(FLUSH, b"\tif (vma->vm_flags & VM_HUGETLB)\n" + FLUSH.replace(b"\t", b"\t\t")),
    "what the caller says is flushed": INNER.replace(b"void inner", b"int inner").replace(b"return;", b"return 0;").replace(FLUSH, b"\treturn 1;\n"),
}


@pytest.mark.parametrize("edit", SAME)
def test_who_calls_what_answers_the_same_is_not_run(edit: str, store: Kept, runs: list[str]) -> None:
    assert "caller" not in both(facts(SAME[edit]), store, runs)


@pytest.mark.parametrize("edit", OTHER)
def test_who_calls_what_answers_otherwise_is_run(edit: str, store: Kept, runs: list[str]) -> None:
    assert "caller" in both(facts(OTHER[edit]), store, runs)


TAKEN = b"\t\ttaken = ptep_get_and_clear(vma->vm_mm, addr, pte);\n"
TAKES = b"""#include <linux/mm.h>

pte_t inner(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, int first)
{
	pte_t taken;

	if (first)
		cond_say(vma);
%s	return taken;
}
"""
TAKEN_TWICE = b"""	flush_tlb_batched_pending(vma->vm_mm);
	one = inner(vma, pte, addr, 1);
	other = inner(vma, pte + 1, addr + PAGE_SIZE, 0);
	flush_tlb_range(vma, addr, addr + 2 * PAGE_SIZE);
	if (pte_dirty(other))
		set_page_dirty(page);
"""
TAKER = CALLER[: CALLER.index(b"\tflush_tlb_batched")] + TAKEN_TWICE + CALLER[CALLER.index(b"\tpte_unmap") :]
AT_ONE_PLACE = TAKES % TAKEN[1:]
AT_TWO_PLACES = TAKES.replace(b"(first)", b"(first) {").replace(b"(vma);\n", b"(vma);\n" + TAKEN + b"\t} else {\n", 1) % (TAKEN + b"\t}\n")


def test_what_was_one_place_becomes_two(runs: list[str]) -> None:
    """Each answer alone is what it was. But what two calls leave behind at one place is one thing to the caller."""
    made = Kept()
    assert not judge(facts(AT_ONE_PLACE, TAKER), made).findings
    runs.clear()
    assert judge(facts(AT_TWO_PLACES, TAKER)).findings
    runs.clear()
    assert "caller" in both(facts(AT_TWO_PLACES, TAKER), made, runs)


ARMS = b"""#ifdef CONFIG_ODD
	cond_say(vma);
	cond_say(pmd);
	cond_say(addr);
%s#else
%s#endif
	pte_unmap_unlock(pte, ptl);
}
"""
UNLOCK = b"\tpte_unmap_unlock(pte, ptl);\n"
PASSED = b"\tflush_tlb_page(vma, addr);\n"


def arm(text: bytes) -> bytes:
    """A function that nobody calls, with this in its second arm."""
    return TAKER[: TAKER.index(b"\tone =")] + b"\tptep_set_wrprotect(vma->vm_mm, addr, pte);\n" + ARMS % (PASSED, text + b"\treturn;\n")


FIRST, LATE = arm(PASSED + UNLOCK), arm(UNLOCK + PASSED)


def test_another_arm_of_a_function_that_nobody_calls(runs: list[str]) -> None:
    """It is no start, but it is run like one."""
    made = Kept()
    assert not judge(facts(INNER, FIRST), made).findings
    runs.clear()
    assert judge(facts(INNER, LATE)).findings
    runs.clear()
    assert "caller" in both(facts(INNER, LATE), made, runs)


def test_edits_follow_one_another(store: Kept, runs: list[str]) -> None:
    for text in [*SAME.values(), INNER]:
        assert "caller" not in both(facts(text), store, runs)
    assert "caller" in both(facts(OTHER["no flush"]), store, runs)
    assert "caller" not in both(facts(INNER), store, runs)


def test_the_caller_is_run_when_it_is_edited(store: Kept, runs: list[str]) -> None:
    assert "caller" in both(facts(INNER, CALLER.replace(b"\tinner(", b"\tcond_say(vma);\n\tinner(")), store, runs)


def test_nobody_knows_what_it_was(store: Kept, runs: list[str]) -> None:
    store.facts.clear()
    assert "caller" in both(facts(SAME["another local variable"]), store, runs)


def test_another_text_than_was_judged(store: Kept, runs: list[str]) -> None:
    """Facts that are not those that the last run had, whoever says so."""
    other = facts(OTHER["no flush"])
    store.facts = {name: other[item.path] for name, item in store.facts.items()}
    assert "caller" in both(facts(SAME["another local variable"]), store, runs)


def test_a_function_that_cannot_be_compiled(store: Kept, runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named by who judges it, like every other one."""
    compiled = Compiler.compile

    def fails(self: Compiler, index: int, fn: Function) -> Code:
        if any(instr[2] == "cond_say" for block in fn.blocks for instr in block.instrs if instr[0] == "call"):
            raise ValueError("too odd")
        return compiled(self, index, fn)

    monkeypatch.setattr(Compiler, "compile", fails)
    assert "caller" in both(facts(SAME["a call of something unknown"]), store, runs)


def test_an_answer_that_was_kept_goes_with_the_function_that_gave_it(runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken over is compared with what is judged from then on, also in what it costs."""
    monkeypatch.setattr(cutoff, "DEAR", 0)
    made = Kept()
    judge(facts(INNER), made)
    dearer = b"".join(b"\tif (cond_say(%d))\n\t\tcond_say(%d);\n" % (n, n) for n in range(3))
    costs = set()
    for _ in range(3):
        for text in (INNER.replace(FLUSH, dearer + FLUSH), INNER.replace(FLUSH, dearer + b"\tcond_say(9);\n" + FLUSH)):
            runs.clear()
            assert "caller" not in both(facts(text), made, runs)
            costs.add(cost_of(facts(text), made))
    assert len(costs) == 1


def cost_of(new: dict[str, FileFacts], store: Kept) -> int:
    """What the store says that all answers of the batch of ``caller`` take of the budget."""
    known = Before(b"last", {item.path: name for name, item in named(new).items()}, lambda name: None)
    last = remembered(store, known)
    assert last is not None
    row = stood._DECODER.decode(last.stood)
    [batch] = [batch for batch in row.batches if len(batch.members) > 1]
    return int(cutoff._DECODER.decode(quiet(store, [batch.name])[batch.name].asked)[0][0])
