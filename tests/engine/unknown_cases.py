"""C for test_unknown.py: right code and its broken twin for each rule, and the shapes of what is not known."""

from __future__ import annotations

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

QUIET = {
    "TLB001: what changes entries is unknown": """
static void sweep(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	for (; addr < end; pte++, addr += PAGE_SIZE)
		CALL(vma, pte, addr);
	pte_unmap_unlock(pte - 1, ptl);
}
""",
    "TLB004: who unlocks is unknown": """
void dull(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, spinlock_t *ptl)
{
	spin_lock(ptl);
	if (pte_present(ptep_get(pte)))
		ptep_set_wrprotect(vma->vm_mm, addr, pte);
	CALL(ptl);
	flush_tlb_page(vma, addr);
}
""",
    "TLB005: begin and finish are unknown": """
void zap(struct vm_area_struct *vma)
{
	struct mmu_gather tlb;

	CALL(&tlb, vma);
	CALL(&tlb);
}
""",
    "TLB007: who decides is unknown": """
void recolour(struct mmu_gather *tlb, struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pgprot_t prot)
{
	pte_t seen = ptep_get(pte), old;

	old = ptep_modify_prot_start(vma, addr, pte);
	ptep_modify_prot_commit(vma, addr, pte, old, pte_modify(old, prot));
	if (CALL(seen, old))
		tlb_flush_pte_range(tlb, addr, PAGE_SIZE);
}
""",
    "TLB009: the flags are unknown": """
void evict(struct folio *folio, struct folio_batch *done)
{
	enum ttu_flags flags = CALL(folio);

	try_to_unmap(folio, flags);
	free_unref_folios(done);
}
""",
    "TLB010: who frees is unknown": """
void give(struct mm_struct *mm, pmd_t *pmd)
{
	pgtable_t table = pmd_pgtable(*pmd);

	pmd_clear(pmd);
	CALL(mm, table);
	flush_tlb_mm(mm);
}
""",
    "TLB012: who flushes is unknown": """
static void lower(struct mm_struct *mm)
{
	if (mm->tlb_flush_batched) {
		CALL(mm);
		mm->tlb_flush_batched = false;
	}
}
""",
    "TLB014: begin and finish are unknown": """
void shed(struct vm_area_struct *vma, pte_t *pte, unsigned long addr)
{
	struct mmu_gather tlb;

	CALL(&tlb, vma);
	tlb_remove_tlb_entry(&tlb, pte, addr);
	CALL(&tlb);
}
""",
}  # fmt: skip
"""The deed itself is unknown: nothing is found, right or wrong."""

