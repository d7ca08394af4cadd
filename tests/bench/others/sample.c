/* One of each that the rules of all tools beside tlblint look for, and one of each that they must leave alone. */

void batched_pending(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	pte_t *pte, old;
	spinlock_t *ptl;

	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	old = ptep_get_and_clear(mm, addr, pte); /* hit */
	look_at(old);
	pte_unmap_unlock(pte, ptl);
}

void dirty_lost(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	ptep_get_and_clear(mm, addr, pte); /* hit */
}

void flush_late(struct vm_area_struct *vma, unsigned long addr, pte_t *pte, spinlock_t *ptl)
{
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	pte_unmap_unlock(pte, ptl);
	flush_tlb_page(vma, addr); /* hit */
}

void lazy_sleep(void)
{
	arch_enter_lazy_mmu_mode();
	cond_resched(); /* hit */
	arch_leave_lazy_mmu_mode();
}

void lazy_unlock(pte_t *pte, spinlock_t *ptl)
{
	arch_enter_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl); /* hit */
	arch_leave_lazy_mmu_mode();
}

int lazy_unpaired(int bad)
{
	arch_enter_lazy_mmu_mode();
	if (bad)
		return 1; /* hit */
	arch_leave_lazy_mmu_mode();
	return 0;
}

int right(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	pte_t *pte, old;
	spinlock_t *ptl;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	flush_tlb_batched_pending(vma->vm_mm);
	arch_enter_lazy_mmu_mode();
	old = ptep_get_and_clear(vma->vm_mm, addr, pte);
	flush_tlb_page(vma, addr);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	cond_resched();
	return pte_dirty(old);
}
