"""Operators on what a whole operation owes: the flush itself, and its order against freeing, recording and deciding."""

from __future__ import annotations

import re

from tests.mutate.common import CLEAR, CLEARED, FLUSH, FORCE, Out, clears, entry_of, guard, late_as_it_is, pick, read_of, whole
from tests.mutate.cst import Fn, Stmt, call_args
from tests.mutate.extract import helper, piece
from tests.mutate.ops_across import RECORD
from tests.mutate.ops_own import BEGIN_GATHER, END_GATHER, EXPR

BATCH = r"\btry_to_unmap_flush(?:_dirty)?\s*\("
TLBONLY = r"\btlb_flush_mmu_tlbonly\s*\("
OWED = FLUSH + "|" + BATCH + "|" + TLBONLY + r"|\bhuge_pmd_unshare_flush\s*\("
# Functions in which callers or callees trust the flush: the fork copy, the soft-dirty walk, walks' last callback, reclaim, migration, splits.
OWERS = {
    "dup_mmap": "flush_tlb_mm",
    "clear_refs_write": "flush_tlb_mm",
    "wp_clean_post_vma": "flush_tlb_range",
    "hugetlb_change_protection": "flush_hugetlb_tlb_range|tlb_flush_mmu_tlbonly",
    "move_hugetlb_page_tables": "tlb_flush_mmu_tlbonly|flush_hugetlb_tlb_range",
    "move_page_tables": "flush_tlb_range",
    "hugetlb_unshare_pmds": "flush_hugetlb_tlb_range|huge_pmd_unshare_flush",
    "shrink_folio_list": "try_to_unmap_flush|try_to_unmap_flush_dirty",
    "shrink_page_list": "try_to_unmap_flush|try_to_unmap_flush_dirty",
    "migrate_pages_batch": "try_to_unmap_flush",
    "unmap_folio": "try_to_unmap_flush",
    "collapse_file": "try_to_unmap_flush",
    "pagemap_scan_pmd_entry": "flush_tlb_range",
    "pagemap_scan_thp_entry": "flush_tlb_range",
    "pagemap_scan_hugetlb_entry": "flush_hugetlb_tlb_range",
    "pagemap_scan_pte_hole": "flush_hugetlb_tlb_range|flush_tlb_range",
    "move_ptes": "flush_tlb_range",
    "move_normal_pmd": "flush_tlb_range",
    "move_normal_pud": "flush_tlb_range",
    "move_huge_pmd": "flush_pmd_tlb_range",
    "move_huge_pud": "flush_pud_tlb_range",
    "migrate_vma_collect_pmd": "flush_tlb_range",
    "collapse_pte_mapped_thp": "flush_tlb_mm",
    "try_collapse_pte_mapped_thp": "flush_tlb_mm",
}
FREES = (
    r"\b(?:folio_put(?:_refs)?|put_page|free_page_and_swap_cache|free_unref_\w+|free_page\w*|__free_page\w*|pte_free|pmd_free|putback_\w+"
    r"|mem_cgroup_uncharge_\w+)\s*\("
)
ACTS = FREES + r"|\bmigrate_folios?_move\s*\(|\bpageout\s*\(|\bfree_\w+\s*\("
CLEAR_FLUSH = r"|\b(?:ptep|pmdp|huge_ptep)_(?:huge_)?clear_flush\s*\("


def _owed(fn: Fn) -> list[Stmt]:
    names = OWERS.get(fn.name)
    return [s for s in fn.leaves(rf"\b(?:{names})\s*\(", EXPR) if not late_as_it_is(fn, s)] if names else []


def drop_all(fn: Fn) -> Out:
    sites = _owed(fn)
    return [("all", fn.apply([fn.drop(s) for s in sites]))] if sites else []


def drop_one(fn: Fn) -> Out:
    return [(str(n), fn.apply([fn.drop(s)])) for n, s in enumerate(_owed(fn))] if len(_owed(fn)) > 1 else []


def drop_whole(fn: Fn) -> Out:
    """With the condition around it, so that the correlated variable is left unused."""
    return [(str(n), fn.apply([fn.drop(whole(s))])) for n, s in enumerate(_owed(fn)) if whole(s) is not s and whole(s).parent is not None]


