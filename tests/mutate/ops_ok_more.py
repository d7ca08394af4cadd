"""More harmless rewrites inside one function: early exits, ternaries, switches, gotos for branches and loops."""

from __future__ import annotations

import re

from tests.mutate.common import ENTRY_LOCK, UNLOCK, Out
from tests.mutate.cst import LOOPS, Edit, Fn, Stmt, call_args
from tests.mutate.ops_across import ANY, _take

ACQUIRE = ENTRY_LOCK + r"|\bpage_vma_mapped_walk\s*\("
MM = r"(?<![\w.>])(?:\w*vma)->vm_mm\b"
MACRO_STATEMENT = re.compile(r"\b(?:tlb_\w+|[A-Z][A-Z_]+|pr_\w+|list_\w+|count_\w+|trace_\w+|spin_\w+|pte_unmap\w*|lockdep\w+|barrier)\s*\(")


def _jumps_out(fn: Fn, s: Stmt, kinds: frozenset[str]) -> bool:
    """Does ``s`` hold a break or continue whose loop (or switch) is around it?"""
    inside = {id(k) for k in s.walk()}
    for k in s.walk():
        if k.kind in kinds:
            stop = LOOPS if k.kind == "continue" else {*LOOPS, "switch"}
            target = next((a for a in k.ancestors() if a.kind in stop), None)
            if target is None or id(target) not in inside:
                return True
    return False


def _lines(fn: Fn, s: Stmt) -> bool:
    return re.search(r"^[ \t]*#", fn.src(s), re.M) is not None


def early_exit(fn: Fn) -> Out:
    """A return at the very top of a function that takes and drops its own locks: nothing has begun there.

    Not where a result of 0 tells the caller that a lock is held.
    """
    if re.search(r"spinlock_t\s*\*\*|\bpfnmap\b|\*\s*args\b", fn.header) or re.search(r"^follow_|_start$|walk_done", fn.name):
        return []
    first = next((k for k in fn.root.kids if k.kind != "decl"), None)
    locks, unlocks = fn.leaves(ACQUIRE, frozenset({"expr", "decl"})), fn.leaves(UNLOCK)
    walks = [s for s in fn.all if s.kind in LOOPS and re.search(ACQUIRE, fn.mask[s.head[0] : s.head[1]])]
    starts = [s.start for s in (*locks, *walks)]
    if first is None or not starts or (unlocks and unlocks[0].start < min(starts)) or "__releases" in fn.header or "lock" in fn.header:
        return []
    if re.search(r"lockdep_assert|assert_spin_locked", fn.mask) or not re.fullmatch(r"void|bool|int|long|unsigned long", fn.returns):
        return []
    return [("signal", fn.apply(fn.before(first, f"if (fatal_signal_pending(current))\n\t{fn.bail()}")))] if first.kind != "label" else []


def ternary(fn: Fn) -> Out:
    """``if (c) a(); else b();`` as an expression statement; two assignments to one variable as one."""
    out = []
    for s in fn.all:
        if s.kind != "if" or len(s.kids) != 2 or _lines(fn, s):
            continue
        arms = [k.kids[0] if k.kind == "block" and len(k.kids) == 1 else k for k in s.kids]
        if any(a.kind != "expr" or MACRO_STATEMENT.search(fn.code(a)) for a in arms):
            continue
        sides = [re.match(r"([\w.>*\[\]-]+?)\s*=(?!=)\s*", fn.code(a)) for a in arms]
        a, b = sides
        if a is not None and b is not None and a.group(1) == b.group(1):
            left, right = (fn.src(k)[m.end() : -1] for k, m in zip(arms, (a, b), strict=True))
            out.append((str(s.start), fn.apply([(s.start, s.end, f"{a.group(1)} = ({fn.cond(s)}) ? ({left}) : ({right});")])))
        elif a is None and b is None and all(re.match(r"\w+\s*\(", fn.code(k)) for k in arms):
            left, right = (fn.src(k)[:-1] for k in arms)
            out.append((str(s.start), fn.apply([(s.start, s.end, f"({fn.cond(s)}) ? (void){left} : (void){right};")])))
    return _take(fn, out, 3)


