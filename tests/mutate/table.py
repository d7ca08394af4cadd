"""Where each operator is meaningful: files, functions that match, and what was pruned after reading the sources, with the reason."""

from __future__ import annotations

import re

from tests.mutate import ops_across, ops_late, ops_ok, ops_ok_more, ops_own, ops_r1, ops_r2, ops_r3, ops_r4
from tests.mutate.common import BATCHED, CLEAR, ENTER, ENTRY_LOCK, LEAVE, UNLOCK, Operator
from tests.mutate.cst import Fn

FILES = (
    "mm/*.c",
    "mm/damon/*.c",
    "fs/proc/task_mmu.c",
    "fs/dax.c",
    "kernel/events/uprobes.c",
    "kernel/fork.c",
    "arch/powerpc/mm/book3s64/*.c",
    "arch/s390/mm/*.c",
    "arch/arm/mm/fault-armv.c",
)
# Files in which a callee or a caller of those may live: owners of gathers, walks and copies.
CONTEXT = (*FILES, "fs/exec.c", "fs/userfaultfd.c", "fs/hugetlbfs/inode.c", "arch/x86/kernel/ldt.c", "arch/x86/mm/pgtable.c")
SKIP_FILES = re.compile(
    r"mm/(?:vmalloc|sparse-vmemmap|hugetlb_vmemmap|debug_vm_pgtable|page_table_check|ioremap|early_ioremap|pgtable-generic|ptdump|percpu-vm|percpu|execmem|init-mm|mmu_gather)\.c$"
)
FLUSHES = (
    r"\bptep?_clear\b|\bflush_tlb_(?:range|mm|page)\b|\bpage_vma_mapped_walk\b|\bptep_clear_flush|\bpmdp_collapse_flush|\bset_tlb_ubc"
    r"|\btlb_(?:remove|flush)_\w+\s*\(|\bp[tm][ed]_dirty\s*\("
)
WANTED = re.compile("|".join((ENTRY_LOCK, UNLOCK, ENTER, LEAVE, BATCHED, CLEAR, FLUSHES)))

ACCEPT_BY_FAMILY = {
    "R1": ("TLB001",),
    "R2": ("TLB002", "TLB007", "TLB008"),
    "R3": ("TLB003",),
    "R4": ("TLB002", "TLB004", "TLB009", "TLB010"),
    "OK": (),
    "ACROSS": (),
    "WITHIN": (),
    "GATHER": ("TLB005", "TLB014"),
    "PENDING": ("TLB006",),
    "NOTIFIER": ("TLB013",),
    "NEVER": ("TLB002", "TLB004", "TLB006", "TLB009", "TLB010"),
    "FREED": ("TLB004", "TLB009", "TLB010"),
    "STALE": ("TLB002", "TLB007", "TLB008"),
    "RECORDED": ("TLB004", "TLB009", "TLB011"),
    "INDICATION": ("TLB012",),
    "GSTATE": ("TLB005", "TLB014"),
}
LATE = ("TLB002", "TLB004", "TLB007", "TLB009", "TLB010", "TLB011")
ACCEPT = {
    "unmap-batch": LATE,
    "weaken-force": LATE,
    "dirty-flush": LATE,
    "early-out": ("TLB002", "TLB004", "TLB007", "TLB009"),
    "non-atomic": ("TLB002", "TLB007", "TLB009"),
    "finish-early": ("TLB005", "TLB009", "TLB010", "TLB014"),
    "gather-late": ("TLB005", "TLB009", "TLB014"),
    "dec-before-flush": ("TLB006", "TLB009"),
    "start-in-lazy": ("TLB003", "TLB013"),
    "read-after-clear": ("TLB008", "TLB007", "TLB002", "TLB004", "TLB009"),
    "stale-predicate": ("TLB007", "TLB002", "TLB004"),
    "flush-behind-free": ("TLB002", "TLB004", "TLB009", "TLB010"),
    "batched-count": ("TLB001", "TLB002", "TLB009", "TLB012"),
    "mm-level-flush": ("TLB002", "TLB004", "TLB006", "TLB009", "TLB010"),
}
LAZY_ORDER = {
    "drop-leave",
    "leave-conditional",
    "mismatched-guards",
    "leave-behind-unlock",
    "leave-one-exit",
    "wrong-call",
    "early-return",
    "goto-past-leave",
    "lock-break-in-lazy",
    "drop-around-break",
    "enter-in-loop",
    "leave-in-loop",
}

