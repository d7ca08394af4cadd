"""What statements become: blocks and the ways between them."""

from __future__ import annotations

from tests.flow.listing import body, lowered


def test_conditions_are_split_at_their_operators() -> None:
    assert body("if (a && !f()) g();") == ["0: ? a 1 3", "1: t0=f(); ? t0 3 2", "2: t1=g(); -> 3", "3: return"]
    assert body("if (a ? b : c) g();") == ["0: ? a 1 2", "1: ? b 3 4", "2: ? c 3 4", "3: t0=g(); -> 4", "4: return"]
    assert body("if (likely(a || b)) g();") == ["0: ? a 2 1", "1: ? b 2 3", "2: t0=g(); -> 3", "3: return"]
    assert body("if (WARN_ON(!a)) g();") == ["0: ? a 2 1", "1: t0=g(); -> 2", "2: return"]
    assert body("if ((p = f()) != NULL) g();") == ["0: t0=f(); p=t0; ? (p != 0) 1 2", "1: t1=g(); -> 2", "2: return"]


def test_constant_conditions_leave_no_branch() -> None:
    assert body("if (0) f(); else g();") == ["0: t1=g(); return"]
    assert body("if (a) ; g();") == ["0: t0=g(); return"]


def test_else_if_chain() -> None:
    assert body("if (a) f(); else if (b) g(); else h();") == [
        "0: ? a 1 2",
        "1: t0=f(); -> 5",
        "2: ? b 3 4",
        "3: t1=g(); -> 5",
        "4: t2=h(); -> 5",
        "5: return",
    ]


def test_while() -> None:
    assert body("while ((p = next(p))) { if (f(p)) continue; if (g(p)) break; h(); }") == [
        "0: -> 1",
        "1: t0=next(p); p=t0; ? p 2 5",
        "2: t1=f(p); ? t1 1 3",
        "3: t2=g(p); ? t2 5 4",
        "4: t3=h(); -> 1",
        "5: return",
    ]


def test_continue_in_do_while_goes_to_a_condition_with_effects() -> None:
    assert body("do { if (f()) continue; g(); } while (p++, a += SZ, a != end);") == [
        "0: -> 1",
        "1: t0=f(); ? t0 3 2",
        "2: t1=g(); -> 3",
        "3: p=(p + 1); a=(a + <SZ>); ? (a != end) 1 4",
        "4: return",
    ]


def test_do_while_zero_is_no_loop() -> None:
    assert body("do { if (f()) break; g(); } while (0); h();") == ["0: t0=f(); ? t0 2 1", "1: t1=g(); -> 2", "2: t2=h(); return"]


def test_continue_in_for_goes_to_the_update() -> None:
    assert body("for (int i = 0; i < n; i++, p++) { if (f()) continue; g(); }") == [
        "0: i=0; -> 1",
        "1: ? (i < n) 2 5",
        "2: t0=f(); ? t0 4 3",
        "3: t1=g(); -> 4",
        "4: i=(i + 1); p=(p + 1); -> 1",
        "5: return",
    ]
    assert body("for (;;) f();") == ["0: -> 1", "1: t0=f(); -> 1"]


def test_macro_loop_has_an_opaque_condition_and_new_variables_each_turn() -> None:
    text, raw = "while   (vma, &it, first(mm), END) f(vma);", "for_vma (vma, &it, first(mm), END) f(vma);"
    assert body(text, raw) == ["0: t0=first(mm); -> 1", "1: ~vma; ? ? 2 3", "2: t1=f(vma); -> 1", "3: return"]
    assert body("for      (;;) { if (f()) break; }", "for_each_x () { if (f()) break; }") == ["0: -> 1", "1: ? ? 2 3", "2: t0=f(); ? t0 3 1", "3: return"]


def test_macro_with_a_body_that_is_no_loop_runs_it_once() -> None:
    assert body("if           (g(x)) { f(); } h();", "scoped_guard (g(x)) { f(); } h();") == ["0: t0=g(x); t1=f(); t2=h(); return"]


