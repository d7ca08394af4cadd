"""The whole-program operators' own checks: each applies to a small function, parses, differs; harmless ones leave the findings of fixtures alone."""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.mutate import inprocess, ops_late, table
from tests.mutate.cst import Fn, functions
from tests.mutate.extract import moved, moved_body, moved_tail, wrapped
from tests.mutate.generate import _rewritten, errors
from tests.mutate.inprocess import changed
from tests.mutate.judge import Seen
from tests.mutate.score import unexpected
from tests.mutate.variables import parameters, variables

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = sorted(p for d in ("fixtures/rules", "fixtures/traps") for p in (PROJECT / d).glob("*.c"))
NEW = sorted(table.WIDE_FAMILIES)
PER_OPERATOR = 3

SHAPES = """
static int scan(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end, int mode)
{
	struct mm_struct *mm = vma->vm_mm;
	bool force_flush = false;
	spinlock_t *ptl;
	pte_t *pte, *first, val, older;
	int left = 2;

	first = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return -EAGAIN;
	flush_tlb_batched_pending(vma->vm_mm);
	arch_enter_lazy_mmu_mode();
	do {
		val = ptep_get(pte);
		if (pte_none(val))
			cond_resched();
		older = ptep_get(pte);
		val = ptep_get_and_clear(mm, addr, pte);
		tlb_remove_tlb_entry(tlb, pte, addr);
		if (pte_present(val) && pte_dirty(val))
			force_flush = true;
		if (mode == 3)
			set_pte_at(mm, addr, pte, pte_wrprotect(val));
		else
			set_pte_at(mm, addr, pte, val);
		val = pte_mkold(val);
	} while (pte++, addr += PAGE_SIZE, addr != end);
	switch (mode) {
	case 1:
		left--;
		break;
	default:
		left++;
		break;
	}
	while (left)
		left = step(left);
	while (left < 2) {
		left++;
	}
	if (force_flush) {
		note(vma);
		flush_tlb_range(vma, end - PAGE_SIZE, end);
	}
	arch_leave_lazy_mmu_mode();
	if (left) {
		pte_unmap_unlock(first, ptl);
		return 1;
	}
	if (spin_trylock(ptl))
		cond_resched();
	spin_unlock(ptl);
	pte_unmap(first);
	return 0;
}
"""

OWNER = """
int clear_refs_write(struct vm_area_struct *vma, struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range;
	struct mmu_gather tlb;
	spinlock_t *ptl;
	pte_t *pte;

	tlb_gather_mmu(&tlb, mm);
	inc_tlb_flush_pending(mm);
	mmu_notifier_invalidate_range_start(&range);
	pte = pte_offset_map_lock(mm, pmd, start, &ptl);
	arch_enter_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	tlb_start_vma(&tlb, vma);
	unmap_page_range(&tlb, vma, start, end);
	walk_page_range(mm, start, end, &ops, &tlb);
	if (mm)
		flush_tlb_mm(mm);
	flush_tlb_mm(mm);
	folio_put(old);
	mmu_notifier_invalidate_range_end(&range);
	dec_tlb_flush_pending(mm);
	tlb_finish_mmu(&tlb);
	return 0;
}
"""

ZAP = """
static void zap_present(struct mmu_gather *tlb, struct folio *folio, struct page *page, pte_t *pte, unsigned long addr, bool *force_flush)
{
	pte_t val;

	val = ptep_get_and_clear_full(tlb->mm, addr, pte, tlb->fullmm);
	tlb_remove_tlb_entry(tlb, pte, addr);
	if (pte_dirty(val))
		*force_flush = true;
	tlb_remove_page(tlb, page);
	pte_free_tlb(tlb, token, addr);
	if (__tlb_remove_page(tlb, page, false))
		*force_flush = true;
}
"""

