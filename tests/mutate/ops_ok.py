"""Harmless rewrites: each keeps every path's sequence of lock, clear, dirty, record and flush as it was."""

from __future__ import annotations

import re

from tests.mutate.common import BATCHED, CLEAR, DIRTY, ENTER, LEAVE, LOCK, UNLOCK, Out, mm_of
from tests.mutate.cst import LOOPS, Edit, Fn, Stmt, call_args

NEW_NAMES = {
    "pte": "entry_ptr",
    "ptep": "slot",
    "start_pte": "first_pte",
    "orig_pte": "mapped_at",
    "ptl": "pt_guard",
    "old_ptl": "src_guard",
    "new_ptl": "dst_guard",
    "force_flush": "need_flush",
    "ptent": "cur_val",
    "pteval": "old_val",
    "oldpte": "before_val",
    "mm": "owner_mm",
    "folio": "unit_folio",
    "range": "inv_range",
    "entry": "ent_val",
    "pmd_ptl": "mid_guard",
    "unmapped": "nr_unmapped_here",
    "orig_pmd": "huge_before",
    "pvmw": "map_walk",
    "address": "uaddr",
    "old_pte": "from_slot",
    "new_pte": "to_slot",
    "pml": "upper_guard",
    "swp_pte": "swp_val",
}
INTERESTING = re.compile(
    "|".join(
        (
            LOCK,
            UNLOCK,
            LEAVE,
            ENTER,
            BATCHED,
            CLEAR,
            r"\bflush_tlb|\btlb_|\b\w*ptl\b|_dirty\b|\bforce_flush\b|\bstart_pte\b|\bpte_present|\bpte_none|\bret\b|walk_done",
        )
    )
)


def _ifs(fn: Fn) -> list[Stmt]:
    """``if`` statements, those that matter to the discipline first."""
    rows = [s for s in fn.all if s.kind == "if" and "#" not in fn.src(s)]
    return sorted(rows, key=lambda s: not INTERESTING.search(fn.code(s)))


def _take(out: Out, limit: int = 3) -> Out:
    return out[:limit]


def _plain(fn: Fn, s: Stmt) -> bool:
    """No preprocessor line inside: the branch can be moved as one piece."""
    return not re.search(r"^[ \t]*#", fn.src(s), re.M)


def _braced(fn: Fn, s: Stmt) -> str:
    return fn.src(s) if s.kind == "block" else "{ " + fn.src(s) + " }"


def _returned(fn: Fn, s: Stmt) -> str:
    return fn.src(s)[len("return") : -1].strip()


def rename(fn: Fn) -> Out:
    out = []
    names = fn.local_names()
    order = [n for n in NEW_NAMES if n in names] + [n for n in names if n not in NEW_NAMES and len(n) > 2]
    for name in order[:5]:
        new = NEW_NAMES.get(name, f"{name}_here")
        if fn.has(rf"\b{new}\b") or fn.has(rf"\b{name}\s*\(") or fn.has(rf"\b(?:struct|enum|union)\s+{name}\b"):
            continue
        rx = re.compile(rf"(?<![\w.])(?<!->){name}\b")
        pre = re.search(rf"^[ \t]*#[^\n]*\b{name}\b", fn.text, re.M)
        if pre is None and fn.name != name:
            out.append((name, fn.apply([(m.start(), m.end(), new) for m in rx.finditer(fn.mask) if m.start() > 0])))
    return _take(out, 2)


def invert_if(fn: Fn) -> Out:
    out = []
    for s in _ifs(fn):
        if len(s.kids) == 2 and s.kids[1].kind != "if" and _plain(fn, s) and not re.search(r"\bcase\b", fn.code(s)):
            a, b = s.kids
            out.append((str(s.start), fn.apply([(s.start, s.end, f"if (!({fn.cond(s)})) {_braced(fn, b)} else {_braced(fn, a)}")])))
    return _take(out)


def add_braces(fn: Fn) -> Out:
    edits: list[Edit] = []
    for s in fn.all:
        if s.kind in {"if", "for", "while"} and _plain(fn, s):
            for k in s.kids:
                if k.kind in {"expr", "return", "goto", "break", "continue"}:
                    edits += [(k.start, k.start, "{ "), (k.end, k.end, " }")]
    return [("all", fn.apply(edits))] if edits else []


