"""R4 operators: entries changed under a PTL whose flush comes after its release, or never."""

from __future__ import annotations

import re

from tests.mutate.common import FLUSH, FORCE, LEAVE, Out, clears, guard, late_as_it_is, move_after, next_unlock, pick, short, sibling_unlock, whole
from tests.mutate.cst import Fn, Stmt, call_args

UNFLUSHED = {
    "ptep_clear_flush": "ptep_get_and_clear",
    "pmdp_huge_clear_flush": "pmdp_huge_get_and_clear",
    "huge_ptep_clear_flush": "huge_ptep_get_and_clear",
    "pmdp_collapse_flush": "pmdp_huge_get_and_clear",
    "ptep_clear_flush_notify": "ptep_get_and_clear",
    "pmdp_huge_clear_flush_notify": "pmdp_huge_get_and_clear",
}
RECORD = r"\b(?:tlb_remove_tlb_entry|tlb_remove_tlb_entries|tlb_flush_pte_range|tlb_flush_pmd_range|tlb_remove_pmd_tlb_entry|tlb_remove_huge_tlb_entry)\s*\("


def _flushes(fn: Fn) -> list[tuple[int, Stmt]]:
    return [(i, s) for i, s in enumerate(fn.leaves(FLUSH, frozenset({"expr"})), 1) if not late_as_it_is(fn, s)]


def leave_behind_unlock(fn: Fn) -> Out:
    return [(f"{i}", move_after(fn, s, u)) for i, s in enumerate(fn.leaves(LEAVE), 1) if (u := sibling_unlock(fn, s)) is not None]


def flush_behind_unlock(fn: Fn) -> Out:
    out = []
    for i, s in _flushes(fn):
        unit = whole(s)
        u = sibling_unlock(fn, unit)
        if u is not None:
            out.append((f"{i}", move_after(fn, unit, u)))
    return out


def drop_flush(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([fn.drop(whole(s))])) for i, s in _flushes(fn)]


def flush_conditional(fn: Fn) -> Out:
    out = []
    for i, s in _flushes(fn):
        for cond in pick(fn, s, 3):
            out.append((f"{i}-{short(cond)}", fn.apply([guard(fn, s, cond)])))
    return out


def invert_flush(fn: Fn) -> Out:
    out = []
    for i, s in _flushes(fn):
        unit = whole(s)
        if unit.kind == "if":
            out.append((f"{i}", fn.apply([(unit.head[0], unit.head[1], f"!({fn.cond(unit)})")])))
    return out


def goto_past_flush(fn: Fn) -> Out:
    """A jump from before the flush to the unlock."""
    out = []
    for i, s in _flushes(fn):
        unit = whole(s)
        after = unit.following()
        if after and sibling_unlock(fn, unit) is not None:
            cond = pick(fn, s, 2)[-1]
            out.append(
                (f"{i}", fn.apply([*fn.before(unit, f"if ({cond})\n\tgoto no_flush;"), (after[0].start, after[0].start, f"no_flush:\n{fn.indent(unit)}")]))
            )
    return out


def weaken_flag(fn: Fn) -> Out:
    """force_flush or a counter that stands for 'something present was cleared' is set too rarely."""
    out = []
    for i, s in enumerate(fn.leaves(FORCE.pattern + r"|\bunmapped\s*\+\+\s*;", frozenset({"expr"})), 1):
        m = [c[1] for c in clears(fn)]
        var, level = (m[0] if m else "pte"), "pmd" if fn.has(r"\bpmdp_huge_get_and_clear") else "pte"
        if fn.declares("old_pte") and re.search(r"\bget_and_clear_ptes\b", fn.mask):
            var = "old_pte"
        out.append((f"{i}-drop", fn.apply([fn.drop(s)])))
        for cond in (f"{level}_write({var})", f"{level}_young({var})", f"{level}_dirty({var})", *pick(fn, s, 2)):
            out.append((f"{i}-{short(cond)}", fn.apply([guard(fn, s, cond)])))
        up = s.parent if s.parent is not None and s.parent.kind == "if" else None
        if "force_flush" in fn.code(s):
            out.append((f"{i}-false", fn.apply([(s.start, s.end, re.sub(r"true|1", "false", fn.src(s)))])))
            if up is not None:
                out.append((f"{i}-inverted", fn.apply([(up.head[0], up.head[1], f"!{fn.cond(up)}")])))
                out.append(
                    (f"{i}-else-reset", fn.apply([(up.end, up.end, f"\n{fn.indent(up)}else\n{fn.indent(up)}\tforce_flush = false;")]))
                    if fn.loop_of(s)
                    else ("same", fn.text)
                )
    return out