HALVES = {
    "TLB003: entered elsewhere": """
void age(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, spinlock_t *ptl)
{
	spin_lock(ptl);
	elsewhere(vma);
	ptep_test_and_clear_young(vma, addr, pte);
	arch_leave_lazy_mmu_mode(); /* FOUND TLB003 */
	spin_unlock(ptl);
}
""",
    "TLB005: begun elsewhere": """
void zap(struct vm_area_struct *vma)
{
	struct mmu_gather tlb; /* FOUND TLB005 */

	elsewhere(&tlb, vma);
	tlb_finish_mmu(&tlb);
}
""",
    "TLB006: raised elsewhere": """
void count(struct mm_struct *mm)
{
	elsewhere(mm);
	flush_tlb_mm(mm);
	dec_tlb_flush_pending(mm); /* FOUND TLB006 */
}
""",
    "TLB008: stored elsewhere": """
void ask(struct vm_area_struct *vma, struct folio *folio, pte_t *pte, unsigned long addr)
{
	pte_t old = ptep_clear_flush(vma, addr, pte);

	if (pte_dirty(old))
		folio_mark_dirty(folio);
	elsewhere(pte, vma, old);
	if (pte_young(ptep_get(pte))) /* FOUND TLB008 */
		folio_mark_accessed(folio);
}
""",
    "TLB002: dirty bit used elsewhere": """
void part(struct vm_area_struct *vma, struct folio *folio, pte_t *pte, unsigned long addr, spinlock_t *ptl)
{
	pte_t old;

	spin_lock(ptl);
	old = ptep_clear_flush(vma, addr, pte); /* FOUND TLB002 */
	elsewhere(folio, old);
	spin_unlock(ptl);
}
""",
    "TLB004: recorded elsewhere": """
void dull(struct mmu_gather *tlb, struct vm_area_struct *vma, pte_t *pte, unsigned long addr, spinlock_t *ptl)
{
	spin_lock(ptl);
	if (pte_present(ptep_get(pte))) {
		ptep_set_wrprotect(vma->vm_mm, addr, pte); /* FOUND TLB004 */
		elsewhere(tlb, pte, addr);
	}
	spin_unlock(ptl);
}
""",
    "TLB013: started elsewhere": """
void range_of(struct vm_area_struct *vma)
{
	struct mmu_notifier_range range; /* FOUND TLB013 */

	elsewhere(&range, vma);
	mmu_notifier_invalidate_range_end(&range);
}
""",
    "TLB013: unlocked elsewhere": """
void after(struct vm_area_struct *vma, struct mmu_notifier_range *range, spinlock_t *ptl)
{
	spin_lock(ptl);
	elsewhere(ptl);
	mmu_notifier_invalidate_range_start(range); /* FOUND TLB013 */
}
""",
    "TLB014: begun again elsewhere": """
void shed(struct mmu_gather *tlb, struct vm_area_struct *vma, pte_t *pte, unsigned long addr)
{
	tlb_finish_mmu(tlb);
	elsewhere(tlb, vma);
	tlb_remove_tlb_entry(tlb, pte, addr); /* FOUND TLB014 */
}
""",
}
"""Half of a pair is in code that is not read: a false alarm if that half is there. One that is found no more has to leave the list."""

OWN_HALF = {
    "TLB001": ("flush_tlb_batched_pending(what);", "struct mm_struct", "flush_tlb_batched_pending(vma->vm_mm);", "HELPER(vma->vm_mm, 3);"),
    "TLB002": ("folio_mark_dirty(what);", "struct folio", "folio_mark_dirty(folio);", "HELPER(folio, 3);"),
    "TLB003": ("arch_leave_lazy_mmu_mode();", "struct vm_area_struct", "arch_leave_lazy_mmu_mode();", "HELPER(vma, 3);"),
    "TLB004": ("flush_tlb_page(what, 0);", "struct vm_area_struct", "flush_tlb_page(vma, addr);", "HELPER(vma, 3);"),
    "TLB005": ("tlb_finish_mmu(what);", "struct mmu_gather", "tlb_finish_mmu(&tlb);", "HELPER(&tlb, 3);"),
    "TLB006": ("dec_tlb_flush_pending(what);", "struct mm_struct", "dec_tlb_flush_pending(mm);", "HELPER(mm, 3);"),
    "TLB009": ("try_to_unmap_flush();", "struct folio", "try_to_unmap_flush();", "HELPER(folio, 3);"),
    "TLB010": ("flush_tlb_mm(what);", "struct mm_struct", "flush_tlb_mm(mm);", "HELPER(mm, 3);"),
    "TLB013": ("mmu_notifier_invalidate_range_end(what);", "struct mmu_notifier_range", "mmu_notifier_invalidate_range_end(&range);", "HELPER(&range, 3);"),
    "TLB014": ("tlb_start_vma(what, what->vma);", "struct mmu_gather", "tlb_start_vma(&tlb, vma);", "HELPER(&tlb, 3);"),
}
"""For a rule: the deed that its right code needs, in a helper (of what it is given), and there."""

HELPERS = {
    "plain": "static void helper(TYPE *what, int n)\n{\n\tDEED\n}\n",
    "variable arguments": "static void helper(TYPE *what, ...)\n{\n\tDEED\n}\n",
    "old style": "static void helper(what, n)\n\tTYPE *what;\n\tint n;\n{\n\tDEED\n}\n",
    "recursion": "static void helper(TYPE *what, int n)\n{\n\tif (n)\n\t\thelper(what, n - 1);\n\telse\n\t\tDEED\n}\n",
    "recursion in a circle": (
        "static void helper(TYPE *what, int n);\nstatic void next(TYPE *what, int n)\n{\n\thelper(what, n - 1);\n}\n"
        "static void helper(TYPE *what, int n)\n{\n\tif (n)\n\t\tnext(what, n);\n\telse\n\t\tDEED\n}\n"),
    "too deep a chain": (
        "static void h0(TYPE *what, int n)\n{\n\tDEED\n}\n"
        + "".join(f"static void h{n}(TYPE *what, int n)\n{{\n\th{n - 1}(what, n);\n}}\n" for n in range(1, 40))
        + "static void helper(TYPE *what, int n)\n{\n\th39(what, n);\n}\n"),
}  # fmt: skip

