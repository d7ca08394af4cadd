"""Operators on what a function owns in pairs: gathers, counts of pending flushes, notifier ranges."""

from __future__ import annotations

import re

from tests.mutate.common import ENTER, ENTRY_LOCK, FLUSH, LEAVE, UNLOCK, Out, guard, mm_of, move_after, move_before, pick
from tests.mutate.cst import Fn, Stmt

BEGIN_GATHER = r"\btlb_gather_mmu\w*\s*\("
END_GATHER = r"\btlb_finish_mmu\s*\("
INC = r"\binc_tlb_flush_pending\s*\("
DEC = r"\bdec_tlb_flush_pending\s*\("
START = r"\bmmu_notifier_invalidate_range_start\s*\("
END = r"\bmmu_notifier_invalidate_range_end\s*\("
EXPR = frozenset({"expr"})
CHANGE = re.compile(
    r"\b(?:walk_page_\w+|change_\w+|unmap_\w+|zap_\w+|move_\w+|copy_\w+|free_pgtables|free_pgd_range|madvise_\w+|ptep_\w+|pmdp_\w+|\w*_hugepage_range"
    r"|mwriteprotect_\w+|uffd_\w+|__split_\w+|split_huge_\w+|clear_\w+|huge_ptep_\w+|try_to_\w+|swapin_\w+|collapse_\w+|wp_\w+|do_\w+)\s*\("
)


def _drop(fn: Fn, pattern: str) -> Out:
    sites = fn.leaves(pattern, EXPR)
    out = [(str(n), fn.apply([fn.drop(s)])) for n, s in enumerate(sites)]
    return [*out, ("all", fn.apply([fn.drop(s) for s in sites]))] if len(sites) > 1 else out


def _conditional(fn: Fn, pattern: str) -> Out:
    return [(f"{n}-{i}", fn.apply([guard(fn, s, cond)])) for n, s in enumerate(fn.leaves(pattern, EXPR)) for i, cond in enumerate(pick(fn, s, 2))]


def _return_between(fn: Fn, begin: str, end: str) -> Out:
    """A return right after the begin, and one right before the end: both with the pair open."""
    out = []
    begins, ends = fn.leaves(begin, EXPR), fn.leaves(end, EXPR)
    leave = f"if (fatal_signal_pending(current))\n\t{fn.bail()}"
    if not begins or not ends or not re.fullmatch(r"void|bool|int|long|unsigned int|unsigned long|ssize_t|vm_fault_t|size_t", fn.returns):
        return []
    for n, s in enumerate(begins):
        if any(e.start > s.start for e in ends):
            out.append((f"after-{n}", fn.apply(fn.after(s, leave))))
    for n, s in enumerate(ends):
        if any(b.start < s.start for b in begins) and s.parent is not None and s.parent.kind == "block":
            out.append((f"before-{n}", fn.apply(fn.before(s, leave))))
    return out


def _goto_past(fn: Fn, begin: str, end: str) -> Out:
    """A jump from after the begin over the end."""
    out = []
    for n, s in enumerate(fn.leaves(end, EXPR)):
        after = s.following()
        if after and after[0].kind not in {"decl", "label"} and any(b.start < s.start for b in fn.leaves(begin, EXPR)):
            edits = [*fn.before(s, "if (need_resched())\n\tgoto not_ended;"), (after[0].start, after[0].start, f"not_ended:\n{fn.indent(s)}")]
            out.append((str(n), fn.apply(edits)))
    return out


def _twice(fn: Fn, pattern: str) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(pattern, EXPR)):
        out.append((f"{n}-always", fn.apply(fn.before(s, fn.src(s)))))
        out.append((f"{n}-sometimes", fn.apply(fn.before(s, f"if (need_resched())\n\t{fn.src(s)}"))))
    return out


def _uses(fn: Fn, row: list[Stmt], needle: str) -> list[Stmt]:
    return [k for k in row if k.kind in {"expr", "if", "for", "while", "do", "loop"} and re.search(needle, fn.code(k))]


def _argument(fn: Fn, s: Stmt) -> str:
    """What a begin or end is called with, escaped: ``&tlb``, ``&wpwalk->range``."""
    m = re.search(r"\(\s*([^,()]+)", fn.code(s))
    return re.escape(m.group(1).strip()) if m else "$^"


