"""Calls of which nothing is known, rule by rule: they neither keep a promise that the rule asks for nor break one.

Each rule has right code and its broken twin, and in both a call CALL(...) that is handed what the rule follows. It becomes a call of a
function without a body, through a pointer, with variable arguments, of one defined in the old style, of one that calls itself. What is
found must be the same with and without it, but for the few places that MAY_BE_KEPT names.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from tlblint.app import spine as spines
from tlblint.app.generation import stand_in
from tlblint.app.ruletest import judge
from tlblint.app.spine import Spine, Wanted
from tlblint.findings.expect import compare
from tlblint.model.finding import Finding
from tlblint.rulefile.examples import expectations_of

_CALL = re.compile(r"\bCALL\(")

UNKNOWN = {
    "no call": ("", ""),
    "no body": ("int elsewhere(void *what, ...);\n", "elsewhere("),
    "no declaration": ("", "nowhere_at_all("),
    "pointer in a structure": ("struct hooks { int (*visit)(void *what, ...); };\nextern struct hooks *hooks;\n", "hooks->visit("),
    "pointer in an array": ("extern int (*const visitors[4])(void *what, ...);\n", "visitors[1]("),
    "variable arguments": (
        "static void tell(void *what, ...)\n{\n\tva_list ap;\n\n\tva_start(ap, what);\n\tva_end(ap);\n}\n", "tell("),
    "old style": ("static int aged(what, more)\n\tvoid *what;\n\tint more;\n{\n\treturn what != NULL;\n}\n", "aged("),
    "recursion": ("static int again(void *what, ...)\n{\n\treturn what ? again(what) : 0;\n}\n", "again("),
    "recursion in a circle": (
        "static int there(void *what, ...);\nstatic int back(void *what, ...)\n{\n\treturn there(what);\n}\n"
        "static int there(void *what, ...)\n{\n\treturn what ? back(what) : 0;\n}\n", "there("),
}  # fmt: skip
"""What stands before the code, and how the call begins."""

CASES = {
    "TLB001": """
static void dim_good(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *first, *pte;
	spinlock_t *ptl;

	first = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	flush_tlb_batched_pending(vma->vm_mm);
	CALL(vma->vm_mm, vma, pte);
	for (; addr < end; pte++, addr += PAGE_SIZE)
		if (pte_present(ptep_get(pte)))
			ptep_set_wrprotect(vma->vm_mm, addr, pte);
	flush_tlb_range(vma, addr, end);
	pte_unmap_unlock(first, ptl);
}

static void dim_bad(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *first, *pte;
	spinlock_t *ptl;

	first = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl); /* expect: TLB001 */
	if (!pte)
		return;
	CALL(vma->vm_mm, vma, pte);
	for (; addr < end; pte++, addr += PAGE_SIZE)
		if (pte_present(ptep_get(pte)))
			ptep_set_wrprotect(vma->vm_mm, addr, pte);
	flush_tlb_range(vma, addr, end);
	pte_unmap_unlock(first, ptl);
}
""",
    "TLB002": """
static void part_good(struct vm_area_struct *vma, struct folio *folio, pte_t *pte, unsigned long addr, spinlock_t *ptl)
{
	pte_t old;

	spin_lock(ptl);
	old = ptep_clear_flush(vma, addr, pte);
	CALL(folio, pte, vma);
	if (pte_dirty(old))
		folio_mark_dirty(folio);
	CALL(folio, pte, vma);
	spin_unlock(ptl);
}

static void part_bad(struct vm_area_struct *vma, struct folio *folio, pte_t *pte, unsigned long addr, spinlock_t *ptl)
{
	pte_t old;

	spin_lock(ptl);
	old = ptep_clear_flush(vma, addr, pte); /* expect: TLB002 */
	CALL(folio, pte, vma);
	if (pte_young(old))
		folio_mark_accessed(folio);
	spin_unlock(ptl);
}
""",
    "TLB003": """
static void age_good(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	CALL(vma, pte, ptl);
	ptep_test_and_clear_young(vma, addr, pte);
	arch_leave_lazy_mmu_mode();
	CALL(vma, pte, ptl);
	pte_unmap_unlock(pte, ptl);
}

