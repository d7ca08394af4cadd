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


def function(name: str, body: str) -> str:
    return f"static void {name}(struct mm_struct *mm, pte_t *pte, spinlock_t *ptl)\n{{\n\t{body}\n}}\n"


def test_twins_in_the_arms_of_an_if_call_what_one_of_them_calls() -> None:
    one, other = function("both", "only(mm, pte, ptl);\n\tpte_unmap_unlock(pte, ptl);"), function("both", "pte_unmap_unlock(pte, ptl);")
    assert read(f"{function('only', 'spin_lock(ptl);')}#ifdef CONFIG_A\n{one}#else\n{other}#endif") == ["take", "give", "only", "both", "both"]


def test_helpers_that_are_twins_are_read_both() -> None:
    twins = f"#ifdef CONFIG_A\n{function('lock', 'spin_lock(ptl);')}#else\n{function('lock', '')}#endif\n"
    assert read(twins + function("both", "lock(mm, pte, ptl);\n\tpte_unmap_unlock(pte, ptl);")) == ["take", "give", "lock", "lock", "both"]


@pytest.mark.parametrize(("deed", "there"), [("atomic_inc(&mm->tlb_flush_batched);", True), ("atomic_inc(&mm->users);", False)])
def test_who_changes_a_flag_that_stands_for_flushes_is_read(deed: str, there: bool) -> None:
    helper = function("note", deed)
    found = read(helper + function("both", "note(mm, pte, ptl);\n\tpte_unmap_unlock(pte, ptl);"))
    assert ("note" in found) == there