def conditional(fn: Fn) -> Out:
    return [(f"{n}-{i}", fn.apply([guard(fn, s, c)])) for n, s in enumerate(_owed(fn)) for i, c in enumerate(pick(fn, s, 2))]


def inverted(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(_owed(fn)):
        unit = whole(s)
        if unit.kind == "if" and not re.search(r"nested|type", fn.cond(unit)):
            out.append((str(n), fn.apply([(unit.head[0], unit.head[1], f"!({fn.cond(unit)})")])))
    return out


def empty_helper(fn: Fn) -> Out:
    """The flush went into a helper that does everything but flush."""
    out = []
    for n, s in enumerate(_owed(fn) if not fn.above else ()):
        got = piece(fn, s.start, s.end, s)
        if got is not None:
            name = f"{fn.name}_flush_step"
            text = helper(name, "void", got.parameters(), "cond_resched();" if n % 2 else "return;")
            out.append((f"{n}-empty", text + fn.apply([(s.start, s.end, f"{name}({got.arguments()});")])))
            text = helper(name, "void", got.parameters(), f"if (need_resched())\n\t\t{got.code}")
            out.append((f"{n}-sometimes", text + fn.apply([(s.start, s.end, f"{name}({got.arguments()});")])))
    return out


def return_before(fn: Fn) -> Out:
    """Out of the function with the flush still owed."""
    out = []
    if not re.fullmatch(r"void|bool|int|long|unsigned int|unsigned long|ssize_t", fn.returns) or fn.name in {"dup_mmap"}:
        return []
    for n, s in enumerate(_owed(fn)):
        unit = whole(s)
        if unit.parent is fn.root and not fn.has(r"arch_enter_lazy|lazy_mmu_mode_enable|pte_offset_map|_lock\("):
            out.append((str(n), fn.apply(fn.before(unit, f"if (fatal_signal_pending(current))\n\t{fn.bail()}"))))
    return out


def goto_past(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(_owed(fn)):
        unit = whole(s)
        after = unit.following()
        if after and after[0].kind not in {"decl", "label"} and unit.parent is not None and unit.parent.kind == "block":
            edits = [*fn.before(unit, "if (need_resched())\n\tgoto no_flush;"), (after[0].start, after[0].start, f"no_flush:\n{fn.indent(unit)}")]
            out.append((str(n), fn.apply(edits)))
    return out


def drop_record_and_force(fn: Fn) -> Out:
    """Neither recorded in the gather nor flushed under the PTL."""
    out = []
    records = fn.leaves(RECORD, EXPR)
    forces = fn.leaves(FORCE.pattern, EXPR)
    if records and (forces or fn.name in {"zap_huge_pmd", "zap_huge_pud", "__unmap_hugepage_range", "zap_present_ptes"}):
        out.append(("all", fn.apply([fn.drop(s) for s in (*records, *forces)])))
    return out


NEVER = {
    "drop-all-flushes": drop_all,
    "drop-one-flush": drop_one,
    "drop-with-condition": drop_whole,
    "flush-on-whim": conditional,
    "condition-inverted": inverted,
    "empty-helper": empty_helper,
    "return-unflushed": return_before,
    "goto-past": goto_past,
    "drop-record-and-force": drop_record_and_force,
}


def gather_put(fn: Fn) -> Out:
    """A page that the gather was to free after the flush is put at once."""
    out = []
    for n, s in enumerate(fn.leaves(r"\btlb_remove_page(?:_size|_ptdesc)?\s*\(", EXPR)):
        name = re.search(r"\btlb_remove_page\w*", fn.code(s))
        args = call_args(fn.src(s), name.group()) if name else None
        if args and len(args) >= 2:
            for free in ("put_page", "free_page_and_swap_cache"):
                out.append((f"{n}-{free}", fn.apply([(s.start, s.end, f"{free}({args[1]});")])))
    return out


def gather_put_folio(fn: Fn) -> Out:
    """The same where the gather says whether it is full."""
    out = []
    for m in re.finditer(r"\b__tlb_remove_(?:page(?:_size)?|folio_pages(?:_size)?)\s*\(", fn.mask):
        args = call_args(fn.text[m.start() :], m.group()[:-1].strip())
        end = fn.text.index(")", m.start()) + 1
        if args and "(" not in "".join(args) and fn.name.startswith("zap_"):
            put = f"(folio_put_refs(folio, {args[2]}), false)" if "folio_pages" in m.group() and fn.declares("folio") else f"(put_page({args[1]}), false)"
            out.append((str(m.start()), fn.apply([(m.start(), end, put)])))
    return out


TABLE_FREE = {"pte_free_tlb": "pte_free", "pmd_free_tlb": "pmd_free", "pud_free_tlb": "pud_free", "p4d_free_tlb": "p4d_free"}


def table_free(fn: Fn) -> Out:
    """A page table is freed without waiting for the gather's flush."""
    out = []
    for s in fn.leaves(r"\b(?:pte|pmd|pud|p4d)_free_tlb\s*\(", EXPR):
        for tlb, direct in TABLE_FREE.items():
            args = call_args(fn.src(s), tlb)
            if args:
                out.append((tlb, fn.apply([(s.start, s.end, f"{direct}({args[0]}->mm, {args[1]});")])))
    for n, s in enumerate(fn.leaves(r"\btlb_remove_(?:table|ptdesc)\s*\(", EXPR)):
        args = call_args(fn.src(s), "tlb_remove_table") or call_args(fn.src(s), "tlb_remove_ptdesc")
        if args and not fn.name.startswith(("tlb_", "__tlb_")):
            out.append((f"table-{n}", fn.apply([(s.start, s.end, f"free_page_and_swap_cache({args[1]});")])))
    return out


def put_before_flush(fn: Fn) -> Out:
    """The mapping's reference goes before the entry is cleared and flushed, or before the flush that follows."""
    out = []
    for n, s in enumerate(fn.leaves(FREES, EXPR)):
        flushes = [k for k in s.preceding() if k.kind in {"expr", "if", "decl"} and re.search(OWED + CLEAR_FLUSH, fn.code(k))]
        if flushes and flushes[-1].kind != "decl" and _unmapped_here(fn, s, flushes[-1]):
            out.append((str(n), fn.apply([fn.drop(s), *fn.before(flushes[-1], fn.src(s))])))
    return out


def _unmapped_here(fn: Fn, free: Stmt, flush: Stmt) -> bool:
    """Between the flush and the free the rmap of what is freed is dropped, or the flush is the batch's."""
    between = fn.mask[flush.start : free.start]
    what = re.search(r"\(\s*&?(\w+)", fn.code(free))
    if what is None or re.search(rf"\b{what.group(1)}\s*=(?!=)", between):
        return False
    name = what.group(1)
    if name.startswith("new_") or re.search(rf"\b(?:folio_get|folio_try_get|get_page)\s*\(\s*{name}\b", fn.mask[: flush.start]):
        return False  # was never mapped, or a reference was taken that keeps it
    return re.search(r"\b(?:folio|page|hugetlb)_(?:remove|add)_\w*rmap\w*\s*\(", between) is not None or re.search(BATCH, fn.code(flush)) is not None


def flush_behind_free(fn: Fn) -> Out:
    """The flush comes after the pages it was for are freed, moved or written."""
    out = []
    for n, s in enumerate(fn.leaves(BATCH + "|" + FLUSH, EXPR)):
        unit = whole(s)
        after = [k for k in unit.following() if re.search(ACTS, fn.code(k))]
        if after and after[0].kind in {"expr", "if", "for", "while", "loop", "do", "switch"} and fn.name in OWERS | {"__replace_page": ""}:
            out.append((str(n), fn.apply([fn.drop(unit), *fn.after(after[0], fn.src(unit))])))
    return out


FREED = {
    "put-not-gathered": gather_put,
    "put-not-batched": gather_put_folio,
    "table-freed-at-once": table_free,
    "put-before-flush": put_before_flush,
    "flush-behind-free": flush_behind_free,
}

PREDICATE = r"\b((?:huge_)?p[tmu][ed]_(?:dirty|present|needs_flush|accessible|write)|huge_pmd_needs_flush)\s*\(\s*(?:\w+,\s*)?(%s)\b"


def _valued(fn: Fn) -> list[tuple[Stmt, str, str, list[str]]]:
    return [c for c in clears(fn) if CLEARED.match(fn.code(c[0])) and re.fullmatch(r"\w+", c[1])]


def _later(fn: Fn, s: Stmt, var: str) -> list[re.Match[str]]:
    """Predicates on the cleared value below the clear, up to where the variable gets another value. Not those on the other way of a branch."""
    end = (fn.loop_of(s) or fn.root).end
    again = re.compile(rf"\b{var}\s*=(?!=)").search(fn.mask, s.end, end)
    below = re.compile(PREDICATE % var).finditer(fn.mask, s.end, again.start() if again else end)
    return [m for m in below if all(k.kind != "if" or m.start() >= k.end or _way(k, m.start()) is _way(k, s.start) for k in s.ancestors())]


def _way(unit: Stmt, at: int) -> Stmt | None:
    """The part of an if statement that stands at an offset."""
    return next((k for k in unit.kids if k.start <= at < k.end), None)


def stale_predicate(fn: Fn) -> Out:
    """A decision on the cleared value is taken on a read from before the clear."""
    out = []
    valued = _valued(fn)
    for n, (s, var, name, _) in enumerate(valued):
        kind = "pmd_t" if name.startswith("pmdp") else "pud_t" if name.startswith("pudp") else "pte_t"
        for m in _later(fn, s, var):
            if re.search(r"needs_flush|accessible|dirty", m.group(1)) and not _for_migration_entry(fn, m):
                above = [c for c in valued if c[1] == var and c[0].end <= m.start()]
                early = [e for c in above for e in fn.before(c[0], f"early = {read_of(fn, c[2], entry_of(c[2], c[3]))};")]
                out.append((f"{n}-{m.group(1)}-{m.start()}", fn.apply([*early, (m.start(2), m.end(2), "early"), fn.declare(f"{kind} early;")])))
    return out


def _for_migration_entry(fn: Fn, m: re.Match[str]) -> bool:
    """The answer only goes into a migration entry, and whether the page is dirty is asked of the cleared value elsewhere."""
    goal = re.compile(r"[^;{}]*?\)\s*\w+\s*=\s*make_migration_entry_dirty\b").match(fn.mask, m.end())
    elsewhere = [k for k in re.finditer(PREDICATE % m.group(2), fn.mask) if k.group(1) == m.group(1) and k.start() != m.start()]
    return goal is not None and bool(elsewhere)


def derived_from_stale(fn: Fn) -> Out:
    """The value that is put back is built from a read from before the clear."""
    out = []
    for n, (s, var, name, args) in enumerate(_valued(fn)):
        kind = "pmd_t" if name.startswith("pmdp") else "pte_t"
        if re.search(r"_mkclean\s*\(", fn.mask[s.end :]):  # what is put back is clean in any case
            continue
        pattern = rf"=\s*(?:huge_)?p[tm][ed]_(?:modify|wrprotect|mkold|mkuffd\w*|clear_\w+|mkinvalid|advance_pfn)\s*\(\s*({var})\b"
        for k in [x for x in fn.leaves(pattern, EXPR) if x.start > s.end][:2]:
            m = re.search(pattern, fn.code(k))
            assert m is not None
            early = fn.before(s, f"early = {read_of(fn, name, entry_of(name, args))};")
            spot = (k.start + m.start(1), k.start + m.end(1), "early")
            out.append((f"{n}-{k.start}", fn.apply([*early, spot, fn.declare(f"{kind} early;")])))
    return out


def result_discarded(fn: Fn) -> Out:
    """The clear's result is dropped where a plain read of the same entry is at hand; that read takes its place."""
    out = []
    for n, (s, var, name, args) in enumerate(_valued(fn)):
        pointer = entry_of(name, args)
        entry = re.escape(pointer)
        reads = fn.leaves(rf"=\s*(?:\*\s*{entry}|(?:huge_)?ptep_get\s*\([^)]*{entry}\)|pmdp_get\s*\({entry}\))\s*;", EXPR | {"decl"})
        around = list(s.ancestors())
        above = [r for r in reads if r.end <= s.start and r.parent in around]
        if above and s.kind == "expr":
            read = re.match(r"(?:pte_t\s+|pmd_t\s+)?(\w+)\s*=", fn.code(above[-1]))
            rhs = fn.src(s)[fn.src(s).index(name) :]
            if read and read.group(1) != var:
                text = f"{rhs}\n{fn.indent(s)}{var} = {read.group(1)};"
                out.append((f"{n}-copy", fn.apply([(s.start, s.end, "{ " + text + " }" if s.parent is not None and s.parent.kind != "block" else text)])))
            elif read:
                out.append((f"{n}-same", fn.apply([(s.start, s.end, rhs)])))
    return out


def read_after_clear(fn: Fn) -> Out:
    """A decision on the cleared value is taken on what the entry holds now."""
    out = []
    for n, (s, var, name, args) in enumerate(_valued(fn)):
        if "invalidate" in name:  # the invalidated entry still holds the bits
            continue
        for m in _later(fn, s, var)[:3]:
            fresh = read_of(fn, name, entry_of(name, args))
            out.append((f"{n}-{m.group(1)}-{m.start()}", fn.apply([(m.start(2), m.end(2), fresh)])))
    return out


STALE = {
    "stale-predicate": stale_predicate,
    "derived-from-stale": derived_from_stale,
    "result-discarded": result_discarded,
    "read-after-clear": read_after_clear,
}


def record_first(fn: Fn) -> Out:
    """The flush is recorded above the write it stands for."""
    out = []
    change = CLEAR + r"|\b(?:clear_full_ptes|clear_ptes|pte_clear|zap_\w+|clear_young_dirty_ptes|ptep_modify_prot_commit|ptep_set_wrprotect)\s*\("
    settled = r"\bpmdp_invalidate\s*\(" + CLEAR_FLUSH  # flushes by itself: the record is for what follows
    for n, s in enumerate(fn.leaves(RECORD, EXPR)):
        if re.search(r"tlb_change_page_size", fn.code(s)):
            continue
        node: Stmt | None = whole(s)
        while node is not None and node.kind not in {"for", "while", "do", "loop"}:
            above = [k for k in node.preceding() if k.kind in {"expr", "if"} and re.search(change, fn.code(k)) and not re.search(settled, fn.code(k))]
            if above:
                unit = whole(s)
                value = re.match(r"(\w+)\s*=", fn.code(above[-1]))
                if value is not None and re.search(rf"\b{value.group(1)}\b", fn.code(unit)):
                    unit = s
                if value is None or not re.search(rf"\b{value.group(1)}\b", fn.code(unit)):
                    out.append((str(n), fn.apply([fn.drop(unit), *fn.before(above[-1], fn.src(unit))])))
                break
            node = node.parent
    return out


RECORDED = {"record-above-clear": record_first}


def flush_after_finish(fn: Fn) -> Out:
    """The gather is flushed, or filled, after it was finished."""
    out = []
    for n, s in enumerate(fn.leaves(END_GATHER, EXPR)):
        args = call_args(fn.src(s), "tlb_finish_mmu")
        if args:
            out.append((f"{n}-tlbonly", fn.apply(fn.after(s, f"tlb_flush_mmu_tlbonly({args[0]});"))))
            out.append((f"{n}-flush", fn.apply(fn.after(s, f"tlb_flush_mmu({args[0]});"))))
            if fn.declares("vma"):
                out.append((f"{n}-vma", fn.apply(fn.after(s, f"tlb_start_vma({args[0]}, vma);"))))
    return out


def record_before_gather(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(BEGIN_GATHER, EXPR)):
        m = re.search(r"tlb_gather_mmu\w*\s*\(\s*([^,()]+)", fn.code(s))
        if m:
            out.append((f"{n}-size", fn.apply(fn.before(s, f"tlb_change_page_size({m.group(1)}, PAGE_SIZE);"))))
            if fn.declares("vma"):
                out.append((f"{n}-vma", fn.apply(fn.before(s, f"tlb_start_vma({m.group(1)}, vma);"))))
    return out


def no_start_vma(fn: Fn) -> Out:
    """The gather is never told which vma it is about: a range flush needs it."""
    return [(str(n), fn.apply([fn.drop(s)])) for n, s in enumerate(fn.leaves(r"\btlb_start_vma\s*\(", EXPR))]


GATHER_STATE = {
    "flush-after-finish": flush_after_finish,
    "record-before-gather": record_before_gather,
    "drop-start-vma": no_start_vma,
}


def flag_lost(fn: Fn) -> Out:
    """The code that stands behind mm->tlb_flush_batched: the flag or count is set, cleared or published in the wrong order."""
    out: Out = []
    if fn.name == "flush_tlb_batched_pending":
        out += _flush_order(fn)
    if fn.name == "set_tlb_ubc_flush_pending":
        for n, s in enumerate(fn.leaves(r"\batomic_inc\s*\(\s*&mm->tlb_flush_batched|\bmm->tlb_flush_batched\s*=", EXPR)):
            out.append((f"drop-count-{n}", fn.apply([fn.drop(s)])))
        for s in fn.leaves(r"\bflush_required\s*=", EXPR):
            out.append(("drop-required", fn.apply([fn.drop(s)])))
        for s in fn.leaves(r"\barch_tlbbatch_add_(?:mm|pending)\s*\(", EXPR):
            out.append(("drop-add", fn.apply([fn.drop(s)])))
            last = fn.root.kids[-1]
            out.append(("add-last", fn.apply([fn.drop(s), *fn.after(last, fn.src(s))])))
    if fn.name == "try_to_unmap_flush":
        for s in fn.leaves(r"\barch_tlbbatch_flush\s*\(", EXPR):
            late = fn.leaves(r"\b(?:flush_required|writable)\s*=\s*false", EXPR)
            out.append(("drop-flush", fn.apply([fn.drop(s)])))
            if late and len(s.following()) > 0:
                out.append(("return-uncleared", fn.apply([fn.drop(late[0])])))
    return out


def _flush_order(fn: Fn) -> Out:
    out: Out = []
    for s in fn.leaves(r"\b(?:arch_flush_tlb_batched_pending|flush_tlb_mm)\s*\(", EXPR):
        out.append(("no-flush", fn.apply([fn.drop(s)])))
        for k in s.following():
            if re.search(r"atomic_(?:try_)?cmpxchg", fn.code(k)) and k.kind == "expr":
                args = call_args(fn.src(k), "atomic_cmpxchg")
                if args and len(args) == 3:
                    out.append(("set-not-cmpxchg", fn.apply([(k.start, k.end, f"atomic_set({args[0]}, {args[2]});")])))
                    out.append(("zero", fn.apply([(k.start, k.end, f"atomic_set({args[0]}, 0);")])))
                    out.append(("reread", fn.apply([(k.start, k.end, f"atomic_cmpxchg({args[0]}, atomic_read({args[0]}), {args[2]});")])))
    return out


SHAPES = {
    "flag-cleared-after": ("flush_tlb_mm(mm);\n\t\tmm->tlb_flush_batched = false;",),
    "count-zeroed-after": ("flush_tlb_mm(mm);\n\t\tatomic_set(&mm->tlb_flush_batched, 0);",),
    "bit-cleared-after": ("flush_tlb_mm(mm);\n\t\tclear_bit(MMF_TLB_BATCHED, &mm->flags);",),
}
TESTS = {"flag": "mm->tlb_flush_batched", "count": "atomic_read(&mm->tlb_flush_batched)", "bit": "test_bit(MMF_TLB_BATCHED, &mm->flags)"}


def in_the_shape_of(fn: Fn) -> Out:
    """A further function of the same kind, broken, above the real one."""
    if fn.name != "flush_tlb_batched_pending" or fn.above:
        return []
    out = []
    for name, (act,) in SHAPES.items():
        test = TESTS[name.split("-")[0]]
        body = f"if ({test}) {{\n\t\t{act}\n\t}}"
        out.append((name, helper("finish_batched_flush", "void", "struct mm_struct *mm", body) + fn.text))
    return out


INDICATION = {"batched-count": flag_lost, "same-shape": in_the_shape_of}
