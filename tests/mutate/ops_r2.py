"""R2 operators: lose the dirty bit of a cleared entry, or defer the flush that must come before the page can be cleaned."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.mutate.common import DIRTY, FORCE, MARK, Out, clears, entry_of, guard, next_unlock, pick, read_of, short
from tests.mutate.cst import Edit, Fn, Stmt

TLBONLY = r"\btlb_flush_mmu_tlbonly\s*\(\s*tlb\s*\)"


def transfers(fn: Fn) -> Iterator[tuple[Stmt, str, str, Stmt]]:
    """(the ``if``, its dirty test, the tested variable, the marking statement) of every dirty transfer from a cleared value."""
    cleared = {var for _, var, _, _ in clears(fn)}
    if fn.name.startswith("zap_huge_pmd_"):  # the caller's cleared value comes in as a parameter
        cleared |= set(re.findall(r"\bpmd_t\s+(\w+)", fn.header))
    for s in fn.all:
        if s.kind == "if":
            m = DIRTY.search(fn.mask, s.head[0], s.head[1])
            mark = next((k for k in s.kids[0].walk() if k.kind == "expr" and re.match(MARK, fn.code(k))), None)
            if m and mark is not None and mark.parent in (s, s.kids[0]) and m.group(2) in cleared:
                yield s, m.group(1), m.group(2), mark


def _sites(fn: Fn) -> list[tuple[int, tuple[Stmt, str, str, Stmt]]]:
    return list(enumerate(transfers(fn), 1))


def _clear_above(fn: Fn, var: str, s: Stmt) -> list[tuple[Stmt, str, str, list[str]]]:
    """Clears of ``var`` that can reach ``s``: those after the previous transfer of the same variable."""
    mine = [c for c in clears(fn) if c[1] == var and c[0].end <= s.start]
    previous = [t[0].end for t in transfers(fn) if t[2] == var and t[0].end <= s.start]
    return [c for c in mine if not previous or c[0].start > previous[-1]] or mine[-1:]


def empty_branch(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([fn.drop(mark)])) for i, (_, _, _, mark) in _sites(fn)]


def drop_if(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([fn.drop(s)])) for i, (s, _, _, _) in _sites(fn)]


def invert(fn: Fn) -> Out:
    out = []
    for i, (s, test, var, _) in _sites(fn):
        m = DIRTY.search(fn.mask, s.head[0], s.head[1])
        if m:
            out.append((f"{i}", fn.apply([(m.start(), m.end(), f"!{test}({var})")])))
    return out


def narrow(fn: Fn) -> Out:
    """A further condition on the transfer: writable, young, or something unrelated."""
    out = []
    for i, (s, _, var, _) in _sites(fn):
        level = "pmd" if "pmd" in fn.cond(s) else "pte"
        for extra in (f"{level}_young({var})", f"{level}_write({var})", *pick(fn, s, 2)):
            out.append((f"{i}-{short(extra)}", fn.apply([(s.head[0], s.head[1], f"({fn.cond(s)}) && ({extra})")])))
    return out


def guard_mark(fn: Fn) -> Out:
    return [(f"{i}", fn.apply([guard(fn, mark, pick(fn, mark, 1)[0])])) for i, (_, _, _, mark) in _sites(fn)]


def discard(fn: Fn) -> Out:
    """The value the clear returned is dropped; an earlier plain read is used in its place."""
    out = []
    for i, (s, _, name, args) in enumerate(_valued(fn), 1):
        call = fn.src(s)[fn.src(s).index(name) :]
        lhs = fn.src(s)[: fn.src(s).index(name)]
        out.append((f"{i}", fn.apply([(s.start, s.end, _seq(fn, s, [f"{lhs}{read_of(fn, name, entry_of(name, args))};", call]))])))
    return out


def _seq(fn: Fn, s: Stmt, lines: list[str]) -> str:
    tab = fn.indent(s)
    if s.parent is not None and s.parent.kind == "block":
        return f"\n{tab}".join(lines)
    return "{\n\t" + tab + f"\n\t{tab}".join(lines) + f"\n{tab}}}"


def _valued(fn: Fn) -> Iterator[tuple[Stmt, str, str, list[str]]]:
    yield from clears(fn)


def nonatomic(fn: Fn) -> Out:
    """Read, then clear with a plain store: what the hardware set in between is lost."""
    out = []
    for i, (s, _, name, args) in enumerate(_valued(fn), 1):
        lhs, pointer = fn.src(s)[: fn.src(s).index(name)], entry_of(name, args)
        read = f"{lhs}{read_of(fn, name, pointer)};"
        mm = args[0] if not args[0].endswith("vma") else f"{args[0]}->vm_mm"
        if name in {"ptep_get_and_clear", "ptep_get_and_clear_full", "get_and_clear_full_ptes"} or name == "get_and_clear_ptes":
            lines = [read, f"pte_clear({mm}, {args[1]}, {pointer});"]
        elif name == "ptep_clear_flush":
            lines = [read, f"pte_clear({mm}, {args[1]}, {pointer});", f"flush_tlb_page({args[0]}, {args[1]});"]
        elif name in {"ptep_modify_prot_start", "modify_prot_start_ptes", "huge_ptep_modify_prot_start"}:
            lines = [read]
        elif name in {"pmdp_huge_get_and_clear", "pmdp_huge_get_and_clear_full"}:
            lines = [read, f"pmd_clear({pointer});"]
        elif name.startswith("pmdp_invalidate"):
            lines = [read, f"set_pmd_at({mm}, {args[1]}, {pointer}, pmd_mkinvalid({lhs.split('=')[0].split()[-1].strip()}));"]
            lines += [f"flush_pmd_tlb_range({args[0]}, {args[1]}, {args[1]} + HPAGE_PMD_SIZE);"]
        else:
            continue
        out.append((f"{i}", fn.apply([(s.start, s.end, _seq(fn, s, lines))])))
    return out


def stale_test(fn: Fn) -> Out:
    """The dirty test looks at a read taken before the clear; the rest uses the returned value."""
    out = []
    for i, (s, test, var, _) in _sites(fn):
        edits: list[Edit] = []
        for c, _, name, args in _clear_above(fn, var, s):
            edits += fn.before(c, f"early = {read_of(fn, name, entry_of(name, args))};")
        m = DIRTY.search(fn.mask, s.head[0], s.head[1])
        if edits and m:
            kind = "pmd_t" if test == "pmd_dirty" else "pte_t"
            out.append((f"{i}", fn.apply([*edits, (m.start(), m.end(), f"{test}(early)"), fn.declare(f"{kind} early;")])))
    return out


def before_clear(fn: Fn) -> Out:
    """The whole transfer sits above the clear, on a plain read."""
    out = []
    for i, (s, test, var, _) in _sites(fn):
        above = [c for c in _clear_above(fn, var, s) if c[0] in s.preceding()]
        if above:
            c, _, name, args = above[-1]
            text = fn.src(s).replace(f"{test}({var})", f"{test}({read_of(fn, name, entry_of(name, args))})")
            out.append((f"{i}", fn.apply([fn.drop(s), *fn.before(c, text)])))
    return out


def reread(fn: Fn) -> Out:
    """The entry is read again after the clear and that value is tested."""
    out = []
    for i, (s, test, var, _) in _sites(fn):
        above = _clear_above(fn, var, s)
        m = DIRTY.search(fn.mask, s.head[0], s.head[1])
        if above and m:
            _, _, name, args = above[-1]
            out.append((f"{i}", fn.apply([(m.start(), m.end(), f"{test}({read_of(fn, name, entry_of(name, args))})")])))
    return out


def cleaned_first(fn: Fn) -> Out:
    """The value is cleaned before it is tested."""
    out = []
    for i, (s, test, var, _) in _sites(fn):
        above = _clear_above(fn, var, s)
        level = "pmd" if test == "pmd_dirty" else "pte"
        if above and re.fullmatch(r"\w+", var):
            out.append((f"{i}", fn.apply([e for c in above for e in fn.after(c[0], f"{var} = {level}_mkclean({var});")])))
    return out


def early_out(fn: Fn) -> Out:
    """A continue between the clear and the transfer, in a walk that keeps the lock."""
    out = []
    for i, (s, _, _, _) in _sites(fn):
        loop = fn.loop_of(s)
        cond = pick(fn, s, 6)[-1]
        if loop is not None and re.search(r"page_vma_mapped_walk|pte", fn.mask[loop.head[0] : loop.head[1]]) and not fn.has(r"\bspin_lock|huge_pte_lock"):
            out.append((f"{i}", fn.apply(fn.before(s, f"if ({cond})\n\tcontinue;"))))
    return out


def behind_unlock(fn: Fn) -> Out:
    """The transfer runs after the PTL is released."""
    out = []
    for i, (s, _, var, _) in _sites(fn):
        unlock = next_unlock(fn, s)
        if unlock is not None:
            declared = [k for k in fn.all if k.kind == "decl" and re.search(rf"\b{re.escape(var.split('.')[0])}\b", fn.code(k))]
            holders = [d.parent for d in declared] or [fn.root]
            names = set(re.findall(r"[a-z_]\w*", fn.code(s)))
            local = [
                k for k in fn.all if k.kind == "decl" and any(re.search(rf"\b{n}\b", fn.code(k)) for n in names if n in {"folio", "page", "pte", "pteval"})
            ]
            scopes = [d.parent for d in local] + holders
            if all(h is None or h is fn.root or h in list(unlock.ancestors()) for h in scopes):
                out.append((f"{i}", fn.apply([fn.drop(s), *fn.after(unlock, fn.src(s))])))
    return out


def one_arm(fn: Fn) -> Out:
    """Only one arm of the clear above still transfers."""
    out = []
    for i, (s, _, _, _) in _sites(fn):
        above = s.preceding()
        if above and above[-1].kind == "if" and len(above[-1].kids) == 2:
            for name, arm in zip(("then", "else"), above[-1].kids, strict=True):
                if arm.kind == "block" and arm.kids:
                    out.append((f"{i}-{name}", fn.apply([fn.drop(s), *fn.after(arm.kids[-1], fn.src(s))])))
    return out


def carry(fn: Fn) -> Out:
    """The dirty bit that travels inside the moved entry is dropped."""
    out = []
    for i, s in enumerate((k for k in fn.all if k.kind == "if"), 1):
        m = DIRTY.fullmatch(fn.mask[s.head[0] : s.head[1]].strip())
        var = m.group(2) if m else ""
        if (
            m
            and var in {c[1] for c in clears(fn)}
            and len(s.kids) == 1
            and re.search(r"=\s*p[tm]e?d?_mkdirty\(", fn.code(s.kids[0]))
            and s.kids[0].kind == "expr"
        ):
            out.append((f"{i}-drop", fn.apply([fn.drop(s)])))
            out.append((f"{i}-invert", fn.apply([(s.head[0], s.head[0], "!")])))
            out.append((f"{i}-narrow", fn.apply([(s.head[1], s.head[1], f" && ({pick(fn, s, 1)[0]})")])))
    return out


def lost_in_move(fn: Fn) -> Out:
    """A moved entry is cleaned on the way."""
    if fn.name not in {
        "move_ptes",
        "move_huge_pmd",
        "move_huge_pte",
        "change_pte_range",
        "change_huge_pmd",
        "make_uffd_wp_pte",
        "wp_pte",
        "clear_soft_dirty",
        "hugetlb_change_protection",
    }:
        return []
    out = []
    for i, s in enumerate(
        fn.leaves(r"\b(?:set_pte_at|set_ptes|set_pmd_at|set_huge_pte_at|ptep_modify_prot_commit|huge_ptep_modify_prot_commit)\s*\(", frozenset({"expr"})), 1
    ):
        name = fn.code(s).split("(")[0].strip()
        if name.endswith("commit"):
            value = re.sub(r"\);$", "", fn.src(s)).split(",")[-1].strip()
        else:
            value = [a.strip() for a in re.sub(r"\);$", "", fn.src(s)).split(",")][3]
        cleared = {c[1] for c in clears(fn)} | {"ptent", "entry", "pmd", "pte"}
        moved = fn.name.startswith("move_") or fn.name == "change_huge_pmd"
        if re.fullmatch(r"\w+", value) and value in cleared and (moved or name.endswith("commit")):
            clean = "pmd_mkclean" if "pmd" in name else "huge_pte_mkclean" if "huge" in name and fn.has("huge_pte_mkclean") else "pte_mkclean"
            out.append((f"{i}", fn.apply(fn.before(s, f"{value} = {clean}({value});"))))
    return out


def ubc(fn: Fn) -> Out:
    """Weaken the hand-over of a cleared entry to the unmap batch."""
    out = []
    for i, s in enumerate(fn.leaves(r"\bset_tlb_ubc_flush_pending\s*\(", frozenset({"expr"})), 1):
        out.append((f"{i}-drop", fn.apply([fn.drop(s)])))
        for cond in pick(fn, s, 2):
            out.append((f"{i}-{short(cond)}", fn.apply([guard(fn, s, cond)])))
        if re.search(r"pte_dirty\(pteval\)", fn.src(s)):
            out.append((f"{i}-writable-false", fn.apply([(s.start, s.end, fn.src(s).replace("pte_dirty(pteval)", "false"))])))
            out.append((f"{i}-writable-inverted", fn.apply([(s.start, s.end, fn.src(s).replace("pte_dirty(pteval)", "!pte_dirty(pteval)"))])))
        elif re.search(r",\s*pteval,", fn.src(s)):
            out.append((f"{i}-cleaned", fn.apply([(s.start, s.end, fn.src(s).replace("pteval", "pte_mkclean(pteval)"))])))
        above = [k for k in s.preceding() if re.search(r"get_and_clear", fn.code(k))]
        if above:
            out.append((f"{i}-before-clear", fn.apply([fn.drop(s), *fn.before(above[-1], fn.src(s))])))
    return out


def weaken_force(fn: Fn) -> Out:
    """The flag that makes the dirty flush happen before the PTL is dropped is lost on some path."""
    out = []
    for i, s in _force_sites(fn):
        out.append((f"{i}-drop", fn.apply([fn.drop(s)])))
        out.append((f"{i}-false", fn.apply([(s.start, s.end, re.sub(r"true|1", "false", fn.src(s)))])))
        for cond in ["nr > 1"] if fn.declares("nr") else ["pte_young(ptent)"]:
            out.append((f"{i}-{short(cond)}", fn.apply([guard(fn, s, cond)])))
        out.append((f"{i}-young", fn.apply([guard(fn, s, "pte_young(ptent)")])))
        out.append((f"{i}-unrelated", fn.apply([guard(fn, s, pick(fn, s, 1)[0])])))
        tab, star = fn.indent(s), "*" if fn.src(s).startswith("*") else ""
        arms = f"if ({pick(fn, s, 2)[-1]})\n{tab}\t{fn.src(s)}\n{tab}else\n{tab}\t{star}force_flush = false;"
        out.append(
            (f"{i}-one-branch", fn.apply([(s.start, s.end, "{\n" + tab + arms + "\n" + tab + "}" if s.parent is not None and s.parent.kind == "if" else arms)]))
        )
    return out


def _force_sites(fn: Fn) -> list[tuple[int, Stmt]]:
    """force_flush set because an entry was dirty (not because the batch is full)."""
    out = []
    for s in fn.leaves(FORCE.pattern, frozenset({"expr"})):
        heads = [fn.cond(a) for a in s.ancestors() if a.kind == "if"]
        if any("_dirty(" in h for h in heads):
            out.append(s)
    return list(enumerate(out, 1))


def _dirty_flush(fn: Fn) -> Stmt | None:
    """The ``if (force_flush)`` that flushes under the PTL."""
    return next((s for s in fn.all if s.kind == "if" and "force_flush" in fn.cond(s) and re.search(TLBONLY, fn.code(s))), None)


def flush_late(fn: Fn) -> Out:
    s = _dirty_flush(fn)
    unlock = next_unlock(fn, s) if s is not None else None
    if s is None or unlock is None:
        return []
    label = "flushed_out"
    out = [
        ("behind-unlock", fn.apply([fn.drop(s), *fn.after(unlock, fn.src(s))])),
        ("drop", fn.apply([fn.drop(s)])),
        ("inverted", fn.apply([(s.head[0], s.head[1], f"!{fn.cond(s)}")])),
        (
            "goto-past",
            fn.apply([*fn.before(s, f"if (fatal_signal_pending(current))\n\tgoto {label};"), (unlock.start, unlock.start, f"{label}:\n{fn.indent(unlock)}")]),
        ),
        ("reset", fn.apply(fn.before(s, "if (addr == end)\n\tforce_flush = false;"))),
        ("early-return", fn.apply(fn.before(s, f"if (need_resched()) {{\n\t{fn.src(unlock)}\n\treturn addr;\n}}"))),
    ]
    for cond in ("addr != end", "need_resched()", "!(vma->vm_flags & VM_LOCKED)"):
        out.append((f"and-{short(cond)}", fn.apply([(s.head[1], s.head[1], f" && {cond}")])))
    call = next(k for k in s.kids[0].walk() if k.kind == "expr" and re.search(TLBONLY, fn.code(k)))
    if s.kids[0].kind == "block":
        out.append(("only-rmaps", fn.apply([fn.drop(call)])))
        rmaps = next((k for k in s.kids[0].kids if "tlb_flush_rmaps" in fn.code(k)), None)
        if rmaps is not None:
            out.append(("rmaps-first", fn.apply([fn.drop(call), *fn.after(rmaps, fn.src(call))])))
    loop = next((a for a in s.preceding() if a.kind in {"do", "for", "while"}), None)
    if loop is not None and loop.kids[0].kind == "block":
        first = next((k for k in loop.kids[0].kids if k.kind != "decl"), None)
        if first is not None:
            out.append(("reset-each-round", fn.apply(fn.before(first, "force_flush = false;"))))
    return out


OPERATORS = {
    "empty-branch": empty_branch,
    "drop-if": drop_if,
    "invert": invert,
    "narrow": narrow,
    "guard-mark": guard_mark,
    "discard-returned": discard,
    "non-atomic": nonatomic,
    "stale-test": stale_test,
    "transfer-before-clear": before_clear,
    "reread": reread,
    "cleaned-first": cleaned_first,
    "early-out": early_out,
    "transfer-behind-unlock": behind_unlock,
    "one-arm": one_arm,
    "drop-carry": carry,
    "lost-in-move": lost_in_move,
    "unmap-batch": ubc,
    "weaken-force": weaken_force,
    "dirty-flush": flush_late,
}
