"""What the operators share: the kernel's names, unrelated conditions, and moves of statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.mutate.cst import Edit, Fn, Stmt, call_args

Out = list[tuple[str, str]]
Operator = Callable[[Fn], Out]

LEAVE = r"\b(?:arch_leave_lazy_mmu_mode|lazy_mmu_mode_disable)\s*\("
ENTER = r"\b(?:arch_enter_lazy_mmu_mode|lazy_mmu_mode_enable)\s*\("
BATCHED = r"\bflush_tlb_batched_pending\s*\("
PTE_LOCK = r"\b(?:pte_offset_map_lock|pte_alloc_map_lock|get_locked_pte)\s*\("
ENTRY_LOCK = r"\b(?:pte_offset_map_lock|pte_alloc_map_lock|get_locked_pte|pmd_lock|pud_lock|huge_pte_lock|_*p[mu]d_trans_huge_lock|double_pt_lock)\s*\("
LOCK = ENTRY_LOCK + r"|\bspin_(?:try)?lock(?:_nested)?\s*\("
UNLOCK = r"\b(?:pte_unmap_unlock|double_pt_unlock|folio_walk_end)\s*\(|\bspin_unlock\s*\(\s*(?:vmf->|pvmw->|pvmw\.|\w+_)?(?:ptl|pml)\s*\)"
FLUSH = r"\b(?:flush_tlb_range|flush_pmd_tlb_range|flush_pud_tlb_range|flush_hugetlb_tlb_range|flush_tlb_page|flush_tlb_mm)\s*\("
CLEARS = [
    "ptep_get_and_clear_full",
    "ptep_get_and_clear",
    "get_and_clear_full_ptes",
    "get_and_clear_ptes",
    "ptep_clear_flush",
    "ptep_modify_prot_start",
    "modify_prot_start_ptes",
    "pmdp_huge_get_and_clear_full",
    "pmdp_huge_get_and_clear",
    "pmdp_huge_clear_flush",
    "pmdp_invalidate_ad",
    "pmdp_invalidate",
    "huge_ptep_get_and_clear",
    "huge_ptep_clear_flush",
    "huge_ptep_modify_prot_start",
    "pudp_huge_get_and_clear_full",
]
CLEAR = r"\b(" + "|".join(CLEARS) + r")\s*\("
CLEARED = re.compile(r"^(?:pte_t\s+|pmd_t\s+)?([A-Za-z_][\w.>-]*)\s*=\s*(" + "|".join(CLEARS) + r")\s*\(")
DIRTY = re.compile(r"\b((?:huge_)?p[tm]e_dirty|pmd_dirty)\s*\(\s*([\w.>-]+)\s*\)")
MARK = r"\b(?:folio_mark_dirty|set_page_dirty)\s*\("
FORCE = re.compile(r"\*?\s*\bforce_flush\s*=\s*(?:true|1)\s*;")


def leave_name(fn: Fn) -> str:
    return "lazy_mmu_mode_disable" if fn.has(r"\blazy_mmu_mode_enable\b|\blazy_mmu_mode_disable\b") else "arch_leave_lazy_mmu_mode"


def enter_name(fn: Fn) -> str:
    return "lazy_mmu_mode_enable" if fn.has(r"\blazy_mmu_mode_enable\b|\blazy_mmu_mode_disable\b") else "arch_enter_lazy_mmu_mode"


def mm_of(fn: Fn) -> str | None:
    for name, spell in (("mm", "mm"), ("vma", "vma->vm_mm"), ("src_mm", "src_mm"), ("src_vma", "src_vma->vm_mm")):
        if fn.declares(name):
            return spell
    return None


def unrelated(fn: Fn) -> list[str]:
    """Conditions in scope that say nothing about the flush they will be made to guard."""
    out = ["need_resched()", "fatal_signal_pending(current)"]
    mm = mm_of(fn)
    if mm:
        out += [f"current->mm == {mm}", f"atomic_read(&{mm}->mm_users) > 1"]
    if fn.declares("vma"):
        out += ["vma_is_anonymous(vma)", "vma->vm_flags & VM_LOCKED", "!(vma->vm_flags & VM_SHARED)"]
    if fn.declares("addr"):
        out += ["IS_ALIGNED(addr, PMD_SIZE)"]
    return out


def pick(fn: Fn, site: Stmt, count: int) -> list[str]:
    """``count`` unrelated conditions, rotated by the site so that functions differ."""
    pool = unrelated(fn)
    shift = (site.start + len(fn.name)) % len(pool)
    return (pool[shift:] + pool[:shift])[:count]


def short(text: str) -> str:
    return re.sub(r"\W+", "-", text).strip("-")[:28]


def whole(s: Stmt) -> Stmt:
    """The ``if`` that consists of nothing but ``s``, or ``s`` itself."""
    node = s
    while True:
        up = node.parent
        if up is not None and up.kind == "block" and len(up.kids) == 1 and up.parent is not None and up.parent.kind == "if":
            up = up.parent
        if up is None or up.kind != "if" or len(up.kids) != 1:
            return node
        node = up


def next_unlock(fn: Fn, s: Stmt) -> Stmt | None:
    """The first unconditional PTL release that follows ``s`` in its own block, else in the blocks around it."""
    node: Stmt | None = s
    while node is not None and node.kind not in {"for", "while", "do", "loop"}:
        for k in node.following():
            if k.kind == "expr" and re.search(UNLOCK, fn.code(k)):
                return k
        node = node.parent
    return None


def sibling_unlock(fn: Fn, s: Stmt) -> Stmt | None:
    """The last release reached from ``s`` in a straight line: same block, no later acquire or jump between."""
    found = None
    for k in s.following():
        if k.kind == "expr" and re.search(UNLOCK, fn.code(k)):
            found = k
        if re.search(LOCK + r"|\breturn\b|\bgoto\b", fn.code(k)) or k.kind in {"label", "return", "goto"}:
            break
    return found


def last_acquire(fn: Fn, s: Stmt) -> Stmt | None:
    """The acquire that is nearest above ``s`` in the text."""
    above = [k for k in fn.leaves(LOCK) if k.end <= s.start]
    return above[-1] if above else None


def move_before(fn: Fn, s: Stmt, target: Stmt) -> str:
    return fn.apply([fn.drop(s), *fn.before(target, fn.src(s))])


def move_after(fn: Fn, s: Stmt, target: Stmt) -> str:
    return fn.apply([fn.drop(s), *fn.after(target, fn.src(s))])


def guard(fn: Fn, s: Stmt, cond: str) -> Edit:
    text = f"if ({cond})\n{fn.indent(s)}\t{fn.src(s)}"
    return (s.start, s.end, "{ " + text + " }" if s.parent is not None and s.parent.kind == "if" else text)


def loop_below(fn: Fn, s: Stmt) -> Stmt | None:
    """The loop that follows ``s`` in its block."""
    return next((k for k in s.following() if k.kind in {"for", "while", "do", "loop"}), None)


def top_of(loop: Stmt) -> Stmt | None:
    """First executable statement of a loop's braced body."""
    body = loop.kids[0]
    return next((k for k in body.kids if k.kind != "decl"), None) if body.kind == "block" else None