WIDE = """
static void wide(struct mmu_gather *tlb, struct vm_area_struct *vma, spinlock_t *a_ptl, spinlock_t *b_ptl, spinlock_t *c_ptl)
{
	if (elsewhere(1))
		spin_lock(a_ptl);
	if (elsewhere(2))
		spin_lock(b_ptl);
	if (elsewhere(3))
		spin_lock(c_ptl);
	tlb_finish_mmu(tlb);
}

void zap(struct vm_area_struct *vma, spinlock_t *a_ptl, spinlock_t *b_ptl, spinlock_t *c_ptl)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	wide(&tlb, vma, a_ptl, b_ptl, c_ptl);
}

void count_behind(struct vm_area_struct *vma, spinlock_t *a_ptl, spinlock_t *b_ptl, spinlock_t *c_ptl)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	wide(&tlb, vma, a_ptl, b_ptl, c_ptl);
	inc_tlb_flush_pending(vma->vm_mm); /* expect: TLB006 */
}

void neighbour(struct mm_struct *mm)
{
	inc_tlb_flush_pending(mm); /* expect: TLB006 */
}
"""

RECURSIVE = {
    "a defect in a function that calls itself": """
static void split(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, int n)
{
	spinlock_t *ptl;
	pte_t *pte;

	if (n)
		split(vma, pmd, addr, n - 1);
	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	if (pte_present(ptep_get(pte)))
		ptep_set_wrprotect(vma->vm_mm, addr, pte); /* expect: TLB004 */
	pte_unmap_unlock(pte, ptl);
}
""",
    "right code in a function that calls itself": """
static void split(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, int n)
{
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl); /* ok: TLB003 */
	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	ptep_test_and_clear_young(vma, addr, pte);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	if (n)
		split(vma, pmd, addr, n - 1);
}
""",
    "a circle of three, each may call each": """
static void one(struct mm_struct *mm, int n);
static void two(struct mm_struct *mm, int n);

static void three(struct mm_struct *mm, int n)
{
	inc_tlb_flush_pending(mm); /* todo-expect: TLB006 a call back into the circle might lower it */
	one(mm, n);
	two(mm, n);
	three(mm, n);
}

static void two(struct mm_struct *mm, int n)
{
	if (n)
		one(mm, n - 1);
	three(mm, n);
}

static void one(struct mm_struct *mm, int n)
{
	if (n)
		two(mm, n - 1);
	three(mm, n);
}
""",
    "finished on each level": """
static void finish(struct mmu_gather *tlb, int n)
{
	if (n)
		finish(tlb, n - 1);
	tlb_finish_mmu(tlb);
}

void zap(struct vm_area_struct *vma, int n)
{
	struct mmu_gather tlb; /* todo-expect: TLB005 the levels of a recursion are not told apart */

	tlb_gather_mmu(&tlb, vma->vm_mm);
	finish(&tlb, n);
}
""",
    "variable arguments hide nothing else": """
static void drop_all(const char *why, ...)
{
	va_list ap;
	spinlock_t *ptl;

	va_start(ap, why);
	ptl = va_arg(ap, spinlock_t *);
	spin_lock(ptl);
	arch_enter_lazy_mmu_mode(); /* expect: TLB003 */
	spin_unlock(ptl);
	va_end(ap);
}
""",
    "a defect in a function of the old style is not found, and that is said": """
static void aged(vma, ptl) /* expect: TLB902 */
	struct vm_area_struct *vma;
	spinlock_t *ptl;
{
	spin_lock(ptl);
	arch_enter_lazy_mmu_mode(); /* todo-expect: TLB003 parameters are declared in the old style */
	spin_unlock(ptl);
}
""",
}