def likely(fn: Fn) -> Out:
    out: Out = []
    for s in _ifs(fn):
        if "likely" not in fn.cond(s):
            out.append((str(s.start), fn.apply([(s.head[0], s.head[1], f"{'un' if len(out) % 2 else ''}likely({fn.cond(s)})")])))
    return _take(out)


def hoist_condition(fn: Fn) -> Out:
    """``if (c)`` becomes ``bool t = c; if (t)``."""
    out = []
    for s in _ifs(fn):
        up = s.parent
        if up is not None and up.kind == "block" and _plain(fn, s):
            inner = fn.text[s.head[1] : s.end]
            out.append(
                (
                    str(s.start),
                    fn.apply(
                        [(s.start, s.end, f"{{\n{fn.indent(s)}\tconst bool taken = !!({fn.cond(s)});\n\n{fn.indent(s)}\tif (taken{inner}\n{fn.indent(s)}}}")]
                    ),
                )
            )
    return _take(out)


def dirty_bool(fn: Fn) -> Out:
    """The dirty test is taken into a local first."""
    out = []
    for s in _ifs(fn):
        m = DIRTY.search(fn.mask, s.head[0], s.head[1])
        if m and s.parent is not None and s.parent.kind == "block" and re.search(r"\|\||&&", fn.cond(s)) is None and "=" not in fn.cond(s):
            edits = [*fn.before(s, f"dirtied_here = {m.group(0)};"), (m.start(), m.end(), "dirtied_here"), fn.declare("bool dirtied_here;")]
            out.append((str(s.start), fn.apply(edits)))
            out.append(
                (
                    f"{s.start}-copy",
                    fn.apply(
                        [
                            *fn.before(s, f"snapshot_val = {m.group(2)};"),
                            (m.start(2), m.end(2), "snapshot_val"),
                            fn.declare(f"{'pmd_t' if 'pmd' in m.group(1) else 'pte_t'} snapshot_val;"),
                        ]
                    ),
                )
            )
    return _take(out, 4)


def _loop_jumps(fn: Fn, loop: Stmt, kind: str) -> list[Stmt]:
    stop = {*LOOPS, *(["switch"] if kind == "break" else [])}
    return [k for k in loop.walk() if k.kind == kind and next((a for a in k.ancestors() if a.kind in stop), None) is loop]


