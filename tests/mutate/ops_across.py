"""Harmless rewrites across functions: pieces of the discipline move into static helpers, one or two levels deep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from tests.mutate.common import BATCHED, CLEAR, DIRTY, ENTER, ENTRY_LOCK, FLUSH, LEAVE, MARK, UNLOCK, Out
from tests.mutate.cst import LOOPS, Fn, Stmt
from tests.mutate.extract import escapes, moved, moved_body, moved_tail, moved_value, piece, wrapped
from tests.mutate.variables import variables, visible

RECORD = (
    r"\b(?:tlb_remove_(?:tlb_entry|tlb_entries|huge_tlb_entry|pmd_tlb_entry|pud_tlb_entry)|tlb_flush_(?:pte|pmd|pud)_range"
    r"|tlb_change_page_size|set_tlb_ubc_flush_pending)\s*\("
)
SETS_FLAG = r"\b(?:force_flush|unmapped|need_flush|flush|progress|any_\w+|pages)\b\s*(?:=(?!=)|\+\+|\+=|\|=)"
GATHER = r"\b(?:tlb_gather_mmu\w*|tlb_finish_mmu|tlb_flush_mmu\w*|tlb_start_vma|tlb_end_vma)\s*\("
COUNT = r"\b(?:inc|dec)_tlb_flush_pending\s*\("
NOTIFIER = r"\bmmu_notifier_(?:range_init\w*|invalidate_range_(?:start|end)\w*)\s*\("
BATCH = r"\btry_to_unmap_flush(?:_dirty)?\s*\("
RELEASE = r"\b(?:put_page|folio_put\w*|free_page\w*|pte_free\w*|tlb_remove_page\w*|tlb_remove_table|folio_remove_rmap_\w+|page_remove_rmap)\s*\("
KINDS = {
    "flush": FLUSH,
    "leave": LEAVE,
    "enter": ENTER,
    "unlock": UNLOCK,
    "batched": BATCHED,
    "record": RECORD,
    "mark": MARK,
    "gather": GATHER,
    "count": COUNT,
    "notifier": NOTIFIER,
    "batch": BATCH,
    "release": RELEASE,
    "clear": CLEAR,
}
ANY = re.compile("|".join((*KINDS.values(), DIRTY.pattern, r"\bforce_flush\b")))
LOCK_TYPE = {"pte_offset_map_lock": "pte_t *", "pte_alloc_map_lock": "pte_t *", "get_locked_pte": "pte_t *"}
STORAGE = ("static", "static", "static inline")


def _take(fn: Fn, rows: Out, limit: int) -> Out:
    """``limit`` of the rows, chosen by the function's name so that functions differ, the same ones each time."""
    rank = {label: hashlib.sha256(f"{fn.name}{label}".encode()).digest() for label, _ in rows}
    return sorted(sorted(rows, key=lambda r: rank[r[0]])[:limit])


def _storage(fn: Fn, n: int) -> str:
    return STORAGE[(len(fn.name) + n) % len(STORAGE)]


def _fits(fn: Fn) -> bool:
    """A definition whose return type stands on the line above would need its helper above that."""
    return not fn.above


def _leaves(fn: Fn) -> Iterator[tuple[str, int, Stmt]]:
    for kind, pattern in KINDS.items():
        for n, s in enumerate(fn.leaves(pattern, frozenset({"expr"}))):
            yield kind, n, s


def one_statement(fn: Fn, levels: int = 1) -> Out:
    out = []
    for kind, n, s in _leaves(fn) if _fits(fn) else ():
        body = moved(fn, [s], f"{fn.name}_{kind}_step", _storage(fn, n), levels)
        if body:
            out.append((f"{kind}-{n}", body))
    return _take(fn, out, 6)


def two_levels(fn: Fn) -> Out:
    return one_statement(fn, 2)[:4]