def clears(fn: Fn) -> Iterator[tuple[Stmt, str, str, list[str]]]:
    """(statement, variable that takes the cleared value, primitive, its arguments) of every assignment from an atomic clear."""
    for s in fn.all:
        if s.kind in ("expr", "decl"):
            m = CLEARED.match(fn.code(s))
            if m:
                args = call_args(fn.src(s), m.group(2))
                if args is not None:
                    yield s, m.group(1), m.group(2), args


def entry_of(primitive: str, args: list[str]) -> str:
    return args[2]


def read_of(fn: Fn, primitive: str, pointer: str) -> str:
    """A plain read of an entry, spelt as this kernel spells it."""
    if primitive.startswith(("pmdp", "pudp")):
        return f"*{pointer}"
    if primitive.startswith("huge_"):
        return f"huge_ptep_get({mm_of(fn)}, {_address(fn)}, {pointer})" if fn.huge_get_mm else f"huge_ptep_get({pointer})"
    return f"ptep_get({pointer})" if fn.has(r"\bptep_get\s*\(") or not fn.has(r"\*\s*(?:src_pte|pte|ptep|pvmw\.pte|old_pte)\b\s*[),;]") else f"*{pointer}"


def _address(fn: Fn) -> str:
    return next((n for n in ("address", "addr", "old_addr", "start") if fn.declares(n)), "address")


LATE_AS_THEY_ARE = {"migrate_vma_collect_pmd"}  # drops the lock to split a folio, and flushes only then, and only if that fails


def late_as_it_is(fn: Fn, flush: Stmt) -> bool:
    """In the stock function this flush already comes behind the unlock: to lose it is no news where that is told."""
    if fn.name not in LATE_AS_THEY_ARE:
        return False
    units = [flush, *(k for k in flush.ancestors() if k.parent is not None and k.parent.kind == "block")]
    return any(k.kind == "expr" and re.search(r"\bpte_unmap_unlock\s*\(", fn.code(k)) for unit in units for k in unit.preceding())
