"""What a sentence says of places that are not in the function of the finding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WALK = """static void age(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	arch_enter_lazy_mmu_mode();
	ptep_test_and_clear_young(vma, addr, pte);
	%s
}
"""
HELPER = "\n\nstatic inline void put_back(pte_t *pte, spinlock_t *ptl)\n{\n\tpte_unmap_unlock(pte, ptl);\n}\n"


def found_in(top: Path) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(top), "-f", "json", "--no-cache", "--no-sim", "--exit-zero"]
    findings: list[dict[str, object]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["findings"]
    return findings


def message(top: Path) -> str:
    (found,) = found_in(top)
    assert (found["rule"], found["path"], found["line"]) == ("TLB003", "mm/a.c", 6)
    return str(found["message"])


def test_a_line_of_another_file_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/a.c").write_text(WALK % "put_back(pte, ptl);")
    (tmp_path / "mm/put_back.h").write_text(HELPER)
    assert "is released on line 5 of mm/put_back.h while lazy MMU mode entered on line 6 is still on" in message(tmp_path)


def test_a_line_of_the_same_file_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/a.c").write_text(WALK % "pte_unmap_unlock(pte, ptl);")
    assert "is released on line 8 while lazy MMU mode entered on line 6 is still on" in message(tmp_path)


FINISHED = """static void use(struct mmu_gather *tlb, struct vm_area_struct *vma)
{
	tlb_start_vma(tlb, vma);
}

void owner(struct vm_area_struct *vma)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	tlb_finish_mmu(&tlb);
	use(&tlb, vma);
}
"""


def test_what_was_done_before_the_call_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/a.c").write_text(FINISHED)
    assert {found["message"] for found in found_in(tmp_path)} == {"tlb_start_vma() on line 3 uses a gather that was finished before use() was called."}