def loop_forms(fn: Fn) -> Out:
    out = []
    for s in fn.all:
        body = fn.src(s.kids[0]) if s.kids else ""
        cond = fn.cond(s)
        if s.kind == "while" and "=" not in fn.mask[s.head[0] : s.head[1]].replace("==", "").replace("!=", "").replace("<=", "").replace(">=", ""):
            out.append((f"while-for-{s.start}", fn.apply([(s.start, s.end, f"for (; {cond}; ) {body}")])))
            if s.kids[0].kind == "block" and not _loop_jumps(fn, s, "continue"):
                out.append(
                    (f"while-do-{s.start}", fn.apply([(s.start, s.end, f"if ({cond}) {{\n\tdo {body} while ({cond});\n}}")]))
                    if not re.search(r"\w\s*\(", cond) and not re.search(r"^\s*\w+:", body, re.M)
                    else ("", fn.text)
                )
        if s.kind == "for" and s.kids[0].kind == "block":
            parts = _split(fn.mask[s.head[0] : s.head[1]], cond)
            if len(parts) == 3 and not _loop_jumps(fn, s, "continue") and not re.match(r"\s*(?:int|unsigned|size_t)\b", parts[0]):
                first = parts[0].strip() + ";" if parts[0].strip() else ""
                step = f"\n{fn.indent(s)}\t{parts[2].strip()};\n{fn.indent(s)}}}"
                out.append(
                    (
                        f"for-while-{s.start}",
                        fn.apply(
                            [
                                (
                                    s.start,
                                    s.end,
                                    f"{{ {first}\n{fn.indent(s)}while ({parts[1].strip() or '1'}) {body.rstrip()[:-1].rstrip()}{step}\n{fn.indent(s)}}}",
                                )
                            ]
                        ),
                    )
                )
            elif len(parts) == 3 and parts[2].strip() and "next_entry" not in fn.mask:
                edits = [(k.start, k.end, "goto next_entry;") for k in _loop_jumps(fn, s, "continue")]
                end = s.kids[0].end - 1
                head = f"for ({parts[0].strip()}; {parts[1].strip()}; )"
                out.append(
                    (
                        f"for-goto-{s.start}",
                        fn.apply([(s.start, s.head[1] + 1, head), *edits, (end, end, f"next_entry:\n\t\t{parts[2].strip()};\n{fn.indent(s)}")]),
                    )
                )
        if s.kind == "do" and s.kids[0].kind == "block":
            if not _loop_jumps(fn, s, "continue"):
                out.append(
                    (
                        f"do-forever-{s.start}",
                        fn.apply(
                            [
                                (
                                    s.start,
                                    s.end,
                                    f"for (;;) {body.rstrip()[:-1].rstrip()}\n{fn.indent(s)}\tif (!({cond}))\n{fn.indent(s)}\t\tbreak;\n{fn.indent(s)}}}",
                                )
                            ]
                        ),
                    )
                )
            elif "next_entry" not in fn.mask:
                edits = [(k.start, k.end, "goto next_entry;") for k in _loop_jumps(fn, s, "continue")]
                tail = f"next_entry:\n{fn.indent(s)}\tif (!({cond}))\n{fn.indent(s)}\t\tbreak;\n{fn.indent(s)}}}"
                end = s.kids[0].end - 1
                out.append((f"do-forever-goto-{s.start}", fn.apply([(s.start, s.kids[0].start, "for (;;) "), *edits, (end, s.end, tail)])))
            out.append(
                (
                    f"do-flag-{s.start}",
                    fn.apply(
                        [
                            (s.start, s.kids[0].start, "for (first_round = true; first_round || (" + cond + "); first_round = false) "),
                            (s.kids[0].end, s.end, ""),
                            fn.declare("bool first_round;"),
                        ]
                    ),
                )
            )
    return _take([o for o in out if o[0]], 6)


def _split(mask: str, text: str) -> list[str]:
    """Split a for header at its top-level semicolons."""
    out, depth, last = [], 0, 0
    for at, char in enumerate(mask):
        depth += (char in "([{") - (char in ")]}")
        if char == ";" and depth == 0:
            out.append(text[last:at])
            last = at + 1
    return [*out, text[last:]]


def continue_goto(fn: Fn) -> Out:
    out = []
    for s in fn.all:
        if s.kind in LOOPS and s.kids[0].kind == "block":
            jumps = _loop_jumps(fn, s, "continue")
            if jumps and "next_one" not in fn.mask:
                end = s.kids[0].end - 1
                out.append(
                    (
                        str(s.start),
                        fn.apply([*[(k.start, k.end, "goto next_one;") for k in jumps], (end, end, f"next_one:\n{fn.indent(s)}\t;\n{fn.indent(s)}")]),
                    )
                )
    return _take(out, 2)


def continue_nested(fn: Fn) -> Out:
    """``if (c) continue; rest`` becomes ``if (!(c)) { rest }``."""
    out = []
    for s in _ifs(fn):
        if len(s.kids) == 1 and s.parent is not None and s.parent.kind == "block" and s.parent.parent is not None and s.parent.parent.kind in LOOPS:
            only = s.kids[0].kids[0] if s.kids[0].kind == "block" and len(s.kids[0].kids) == 1 else s.kids[0]
            rest = s.following()
            if only.kind == "continue" and rest:
                text = fn.text[s.end : s.parent.end - 1]
                if not re.search(r"^\s*#", text, re.M):
                    out.append((str(s.start), fn.apply([(s.start, s.parent.end - 1, f"if (!({fn.cond(s)})) {{{text}}}\n{fn.indent(s)[:-1]}")])))
    return _take(out, 3)


