"""The judge in this process sees what a change brings, in the file and in its callers."""

from __future__ import annotations

from pathlib import Path

from tests.mutate import inprocess

HELPER = b"""
static void protect(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	flush_tlb_page(vma, addr);
}
"""
CALLER = b"""
void protect_locked(struct vm_area_struct *vma, unsigned long addr, pte_t *pte, spinlock_t *ptl)
{
	spin_lock(ptl);
	flush_tlb_batched_pending(vma->vm_mm);
	protect(vma, addr, pte);
	spin_unlock(ptl);
}
"""


def test_a_change_is_judged_with_its_callers(tmp_path: Path) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/a.c").write_bytes(HELPER + CALLER)
    assert inprocess.tree(tmp_path, "mm/a.c", HELPER + CALLER) == []
    found = inprocess.tree(tmp_path, "mm/a.c", HELPER.replace(b"\tflush_tlb_page(vma, addr);\n", b"") + CALLER)
    assert [(rule, function) for rule, function, *_ in found] == [("TLB004", "protect")]