def no_flush(fn: Fn) -> Out:
    """clear-and-flush becomes clear."""
    out = []
    for i, (s, name) in enumerate(_flushing_clears(fn), 1):
        new = _unflushed(fn, s, name)
        if new is not None:
            out.append((f"{i}", fn.apply([(s.start, s.end, new)])))
    return out


def _flushing_clears(fn: Fn) -> list[tuple[Stmt, str]]:
    out = []
    for s in fn.all:
        if s.kind in {"expr", "decl"}:
            out += [(s, n) for n in UNFLUSHED if re.search(rf"\b{n}\s*\(", fn.code(s))]
    return out


def _unflushed(fn: Fn, s: Stmt, name: str) -> str | None:
    args = call_args(fn.src(s), name)
    if args is None:
        return None
    vma, tail = args[0], args[1:]
    if name == "huge_ptep_clear_flush" and fn.huge_get_mm:  # the same kernels pass the size to the clear
        tail = [*tail, "hsz" if fn.declares("hsz") else "huge_page_size(hstate_vma(vma))"]
    start = fn.src(s).index(name)
    mm = f"{vma}->vm_mm"
    return f"{fn.src(s)[:start]}{UNFLUSHED[name]}({', '.join([mm, *tail])});"


def flush_after(fn: Fn) -> Out:
    """clear under the PTL, flush the page once it is released."""
    out = []
    for i, (s, name) in enumerate(_flushing_clears(fn), 1):
        new, u = _unflushed(fn, s, name), next_unlock(fn, s)
        args = call_args(fn.src(s), name)
        if (
            new is None
            or u is None
            or args is None
            or name not in {"ptep_clear_flush", "pmdp_huge_clear_flush", "ptep_clear_flush_notify", "pmdp_collapse_flush"}
        ):
            continue
        flush = (
            f"flush_tlb_page({args[0]}, {args[1]});" if name.startswith("ptep") else f"flush_pmd_tlb_range({args[0]}, {args[1]}, {args[1]} + HPAGE_PMD_SIZE);"
        )
        out.append((f"{i}", fn.apply([(s.start, s.end, new), *fn.after(u, flush)])))
    return out


def drop_record(fn: Fn) -> Out:
    """The gather is never told."""
    out = []
    for i, s in enumerate(fn.leaves(RECORD, frozenset({"expr"})), 1):
        out.append((f"{i}-drop", fn.apply([fn.drop(whole(s))])))
        out.append((f"{i}-{short(pick(fn, s, 1)[0])}", fn.apply([guard(fn, s, pick(fn, s, 1)[0])])))
        unit = whole(s)
        if unit.kind == "if":
            out.append((f"{i}-inverted", fn.apply([(unit.head[0], unit.head[1], f"!{fn.cond(unit)}")])))
    return out


def lock_break(fn: Fn) -> Out:
    """The PTL is dropped and retaken between the change and its flush."""
    out = []
    for i, s in _flushes(fn):
        unit = whole(s)
        u = sibling_unlock(fn, unit)
        m = re.search(r"(?:pte_unmap_unlock\([^,]+,|spin_unlock\()\s*([\w>-]+)\s*\)", fn.src(u)) if u is not None else None
        if m:
            out.append((f"{i}", fn.apply(fn.before(unit, f"spin_unlock({m.group(1)});\ncpu_relax();\nspin_lock({m.group(1)});"))))
    return out


def mm_level(fn: Fn) -> Out:
    """The flush that a whole operation owes: dropped, or behind the end of its pending count or of its exclusion."""
    out = []
    for i, s in enumerate(fn.leaves(r"\bflush_tlb_mm\s*\(|\btlb_flush_mmu_tlbonly\s*\(\s*&tlb\s*\)", frozenset({"expr"})), 1):
        out.append((f"{i}-drop", fn.apply([fn.drop(s)])))
        out.append((f"{i}-cond", fn.apply([guard(fn, s, pick(fn, s, 1)[0])])))
        for k in s.following():
            if re.match(r"dec_tlb_flush_pending|i_mmap_unlock_write", fn.code(k)):
                out.append((f"{i}-behind-{short(fn.code(k))}", move_after(fn, s, k)))
    return out


OPERATORS = {
    "leave-behind-unlock": leave_behind_unlock,
    "flush-behind-unlock": flush_behind_unlock,
    "drop-flush": drop_flush,
    "flush-conditional": flush_conditional,
    "flush-inverted": invert_flush,
    "goto-past-flush": goto_past_flush,
    "weaken-flag": weaken_flag,
    "clear-without-flush": no_flush,
    "flush-page-after-unlock": flush_after,
    "drop-record": drop_record,
    "lock-break-before-flush": lock_break,
    "mm-level-flush": mm_level,
}