static void age_bad(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode(); /* expect: TLB003 */
	ptep_test_and_clear_young(vma, addr, pte);
	CALL(vma, pte, ptl);
	pte_unmap_unlock(pte, ptl);
}
""",
    "TLB004": """
static void dull_good(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	if (pte_present(ptep_get(pte))) {
		ptep_set_wrprotect(vma->vm_mm, addr, pte);
		CALL(vma, pte, vma->vm_mm);
		flush_tlb_page(vma, addr);
	}
	CALL(vma, pte, vma->vm_mm);
	pte_unmap_unlock(pte, ptl);
	CALL(vma, pte, vma->vm_mm);
}

static void dull_bad(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	if (pte_present(ptep_get(pte)))
		ptep_set_wrprotect(vma->vm_mm, addr, pte); /* expect: TLB004 */
	CALL(vma, pte, vma->vm_mm);
	pte_unmap_unlock(pte, ptl);
	flush_tlb_page(vma, addr);
}
""",
    "TLB005": """
static void zap_good(struct vm_area_struct *vma)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	CALL(&tlb, vma);
	tlb_finish_mmu(&tlb);
}

static void zap_bad(struct vm_area_struct *vma)
{
	struct mmu_gather tlb; /* expect: TLB005 */

	tlb_gather_mmu(&tlb, vma->vm_mm);
	CALL(&tlb, vma);
}
""",
    "TLB006": """
static void count_good(struct mm_struct *mm)
{
	inc_tlb_flush_pending(mm);
	CALL(mm);
	flush_tlb_mm(mm);
	dec_tlb_flush_pending(mm);
}

static void count_bad(struct mm_struct *mm)
{
	inc_tlb_flush_pending(mm); /* expect: TLB006 */
	CALL(mm);
	flush_tlb_mm(mm);
}
""",
    "TLB007": """
static void recolour_good(struct mmu_gather *tlb, struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pgprot_t prot)
{
	pte_t old, new;

	old = ptep_modify_prot_start(vma, addr, pte);
	CALL(pte, vma, tlb);
	new = pte_modify(old, prot);
	ptep_modify_prot_commit(vma, addr, pte, old, new);
	if (pte_needs_flush(old, new))
		tlb_flush_pte_range(tlb, addr, PAGE_SIZE);
}

static void recolour_bad(struct mmu_gather *tlb, struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pgprot_t prot)
{
	pte_t seen, old, new;

	seen = ptep_get(pte);
	if (!pte_present(seen))
		return;
	old = ptep_modify_prot_start(vma, addr, pte); /* expect: TLB007 */
	CALL(pte, vma, tlb);
	new = pte_modify(old, prot);
	ptep_modify_prot_commit(vma, addr, pte, old, new);
	if (pte_needs_flush(seen, new))
		tlb_flush_pte_range(tlb, addr, PAGE_SIZE);
}
""",
    "TLB008": """
static void ask_good(struct vm_area_struct *vma, struct folio *folio, pte_t *pte, unsigned long addr)
{
	pte_t old = ptep_clear_flush(vma, addr, pte);

	CALL(folio, vma);
	if (pte_dirty(old))
		folio_mark_dirty(folio);
	if (pte_young(old))
		folio_mark_accessed(folio);
}

static void ask_bad(struct vm_area_struct *vma, struct folio *folio, pte_t *pte, unsigned long addr)
{
	pte_t old = ptep_clear_flush(vma, addr, pte);

	if (pte_dirty(old))
		folio_mark_dirty(folio);
	CALL(folio, vma);
	if (pte_young(ptep_get(pte))) /* expect: TLB008 */
		folio_mark_accessed(folio);
}
""",
    "TLB009": """
void evict_good(struct folio *folio, struct folio_batch *done)
{
	try_to_unmap(folio, TTU_BATCH_FLUSH);
	CALL(folio, done);
	try_to_unmap_flush();
	folio_batch_add(done, folio);
	free_unref_folios(done);
}

void evict_bad(struct folio *folio, struct folio_batch *done)
{
	try_to_unmap(folio, TTU_BATCH_FLUSH); /* expect: TLB009 */
	CALL(folio, done);
	folio_batch_add(done, folio);
	free_unref_folios(done);
}
""",
    "TLB010": """