def finish_early(fn: Fn) -> Out:
    """The gather ends before the last call that fills it."""
    out = []
    for n, s in enumerate(fn.leaves(END_GATHER, EXPR)):
        before = _uses(fn, s.preceding(), _argument(fn, s) + r"\b")
        before = [k for k in before if not re.search(BEGIN_GATHER + "|" + END_GATHER, fn.code(k))]
        if before:
            out.append((str(n), move_before(fn, s, before[-1])))
    return out


def gather_late(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(BEGIN_GATHER, EXPR)):
        after = _uses(fn, s.following(), _argument(fn, s) + r"\b")
        after = [k for k in after if not re.search(END_GATHER, fn.code(k)) and k.kind == "expr"]
        if after:
            out.append((str(n), move_after(fn, s, after[0])))
    return out


def gather_twice(fn: Fn) -> Out:
    """Begun again while open."""
    out = []
    for n, s in enumerate(fn.leaves(BEGIN_GATHER, EXPR)):
        out.append((str(n), fn.apply(fn.after(s, f"if (need_resched())\n\t{fn.src(s)}"))))
    return out


GATHER = {
    "drop-finish": lambda fn: _drop(fn, END_GATHER),
    "drop-gather": lambda fn: _drop(fn, BEGIN_GATHER),
    "finish-conditional": lambda fn: _conditional(fn, END_GATHER),
    "gather-conditional": lambda fn: _conditional(fn, BEGIN_GATHER),
    "return-between": lambda fn: _return_between(fn, BEGIN_GATHER, END_GATHER),
    "goto-past-finish": lambda fn: _goto_past(fn, BEGIN_GATHER, END_GATHER),
    "finish-twice": lambda fn: _twice(fn, END_GATHER),
    "finish-early": finish_early,
    "gather-late": gather_late,
    "gather-twice": gather_twice,
}


def dec_before_flush(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(DEC, EXPR)):
        flushes = [k for k in s.preceding() if re.search(FLUSH, fn.code(k)) and k.kind in {"expr", "if"}]
        if flushes:
            out.append((f"{n}-last", move_before(fn, s, flushes[-1])))
            walks = [k for k in s.preceding() if CHANGE.search(fn.code(k))]
            if walks:
                out.append((f"{n}-walk", move_before(fn, s, walks[-1])))
    return out


def inc_late(fn: Fn) -> Out:
    """Counted after the first call that changes entries: behind it in the block, or in the blocks around."""
    out = []
    for n, s in enumerate(fn.leaves(INC, EXPR)):
        node: Stmt | None = s
        while node is not None:
            row = [k for k in node.following() if k.kind in {"expr", "if"}]
            later = [k for k in row if CHANGE.search(fn.code(k)) and not re.search(r"flush_tlb|mmu_notifier", fn.code(k))]
            if later:
                unit = next((a for a in s.ancestors() if a.kind == "if" and a.parent is node.parent), None)
                text = f"if ({fn.cond(unit)})\n\t{fn.src(s)}" if unit is not None else fn.src(s)
                out.append((str(n), fn.apply([fn.drop(s), *fn.after(later[0], text)])))
                break
            node = node.parent
    return out


PENDING = {
    "drop-inc": lambda fn: _drop(fn, INC),
    "drop-dec": lambda fn: _drop(fn, DEC),
    "inc-conditional": lambda fn: _conditional(fn, INC),
    "dec-conditional": lambda fn: _conditional(fn, DEC),
    "return-between": lambda fn: _return_between(fn, INC, DEC) or _leave_open(fn, DEC),
    "goto-past-dec": lambda fn: _goto_past(fn, INC, DEC),
    "dec-twice": lambda fn: _twice(fn, DEC),
    "inc-twice": lambda fn: _twice(fn, INC),
    "dec-before-flush": dec_before_flush,
    "inc-late": inc_late,
}


def _leave_open(fn: Fn, end: str) -> Out:
    """The end alone is here (a post_vma callback): a return before it."""
    if fn.returns not in {"void", "int"}:
        return []
    return [(f"before-{n}", fn.apply(fn.before(s, f"if (fatal_signal_pending(current))\n\t{fn.bail()}"))) for n, s in enumerate(fn.leaves(end, EXPR))]


