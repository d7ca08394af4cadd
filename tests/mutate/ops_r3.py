"""R3 operators: lazy MMU mode that is not left, not entered, entered twice, or that brackets a PTL release or a sleeping call."""

from __future__ import annotations

import re

from tests.mutate.common import (
    ENTER,
    LEAVE,
    PTE_LOCK,
    Out,
    guard,
    last_acquire,
    leave_name,
    loop_below,
    move_after,
    move_before,
    pick,
    short,
    sibling_unlock,
    top_of,
)
from tests.mutate.cst import Fn, Stmt

SLEEPERS = (
    "cond_resched();",
    "might_sleep();",
    "msleep(1);",
    "synchronize_rcu();",
    "mutex_lock(&lazy_mutex);",
    "down_read(&lazy_sem);",
    "schedule();",
    "wait_for_completion(&lazy_done);",
)


def _leaves(fn: Fn) -> list[tuple[int, Stmt]]:
    return list(enumerate(fn.leaves(LEAVE, frozenset({"expr"})), 1))


def _enters(fn: Fn) -> list[tuple[int, Stmt]]:
    return list(enumerate(fn.leaves(ENTER, frozenset({"expr"})), 1))


def drop_leave(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([fn.drop(s)])) for i, s in _leaves(fn)]


def drop_enter(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([fn.drop(s)])) for i, s in _enters(fn)]


def leave_conditional(fn: Fn) -> Out:
    return [(f"{i}-{short(c)}", fn.apply([guard(fn, s, c)])) for i, s in _leaves(fn) for c in pick(fn, s, 2)]


def enter_conditional(fn: Fn) -> Out:
    return [(f"{i}-{short(c)}", fn.apply([guard(fn, s, c)])) for i, s in _enters(fn) for c in pick(fn, s, 1)]


def mismatched(fn: Fn) -> Out:
    """Enter and leave are guarded by different conditions."""
    enters, leaves = _enters(fn), _leaves(fn)
    if not enters or not leaves:
        return []
    first, other = pick(fn, enters[0][1], 2)
    return [("1", fn.apply([guard(fn, enters[0][1], first), guard(fn, leaves[-1][1], other)]))]


def leave_behind_unlock(fn: Fn) -> Out:
    return [(f"{i}", move_after(fn, s, u)) for i, s in _leaves(fn) if (u := sibling_unlock(fn, s)) is not None]


def only_one_exit(fn: Fn) -> Out:
    """Unlock on both arms, leave on one."""
    out = []
    for i, s in _leaves(fn):
        u = sibling_unlock(fn, s)
        if u is not None and s.following()[0] is u:
            tab = fn.indent(s)
            cond = pick(fn, s, 3)[-1]
            text = f"if ({cond}) {{\n{tab}\t{fn.src(s)}\n{tab}\t{fn.src(u)}\n{tab}}} else {{\n{tab}\t{fn.src(u)}\n{tab}}}"
            out.append((f"{i}", fn.apply([(s.start, s.end, text), fn.drop(u)])))
    return out


def leave_in_loop(fn: Fn) -> Out:
    """The leave slips inside the loop: off after the first round."""
    out = []
    for i, s in _leaves(fn):
        loops = [k for k in s.preceding() if k.kind in {"for", "while", "do"} and k.kids[0].kind == "block" and k.kids[0].kids]
        if loops:
            out.append((f"{i}", move_after(fn, s, loops[-1].kids[0].kids[-1])))
    return out


def enter_in_loop(fn: Fn) -> Out:
    """The enter slips inside the loop and runs each round, with one leave."""
    out = []
    for i, s in _enters(fn):
        loop = loop_below(fn, s)
        first = top_of(loop) if loop is not None else None
        if first is not None:
            out.append((f"{i}", move_before(fn, s, first)))
    return out


def double_enter(fn: Fn) -> Out:
    out = []
    for i, s in _enters(fn):
        out.append((f"{i}-twice", fn.apply(fn.after(s, fn.src(s)))))
        loop = loop_below(fn, s)
        if loop is not None:
            out.append((f"{i}-before-loop", fn.apply(fn.before(loop, f"if ({pick(fn, s, 2)[-1]})\n\t{fn.src(s)}"))))
    return out


def double_leave(fn: Fn) -> Out:
    return [(f"{i}", fn.apply(fn.after(s, fn.src(s)))) for i, s in _leaves(fn)]


def wrong_call(fn: Fn) -> Out:
    """Leave is misspelt as flush, pause or enter."""
    modern = leave_name(fn) == "lazy_mmu_mode_disable"
    wrong = ("lazy_mmu_mode_pause", "lazy_mmu_mode_enable") if modern else ("arch_flush_lazy_mmu_mode", "arch_enter_lazy_mmu_mode")
    return [(f"{i}-{w}", fn.apply([(s.start, s.end, f"{w}();")])) for i, s in _leaves(fn) for w in wrong]


def enter_before_acquire(fn: Fn) -> Out:
    out = []
    for i, s in _enters(fn):
        locks = [k for k in fn.leaves(PTE_LOCK) if k.end <= s.start]
        lock = locks[-1] if locks else last_acquire(fn, s)
        if lock is not None:
            out.append((f"{i}", move_before(fn, s, lock)))
    return out