def several_statements(fn: Fn) -> Out:
    """Two to five statements in a row, at least two of them of interest."""
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.parent is None or s.parent.kind != "block" or not ANY.search(fn.code(s)):
            continue
        for size in (2, 3, 5):
            run = [s, *s.following()][:size]
            if len(run) == size and sum(ANY.search(fn.code(k)) is not None for k in run) > 1:
                body = moved(fn, run, f"{fn.name}_part", _storage(fn, size), 1 + (s.start + size) % 2)
                if body:
                    out.append((f"{s.start}-{size}", body))
    return _take(fn, out, 6)


def branch(fn: Fn) -> Out:
    """The inside of a branch, or the whole ``if`` with the flags it sets as out-parameters."""
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.kind == "if" and ANY.search(fn.code(s)):
            body = moved(fn, [s], f"{fn.name}_decide", levels=1 + s.start % 2) if s.parent is not None and s.parent.kind == "block" else None
            if body:
                out.append((f"if-{s.start}", body))
            for n, arm in enumerate(s.kids):
                inside = [k for k in arm.kids if k.kind != "decl"] if arm.kind == "block" else []
                if len(inside) > 1 and len(inside) == len(arm.kids) and ANY.search(fn.code(arm)):
                    body = moved(fn, inside, f"{fn.name}_arm")
                    if body:
                        out.append((f"arm-{s.start}-{n}", body))
    return _take(fn, out, 5)


def flag(fn: Fn) -> Out:
    """A statement that sets a flag: the helper takes ``bool *``."""
    out = []
    for n, s in enumerate(fn.leaves(SETS_FLAG, frozenset({"expr"})) if _fits(fn) else ()):
        up = s
        while up.parent is not None and not (up.kind == "if" and up.parent.kind == "block"):
            up = up.parent
        for name, node in (("alone", s), ("if", up)):
            body = moved(fn, [node], f"{fn.name}_note", levels=1 + n % 2) if node.parent is not None else None
            if body:
                out.append((f"{name}-{n}", body))
    return _take(fn, out, 4)


def value(fn: Fn) -> Out:
    """The helper does the clear, or takes the lock, and returns the value or the locked entry."""
    out = []
    for n, s in enumerate(fn.leaves(r"^[\w\s.>*-]*?=\s*(?:\w+\s*=\s*)?(?:" + CLEAR + "|" + ENTRY_LOCK + ")", frozenset({"expr"})) if _fits(fn) else ()):
        m = re.match(r"(?:(\w+)|[\w.>-]+)\s*=\s*(?:(\w+)\s*=\s*)?(?=(\w+)\s*\()", fn.code(s))
        if m is None:
            continue
        kind = LOCK_TYPE.get(m.group(3)) or _kind(fn, s, m.group(2) or m.group(1))
        for levels in (1, 2):
            body = moved_value(fn, s, (s.start + m.end(), s.end - 1), kind, f"{fn.name}_get", levels, _storage(fn, n)) if kind else None
            if body:
                out.append((f"{m.group(3)}-{n}-{levels}", body))
    return _take(fn, out, 5)


def _kind(fn: Fn, at: Stmt, name: str | None) -> str:
    """How the type of a local is spelt as a return type, "" if unknown."""
    var = visible(fn, at, variables(fn)).get(name or "")
    return "" if var is None or not var.type or var.record else var.spelt("").strip()


def predicate(fn: Fn) -> Out:
    """A condition becomes a helper that returns bool."""
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.kind == "if" and re.search(r"pte|pmd|ptl|flush|dirty|lock|mm_", fn.mask[s.head[0] : s.head[1]]):
            if re.search(r"[^=!<>]=[^=]|\+\+|--|" + ENTRY_LOCK + "|" + CLEAR, fn.mask[s.head[0] : s.head[1]]):
                continue
            for levels in (1, 2):
                body = moved_value(fn, s, s.head, "bool", f"{fn.name}_wants", levels)
                if body:
                    out.append((f"{s.start}-{levels}", body))
    return _take(fn, out, 4)