def return_goto(fn: Fn) -> Out:
    """Every return in the middle goes through one label at the end."""
    rets = [k for k in fn.all if k.kind == "return"]
    last = fn.root.kids[-1] if fn.root.kids else None
    if not rets or last is None or last.kind != "return" or re.search(r"^\s*#", fn.text, re.M) or len(rets) < 2:
        return []
    if fn.returns == "void":
        if any(_returned(fn, k) for k in rets):
            return []
        return [("void", fn.apply([*[(k.start, k.end, "goto all_done;") for k in rets[:-1]], (last.start, last.start, "all_done:\n\t")]))]
    if not re.fullmatch(r"(?:unsigned )?(?:int|long|bool|unsigned long|vm_fault_t|ssize_t)", fn.returns):
        return []
    edits = [(k.start, k.end, f"{{ result_value = {_returned(fn, k)}; goto all_done; }}") for k in rets[:-1]]
    return [
        (
            "value",
            fn.apply(
                [
                    *edits,
                    (last.start, last.end, f"result_value = {_returned(fn, last)};\nall_done:\n\treturn result_value;"),
                    fn.declare(f"{fn.returns} result_value;"),
                ]
            ),
        )
    ]


def goto_direct(fn: Fn) -> Out:
    """A goto to a short straight tail is replaced by a copy of the tail."""
    out = []
    for label in (k for k in fn.root.kids if k.kind == "label"):
        tail = label.following()
        name = fn.text[label.head[0] : label.head[1]]
        code = fn.text[tail[0].start : tail[-1].end] if tail else ""
        if (
            not tail
            or tail[-1].kind not in {"return", "expr"}
            or len(tail) > 7
            or re.search(r"^\s*#|^\s*\w+:\s*$", code, re.M)
            or any(k.kind in LOOPS for k in tail)
        ):
            continue
        if tail[-1].kind == "expr" and fn.returns != "void":
            continue
        for k in [g for g in fn.all if g.kind == "goto" and re.search(rf"\b{name}\b", fn.code(g))][:2]:
            end = "" if tail[-1].kind == "return" else "\n\treturn;"
            inner = {
                w
                for d in fn.all
                if d.kind == "decl" and d.parent is not fn.root and d.parent in list(k.ancestors())
                for w in re.findall(r"\w+", fn.code(d).split("=")[0])
            }
            if (
                not inner & set(re.findall(r"[a-z_]\w*", code))
                and sum(g.kind == "goto" and re.search(rf"\b{name}\b", fn.code(g)) is not None for g in fn.all) > 1
            ):
                out.append((f"{name}-{k.start}", fn.apply([(k.start, k.end, "{\n\t" + code + end + "\n}")])))
    return _take(out, 3)


def unlock_return_goto(fn: Fn) -> Out:
    """``unlock; return x;`` in the middle jumps to a shared unlock at the end."""
    out = []
    last = fn.root.kids[-1] if fn.root.kids else None
    for k in fn.all:
        if k.kind == "return" and k is not last and last is not None and last.kind == "return" and k.parent is not None and k.parent.kind == "block":
            before = k.preceding()
            if before and before[-1].kind == "expr" and re.match(UNLOCK, fn.code(before[-1])):
                value = fn.src(k)[len("return") : -1].strip()
                unlock = fn.src(before[-1])
                names = {w for d in fn.all if d.kind == "decl" and d.parent is not fn.root for w in re.findall(r"\w+", fn.code(d).split("=")[0])}
                simple = re.fullmatch(r"(?:unsigned )?(?:int|long|bool|unsigned long|vm_fault_t)", fn.returns)
                if simple and re.fullmatch(r"-?\w+", value) and not names & set(re.findall(r"\w+", unlock)):
                    edits = [(before[-1].start, k.end, f"result_value = {value};\n{fn.indent(k)}goto unlock_and_out;")]
                    edits += [(last.end, last.end, f"\nunlock_and_out:\n\t{unlock}\n\treturn result_value;"), fn.declare(f"{fn.returns} result_value;")]
                    out.append((str(k.start), fn.apply(edits)))
    return _take(out, 2)


def split_declaration(fn: Fn) -> Out:
    out = []
    for s in fn.all:
        m = re.match(r"((?:struct \w+|unsigned \w+|\w+)\s+\**)(\w+)\s*=\s*", fn.code(s)) if s.kind == "decl" else None
        if (
            m
            and not re.match(r"const|static|enum", fn.code(s))
            and "," not in re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "", fn.code(s))
            and "{" not in fn.code(s)
        ):
            value = fn.src(s)[m.end() :]
            out.append((m.group(2), fn.apply([(s.start, s.end, f"{m.group(1)}{m.group(2)};\n\n{fn.indent(s)}{m.group(2)} = {value}")])))
    return _take(sorted(out, key=lambda o: not INTERESTING.search(o[0])), 2)