def to_switch(fn: Fn) -> Out:
    """A test against a constant as a switch."""
    out = []
    for s in fn.all:
        m = re.fullmatch(r"\s*([\w.>-]+)\s*==\s*([A-Z][A-Z0-9_]+|-?\d+|-E[A-Z]+)\s*", fn.mask[s.head[0] : s.head[1]]) if s.kind == "if" else None
        if m is None or m.group(2) == "NULL" or _lines(fn, s) or fn.has(rf"\*\s*{re.escape(m.group(1))}\s*[;,=)]"):
            continue
        if any(_jumps_out(fn, k, frozenset({"break"})) or any(x.kind in {"label", "case"} for x in k.walk()) for k in s.kids):
            continue
        tab = fn.indent(s)
        arms = [f"case {m.group(2)}: {{\n{tab}\t{fn.src(s.kids[0])}\n{tab}\tbreak;\n{tab}}}"]
        arms.append(f"default: {{\n{tab}\t{fn.src(s.kids[1])}\n{tab}\tbreak;\n{tab}}}" if len(s.kids) > 1 else f"default:\n{tab}\tbreak;")
        text = f"switch ({m.group(1)}) {{\n{tab}" + f"\n{tab}".join(arms) + f"\n{tab}}}"
        out.append((str(s.start), fn.apply([(s.start, s.end, text)])))
    return _take(fn, out, 2)


def to_chain(fn: Fn) -> Out:
    """A switch whose groups all end in break or return as a chain of ifs."""
    out = []
    for s in fn.all:
        if s.kind != "switch" or s.kids[0].kind != "block" or _lines(fn, s) or re.search(r"\(|=|\+\+|--|\.\.\.", fn.mask[s.head[0] : s.head[1]]):
            continue
        body = _chain(fn, s)
        if body:
            out.append((str(s.start), fn.apply([(s.start, s.end, body)])))
    return out[:2]


def _chain(fn: Fn, s: Stmt) -> str:
    groups: list[tuple[list[str], list[Stmt]]] = []
    for k in s.kids[0].kids:
        if k.kind == "case":
            value = fn.src(k)[:-1].removeprefix("case").strip()
            if groups and not groups[-1][1]:
                groups[-1][0].append(value)
            else:
                groups.append(([value], []))
        elif not groups or k.kind == "decl":
            return ""
        else:
            groups[-1][1].append(k)
    out, last = [], ""
    for values, body in groups:
        if not body or body[-1].kind not in {"break", "return"} or any(re.search(r"\.\.\.", v) for v in values):
            return ""
        kept = body[:-1] if body[-1].kind == "break" else body
        if any(_jumps_out(fn, k, frozenset({"break"})) or k.kind in {"label", "case"} for k in kept):
            return ""
        text = "{\n" + "\n".join(fn.src(k) for k in kept) + "\n}"
        if "default" in values:
            last = text
        else:
            out.append("if (" + " || ".join(f"{fn.cond(s)} == {v}" for v in values) + ") " + text)
    return " else ".join([*out, last] if last else out) if out else ""


def _scoped(fn: Fn, s: Stmt, declaration: str, text: str) -> str:
    tab = fn.indent(s)
    return f"{{\n{tab}\t{declaration}\n\n{tab}\t{text}\n{tab}}}"


def hoist_mm(fn: Fn) -> Out:
    """``vma->vm_mm`` in a statement is taken into a local first."""
    out = []
    for n, s in enumerate(fn.leaves(MM, frozenset({"expr"}))):
        if ANY.search(fn.code(s)):
            expr = re.search(MM, fn.code(s))
            assert expr is not None
            text = re.sub(MM, "this_mm", fn.src(s))
            out.append((str(n), fn.apply([(s.start, s.end, _scoped(fn, s, f"struct mm_struct *this_mm = {expr.group()};", text))])))
    return _take(fn, out, 3)


def hoist_argument(fn: Fn) -> Out:
    """An address computed in an argument of a flush or record is computed before."""
    out = []
    for n, s in enumerate(fn.leaves(r"\b(?:flush_\w*tlb_range|flush_tlb_page|tlb_remove_tlb_entr\w+|tlb_flush_\w+_range)\s*\(", frozenset({"expr"}))):
        m = re.search(r"[(,]\s*(\w+ [+-] [\w]+)\s*[,)]", fn.code(s))
        if m:
            text = fn.src(s)[: m.start(1)] + "edge_addr" + fn.src(s)[m.end(1) :]
            out.append((str(n), fn.apply([(s.start, s.end, _scoped(fn, s, f"const unsigned long edge_addr = {m.group(1)};", text))])))
    return _take(fn, out, 2)


