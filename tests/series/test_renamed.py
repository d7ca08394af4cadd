"""A function that a role table knows, under another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import git
from tests.series.kit import HEAD, build, judge, protect, rows
from tlblint.app import series_renamed
from tlblint.io.apply import apply_series
from tlblint.io.series import read_series
from tlblint.io.tree import open_tree

X, Y, H = "mm/x.c", "mm/y.c", "include/asm-generic/tlb.h"
OLD, NEW = "flush_tlb_range", "invalidate_user_range"
DEFINED = HEAD + """static inline void
flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	if (start < end) /* nothing to do otherwise */
		__tlb_all("some } text", vma->vm_mm);
}

#ifdef CONFIG_MMU
static inline void tlb_flush_mmu(struct mmu_gather *tlb) { tlb_flush_mmu_tlbonly(tlb); flush_tlb_range(tlb->vma, 0, 1); }
#else
static inline void tlb_flush_mmu(struct mmu_gather *tlb) { }
#endif
"""
BASE = {X: HEAD + protect(), Y: HEAD + protect("other"), H: DEFINED}


def under(files: dict[str, str], old: str = OLD, new: str = NEW) -> dict[str, str | bytes | None]:
    return {path: text.replace(old, new) for path, text in files.items()}


def followed(top: Path, count: int) -> series_renamed.Renamed:
    tree = open_tree(str(top), None, f"HEAD~{count}")
    read = read_series(str(top), (f"HEAD~{count}..HEAD",), None, None)
    return series_renamed.renamed(tree, list(apply_series(tree, read)), {OLD, "tlb_flush_mmu", "tlb_flush_mmu_tlbonly", "pte_unmap_unlock"})


def test_a_new_name_for_a_primitive_breaks_nothing(tmp_path: Path) -> None:
    """Also not in a file that comes later, and what is broken under the new name is told."""
    late = {Y: HEAD + protect("other", flush=False).replace(OLD, NEW)}
    top = build(tmp_path, dict(BASE), under(BASE), {"mm/z.c": HEAD + protect("third").replace(OLD, NEW)}, late)
    report = judge(top, 3)
    assert rows(report) == [("TLB004", Y, "other", 3, "introduced", None)]
    assert report.series is not None
    assert f"{NEW}() is taken to be what {OLD}() was: patch 1 changes nothing but the name" in report.series.notes


@pytest.mark.parametrize("change", [("start < end", "start <= end"), ("\t\t__tlb_all(", "\t\t__tlb_some("), ("unsigned long end)", "unsigned long stop)")])
def test_a_new_name_with_another_body_is_told_and_not_followed(tmp_path: Path, change: tuple[str, str]) -> None:
    new = under(BASE)
    new[H] = str(new[H]).replace(*change)
    report = judge(build(tmp_path, dict(BASE), new), 1)
    assert {row[2] for row in rows(report) if row[4] == "introduced"} == {"seal", "other"}
    assert report.series is not None
    assert [note for note in report.series.notes if "()" in note] == [
        f"patch 1 makes {NEW}() of {OLD}() and changes it: what is known of {OLD}() is not taken to hold for it"]


def test_two_that_call_each_other_and_a_way_back(tmp_path: Path) -> None:
    both = under(under({H: DEFINED}, "tlb_flush_mmu(", "gather_finish("))  # type: ignore[arg-type]
    top = build(tmp_path, {H: DEFINED}, both, under({H: str(both[H])}, "gather_finish(", "gather_end("), {H: str(both[H])})
    assert followed(top, 1).names == {}
    git(top, "revert", "--no-edit", "HEAD~2..HEAD")
    found = followed(top, 5)
    assert found.names == {NEW: OLD, "gather_finish": "tlb_flush_mmu"} and len(found.notes) == 6


@pytest.mark.parametrize(
    ("what", "after"),
    [
        ("the old one stays", DEFINED + under({H: DEFINED})[H].split("#ifdef")[0]),  # type: ignore[union-attr, operator, arg-type]
        ("a declaration", DEFINED.replace("#ifdef", f"void {NEW}(struct vm_area_struct *vma, unsigned long start, unsigned long end);\n#ifdef")),
        ("two equal ones", DEFINED.replace(OLD, NEW) + DEFINED.split("#ifdef")[0].replace(OLD, "another_range")),
        ("one arm of two", DEFINED.replace("tlb_flush_mmu(struct mmu_gather *tlb) { }", "finish(struct mmu_gather *tlb) { }")),
        ("moved", DEFINED.replace("#ifdef", "\n\n#ifdef")),
        ("nothing", ""),
    ],
)
def test_what_is_no_new_name(tmp_path: Path, what: str, after: str) -> None:
    assert followed(build(tmp_path, {H: DEFINED}, {H: after}), 1).names == {}, what