def reorder_declarations(fn: Fn) -> Out:
    out = []
    for s in fn.all:
        nxt = s.following()[:1] if s.kind == "decl" and s.parent is not None and s.parent.kind == "block" else []
        if (
            nxt
            and nxt[0].kind == "decl"
            and "(" not in fn.code(s) + fn.code(nxt[0])
            and "=" not in fn.code(s) + fn.code(nxt[0])
            and "#" not in fn.text[s.end : nxt[0].start]
        ):
            out.append((str(s.start), fn.apply([(s.start, s.end, fn.src(nxt[0])), (nxt[0].start, nxt[0].end, fn.src(s))])))
    return _take(out, 2)


def debug_calls(fn: Fn) -> Out:
    out = []
    sites = fn.leaves("|".join((UNLOCK, LEAVE, ENTER, BATCHED, CLEAR)), frozenset({"expr"}))
    codes = (
        'pr_debug("%s: pte_unmap_unlock(%d) {\\n", __func__, __LINE__);',
        "WARN_ON_ONCE(in_interrupt());",
        "VM_WARN_ON_ONCE(irqs_disabled() && in_interrupt());",
        "barrier();",
        "(void)0;",
    )
    for n, s in enumerate(sites):
        code = codes[(n + len(fn.name)) % len(codes)]
        out.append((f"before-{n}", fn.apply(fn.before(s, code))))
        if re.search(r"[\s*(,]ptl\b", fn.mask) and re.search(r"pte_unmap_unlock\([^,]+,\s*ptl\)", fn.code(s)):
            out.append((f"lockdep-{n}", fn.apply(fn.before(s, "lockdep_assert_held(ptl);"))))
    return _take(out, 4)


def comments(fn: Fn) -> Out:
    noise = (
        "/* arch_leave_lazy_mmu_mode(); pte_unmap_unlock(pte, ptl); return 0; } */",
        "// flush_tlb_range(vma, start, end); if (",
        '/* TODO: set_page_dirty(page) "here" */',
    )
    out = []
    for n, text in enumerate(noise):
        edits = [
            (k.start, k.start, f"{text}\n{fn.indent(k)}")
            for k in fn.all
            if k.kind in {"expr", "if", "for", "do"} and k.parent is not None and k.parent.kind == "block"
        ]
        if edits:
            out.append((str(n), fn.apply(edits[n::3] or edits)))
    return _take(out, 2)


def swap_operands(fn: Fn) -> Out:
    out = []
    for m in re.finditer(r"(?<![\w.>])(\w+)\s*(==|!=)\s*(\w+)(?=\s*[)&|])", fn.mask):
        before = fn.mask[: m.start()].rstrip()[-1:]
        if before in "(|" or fn.mask[: m.start()].rstrip().endswith("&&"):
            out.append((str(m.start()), fn.apply([(m.start(), m.end(), f"{m.group(3)} {m.group(2)} {m.group(1)}")])))
    return _take(sorted(out, key=lambda o: "ptl" not in o[1][int(o[0]) : int(o[0]) + 30]), 2)


def pointers(fn: Fn) -> list[str]:
    found = re.findall(r"(?:pte_t|pmd_t|spinlock_t|struct folio|struct page)\s+((?:\**\w+\s*(?:=[^;,]*)?,\s*)*\**\w+)", fn.mask)
    return list(dict.fromkeys(n for group in found for n in re.findall(r"\*+\s*(\w+)", group)))


def null_spelling(fn: Fn) -> Out:
    out = []
    for p in pointers(fn):
        for m in list(re.finditer(rf"(?<=\()!{p}(?=\))", fn.mask))[:1]:
            out.append((f"not-{p}", fn.apply([(m.start(), m.end(), f"{p} == NULL")])))
            out.append((f"unlikely-{p}", fn.apply([(m.start(), m.end(), f"unlikely(NULL == {p})")])))
        for m in list(re.finditer(rf"(?<=if \(){p}(?=\))", fn.mask))[:2]:
            out.append((f"is-{p}-{m.start()}", fn.apply([(m.start(), m.end(), f"{p} != NULL")])))
    return _take(out, 4)