HARMLESS = frozenset({"OK", "ACROSS", "WITHIN"})

# Families of the rules that need the whole program, and what makes a function a place for them.
WHOLE = frozenset({"GATHER", "PENDING", "NOTIFIER", "NEVER", "FREED", "STALE", "RECORDED", "INDICATION", "GSTATE"})
WIDE_FAMILIES = WHOLE | {"ACROSS", "WITHIN"}
WIDER = re.compile(
    WANTED.pattern
    + r"|\btlb_\w+\s*\(|\b(?:inc|dec)_tlb_flush_pending\s*\(|\bmmu_notifier_invalidate_range_\w+\s*\(|\btry_to_unmap_flush|_free_tlb\s*\("
    + r"|\btlb_flush_batched\b|\barch_tlbbatch_\w+\s*\("
)

# The definitions of the interface itself: what the analyzer knows of them is their name.
API = {
    "flush_tlb_batched_pending",
    "set_tlb_ubc_flush_pending",
    "try_to_unmap_flush",
    "try_to_unmap_flush_dirty",
    "page_vma_mapped_walk",
    "__pte_offset_map_lock",
}

FAMILIES: dict[str, dict[str, Operator]] = {
    "R1": dict(ops_r1.OPERATORS),
    "R2": dict(ops_r2.OPERATORS),
    "R3": dict(ops_r3.OPERATORS),
    "R4": dict(ops_r4.OPERATORS),
    "OK": dict(ops_ok.OPERATORS),
    "ACROSS": dict(ops_across.OPERATORS),
    "WITHIN": dict(ops_ok_more.OPERATORS),
    "GATHER": dict(ops_own.GATHER),
    "PENDING": dict(ops_own.PENDING),
    "NOTIFIER": dict(ops_own.NOTIFIER),
    "NEVER": dict(ops_late.NEVER),
    "FREED": dict(ops_late.FREED),
    "STALE": dict(ops_late.STALE),
    "RECORDED": dict(ops_late.RECORDED),
    "INDICATION": dict(ops_late.INDICATION),
    "GSTATE": dict(ops_late.GATHER_STATE),
}

# Functions that change entries while lazy: a late leave there is R4, elsewhere (young bits, installs over none) it is R3.
DEMOTING = {
    "zap_pte_range",
    "change_pte_range",
    "move_ptes",
    "madvise_cold_or_pageout_pte_range",
    "madvise_free_pte_range",
    "migrate_vma_collect_pmd",
    "copy_pte_range",
    "move_present_ptes",
    "pagemap_scan_pmd_entry",
    "hpte_flush_range",
}
FLUSHERS = {
    "move_ptes",
    "move_huge_pmd",
    "move_huge_pud",
    "move_normal_pmd",
    "move_normal_pud",
    "migrate_vma_collect_pmd",
    "migrate_vma_collect_huge_pmd",
    "pagemap_scan_pmd_entry",
    "pagemap_scan_thp_entry",
    "pagemap_scan_hugetlb_entry",
    "move_present_ptes",
    "try_to_unmap_one",
    "wp_clean_post_vma",
}
RECORDERS = {
    "zap_pte_range",
    "zap_present_ptes",
    "zap_present_folio_ptes",
    "change_pte_range",
    "change_huge_pmd",
    "change_huge_pud",
    "prot_commit_flush_ptes",
    "zap_huge_pmd",
    "zap_huge_pud",
    "__unmap_hugepage_range",
    "move_hugetlb_page_tables",
    "hugetlb_change_protection",
    "madvise_free_pte_range",
}
ANON_ONLY = {
    "write_protect_page",
    "replace_page",
    "move_present_pte",
    "move_present_ptes",
    "move_zeropage_pte",
    "move_pages_huge_pmd",
    "make_device_exclusive",
    "collapse_huge_page",
    "page_make_device_exclusive_one",
    "__split_huge_zero_page_pmd",
    "__replace_page",
}
ALIGNED = re.compile(r"collapse|retract|huge|thp|pmd_entry|pmd_range|hash_table|_pmd$|_pud$")
CURRENT_MM = re.compile(r"^(?:move_|copy_|migrate_vma_|dup_mmap|mremap)")