void give_good(struct mm_struct *mm, pmd_t *pmd)
{
	pgtable_t table = pmd_pgtable(*pmd);

	pmd_clear(pmd);
	CALL(mm, pmd);
	flush_tlb_mm(mm);
	pte_free(mm, table);
}

void give_bad(struct mm_struct *mm, pmd_t *pmd)
{
	pgtable_t table = pmd_pgtable(*pmd);

	pmd_clear(pmd); /* expect: TLB010 */
	CALL(mm, pmd);
	pte_free(mm, table);
	flush_tlb_mm(mm);
}
""",
    "TLB011": """
static void wash_good(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	CALL(tlb, vma, pte);
	if (pte_present(ptep_get(pte))) {
		ptep_clear_young_notify(vma, addr, pte);
		CALL(tlb, vma, pte);
		tlb_remove_tlb_entry(tlb, pte, addr);
	}
	pte_unmap_unlock(pte, ptl);
}

static void wash_bad(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	if (pte_present(ptep_get(pte))) {
		tlb_remove_tlb_entry(tlb, pte, addr);
		CALL(tlb, vma, pte);
		ptep_clear_young_notify(vma, addr, pte); /* expect: TLB011 */
	}
	pte_unmap_unlock(pte, ptl);
}
""",
    "TLB012": """
static void flag_good(struct mm_struct *mm)
{
	if (mm->tlb_flush_batched) {
		mm->tlb_flush_batched = false;
		CALL(mm);
		flush_tlb_mm(mm);
	}
}

static void flag_bad(struct mm_struct *mm)
{
	if (mm->tlb_flush_batched) {
		flush_tlb_mm(mm);
		CALL(mm);
		mm->tlb_flush_batched = false; /* expect: TLB012 */
	}
}
""",
    "TLB013": """
void range_good(struct vm_area_struct *vma)
{
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, vma->vm_start, vma->vm_end);
	mmu_notifier_invalidate_range_start(&range);
	CALL(&range, vma);
	mmu_notifier_invalidate_range_end(&range);
}

void range_bad(struct vm_area_struct *vma)
{
	struct mmu_notifier_range range; /* expect: TLB013 */

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, vma->vm_start, vma->vm_end);
	mmu_notifier_invalidate_range_start(&range);
	CALL(&range, vma);
}
""",
    "TLB014": """
static void shed_good(struct vm_area_struct *vma, pte_t *pte, unsigned long addr)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	tlb_start_vma(&tlb, vma);
	CALL(&tlb, vma);
	tlb_remove_tlb_entry(&tlb, pte, addr);
	tlb_end_vma(&tlb, vma);
	tlb_finish_mmu(&tlb);
}

static void shed_bad(struct vm_area_struct *vma, pte_t *pte, unsigned long addr)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	CALL(&tlb, vma);
	tlb_remove_tlb_entry(&tlb, pte, addr); /* expect: TLB014 */
	tlb_finish_mmu(&tlb);
}
""",
}


@cache
def spine(kernel: str) -> Spine:
    return spines.load(Wanted(headers=stand_in(kernel), preview=True))


def found_in(text: str, kernel: str = "6.12") -> list[Finding]:
    return judge(spine(kernel), "mm/unknown.c", text.encode())


def differences(text: str, kernel: str = "6.12") -> list[str]:
    lines = text.splitlines()
    return [f"{lines[p.line - 1].strip()}  -> {p.text}" for p in compare(expectations_of(text), found_in(text, kernel))]


def with_call(rule: str, kind: str) -> str:
    """The rule's code with each CALL replaced by the unknown; without a callee the statement goes."""
    before, callee = UNKNOWN[kind]
    code = CASES[rule]
    return before + (_CALL.sub(lambda _: callee, code) if callee else re.sub(r"\tCALL\(.*\);", "", code))


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("rule", CASES)
def test_an_unknown_call_changes_nothing(rule: str, kind: str) -> None:
    text = with_call(rule, kind)
    assert not _CALL.search(text)
    assert differences(text) == []