UNMAP = """
static int __replace_page(struct vm_area_struct *vma, unsigned long addr, struct folio *old_folio, pte_t *pte)
{
	ptep_clear_flush(vma, addr, pte);
	folio_remove_rmap_pte(old_folio, page, vma);
	folio_put(old_folio);
	return 0;
}
"""

SPLIT = """
static void unmap_folio(struct folio *folio)
{
	try_to_migrate(folio, flags);
	try_to_unmap_flush();
}
"""

PENDING_FLUSH = """
void flush_tlb_batched_pending(struct mm_struct *mm)
{
	int batch = atomic_read(&mm->tlb_flush_batched);

	if (batch) {
		arch_flush_tlb_batched_pending(mm);
		atomic_cmpxchg(&mm->tlb_flush_batched, batch, 0);
	}
}
"""

SHAPES_BY_PLACE = {
    "mm/scan.c": SHAPES,
    "fs/proc/task_mmu.c": OWNER,
    "mm/memory.c": ZAP,
    "kernel/events/uprobes.c": UNMAP,
    "mm/rmap.c": PENDING_FLUSH,
    "mm/huge.c": SPLIT,
}
SMALL = [fn for path, text in SHAPES_BY_PLACE.items() for fn in functions(path, text)]


@pytest.mark.parametrize(("family", "name"), [(f, n) for f in NEW for n in table.FAMILIES[f]])
def test_operator_applies_and_parses(family: str, name: str) -> None:
    bodies = [(fn, body) for fn in SMALL for _, body in table.FAMILIES[family][name](fn)]
    assert bodies
    for fn, body in bodies:
        assert body != fn.text and errors(body) <= errors(fn.text), body


def scan() -> Fn:
    return SMALL[0]


def test_types_are_read_off_declarations() -> None:
    held = {v.name: v.spelt(v.name) for v in variables(scan())}
    assert held["pmd"] == "pmd_t *pmd" and held["ptl"] == "spinlock_t *ptl" and held["first"] == "pte_t *first"
    assert held["val"] == "pte_t val" and held["force_flush"] == "bool force_flush"
    assert [p.name for p in parameters(scan())] == ["vma", "pmd", "addr", "end", "mode"]


def test_what_is_written_goes_by_pointer() -> None:
    fn = scan()
    body = moved(fn, [s for s in fn.all if s.kind == "if" and "pte_present" in fn.cond(s)], "note", levels=2)
    assert body is not None and "static void note(pte_t val, bool *force_flush)" in body and "*force_flush = true;" in body
    assert "note_1(val, &force_flush);" in body and "\tnote(val, force_flush);" in body


def test_locked_entry_comes_back_through_a_helper() -> None:
    ((_, body), *_) = [r for r in table.FAMILIES["ACROSS"]["value-helper"](scan()) if "map_lock" in r[0]]
    assert "static pte_t *scan_get(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptl)" in body.replace("inline ", "")
    assert "first = pte = scan_get(mm, pmd, addr, &ptl);" in body


def test_jumps_are_not_cut_off() -> None:
    fn = scan()
    loop = next(s for s in fn.all if s.kind == "do")
    assert moved(fn, [s for s in fn.root.kids if s.kind == "if"][:1], "early") is None
    body = moved_body(fn, loop, "one")
    assert body is not None and "(void)one(" in body and body.count("return true;") == 1
    assert moved_tail(fn, fn.root.kids[-1], "rest") is not None
    whole = wrapped(fn, "__scan_body")
    assert whole is not None and whole.endswith("{\n\treturn __scan_body(vma, pmd, addr, end, mode);\n}")