# (operator or *, function): reason. Read in the source of the three kernels.
PRUNED: dict[tuple[str, str], str] = {
    ("R2", "madvise_free_pte_range"): "MADV_FREE drops the dirty bit on purpose",
    ("R2", "madvise_free_huge_pmd"): "MADV_FREE drops the dirty bit on purpose",
    ("R2", "page_vma_mkclean_one"): "the entry is cleaned in any case; its caller redirties the page",
    ("R2", "dax_entry_mkclean"): "the entry is cleaned in any case",
    ("R2", "clean_record_pte"): "dirty is recorded in the driver's bitmap and cleaned in any case",
    ("R2", "move_pages_huge_pmd"): "the moved entry is made dirty in any case",
    ("R2", "zap_huge_pud"): "no dirty bit is kept for huge pud mappings",
    ("R2", "__split_huge_zero_page_pmd"): "the zero page is never dirty",
    ("R2", "damon_hugetlb_mkold"): "young bit only",
    ("R2", "__uprobe_write"): "the entry is reinstalled dirty in any case",
    ("R2", "move_swap_pte"): "the entry is not present",
    ("R2", "do_numa_page"): "protnone to accessible: the hardware cannot set bits",
    ("R2", "numa_rebuild_single_mapping"): "protnone to accessible: the hardware cannot set bits",
    ("R2", "do_huge_pmd_numa_page"): "protnone to accessible: the hardware cannot set bits",
    ("no-flush", "migrate_vma_collect_pmd"): "the range flush before the unlock covers it; the failure path restores the same entry",
    ("clear-without-flush", "migrate_vma_collect_pmd"): "the range flush before the unlock covers it; the failure path restores the same entry",
    ("flush-page-after-unlock", "migrate_vma_collect_pmd"): "the range flush before the unlock covers it",
    ("flush-page-after-unlock", "collapse_huge_page"): "mmap_lock and anon_vma lock still exclude users of the table",
    ("flush-page-after-unlock", "retract_page_tables"): "depends on the table free being deferred",
    ("flush-page-after-unlock", "collapse_pte_mapped_thp"): "depends on the table free being deferred",
    ("flush-page-after-unlock", "try_collapse_pte_mapped_thp"): "depends on the table free being deferred",
    ("flush-page-after-unlock", "hugetlb_wp"): "the notifier range still excludes the free",
    ("enter-before-acquire", "apply_to_pte_range"): "kernel tables legitimately enter without a PTL",
    ("flush-behind-unlock", "pagemap_scan_hugetlb_entry"): "i_mmap_rwsem is still held for writing",
    ("lock-break-before-flush", "pagemap_scan_hugetlb_entry"): "i_mmap_rwsem is still held for writing",
    ("flush-behind-unlock", "try_to_unmap_one"): "no release in this function",
    ("weaken-flag", "zap_pte_range"): "its force_flush belongs to R2; the full-batch case frees later",
    ("weaken-flag", "zap_present_folio_ptes"): "its force_flush belongs to R2; the full-batch case frees later",
    ("extra-flush", "zap_huge_pmd"): "kept simple: several releases",
}


