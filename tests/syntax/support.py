"""Shared by the tests of the front end."""

from __future__ import annotations

from pathlib import Path

from tlblint.syntax import Config, ParsedFile, ParsedFunction, parse_file

TORTURE = Path(__file__).resolve().parents[2] / "fixtures" / "torture"
SMALL = frozenset((b"flush_tlb_mm", b"set_pte_at", b"pte_unmap_unlock"))
RELEVANT = SMALL | frozenset(
    b"""pte_offset_map_lock ptep_get ptep_get_and_clear pte_clear ptep_clear_flush ptep_modify_prot_start ptep_modify_prot_commit
    pmdp_huge_get_and_clear pmdp_invalidate flush_tlb_range flush_tlb_page tlb_remove_tlb_entry tlb_gather_mmu tlb_finish_mmu
    arch_enter_lazy_mmu_mode arch_leave_lazy_mmu_mode lazy_mmu_mode_enable lazy_mmu_mode_disable pmd_lock ptl page_vma_mapped_walk
    flush_tlb_batched_pending get_and_clear_full_ptes set_ptes wrprotect_ptes huge_ptep_get_and_clear set_huge_pte_at set_pmd_at
    ptep_set_wrprotect huge_ptep_clear_flush flush_tlb_kernel_range pte_offset_map ptep_set_access_flags pte_unmap huge_pte_lock
    pmd_trans_huge_lock tlb_flush_mmu pudp_huge_get_and_clear""".split()
)


def parse(source: bytes | str, config: Config | None = None, relevant: frozenset[bytes] = SMALL) -> ParsedFile:
    """Parse a piece of C."""
    raw = source.encode() if isinstance(source, str) else source
    return parse_file("x.c", raw, config or Config(), relevant)


def body(statements: str) -> ParsedFunction:
    """The one function whose body is ``statements``; the test fails if it is not read whole."""
    parsed = parse("static void f(struct mm_struct *mm)\n{\n\tflush_tlb_mm(mm);\n" + statements + "\n}\n")
    assert not parsed.not_analysed, parsed.not_analysed
    assert parsed.functions[0].health == ()
    return parsed.functions[0]


def kinds(function: ParsedFunction) -> list[str]:
    """Kinds of the statements directly in the function's body, after the first."""
    block = function.node.child_by_field_name("body")
    assert block is not None
    return [child.type for child in block.named_children][1:]


def by_name(parsed: ParsedFile, name: str, variant: int = 0) -> ParsedFunction:
    """The first function of that name and variant."""
    return next(f for f in parsed.functions if f.name == name and f.variant == variant)


def shape(text: bytes) -> tuple[int, list[int]]:
    """What normalisation must not change: the length and where the newlines are."""
    return len(text), [i for i, c in enumerate(text) if c == 10]
