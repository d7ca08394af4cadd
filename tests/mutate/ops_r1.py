"""R1 operators: break the flush_tlb_batched_pending() that must follow each PTL acquire."""

from __future__ import annotations

import re

from tests.mutate.common import (
    BATCHED,
    ENTER,
    LEAVE,
    PTE_LOCK,
    UNLOCK,
    Out,
    enter_name,
    guard,
    leave_name,
    loop_below,
    mm_of,
    move_after,
    move_before,
    next_unlock,
    pick,
    short,
    top_of,
)
from tests.mutate.cst import Fn, Stmt


def _sites(fn: Fn) -> list[tuple[int, Stmt]]:
    return list(enumerate(fn.leaves(BATCHED), 1))


def drop(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([fn.drop(s)])) for i, s in _sites(fn)]


def comment_out(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([(s.start, s.end, f"/* {fn.src(s)} */;")])) for i, s in _sites(fn)]


def hoist(fn: Fn) -> Out:
    """Above the acquire: another CPU may still batch an entry before the lock is ours."""
    out = []
    for i, s in _sites(fn):
        locks = [k for k in fn.leaves(PTE_LOCK) if k.end <= s.start]
        if locks:
            out.append((f"{i}-acquire", move_before(fn, s, locks[-1])))
        if fn.loop_of(s) is None:
            first = next(k for k in fn.root.kids if k.kind != "decl")
            out.append((f"{i}-entry", move_before(fn, s, first)))
    return out


def behind_loop(fn: Fn) -> Out:
    return [(f"{i}", move_after(fn, s, loop)) for i, s in _sites(fn) if (loop := loop_below(fn, s)) is not None]


def behind_unlock(fn: Fn) -> Out:
    out = []
    for i, s in _sites(fn):
        target = next_unlock(fn, s) or next(reversed(fn.leaves(UNLOCK, frozenset({"expr"}))), None)
        if target is not None and target.start > s.start:
            out.append((f"{i}", move_after(fn, s, target)))
    return out


def conditional(fn: Fn) -> Out:
    out = []
    for i, s in _sites(fn):
        mm = mm_of(fn)
        for cond in [*pick(fn, s, 3), *([f"mm_tlb_flush_pending({mm})"] if mm else [])]:
            out.append((f"{i}-{short(cond)}", fn.apply([guard(fn, s, cond)])))
    return out


def one_branch(fn: Fn) -> Out:
    """Into one arm of a branch; the other arm only enters lazy MMU mode."""
    out = []
    for i, s in _sites(fn):
        enter = next((k for k in s.following() if k.kind == "expr" and re.search(ENTER, fn.code(k))), None)
        if enter is None:
            continue
        cond, tab = pick(fn, s, 5)[-1], fn.indent(s)
        text = f"if ({cond}) {{\n{tab}\t{fn.src(s)}\n{tab}\t{fn.src(enter)}\n{tab}}} else {{\n{tab}\t{fn.src(enter)}\n{tab}}}"
        out.append((f"{i}-then", fn.apply([(s.start, s.end, text), fn.drop(enter)])))
        text = f"if ({cond}) {{\n{tab}\t{fn.src(enter)}\n{tab}}} else {{\n{tab}\t{fn.src(s)}\n{tab}\t{fn.src(enter)}\n{tab}}}"
        out.append((f"{i}-else", fn.apply([(s.start, s.end, text), fn.drop(enter)])))
        branch = next(
            (k for k in s.preceding() if k.kind == "if" and len(k.kids) == 1 and k.kids[0].kind == "expr" and not re.search(r"return|goto|LOCK", fn.code(k))),
            None,
        )
        if branch is not None:
            out.append((f"{i}-merged", move_after(fn, s, branch.kids[0])))
    return out


def present_only(fn: Fn) -> Out:
    """Only once a present entry is met: the entries reclaim has cleared are just the ones that are skipped."""
    out = []
    for i, s in _sites(fn):
        loop = loop_below(fn, s)
        for k in loop.walk() if loop is not None else ():
            if k.kind == "if" and re.fullmatch(r"(?:likely\()?pte_present\(\w+\)\)?", re.sub(r"\s", "", fn.cond(k))) and k.kids[0].kind == "block":
                first = next((x for x in k.kids[0].kids if x.kind != "decl"), None)
                if first is not None:
                    out.append((f"{i}", move_before(fn, s, first)))
                    break
    return out


