"""Headers, offsets and the walk mark."""

from __future__ import annotations

import pytest

from tests.flow.listing import listing, lowered
from tlblint.flow import NotLowered


def test_header() -> None:
    text = "static inline pte_t *get(struct mm_struct *mm, spinlock_t **ptlp, int (*fn)(int), bool x[], const void *v, pte_fn_t g, unsigned long, ...) { }"
    function, _ = lowered(text)
    assert (function.name, function.returns, function.static) == ("get", "pte_t *", True)
    assert function.params == (
        ("mm", "struct mm_struct *"),
        ("ptlp", "spinlock_t **"),
        ("fn", "fn"),
        ("x", "bool *"),
        ("v", "void *"),
        ("g", "pte_fn_t"),
        ("", "unsigned long"),
    )
    assert (function.start, function.end, function.path) == (0, len(text), "x.c")


def test_plain_header() -> None:
    function, _ = lowered("struct page *f(void) { }")
    assert (function.params, function.returns, function.static) == ((), "struct page *", False)


def test_function_parameters_are_called_indirectly() -> None:
    assert listing(lowered("int f(pte_fn_t fn, void (*g)(int)) { fn(1); g(2); return h(3); }")[0]) == ["0: t0=[fn](1); t1=[g](2); t2=h(3); return t2"]


def test_lock_annotations_come_from_the_original_text() -> None:
    raw = "int f(spinlock_t *a, struct s *x) __releases(x->ptl) __must_hold( *a ) { }"
    text = raw[: raw.index(" __")] + " " * (raw.index("{") - raw.index(" __")) + "{ }"
    assert lowered(text, raw)[0].annotations == ("releases(x->ptl)", "must_hold(*a)")
    assert lowered(text)[0].annotations == ()


def test_system_call_returns_long() -> None:
    assert lowered("SYSCALL_DEFINE2   mprotect    (unsigned_long start, int prot) { }")[0].returns == "long"


def test_offsets_are_those_of_the_source() -> None:
    text = "void f(void) { struct s y = { .a = 1 }; int n; int k = g(h(1)); x->a = 2; if (a && bb) c(); return; }"
    function, _ = lowered(text)
    at = text.index
    found = [(instr[0], instr[-1]) for block in function.blocks for instr in block.instrs]
    assert found == [
        ("decl", at("y =")),
        ("set", at(".a = 1")),
        ("decl", at("n;")),
        ("call", at("h(1)")),
        ("call", at("g(h")),
        ("set", at("k = g")),
        ("set", at("x->a")),
        ("call", at("c()")),
    ]
    assert [(block.kind, block.pos) for block in function.blocks if block.kind != "jump"] == [
        ("branch", at("a && bb")),
        ("branch", at("bb")),
        ("return", at("return")),
    ]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("for (i = 0; i < n; i++) f(p);", {"i"}),
        ("do { f(p); } while (p++, addr += PAGE_SIZE, addr != end);", {"p", "addr"}),
        ("again: f(p); vmf->pte++; if (g()) goto again;", {"vmf->pte"}),
        ("while (g()) { if (h()) { q++; break; } p = p + n; }", {"p"}),
        ("p++; while (g()) f(q + 1);", set()),
        ("while (n--) f(p++);", {"n", "p"}),
        ("while (g()) { p = next(p); a = b + 1; }", set()),
        ("for (i = 0; i < n; i++) { p = first + i; a = b + 1; }", {"i", "p"}),
        ("p = first + i; while (g()) i++;", {"i"}),
    ],
)
def test_what_is_stepped_in_a_loop(body: str, paths: set[str]) -> None:
    assert lowered(f"void f(void) {{ {body} }}")[0].advanced == paths


def test_nesting_is_bounded() -> None:
    assert lowered("void f(void) { " + "if (a) { " * 40 + "g();" + "}" * 41)[1] == ()
    with pytest.raises(NotLowered, match="nested too deeply"):
        lowered("void f(void) { " + "{" * 300 + "}" * 301)
    with pytest.raises(NotLowered, match="nested too deeply"):
        lowered("void f(void) { x = " + "!" * 300 + "y; }")


def test_a_long_else_if_chain_is_not_nesting() -> None:
    function, _ = lowered("void f(void) { " + "".join(f"if (x == {n}) g({n}); else " for n in range(400)) + "h(); }")
    assert sum(block.kind == "branch" for block in function.blocks) == 400