def lock_pointer(fn: Fn) -> Out:
    if not re.search(r"spinlock_t\s+\*ptl\b|,\s*\*ptl\b", fn.mask) or not fn.has(r"&ptl\b") or re.search(r"spinlock_t \*ptl", fn.header):
        return []
    decls = [k for k in fn.root.kids if k.kind == "decl"]
    home = next((d for d in decls if re.search(r"spinlock_t\b.*\*ptl\b", fn.code(d))), None)
    if home is None:
        return []
    edits = [(m.start(), m.end(), "lock_slot") for m in re.finditer(r"&ptl\b", fn.mask)]
    return [("ptl", fn.apply([*edits, (home.end, home.end, "\n\tspinlock_t **lock_slot = &ptl;")]))]


def lock_alias(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(r"\bpte_unmap_unlock\s*\(", frozenset({"expr"}))):
        args = call_args(fn.src(s), "pte_unmap_unlock")
        if args and len(args) == 2:
            out.append((f"alias-{n}", fn.apply([(s.start, s.end, f"{{ spinlock_t *held = {args[1]}; pte_unmap_unlock({args[0]}, held); }}")])))
            out.append((f"split-{n}", fn.apply([(s.start, s.end, f"{{ spin_unlock({args[1]}); pte_unmap({args[0]}); }}")])))
            if args[0].endswith("- 1"):
                out.append((f"index-{n}", fn.apply([(s.start, s.end, f"pte_unmap_unlock(&{args[0][:-3].strip()}[-1], {args[1]});")])))
            out.append((f"parens-{n}", fn.apply([(s.start, s.end, f"pte_unmap_unlock(\n\t\t({args[0]}),\n\t\t({args[1]})\n\t);")])))
    return _take(out, 4)


def flag_spelling(fn: Fn) -> Out:
    out = []
    for m in re.finditer(r"\*?\bforce_flush\s*=\s*(true|1)\s*;", fn.mask):
        star = "*" if m.group().startswith("*") else ""
        for name, text in (
            ("or", f"{star}force_flush |= true;"),
            ("one", f"{star}force_flush = {'1' if m.group(1) == 'true' else 'true'};"),
            ("not", f"{star}force_flush = !false;"),
        ):
            out.append((f"{name}-{m.start()}", fn.apply([(m.start(), m.end(), text)])))
    for m in re.finditer(r"(?<=if \()(force_flush|unmapped|flush_end)(?=\))", fn.mask):
        out.append((f"cmp-{m.start()}", fn.apply([(m.start(), m.end(), f"{m.group()} != 0")])))
        out.append((f"bang-{m.start()}", fn.apply([(m.start(), m.end(), f"!!{m.group()}")])))
    return _take(out, 6)


def flag_inverted(fn: Fn) -> Out:
    if fn.has(r"[&*]\s*force_flush\b") or not re.search(r"\b(?:bool|int)\s+force_flush\s*=\s*(?:false|0)\s*;", fn.mask):
        return []
    edits: list[Edit] = []
    for m in re.finditer(r"\b(bool\s+|int\s+)?force_flush(\s*=\s*(true|false|0|1)\s*;)?", fn.mask):
        if m.group(2):
            value = "false" if m.group(3) in {"true", "1"} else "true"
            edits.append((m.start(), m.end(), f"{'bool ' if m.group(1) else ''}no_flush = {value};"))
        else:
            edits.append((m.start(), m.end(), "!no_flush"))
    return [("force_flush", fn.apply(edits))]


def duplicate_read(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(r"=\s*ptep_get\s*\(\s*[\w.>-]+\s*\)\s*;", frozenset({"expr"}))):
        m = re.search(r"ptep_get\s*\([^)]*\)", fn.src(s))
        if m:
            out.append((str(n), fn.apply(fn.before(s, f"(void)pte_val({m.group()});"))))
    return _take(out, 2)


def extra_flush(fn: Fn) -> Out:
    """A flush of the whole mm under the PTL, where the gather would have flushed later."""
    mm = mm_of(fn)
    if mm is None or not fn.has(r"\btlb_(?:remove|flush)_\w*(?:entry|entries|range)\s*\(") or fn.has(r"\bflush_tlb_(?:range|mm|page)"):
        return []
    sites = fn.leaves(r"\bpte_unmap_unlock\s*\(", frozenset({"expr"}))
    return [("last", fn.apply(fn.before(sites[-1], f"flush_tlb_mm({mm});")))] if sites else []