DECISIONS = """
static void unmap_one(struct vm_area_struct *vma, struct mmu_gather *tlb, pte_t *pte, pmd_t *pmd, unsigned long addr, struct folio *folio)
{
	pmd_t huge, old;
	pte_t val;

	if (folio_test_hugetlb(folio)) {
		val = huge_ptep_clear_flush(vma, addr, pte);
	} else if (pte_present(val)) {
		val = ptep_clear_flush(vma, addr, pte);
		if (pte_dirty(val))
			folio_mark_dirty(folio);
		if (pte_dirty(val))
			entry = make_migration_entry_dirty(entry);
	}
	if (is_swap_pmd(*pmd)) {
		pmd_t other = *pmd;

		old = other;
	} else {
		old = pmdp_invalidate(vma, addr, pmd);
		set_pmd_at(vma->vm_mm, addr, pmd, old);
		tlb_remove_pmd_tlb_entry(tlb, pmd, addr);
	}
}
"""


def test_only_a_decision_that_is_wrong_is_called_broken() -> None:
    fn = next(functions("mm/x.c", DECISIONS))
    read = [body for _, body in ops_late.read_after_clear(fn)]
    assert not any("else if (pte_present(ptep_get(" in body or "else if (pte_present(huge_ptep_get(" in body for body in read)
    stale = [body for _, body in ops_late.stale_predicate(fn)]
    assert any("pte_dirty(early))\n\t\t\tfolio_mark_dirty" in body for body in stale)
    assert not any("pte_dirty(early))\n\t\t\tentry" in body for body in stale), "the page was told, the migration entry need not be"
    assert ops_late.result_discarded(fn) == [], "a variable of another block"
    assert ops_late.record_first(fn) == [], "pmdp_invalidate() flushes what was recorded too early"


def test_composed_variants_are_broken_and_rewritten() -> None:
    fn = SMALL[1]
    label, body = table.FAMILIES["GATHER"]["drop-finish"](fn)[0]
    ((name, text),) = _rewritten(fn, body, label, 0, set())
    assert name and text != body and "tlb_finish_mmu" not in text and errors(text) == 0


def test_changed_span() -> None:
    assert changed(b"abcdef", b"abXYef") == (2, 4) and changed(b"same", b"same") is None and changed(b"aab", b"ab") == (1, 1)


def test_helpers_count_as_their_function() -> None:
    base = [Seen("TLB004", "walk", "error", "k")]
    after = [Seen("TLB004", "walk_step", "error", "k"), Seen("TLB003", "walk", "error", "k")]
    assert unexpected(base, after, frozenset({"walk_step"}), "walk") == after[1:]


def _harmless() -> Iterator[tuple[str, str, Path, bytes]]:
    """(operator, function, fixture, changed text), a few for each operator."""
    rows: dict[str, list[tuple[str, Path, bytes, str]]] = defaultdict(list)
    for path in FIXTURES:
        text = path.read_bytes().decode("latin-1")
        for fn in functions(path.name, text):
            for family in ("ACROSS", "WITHIN"):
                for name, operator in table.FAMILIES[family].items():
                    for label, body in operator(fn) if table.WANTED.search(fn.mask) else ():
                        new = text[: fn.offset] + body + text[fn.offset + len(fn.text) :]
                        rows[name].append((fn.name, path, new.encode("latin-1"), label))
    for name, found in rows.items():
        found.sort(key=lambda r: hashlib.sha256(f"{name}{r[0]}{r[3]}".encode()).digest())
        yield from ((name, *row[:3]) for row in found[:PER_OPERATOR])


@pytest.mark.parametrize(("name", "function", "path", "raw"), list(_harmless()), ids=lambda v: v if isinstance(v, str) else getattr(v, "stem", ""))
def test_harmless_rewrites_of_fixtures_change_no_finding(name: str, function: str, path: Path, raw: bytes) -> None:
    stock = [Seen(*row) for row in inprocess.run(PROJECT, path.name, path.read_bytes())]
    after = [Seen(*row) for row in inprocess.run(PROJECT, path.name, raw)]
    helpers = frozenset(fn.name for fn in functions(path.name, raw.decode("latin-1"))) - {fn.name for fn in functions(path.name, path.read_text("latin-1"))}
    assert not unexpected(stock, after, helpers, function)
    assert {s.rule for s in after if s.loud} == {s.rule for s in stock if s.loud}