def _base_broken(kernel: str, fn: Fn, operator: str) -> bool:
    """The stock function already breaks this order, or does not depend on it, so the variant is no news."""
    if operator == "drop-start-vma" and fn.name == "madvise_pageout_page_range":
        return kernel not in ("5.10", "6.1")  # newer walks record nothing when they page out
    if fn.name == "pagemap_scan_pmd_entry" and fn.has("arch_enter_lazy_mmu_mode"):
        return operator not in {"drop-leave", "drop-flush", "flush-inverted", "goto-past-flush", "flush-conditional", "flush-behind-unlock", "sleeping-call"}
    return False


def _r4_applies(operator: str, fn: Fn) -> bool:
    if operator == "leave-behind-unlock":
        return fn.name in DEMOTING
    if operator in {"flush-behind-unlock", "drop-flush", "flush-conditional", "flush-inverted", "goto-past-flush", "lock-break-before-flush"}:
        return fn.name in FLUSHERS
    if operator == "drop-record":
        return fn.name in RECORDERS
    if operator == "mm-level-flush":
        return fn.name in {
            "clear_refs_write",
            "dup_mmap",
            "hugetlb_change_protection",
            "move_hugetlb_page_tables",
            "collapse_pte_mapped_thp",
            "try_collapse_pte_mapped_thp",
        }
    if operator == "weaken-flag":
        return fn.name in {"move_ptes", "move_huge_pmd", "migrate_vma_collect_pmd"}
    return True


def applies(kernel: str, family: str, operator: str, fn: Fn) -> bool:
    """May ``operator`` be used on this function? Harmless rewrites go anywhere the PTE API is used."""
    if (operator, fn.name) in PRUNED or (family, fn.name) in PRUNED or _base_broken(kernel, fn, operator):
        return False
    if family in {"ACROSS", "WITHIN"}:
        return fn.name not in API and not fn.path.startswith("mm/tests/")
    if family in WHOLE:
        return _whole_applies(family, operator, fn)
    if family == "OK":
        return True
    if fn.name in {"flush_tlb_batched_pending", "set_tlb_ubc_flush_pending"} or not fn.path.startswith(
        ("mm/", "fs/", "kernel/", "arch/powerpc/mm/book3s64/subpage", "arch/powerpc/mm/book3s64/hash_tlb")
    ):
        return False
    if family == "R3" and operator == "leave-behind-unlock":
        return fn.name not in DEMOTING
    return _r4_applies(operator, fn) if family == "R4" else True


def _whole_applies(family: str, operator: str, fn: Fn) -> bool:
    if family == "INDICATION":
        return fn.path == "mm/rmap.c"
    if family == "STALE" and ("R2", fn.name) in PRUNED and fn.name != "damon_hugetlb_mkold":
        return False
    return not (fn.name in API or fn.path.startswith(("mm/mmu_notifier", "mm/tests/", "arch/")))


def meaningful(family: str, operator: str, fn: Fn, body: str) -> bool:
    """Drop single variants whose added condition happens to be always true where the function runs."""
    if family in HARMLESS:
        return True

    def adds(condition: str) -> bool:
        return body.count(condition) > fn.text.count(condition)

    if fn.name in ANON_ONLY and (adds("vma_is_anonymous(vma)") or adds("!(vma->vm_flags & VM_SHARED)")):
        return False
    if CURRENT_MM.match(fn.name) and adds("current->mm =="):
        return False
    if ALIGNED.search(fn.name) and fn.name != "migrate_vma_collect_pmd" and adds("IS_ALIGNED(addr"):
        return False
    return not (operator == "narrow" and fn.name == "make_device_exclusive" and adds("pte_write("))


def accept(family: str, operator: str) -> tuple[str, ...]:
    """Rules that count as found."""
    if (family == "R3" and operator in LAZY_ORDER) or (family == "R4" and operator == "leave-behind-unlock"):
        return ("TLB003", "TLB004")
    return ACCEPT.get(operator, ACCEPT_BY_FAMILY[family])