def _under(fn: Fn, pattern: str) -> Out:
    """The start moves behind the next statement that matches: under a PTL, or into lazy mode."""
    out = []
    for n, s in enumerate(fn.leaves(START, EXPR)):
        target = None
        node: Stmt | None = s
        while node is not None and target is None:
            row = [k for k in node.following() if k.kind == "expr"]
            target = next((k for k in row if re.search(pattern, fn.code(k))), None)
            node = node.parent
        if target is not None and fn.loop_of(target) is fn.loop_of(s):
            unit = next((a for a in s.ancestors() if a.kind == "if" and a.parent is target.parent), None)
            text = f"if ({fn.cond(unit)})\n\t{fn.src(s)}" if unit is not None else fn.src(s)
            if unit is not None or s.parent is target.parent:
                out.append((str(n), fn.apply([fn.drop(s), *fn.after(target, text)])))
    return out


def start_under_ptl(fn: Fn) -> Out:
    lock = ENTRY_LOCK + r"|\bspin_lock\s*\(\s*(?:vmf->)?ptl"
    return [*_under(fn, lock), *_bracket(fn, ENTRY_LOCK, UNLOCK)]


def _bracket(fn: Fn, opening: str, closing: str) -> Out:
    """A new range around what lies between two statements of the outermost block, begun and ended inside them."""
    first = next((k for k in fn.root.kids if k.kind == "expr" and re.search(opening, fn.code(k))), None)
    last = next((k for k in reversed(fn.root.kids) if k.kind == "expr" and re.search(closing, fn.code(k))), None)
    mm = mm_of(fn)
    if first is None or last is None or mm is None or last.start < first.start or fn.has(r"\bnew_range\b"):
        return []
    after = first.following()[:1]
    place = after[0] if after and after[0].kind == "if" and re.search(r"^\s*!", fn.cond(after[0])) else first
    if re.search(r"\breturn\b|\bgoto\b", fn.mask[place.end : last.start]):
        return []
    start = f"mmu_notifier_range_init(&new_range, MMU_NOTIFY_CLEAR, 0, {mm}, 0, -1UL);\nmmu_notifier_invalidate_range_start(&new_range);"
    edits = [*fn.after(place, start), *fn.before(last, "mmu_notifier_invalidate_range_end(&new_range);"), fn.declare("struct mmu_notifier_range new_range;")]
    return [("new", fn.apply(edits))]


def end_before_change(fn: Fn) -> Out:
    """The range ends before the last call that changes entries."""
    out = []
    for n, s in enumerate(fn.leaves(END, EXPR)):
        row = [k for k in s.preceding() if k.kind in {"expr", "for", "while", "do"}]
        before = [k for k in row if CHANGE.search(fn.code(k)) and not re.search(START + "|flush_tlb", fn.code(k))]
        starts = [k for k in s.preceding() if re.search(START, fn.code(k))]
        if before and starts and starts[-1].start < before[-1].start:
            out.append((str(n), move_before(fn, s, before[-1])))
    return out


def swap_start_end(fn: Fn) -> Out:
    starts, ends = fn.leaves(START, EXPR), fn.leaves(END, EXPR)
    if len(starts) != 1 or len(ends) != 1:
        return []
    text = fn.src(starts[0]).replace("range_start", "range_end"), fn.src(ends[0]).replace("range_end", "range_start")
    return [("both", fn.apply([(starts[0].start, starts[0].end, text[0]), (ends[0].start, ends[0].end, text[1])]))]


NOTIFIER = {
    "drop-start": lambda fn: _drop(fn, START),
    "drop-end": lambda fn: _drop(fn, END),
    "start-conditional": lambda fn: _conditional(fn, START),
    "end-conditional": lambda fn: _conditional(fn, END),
    "return-between": lambda fn: _return_between(fn, START, END) or _leave_open(fn, END),
    "goto-past-end": lambda fn: _goto_past(fn, START, END),
    "end-twice": lambda fn: _twice(fn, END),
    "start-under-ptl": start_under_ptl,
    "start-in-lazy": lambda fn: [*_under(fn, ENTER), *_bracket(fn, ENTER, LEAVE)],
    "end-before-change": end_before_change,
    "swap-start-end": swap_start_end,
}