def condition_with_effect(fn: Fn) -> Out:
    """A condition that does something (takes a lock, clears) becomes a helper with a truth value."""
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.kind == "if" and re.search(ENTRY_LOCK + "|" + CLEAR + "|" + FLUSH + r"|\btlb_|\bspin_trylock|[^=!<>]=[^=]", fn.mask[s.head[0] : s.head[1]]):
            body = moved_value(fn, s, s.head, "bool", f"{fn.name}_try", 1 + s.start % 2)
            if body:
                out.append((str(s.start), body))
    return _take(fn, out, 3)


def tail(fn: Fn) -> Out:
    out = []
    for s in fn.root.kids if _fits(fn) else ():
        if s.kind not in {"decl", "label"} and ANY.search(fn.mask[s.start : fn.root.end]) and len(s.following()) > 0:
            body = moved_tail(fn, s, f"{fn.name}_rest")
            if body:
                out.append((str(s.start), body))
    return _take(fn, out, 3)


def whole_loop(fn: Fn) -> Out:
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.kind in LOOPS and s.parent is not None and s.parent.kind == "block" and ANY.search(fn.code(s)):
            body = moved(fn, [s], f"{fn.name}_walk", levels=1 + s.start % 2)
            if body:
                out.append((str(s.start), body))
    return _take(fn, out, 2)


def loop_body(fn: Fn) -> Out:
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.kind in LOOPS and ANY.search(fn.code(s)):
            body = moved_body(fn, s, f"{fn.name}_one")
            if body:
                out.append((str(s.start), body))
    return _take(fn, out, 2)


def wrapper(fn: Fn) -> Out:
    out = []
    for levels in (1, 2) if _fits(fn) else ():
        body = wrapped(fn, f"__{fn.name}_body", levels)
        if body:
            out.append((str(levels), body))
    return out


def shared(fn: Fn) -> Out:
    """One helper for all places with the same text: every exit's unlock, every record."""
    out = []
    for kind, _, s in _leaves(fn) if _fits(fn) else ():
        same = [k for k in fn.leaves(KINDS[kind], frozenset({"expr"})) if fn.src(k) == fn.src(s)]
        if len(same) < 2 or same[0] is not s:
            continue
        body = moved(fn, [s], f"{fn.name}_all_{kind}")
        got = [piece(fn, k.start, k.end, k) for k in same]
        if body is None or any(g is None or _shape(g.parameters()) != _shape(got[0].parameters()) for g in got if got[0] is not None):
            continue
        first = got[0]
        assert first is not None
        text = body[: body.index("\n}\n\n") + 4]
        out.append((f"{kind}-{s.start}", text + fn.apply([(k.start, k.end, f"{fn.name}_all_{kind}({first.arguments()});") for k in same])))
    return _take(fn, out, 3)


def _shape(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def pair_on_exit(fn: Fn) -> Out:
    """leave + unlock (or flush + unlock) as one helper that also returns the function's result."""
    out = []
    for s in fn.all if _fits(fn) else ():
        if s.kind != "return" or s.parent is None or s.parent.kind != "block" or re.search(r"[^\w\s*]", fn.returns) or fn.returns in {"", "void"}:
            continue
        run: list[Stmt] = []
        for k in reversed(s.preceding()):
            if k.kind != "expr" or not ANY.search(fn.code(k)):
                break
            run.insert(0, k)
        if not run or escapes(fn, run):
            continue
        got = piece(fn, run[0].start, s.end, s, dead_after=True)
        if got is not None:
            name = f"{fn.name}_done"
            text = f"static {fn.returns} {name}({got.parameters()})\n{{\n\t{got.code}\n}}\n\n"
            out.append((str(s.start), text + fn.apply([(run[0].start, s.end, f"return {name}({got.arguments()});")])))
    return _take(fn, out, 2)


OPERATORS = {
    "statement-helper": one_statement,
    "two-level-helper": two_levels,
    "run-helper": several_statements,
    "branch-helper": branch,
    "flag-helper": flag,
    "value-helper": value,
    "predicate-helper": predicate,
    "effect-helper": condition_with_effect,
    "tail-helper": tail,
    "loop-helper": whole_loop,
    "loop-body-helper": loop_body,
    "thin-wrapper": wrapper,
    "shared-helper": shared,
    "exit-helper": pair_on_exit,
}