def skip_by_goto(fn: Fn) -> Out:
    """``if (a) { X }`` becomes ``if (!(a)) goto past; X; past:``."""
    out: Out = []
    for s in fn.all:
        if s.kind != "if" or len(s.kids) != 1 or s.parent is None or s.parent.kind != "block" or _lines(fn, s) or not ANY.search(fn.code(s)):
            continue
        after = s.following()
        body = s.kids[0]
        inside = body.kids if body.kind == "block" else [body]
        if not after or after[0].kind in {"decl", "case"} or not inside or any(k.kind in {"decl", "label"} for k in inside) or fn.has(r"\bpast_it\b"):
            continue
        if any(k.kind == "decl" for k in after):  # a jump would pass its initialiser
            continue
        text = fn.text[inside[0].start : inside[-1].end]
        tab = fn.indent(s)
        out.append((str(s.start), fn.apply([(s.start, s.end, f"if (!({fn.cond(s)}))\n{tab}\tgoto past_it;\n{tab}{text}\npast_it:")])))
    return _take(fn, out, 3)


def loop_by_goto(fn: Fn) -> Out:
    """A loop without break and continue as a label and a goto."""
    out = []
    for s in fn.all:
        if s.kind not in {"while", "do"} or s.kids[0].kind != "block" or s.parent is None or s.parent.kind != "block" or fn.has(r"\bnext_round\b"):
            continue
        body = s.kids[0]
        if _jumps_out(fn, body, frozenset({"break", "continue"})) or _lines(fn, s):
            continue
        tab = fn.indent(s)
        if s.kind == "do":
            text = f"next_round:\n{tab}{fn.src(body)}\n{tab}if ({fn.cond(s)})\n{tab}\tgoto next_round;"
        else:
            text = f"next_round:\n{tab}if ({fn.cond(s)}) {{\n{tab}\t{fn.src(body)}\n{tab}\tgoto next_round;\n{tab}}}"
        out.append((f"{s.kind}-{s.start}", fn.apply([(s.start, s.end, text)])))
    return out[:3]


def join_unlock(fn: Fn) -> Out:
    """``spin_unlock(ptl); pte_unmap(p);`` as ``pte_unmap_unlock(p, ptl)``, and ``pte_unmap`` first."""
    out = []
    for n, s in enumerate(fn.leaves(r"^\s*(?:spin_unlock|pte_unmap)\s*\(", frozenset({"expr"}))):
        nxt = s.following()[:1]
        pair = {fn.code(k).split("(")[0].strip(): k for k in (s, *nxt)}
        if len(pair) == 2 and set(pair) == {"spin_unlock", "pte_unmap"}:
            lock, entry = call_args(fn.src(pair["spin_unlock"]), "spin_unlock"), call_args(fn.src(pair["pte_unmap"]), "pte_unmap")
            if lock and entry:
                out.append((f"join-{n}", fn.apply([(s.start, nxt[0].end, f"pte_unmap_unlock({entry[0]}, {lock[0]});")])))
                out.append((f"swap-{n}", fn.apply([(s.start, s.end, fn.src(nxt[0])), (nxt[0].start, nxt[0].end, fn.src(s))])))
    return out[:3]


def all_likely(fn: Fn) -> Out:
    edits: list[Edit] = []
    for n, s in enumerate(k for k in fn.all if k.kind == "if" and "likely" not in fn.cond(k) and "#" not in fn.src(k)):
        edits.append((s.head[0], s.head[0], f"{'un' if n % 2 else ''}likely("))
        edits.append((s.head[1], s.head[1], ")"))
    return [("every", fn.apply(edits))] if edits else []


OPERATORS = {
    "early-exit": early_exit,
    "ternary": ternary,
    "to-switch": to_switch,
    "to-chain": to_chain,
    "hoist-mm": hoist_mm,
    "hoist-argument": hoist_argument,
    "skip-by-goto": skip_by_goto,
    "loop-by-goto": loop_by_goto,
    "join-unlock": join_unlock,
    "all-likely": all_likely,
}
