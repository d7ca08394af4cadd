"""What functions say together changes with a patch, and with it what is found in files that no patch touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.series.kit import HEAD, MAKEFILE, build, judge, rows
from tlblint.engine.concerned import Concerned
from tlblint.model.ir import Block, Function

BEGIN = HEAD + """static inline void __tlb_reset_range(struct mmu_gather *tlb)
{
	tlb->start = 0;
}

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	tlb->mm = mm;
	tlb->fullmm = 0;
	tlb->pending = 0;
	__tlb_reset_range(tlb);
	inc_tlb_flush_pending(mm);
}
"""
READS = HEAD + """static inline void tlb_flush(struct mmu_gather *tlb)
{
	if (tlb->pending)
		flush_icache_all();
	flush_tlb_mm(tlb->mm);
}
"""
LESS = BEGIN.replace("\ttlb->pending = 0;\n", "")
X, H = "mm/mmu_gather.c", "include/asm-generic/tlb.h"


@pytest.mark.parametrize("cache", (True, False))
def test_a_member_that_is_no_longer_set_is_told_where_a_header_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    top = build(tmp_path / "t", {"Makefile": MAKEFILE, X: BEGIN, H: READS}, {X: LESS}, {X: LESS + "/* a remark */\n"}, {X: BEGIN})
    for count in (1, 3, 2, 3) if cache else (3,):  # some of the states are known from the first series
        found = [row for row in rows(judge(top, count)) if row[0] == "TLB015"]
        assert found == {1: [("TLB015", H, "tlb_flush", 1, "fixed", None)], 2: [("TLB015", H, "tlb_flush", 2, "fixed", None)],
                         3: [("TLB015", H, "tlb_flush", 1, "introduced", 3)]}[count]


def test_whom_it_concerns() -> None:
    def function(name: str, path: str) -> Function:
        return Function(name, "mm/x.c", 0, 1, (), "void", False, (Block((("set", path, ("n", 0), 3),), "return", None, (), 5),), frozenset())

    one, other = function("one", "tlb->end"), function("other", "mm->tlb_flush_batched")
    assert [[concerned(fn) for fn in (one, other)] for flags in (["unset:one:end"], ["late other:asked"], ["tlb_flush_batched"], ["mm/x.c:f:end/addr"], [])
            for concerned in [Concerned(flags)]] == [[True, False], [False, True], [False, True], [True, False], [False, False]]  # fmt: skip