def only_first_acquire(fn: Fn) -> Out:
    """Once a call: a flag skips the flush when a label re-enters the acquire."""
    out = []
    for i, s in _sites(fn):
        row = s.preceding()
        labels = [k for k in row if k.kind == "label"]
        if labels and any(
            k.kind == "goto" and k.start > s.start and re.search(rf"\b{fn.text[labels[-1].head[0] : labels[-1].head[1]]}\b", fn.code(k)) for k in fn.all
        ):
            tab = fn.indent(s)
            text = f"if (!batched_done) {{\n{tab}\t{fn.src(s)}\n{tab}\tbatched_done = true;\n{tab}}}"
            out.append((f"{i}", fn.apply([(s.start, s.end, text), fn.declare("bool batched_done = false;")])))
    return out


def wrong_mm(fn: Fn) -> Out:
    if fn.name not in {"madvise_cold_or_pageout_pte_range", "madvise_free_pte_range", "zap_pte_range", "change_pte_range"}:
        return []
    return [(f"{i}", fn.apply([(s.start, s.end, "flush_tlb_batched_pending(current->mm);")])) for i, s in _sites(fn)]


def reacquire(fn: Fn) -> Out:
    """A new lock break in the loop that takes the PTL again and forgets the flush."""
    out: Out = []
    sites = _sites(fn)
    locks = [k for k in fn.leaves(PTE_LOCK, frozenset({"expr"})) if sites and k.end <= sites[0][1].start]
    if not sites or not locks or re.search(r"\bnew_ptl\b|\bdst_ptl\b", fn.mask):
        return out
    loop, lock = loop_below(fn, sites[0][1]), fn.src(locks[-1])
    first = top_of(loop) if loop is not None else None
    pointer = lock.split("=")[0].strip()
    checked = fn.has(rf"if\s*\(\s*!\s*{pointer}\b|if\s*\(\s*!\s*pte\s*\)")
    if first is None or not re.match(r"\w+$", pointer):
        return out
    fail = f"if (!{pointer})\n\t\t{fn.bail()}\n\t" if checked else ""
    unlock = f"pte_unmap_unlock({pointer}, ptl);" if pointer != "pte" else "pte_unmap_unlock(pte, ptl);"
    lazy = f"{leave_name(fn)}();\n\t{unlock}\n\tcond_resched();\n\t{lock}\n\t{fail}{enter_name(fn)}();"
    for name, cond in (("resched", "need_resched()"), ("contended", "spin_needbreak(ptl)")):
        out.append((f"insert-{name}", fn.apply(fn.before(first, f"if ({cond}) {{\n\t{lazy}\n}}"))))
    return out


def drop_pair(fn: Fn) -> Out:
    """All flushes but the first, or all of them, go at once."""
    sites = [s for _, s in _sites(fn)]
    if len(sites) < 2:
        return []
    return [
        ("all", fn.apply([fn.drop(s) for s in sites])),
        ("all-but-first", fn.apply([fn.drop(s) for s in sites[1:]]) if len(sites) > 2 else fn.apply([fn.drop(sites[1]), (sites[1].start, sites[1].start, "")])),
    ]


def into_leave(fn: Fn) -> Out:
    """Next to the leave at the end, where it reads like a tidy-up."""
    out = []
    for i, s in _sites(fn):
        leaves = [k for k in fn.leaves(LEAVE) if k.start > s.start]
        if leaves:
            out.append((f"{i}", move_before(fn, s, leaves[-1])))
    return out


OPERATORS = {
    "drop": drop,
    "comment-out": comment_out,
    "hoist": hoist,
    "behind-loop": behind_loop,
    "behind-unlock": behind_unlock,
    "conditional": conditional,
    "one-branch": one_branch,
    "present-only": present_only,
    "only-first-acquire": only_first_acquire,
    "wrong-mm": wrong_mm,
    "reacquire": reacquire,
    "drop-several": drop_pair,
    "into-leave": into_leave,
}