def test_switch() -> None:
    assert body("switch (x) { case 1: case TWO: f(); break; case 3: g(); default: h(); }") == [
        "0: ? (x == 1) 2 1",
        "1: ? (x == <TWO>) 2 3",
        "2: t0=f(); -> 6",
        "3: ? (x == 3) 4 5",
        "4: t1=g(); -> 5",
        "5: t2=h(); -> 6",
        "6: return",
    ]


def test_switch_default_first_and_ranges() -> None:
    text, raw = "switch (f()) { default: g(); break; case 1       : h(); }", "switch (f()) { default: g(); break; case 1 ... 9 : h(); }"
    assert body(text, raw) == ["0: t0=f(); ? ? 1 2", "1: t2=h(); -> 3", "2: t1=g(); -> 3", "3: return"]


def test_switch_over_a_truth_value_asks_for_its_truth() -> None:
    assert body("switch (f(x)) { case true: g(); break; case false: h(); }") == [
        "0: t0=f(x); ? t0 1 2", "1: t1=g(); -> 4", "2: ? t0 4 3", "3: t2=h(); -> 4", "4: return",
    ]


def test_case_inside_a_loop_inside_a_switch() -> None:
    assert body("switch (n) { case 0: do { f(); case 1: g(); } while (--n); }") == [
        "0: ? (n == 0) 3 1",
        "1: ? (n == 1) 2 4",
        "2: t1=g(); n=(n - 1); ? n 3 4",
        "3: t0=f(); -> 2",
        "4: return",
    ]


def test_goto_into_a_nested_block_and_back() -> None:
    assert body("if (a) goto in; again: f(); if (b) { in: g(); } if (c) goto again;") == [
        "0: ? a 2 1",
        "1: t0=f(); ? b 2 3",
        "2: t1=g(); -> 3",
        "3: ? c 1 4",
        "4: return",
    ]


def test_label_as_a_macro_argument_is_a_way_out() -> None:
    assert body("load(x, out); f(); return; out: g();") == ["0: t0=load(x, out); ? ? 1 2", "1: t2=g(); return", "2: t1=f(); return"]
    assert body("int out = 1; f(out); return; out: g();") == ["0: out=1; t0=f(out); return"]


def test_code_behind_a_jump_is_dropped() -> None:
    assert body("f(); return; g();") == ["0: t0=f(); return"]
    assert body("goto out; f(); out: g();") == ["0: t1=g(); return"]


def test_returns() -> None:
    assert body("return f(x);") == ["0: t0=f(x); return t0"]
    assert body("return a ? f() : NULL;") == ["0: ? a 1 2", "1: t0=f(); return t0", "2: return 0"]
    assert body("return a && b;") == ["0: ? a 1 3", "1: ? b 2 3", "2: return 1", "3: return 0"]


def test_what_never_comes_back() -> None:
    assert body("f(); BUG(); g();") == ["0: t0=f(); stop"]
    assert body("BUG_ON(a || f()); g();") == ["0: ? a 2 1", "1: t0=f(); ? t0 2 3", "2: stop", "3: t1=g(); return"]
    assert body("VM_BUG_ON_PAGE(!PageLocked(page), page); g();") == ["0: t0=PageLocked(page); ? t0 1 2", "1: t1=g(); return", "2: stop"]
    assert body("BUILD_BUG_ON(N > 3); VM_WARN_ON_ONCE(f()); g();") == ["0: t0=f(); t1=g(); return"]


def test_loop_without_end_of_empty_jumps() -> None:
    assert body("f(); a: goto b; b: goto a;") == ["0: t0=f(); -> 1", "1: -> 1"]
    assert body("g(); while (f()) { in: break; } goto in;") == ["0: t0=g(); t1=f(); -> 1", "1: -> 1"]


def test_what_is_in_doubt() -> None:
    assert lowered("void f(void) { goto *p; }")[1] == ("computed goto",)
    assert lowered("void f(void) { if (a) goto nowhere; g(); }")[1] == ("label nowhere not found",)
    assert lowered("void f(void) { break; }")[1] == ("break outside a loop",)
    assert lowered("void f(void) { g(); }")[1] == ()
