"""Functions that name nothing of interest and are read all the same, for what they lead to."""

from __future__ import annotations

import pytest

from tlblint.syntax import parse_file
from tlblint.syntax.config import Config

HELPERS = """static pte_t *take(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp)
{
	return pte_offset_map_lock(mm, pmd, addr, ptlp);
}

static void give(pte_t *pte, spinlock_t *ptl)
{
	pte_unmap_unlock(pte, ptl);
}
"""


def read(caller: str) -> list[str]:
    relevant = frozenset((b"pte_offset_map_lock", b"pte_unmap_unlock"))
    return [one.name for one in parse_file("mm/x.c", f"{HELPERS}\n{caller}\n".encode(), Config(), relevant).functions]


@pytest.mark.parametrize("local", ["spinlock_t *ptl;", "spinlock_t *ptl = NULL;", "spinlock_t *one, *ptl;", "struct mmu_gather tlb;\n\tvoid *ptl;"])
def test_who_has_a_lock_or_a_gather_that_helpers_take_is_read(local: str) -> None:
    assert read(f"void both(struct mm_struct *mm)\n{{\n\t{local}\n\n\tgive(take(mm, 0, 0, &ptl), ptl);\n}}") == ["take", "give", "both"]


@pytest.mark.parametrize("body", ["void *ptl;\n\n\tgive(take(mm, 0, 0, &ptl), ptl);", "spinlock_t *ptl;\n\n\tother(mm, &ptl);"])
def test_who_has_none_or_leads_nowhere_is_not(body: str) -> None:
    assert read(f"void both(struct mm_struct *mm)\n{{\n\t{body}\n}}") == ["take", "give"]