def early_return(fn: Fn) -> Out:
    """A new way out that unlocks and forgets the leave, or forgets both."""
    out = []
    for i, s in _leaves(fn):
        u = sibling_unlock(fn, s)
        bail = fn.bail()
        code = f"if (fatal_signal_pending(current)) {{\n\t{fn.src(u)}\n\t{bail}\n}}" if u is not None else f"if (fatal_signal_pending(current))\n\t{bail}"
        out.append((f"{i}-before-leave", fn.apply(fn.before(s, code))))
        loops = [k for k in s.preceding() if k.kind in {"for", "while", "do"}]
        first = top_of(loops[-1]) if loops else None
        if first is not None and u is not None and len([k for k in s.following() if k.end <= u.end]) <= 3:
            out.append((f"{i}-in-loop", fn.apply(fn.before(first, code))))
    return out


def goto_past(fn: Fn) -> Out:
    """A goto from the loop to a label that stands behind the leave."""
    out = []
    for i, s in _leaves(fn):
        after = s.following()
        loops = [k for k in s.preceding() if k.kind in {"for", "while", "do"}]
        first = top_of(loops[-1]) if loops else None
        if first is not None and after:
            cond = pick(fn, s, 1)[0]
            edits = [*fn.before(first, f"if ({cond})\n\tgoto unlock_only;"), (after[0].start, after[0].start, f"unlock_only:\n{fn.indent(s)}")]
            out.append((f"{i}", fn.apply(edits)))
            breaks = [k for k in loops[-1].walk() if k.kind == "break" and fn.loop_of(k) is loops[-1] and not any(a.kind == "switch" for a in k.ancestors())]
            if breaks:
                out.append((f"{i}-break", fn.apply([(breaks[0].start, breaks[0].end, "goto unlock_only;"), edits[-1]])))
    return out


def sleeping(fn: Fn) -> Out:
    """A call that may sleep, in the loop or just before the leave."""
    out = []
    for i, s in _leaves(fn):
        pool = SLEEPERS[(len(fn.name) + i) % len(SLEEPERS) :] + SLEEPERS[: (len(fn.name) + i) % len(SLEEPERS)]
        names = {
            "lazy_mutex": "static DEFINE_MUTEX(lazy_mutex);",
            "lazy_sem": "static DECLARE_RWSEM(lazy_sem);",
            "lazy_done": "static DECLARE_COMPLETION(lazy_done);",
        }
        loops = [k for k in s.preceding() if k.kind in {"for", "while", "do"}]
        first = top_of(loops[-1]) if loops else None
        for where, target, call in (("before-leave", s, pool[0]), ("in-loop", first, pool[1]), ("in-loop-rare", first, pool[2])):
            if target is not None:
                extra = [fn.declare(d) for n, d in names.items() if n in call]
                code = f"if (need_resched())\n\t{call}" if where == "in-loop-rare" else call
                out.append((f"{i}-{where}-{short(call)}", fn.apply([*fn.before(target, code), *extra])))
    return out


def lock_break(fn: Fn) -> Out:
    """The PTL is dropped and retaken in the loop with lazy MMU mode still on."""
    out = []
    for i, s in _leaves(fn):
        u = sibling_unlock(fn, s)
        loops = [k for k in s.preceding() if k.kind in {"for", "while", "do"}]
        first = top_of(loops[-1]) if loops else None
        m = re.search(r"(?:pte_unmap_unlock\([^,]+,|spin_unlock\()\s*([\w>-]+)\s*\)", fn.src(u)) if u is not None else None
        if first is not None and m:
            code = f"if (spin_needbreak({m.group(1)})) {{\n\tspin_unlock({m.group(1)});\n\tcpu_relax();\n\tspin_lock({m.group(1)});\n}}"
            out.append((f"{i}", fn.apply(fn.before(first, code))))
    return out


def drop_in_break(fn: Fn) -> Out:
    """An existing lock break keeps its unlock and re-lock and loses both lazy calls around it."""
    out = []
    enters = [s for _, s in _enters(fn)]
    for i, s in _leaves(fn):
        again = [e for e in enters if e.start > s.start and e in s.following()]
        if again:
            out.append((f"{i}", fn.apply([fn.drop(s), fn.drop(again[0])])))
    return out


OPERATORS = {
    "drop-leave": drop_leave,
    "drop-enter": drop_enter,
    "leave-conditional": leave_conditional,
    "enter-conditional": enter_conditional,
    "mismatched-guards": mismatched,
    "leave-behind-unlock": leave_behind_unlock,
    "leave-one-exit": only_one_exit,
    "leave-in-loop": leave_in_loop,
    "enter-in-loop": enter_in_loop,
    "double-enter": double_enter,
    "double-leave": double_leave,
    "wrong-call": wrong_call,
    "enter-before-acquire": enter_before_acquire,
    "early-return": early_return,
    "goto-past-leave": goto_past,
    "sleeping-call": sleeping,
    "lock-break-in-lazy": lock_break,
    "drop-around-break": drop_in_break,
}
