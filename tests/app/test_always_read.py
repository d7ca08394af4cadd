"""Functions of which something is promised are read, also when they mention nothing that is of interest by itself."""

from __future__ import annotations

from tests.conftest import Write
from tlblint.app.check import check
from tlblint.app.request import Request

TOP = {"Makefile": b"VERSION = 6\nPATCHLEVEL = 12\n"}
COPY = b"""#include <linux/mm.h>
int copy_pte_range(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *first, *pte;

	first = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return -ENOMEM;
	for (; addr != end; pte++, addr += PAGE_SIZE)
		ptep_set_wrprotect(vma->vm_mm, addr, pte);
	pte_unmap_unlock(first, ptl);
	return 0;
}
"""
FORK = b"""#include <linux/mm.h>
static int dup_mmap(struct mm_struct *mm, struct mm_struct *old)
{
	int ret = copy_pte_range(old->mmap, old->pmd, 0, TASK_SIZE);

	%s
	return ret;
}
"""


def found(write: Write, files: dict[str, bytes]) -> list[tuple[str, str]]:
    top = str(write({**TOP, **files}))
    return [(finding.rule, finding.function) for finding in check(Request(cwd=top, tree=top, flags={})).report.findings]


def test_a_function_that_lost_the_only_flush_of_its_file(write: Write) -> None:
    assert ("TLB009", "copy_pte_range") in found(write, {"mm/memory.c": COPY, "kernel/fork.c": FORK % b"up_write(old);"})
    assert ("TLB009", "copy_pte_range") not in found(write, {"mm/memory.c": COPY, "kernel/fork.c": FORK % b"flush_tlb_mm(old);"})


GATHER = b"""#include <linux/mm.h>
static inline void __tlb_reset_range(struct mmu_gather *tlb)
{
	tlb->end = tlb->fullmm ? ~0 : 0;
}

static void __tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm, bool full)
{
	tlb->mm = mm;
	tlb->fullmm = full;
	__tlb_reset_range(tlb);
	%s
}

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	__tlb_gather_mmu(tlb, mm, false);
	%s
}

void tlb_flush(struct mmu_gather *tlb)
{
	if (tlb->fullmm)
		flush_tlb_mm(tlb->mm);
}
"""


def test_what_begins_a_gather_wherever_the_count_is_raised(write: Write) -> None:
    for inside, outside in ((b"inc_tlb_flush_pending(mm);", b";"), (b";", b"inc_tlb_flush_pending(mm);")):
        assert "TLB015" not in dict(found(write, {"mm/mmu_gather.c": GATHER % (inside, outside)}))