def scope_wrap(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves("|".join((LEAVE, ENTER, BATCHED)), frozenset({"expr"}))):
        nxt = s.following()[:1]
        if nxt and nxt[0].kind == "expr":
            out.append((f"do-{n}", fn.apply([(s.start, s.start, "do {\n\t"), (nxt[0].end, nxt[0].end, "\n} while (0);")])))
            out.append((f"block-{n}", fn.apply([(s.start, s.start, "{\n\t"), (nxt[0].end, nxt[0].end, "\n}")])))
    return _take(out, 3)


def else_after_return(fn: Fn) -> Out:
    out = []
    for s in fn.root.kids:
        only = s.kids[0] if s.kind == "if" and len(s.kids) == 1 else None
        last = only.kids[-1] if only is not None and only.kind == "block" and only.kids else only
        if last is not None and last.kind == "return" and s.following() and not re.search(r"^\s*#", fn.text, re.M):
            rest = fn.text[s.end : fn.root.end - 1]
            out.append((str(s.start), fn.apply([(s.end, fn.root.end, f" else {{{rest}}}\n}}")])))
    return _take(out, 2)


def nested_and(fn: Fn) -> Out:
    out = []
    for s in _ifs(fn):
        parts = _conjuncts(fn.mask[s.head[0] : s.head[1]], fn.cond(s))
        if len(s.kids) == 1 and len(parts) == 2:
            body = fn.src(s.kids[0])
            out.append(
                (
                    f"and-{s.start}",
                    fn.apply([(s.start, s.end, f"if ({parts[0].strip()}) {{\n{fn.indent(s)}\tif ({parts[1].strip()}) {body}\n{fn.indent(s)}}}")]),
                )
            )
            out.append((f"morgan-{s.start}", fn.apply([(s.head[0], s.head[1], f"!(!({parts[0].strip()}) || !({parts[1].strip()}))")])))
    return _take(out, 4)


def _conjuncts(mask: str, text: str) -> list[str]:
    out, depth, last = [], 0, 0
    for at, char in enumerate(mask):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and mask.startswith("||", at):
            return []
        if depth == 0 and mask.startswith("&&", at):
            out.append(text[last:at])
            last = at + 2
    return [*out, text[last:]]


def arithmetic(fn: Fn) -> Out:
    out = []
    for n, m in enumerate(re.finditer(r"\baddr \+= PAGE_SIZE\b", fn.mask)):
        out.append((f"addr-{n}", fn.apply([(m.start(), m.end(), "addr = addr + PAGE_SIZE")])))
    for n, m in enumerate(re.finditer(r"\b(pte|ptep|old_pte|new_pte)\+\+", fn.mask)):
        out.append((f"inc-{n}", fn.apply([(m.start(), m.end(), f"{m.group(1)} += 1")])))
    for n, m in enumerate(re.finditer(r"(?<=[;{\n])(\s*)(\w+) = (\w+) = (pte_offset_map_lock\([^;]*\));", fn.mask)):
        text = fn.text[m.start(4) : m.end(4)]
        out.append((f"chain-{n}", fn.apply([(m.start(), m.end(), f"{m.group(1)}{m.group(3)} = {text};{m.group(1)}{m.group(2)} = {m.group(3)};")])))
    return _take(out, 3)


def merge_acquire(fn: Fn) -> Out:
    """``p = lock(..); if (!p)`` becomes ``if (!(p = lock(..)))``."""
    out = []
    for s in fn.leaves(r"^\w+\s*=\s*(?:pte_offset_map_lock|_*pmd_trans_huge_lock|pte_alloc_map_lock)\s*\(", frozenset({"expr"})):
        nxt = s.following()[:1]
        var = fn.code(s).split("=")[0].strip()
        if nxt and nxt[0].kind == "if" and fn.cond(nxt[0]).strip() == f"!{var}":
            out.append((var, fn.apply([fn.drop(s), (nxt[0].head[0], nxt[0].head[1], f"!({fn.src(s)[:-1]})")])))
    return _take(out, 2)


