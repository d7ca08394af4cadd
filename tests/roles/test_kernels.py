"""The tables against real kernels: argument counts, generations, contracts. Needs TLBLINT_KERNELS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tlblint.roles import HEADERS, Generation, detect, load_contracts, load_profile_data, load_roles

Declared = Mapping[str, Mapping[int | None, str]]

def _headers(tree: Path) -> dict[str, bytes]:
    return {name: (tree / name).read_bytes() for name in HEADERS if (tree / name).is_file()}


def test_argument_counts_are_the_declared_ones(kernel: tuple[str, Path], declared: Declared, api: Mapping[str, str]) -> None:
    """Whatever number of arguments a tree declares for a name that the table knows, the table has a role for it."""
    table = load_roles(api, detect(_headers(kernel[1])).features)
    wrong = {
        (name, count): path
        for name in sorted(table.names() & declared.keys())
        for count, path in declared[name].items()
        if count is not None and table.resolve(name, count) is None
    }
    assert wrong == {}


def test_most_of_the_table_is_seen(trees: list[Path], indices: list[Declared], api: Mapping[str, str]) -> None:
    """A misspelt name would be in no kernel. What the trees at hand cannot show is named here."""
    table = load_roles(api, frozenset({"accessible-takes-pointer"}))
    unseen = {name for name in table.names() if not any(name in index for index in indices)}
    for tree in trees:
        for place in ("mm/*.[ch]", "include/linux/*.h", "arch/*/include/asm/pgtable*.h", "arch/*/mm/*.c"):
            for path in tree.glob(place) if unseen else ():
                text = path.read_bytes()
                unseen = {name for name in unseen if name.encode() not in text}
    old_or_never = {
        *("follow_invalidate_pte", "follow_pte_pmd", "pte_alloc_one_map"),  # before 6.1
        *("tlb_start_ptes", "tlb_end_ptes", "pte_may_need_flush", "pte_tlb_flush_pending", "pmd_tlb_flush_pending"),  # the RFC
        *("flush_tlb_mm_range_gen", "init_mm_tlb_gen"),
    }
    made_of_parts = {"SetPageDirty", "PageDirty"}  # written by a macro
    between = {"walk_page_range_mm", "is_pmd_device_private_entry", "is_pmd_non_present_folio_entry", "set_huge_swap_pte_at"}  # releases between those trees
    assert unseen <= old_or_never | made_of_parts | between


def test_generation(kernel: tuple[str, Path]) -> None:
    version, tree = kernel
    found = detect(_headers(tree))
    assert found.name == version
    always = {"batched-unmap:x86", "batched-pending", "needs-flush", "unshare-takes-gather"}
    since_6_12 = {
        *("delay-rmap", "pte-map-may-fail", "ubc-takes-pteval", "batched-unmap:arm64", "batched-unmap:riscv"),
        *("batched-zap", "huge-get-takes-mm"),
    }
    since_7_3 = {"nolock-split", "prot-batches", "lazy-nests", "ubc-takes-range"}
    expected = {"6.1": always, "6.12": always | since_6_12, "7.3": always | since_6_12 | since_7_3}
    assert found.features == expected[version]


def test_generation_without_a_makefile(kernel: tuple[str, Path]) -> None:
    """By declarations alone a tree is the oldest release that could have them all."""
    version, tree = kernel
    headers = _headers(tree)
    del headers["Makefile"]
    assert detect(headers) == Generation({"6.1": "5.19+", "6.12": "6.11+", "7.3": "7.3+"}[version], *_rest(detect(_headers(tree))))


def _rest(generation: Generation) -> tuple[frozenset[str], tuple[str, ...]]:
    return generation.features, generation.evidence


SHOWN = r"arch_tlbbatch_|flush_tlb_batched_pending|_ubc_|_lock\(|_unshare|_ptes|_nolock|lazy_mmu|huge_ptep_get|pte_needs|delay_rmap"


def test_evidence_points_at_the_declaration(kernel: tuple[str, Path]) -> None:
    for line in detect(_headers(kernel[1])).evidence:
        found = re.fullmatch(r"(\S+): (\S+):(\d+)", line)
        assert found is not None, line
        text = (kernel[1] / found[2]).read_text().splitlines()[int(found[3]) - 1 : int(found[3]) + 2]
        assert re.search(SHOWN, "".join(text)), line


def test_profiles_follow_the_generation(kernel: tuple[str, Path], profile_texts: Mapping[str, str]) -> None:
    found = detect(_headers(kernel[1]))
    deferring = {data.profile.name for data in load_profile_data(profile_texts) if "batched-unmap" in data.at(found.name, found.features).features}
    assert deferring == {"x86-64", "x86-xen-pv"} | (set() if kernel[0] == "6.1" else {"arm64", "riscv64"})


def test_contracts_name_functions_that_exist(trees: list[Path], api: Mapping[str, str]) -> None:
    """Every function with a contract is defined in the file that the contract names, in one of the kernels at least."""
    wrong = []
    for item in load_contracts(api["contracts.toml"]).functions:
        name = item.contract.function
        places = [item.contract.path] if item.contract.path else ["mm/*.c", "mm/damon/*.c"]
        texts = [path.read_text(errors="replace") for tree in trees for place in places for path in tree.glob(place)]
        if not any(re.search(rf"^(?!\s)[^;{{}}()]*\b{name}\s*\([^;{{}}]*\)[^;{{}}]*\{{", text, re.MULTILINE) for text in texts):
            wrong.append((name, item.contract.path))
    older = {  # gone by 6.1
        ("dax_entry_mkclean", "fs/dax.c"), ("shrink_page_list", "mm/vmscan.c"), ("migrate_misplaced_transhuge_page", "mm/migrate.c"),
        ("hugetlb_cow", "mm/hugetlb.c"),
    }
    assert sorted(wrong) == sorted(older)


def test_slots_are_fields(trees: list[Path], api: Mapping[str, str]) -> None:
    """Every slot of a structure is a function pointer in its definition."""
    texts = [path.read_text() for tree in trees for name in ("pagewalk.h", "rmap.h", "mmu_notifier.h") for path in [tree / "include/linux" / name]]
    for slot in load_contracts(api["contracts.toml"]).slots:
        if slot.slot != "fn":  # the callback of a function, not of a structure
            assert any(re.search(rf"struct {slot.struct} \{{.*?\(\*{slot.slot}\)", text, re.DOTALL) for text in texts), slot.slot
