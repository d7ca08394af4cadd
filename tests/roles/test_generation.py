"""Generations by declarations alone; small headers written for the purpose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.names.index import of_files
from tlblint.roles import HEADERS, detect
from tlblint.roles.generation import FEATURES, NEWEST

MM = "include/linux/mm.h"
PGTABLE = "include/linux/pgtable.h"
TLB = "include/asm-generic/tlb.h"
RMAP = "mm/rmap.c"
EMPTY = dict.fromkeys(HEADERS, b"")


def makefile(version: int, level: int) -> bytes:
    return b"# comment\nVERSION = %d\nPATCHLEVEL = %d\nSUBLEVEL = 3\nEXTRAVERSION =\n" % (version, level)


def test_nothing_is_the_newest() -> None:
    found = detect({})
    assert (found.name, found.features) == ("unknown", NEWEST)
    assert found.evidence


def test_files_that_do_not_matter_are_nothing() -> None:
    assert detect({"README": b"VERSION = 6\nPATCHLEVEL = 1\n"}).name == "unknown"


def test_bare_headers_are_the_oldest() -> None:
    found = detect({**EMPTY, "Makefile": makefile(5, 10)})
    assert (found.name, found.features, found.evidence) == ("5.10", frozenset(), ())


@pytest.mark.parametrize(
    ("path", "text", "feature"),
    [
        (MM, b"pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *p,\n\tunsigned long a, spinlock_t **l);", "pte-map-may-fail"),
        (MM, b"static inline pte_t *\n__pte_offset_map_lock(struct mm_struct *mm)", "pte-map-may-fail"),
        (RMAP, b"static void set_tlb_ubc_flush_pending(struct mm_struct *m,\n\t\tpte_t v, unsigned long a)", "ubc-takes-pteval"),
        (PGTABLE, b"static inline void lazy_mmu_mode_enable(void)", "lazy-nests"),
        (TLB, b"#define tlb_start_ptes(tlb) \\\n do { } while (0)", "tlb-start-ptes"),
        (PGTABLE, b"# define pte_accessible(vma, pte)\t((void)(pte), 1)", "accessible-takes-pointer"),
        (PGTABLE, b"static inline bool pte_accessible(struct vm_area_struct *vma, pte_t *a)", "accessible-takes-pointer"),
        ("include/linux/hugetlb.h", b"int huge_pmd_unshare(struct mmu_gather *t, struct vm_area_struct *v)", "unshare-takes-gather"),
        ("arch/arm64/include/asm/tlbflush.h", b"static inline void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *b)", "batched-unmap:arm64"),
    ],
)
def test_one_declaration_is_one_feature(path: str, text: bytes, feature: str) -> None:
    found = detect({**EMPTY, path: text})
    assert found.features == {feature}
    assert found.evidence[0].startswith(f"{feature}: {path}:1")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (MM, b"#define pte_offset_map_lock(mm, pmd, address, ptlp)\t\\\n({ pte_t *p; })"),
        (RMAP, b"static void set_tlb_ubc_flush_pending(struct mm_struct *mm, bool writable)"),
        (PGTABLE, b"# define pte_accessible(mm, pte)\t((void)(pte), 1)"),
        ("include/linux/hugetlb.h", b"int huge_pmd_unshare(struct mm_struct *mm, struct vm_area_struct *vma)"),
        ("include/linux/hugetlb.h", b"pte_t huge_ptep_get(pte_t *ptep);"),
    ],
)
def test_the_older_declaration_is_not_the_feature(path: str, text: bytes) -> None:
    assert detect({**EMPTY, path: text}).features == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        b"/*\nbool pte_needs_flush(pte_t old, pte_t new)\n*/\n",
        b"static inline void f(void)\n{\n\tif (pte_needs_flush(old, new))\n\t\tg();\n}\n",
        b"#if 0\nbool pte_needs_flush(pte_t old, pte_t new);\n#endif\n",
        b"#define g(a) pte_needs_flush(a, a)\n",
    ],
)
def test_what_is_spoken_of_is_not_declared(text: bytes) -> None:
    assert detect({**EMPTY, TLB: text}).features == frozenset()


def test_an_index_is_asked_like_the_files_it_is_of() -> None:
    files = {**EMPTY, TLB: b"bool pte_needs_flush(pte_t old, pte_t new);\n", "Makefile": makefile(6, 1)}
    index = of_files(files)
    assert detect(index) == detect(files)
    assert index.texts.declared.keys() >= {files[TLB]}  # this is where it looked


def test_a_backport_counts_and_the_release_does_not() -> None:
    """A declaration in a tree that calls itself old is believed; its absence in one that calls itself new too."""
    old = detect({**EMPTY, "Makefile": makefile(6, 1), MM: b"pte_t *pte_offset_map_lock(struct mm_struct *mm);"})
    assert old.name == "6.1" and old.features == {"pte-map-may-fail"}
    assert detect({**EMPTY, "Makefile": makefile(9, 0)}).features == frozenset()


def test_a_missing_header_leaves_the_release_to_decide() -> None:
    assert "pte-map-may-fail" not in detect({"Makefile": makefile(6, 4)}).features
    assert "pte-map-may-fail" in detect({"Makefile": makefile(6, 5)}).features
    assert "pte-map-may-fail" in detect({"Makefile": makefile(6, 10)}).features
    assert not detect({"Makefile": makefile(99, 0)}).features & {"tlb-start-ptes", "accessible-takes-pointer"}


def test_the_name_without_a_makefile() -> None:
    assert detect(dict.fromkeys(HEADERS[1:], b"")).name == "5.10+"
    assert detect({**dict.fromkeys(HEADERS[1:], b""), PGTABLE: b"int get_and_clear_full_ptes(void);"}).name == "6.9+"


def test_evidence_counts_lines_also_behind_continuations() -> None:
    text = b"#define a \\\n b \\\n c\n\nvoid lazy_mmu_mode_enable(void);\n"
    assert detect({**EMPTY, PGTABLE: text}).evidence == ("lazy-nests: include/linux/pgtable.h:5",)


@given(st.dictionaries(st.sampled_from(HEADERS), st.binary(max_size=80)))
def test_any_bytes_give_a_generation(headers: dict[str, bytes]) -> None:
    found = detect(headers)
    assert found.features <= FEATURES
    assert found.name
    assert len(found.evidence) >= len(found.features) or found.name == "unknown"


@given(st.integers(5, 40), st.integers(0, 40))
def test_a_later_release_loses_nothing(version: int, level: int) -> None:
    assert detect({"Makefile": makefile(version, level)}).features <= detect({"Makefile": makefile(version, level + 1)}).features