def clear_spelling(fn: Fn) -> Out:
    """clear-and-flush as its two halves under the same lock; the plain clear as its full form."""
    out = []
    for n, s in enumerate(fn.leaves(r"\bptep_clear_flush\s*\(", frozenset({"expr"}))):
        args = call_args(fn.src(s), "ptep_clear_flush")
        if args:
            start = fn.src(s)[: fn.src(s).index("ptep_clear_flush")]
            tab = fn.indent(s)
            clear = f"{start}ptep_get_and_clear({args[0]}->vm_mm, {args[1]}, {args[2]});"
            text = f"{{\n{tab}\t{clear}\n{tab}\tflush_tlb_page({args[0]}, {args[1]});\n{tab}}}"
            out.append((f"halves-{n}", fn.apply([(s.start, s.end, text)])))
    for n, m in enumerate(re.finditer(r"\bptep_get_and_clear\(([^()]*)\)", fn.mask)):
        out.append((f"full-{n}", fn.apply([(m.start(), m.end(), f"ptep_get_and_clear_full({fn.text[m.start(1) : m.end(1)]}, 0)")])))
    return _take(out, 2)


def mm_spelling(fn: Fn) -> Out:
    out = []
    for n, s in enumerate(fn.leaves(BATCHED, frozenset({"expr"}))):
        spelt = (call_args(fn.src(s), "flush_tlb_batched_pending") or ["mm"])[0]
        if fn.declares("vma"):
            new = "mm" if "vma->vm_mm" in fn.src(s) and fn.declares("mm") else "vma->vm_mm" if "vma->vm_mm" not in fn.src(s) else "(vma->vm_mm)"
            out.append((str(n), fn.apply([(s.start, s.end, f"flush_tlb_batched_pending({new});")])))
        out.append(
            (
                f"local-{n}",
                fn.apply(
                    [
                        (
                            s.start,
                            s.end,
                            f"{{ struct mm_struct *const flushed_mm = {spelt}; flush_tlb_batched_pending(flushed_mm); }}",
                        )
                    ]
                ),
            )
        )
    return _take(out, 2)


def value_copy(fn: Fn) -> Out:
    """A cleared value goes through a second local before it is used."""
    out = []
    for n, s in enumerate(fn.leaves(r"^\w+\s*=\s*" + CLEAR, frozenset({"expr"}))):
        var = fn.code(s).split("=")[0].strip()
        kind = "pmd_t" if re.search(r"=\s*pmdp", fn.code(s)) else "pud_t" if re.search(r"=\s*pudp", fn.code(s)) else "pte_t"
        rhs = fn.src(s)[fn.src(s).index("=") + 1 :].strip()
        out.append(
            (
                str(n),
                fn.apply([(s.start, s.end, f"{{\n{fn.indent(s)}\tconst {kind} taken_out = {rhs}\n\n{fn.indent(s)}\t{var} = taken_out;\n{fn.indent(s)}}}")]),
            )
        )
    return _take(out, 2)


OPERATORS = {
    "rename": rename,
    "invert-if": invert_if,
    "braces": add_braces,
    "likely": likely,
    "hoist-condition": hoist_condition,
    "dirty-bool": dirty_bool,
    "loop-forms": loop_forms,
    "continue-goto": continue_goto,
    "continue-nested": continue_nested,
    "return-goto": return_goto,
    "goto-direct": goto_direct,
    "unlock-return-goto": unlock_return_goto,
    "split-declaration": split_declaration,
    "reorder-declarations": reorder_declarations,
    "debug-calls": debug_calls,
    "comments": comments,
    "swap-operands": swap_operands,
    "null-spelling": null_spelling,
    "lock-pointer": lock_pointer,
    "lock-alias": lock_alias,
    "flag-spelling": flag_spelling,
    "flag-inverted": flag_inverted,
    "duplicate-read": duplicate_read,
    "extra-flush": extra_flush,
    "scope-wrap": scope_wrap,
    "else-after-return": else_after_return,
    "nested-and": nested_and,
    "arithmetic": arithmetic,
    "merge-acquire": merge_acquire,
    "clear-spelling": clear_spelling,
    "mm-spelling": mm_spelling,
    "value-copy": value_copy,
}
