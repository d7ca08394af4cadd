"""The generator's own checks: variants differ, parse, are distinct, and every family is served in every kernel."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.mutate import table
from tests.mutate.cst import Fn, functions
from tests.mutate.generate import errors, variants
from tests.mutate.judge import Seen, overlay
from tests.mutate.ops_ok import flag_inverted, invert_if, loop_forms, rename
from tests.mutate.ops_r3 import leave_behind_unlock
from tests.mutate.score import decide, new_findings, sample

KERNELS = os.environ.get("TLBLINT_KERNELS")
TREES = sorted(Path(KERNELS).glob("linux-source-*")) if KERNELS else []

WALK = """static int walk(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	bool force_flush = false;
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	arch_enter_lazy_mmu_mode();
	do {
		if (pte_none(ptep_get(pte)))
			continue;
		force_flush = true;
	} while (pte++, addr += PAGE_SIZE, addr != end);
	if (force_flush)
		flush_tlb_range(vma, addr, end);
	else
		cpu_relax();
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte - 1, ptl);
	return 0;
}
"""


def walk() -> Fn:
    return next(functions("mm/walk.c", WALK))


def test_statement_tree_covers_the_body() -> None:
    fn = walk()
    assert [k.kind for k in fn.root.kids] == ["decl", "decl", "decl", "expr", "expr", "do", "if", "expr", "expr", "return"]
    assert fn.local_names() == ["force_flush", "ptl", "pte"] and fn.declares("vma") and not fn.declares("mm")


def test_comments_and_strings_are_no_code() -> None:
    text = WALK.replace("cpu_relax();", 'pr_debug("} arch_leave_lazy_mmu_mode();"); /* { pte_unmap_unlock( */')
    assert len(next(functions("a.c", text)).leaves(r"pte_unmap_unlock|arch_leave")) == 2


def test_moves_keep_each_call_once() -> None:
    ((_, body),) = leave_behind_unlock(walk())
    assert body.count("arch_leave_lazy_mmu_mode") == 1 and body.index("pte_unmap_unlock") < body.index("arch_leave_lazy_mmu_mode")


def test_harmless_forms() -> None:
    fn = walk()
    ((_, inverted),) = invert_if(fn)
    assert "if (!(force_flush)) { cpu_relax(); } else { flush_tlb_range(vma, addr, end); }" in inverted
    ((_, flag),) = flag_inverted(fn)
    assert "bool no_flush = true;" in flag and "no_flush = false;" in flag and "if (!no_flush)" in flag and "force_flush" not in flag
    assert all("&ptl" not in body for name, body in rename(fn) if name == "ptl")
    assert {label.rsplit("-", 1)[0] for label, _ in loop_forms(fn)} == {"do-forever-goto", "do-flag"}


def test_new_findings_are_counted_not_just_named() -> None:
    a = Seen("TLB003", "walk", "error", "k")
    assert new_findings([a], [a]) == [] and new_findings([a], [a, a]) == [a]
    assert new_findings([], [Seen("TLB003", "walk", "note", "k")]) == []


def test_overlay_replaces_one_file(tmp_path: Path) -> None:
    (tmp_path / "k/mm/sub").mkdir(parents=True)
    (tmp_path / "k/mm/a.c").write_text("old")
    (tmp_path / "k/mm/b.c").write_text("other")
    (tmp_path / "o").mkdir()
    overlay(tmp_path / "k", tmp_path / "o", "mm/a.c", b"new")
    assert (tmp_path / "o/mm/a.c").read_text() == "new" and (tmp_path / "o/mm/b.c").read_text() == "other" and (tmp_path / "k/mm/a.c").read_text() == "old"


@pytest.mark.skipif(not TREES, reason="TLBLINT_KERNELS is not set")
@pytest.mark.parametrize("root", TREES, ids=lambda p: p.name)
def test_variants_of_a_kernel(root: Path) -> None:
    rejected: Counter[str] = Counter()
    rows = list(variants(root, rejected=rejected))
    count = Counter(v.family for v in rows)
    broken = sum(n for family, n in count.items() if family != "OK")
    assert broken >= 250 and count["OK"] >= 250 and all(count[f] for f in table.FAMILIES)
    assert len({v.id for v in rows}) == len(rows)
    unparsable = sum(n for reason, n in rejected.items() if reason.startswith("unparsable"))
    assert unparsable < len(rows) // 100, rejected
    for v in sample(rows, 60):
        stock = (root / v.path).read_bytes()
        text = v.text()
        assert text != stock and text[: v.start] == stock[: v.start]
        assert errors(v.body) <= errors(stock[v.start : v.end].decode("latin-1"))
        assert bool(v.accept) != v.harmless
        seen = Seen(v.accept[0] if v.accept else "TLB001", v.function, "error", "x")
        assert decide(v, [seen]).status == ("flagged" if v.harmless else "found") and decide(v, []).status == ("quiet" if v.harmless else "missed")
