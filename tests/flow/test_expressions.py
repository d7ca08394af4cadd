"""What single expressions become."""

from __future__ import annotations

import pytest

from tests.flow.listing import body

END = "return"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("( *p ).f", "p->f"),
        ("(&x)->f", "x.f"),
        ("*&x", "x"),
        ("*(p)", "*p"),
        ("**p", "**p"),
        ("(*p)->f", "(*p)->f"),
        ("(**p).f", "(*p)->f"),
        ("*p->f", "*p->f"),
        ("(*p)[2]", "(*p)[2]"),
        ("p -> f . g", "p->f.g"),
        ("a[ i ]", "a[i]"),
        ("a[i + 1].f", "a[i+1].f"),
        ("a[(i + 1) * 2]", "a[(i+1)*2]"),
        ("*(p + 1)", "p[1]"),
        ("*(p - 1)", "p[-1]"),
        ("(p + i)->f", "p[i].f"),
        ("(&p[i])->f", "p[i].f"),
        ("((struct s *)p)->f", "p->f"),
        ("*(pte_t *)p", "*p"),
        ("READ_ONCE(*p)", "*p"),
        ("data_race(x->y)", "x->y"),
        ("a[sizeof(x)]", "a[sizeof(x)]"),
    ],
)
def test_paths_are_canonical(text: str, path: str) -> None:
    assert body(f"g({text});") == [f"0: t0=g({path}); {END}"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("&x", "&x"),
        ("&p->f", "&p->f"),
        ("&*p", "p"),
        ("&(*p).f", "&p->f"),
        ("&p[i]", "(p + i)"),
        ("&p[0]", "p"),
        ("&a[i].f", "&a[i].f"),
        ("p + i", "(p + i)"),
        ("NULL", "0"),
        ("false", "0"),
        ("true", "1"),
        ("PAGE_SIZE", "<PAGE_SIZE>"),
        ("0x10UL", "16"),
        ("010", "8"),
        ("0b11", "3"),
        ("-1", "-1"),
        ("'a'", "97"),
        ("1.5", "?"),
        ('"text"', "?"),
        ("sizeof(struct s)", "?"),
        ("(void *)q", "q"),
        ("!q", "!q"),
        ("~q", "~q"),
        ("-q", "-q"),
        ("!0", "1"),
        ("IS_ENABLED(CONFIG_SWAP)", "<CONFIG_SWAP>"),
        ("likely(q)", "q"),
        ("WARN_ON_ONCE(q == r)", "(q == r)"),
        ("a << 2 | B", "((a << 2) | <B>)"),
        ("1UL << 2 | 8", "12"),
        ("1 << B", "<1<<B>"),
        ("BIT(3)", "8"),
        ("BIT_ULL(B)", "<1<<B>"),
        ("BIT(q)", "(1 << q)"),
        ("1 << 64", "(1 << 64)"),
    ],
)
def test_values(text: str, value: str) -> None:
    assert body(f"g({text});") == [f"0: t0=g({value}); {END}"]


def test_characters_are_read_from_the_original_text() -> None:
    assert body("g('_', '__');", "g('a', '\\n');") == ["0: t0=g(97, ?); return"]


def test_arguments_are_evaluated_before_the_call() -> None:
    assert body("f(g(h()), k());") == ["0: t0=h(); t1=g(t0); t2=k(); t3=f(t1, t2); return"]


def test_what_is_reached_through_a_call_is_named_by_the_call() -> None:
    assert body("spin_lock(&node_of(page)->lock); x = g(a, &b)->y;") == [
        "0: t0=node_of(page); t1=spin_lock(&node_of(page)->lock); t2=g(a, &b); x=g(a,&b)->y; return"
    ]


def test_assignment_through_a_call_is_a_havoc() -> None:
    assert body("node_of(page)->x = g();") == ["0: t0=node_of(page); t1=g(); ~node_of(page)->x; return"]
    assert body("(c ? a : b)[i] = 1;")[-1] == "3: $1[i]=1; return"


def test_indirect_calls() -> None:
    assert body("ops->f(1); (*fn)(2); t[i].g(3); (h)(4);") == ["0: t0=[ops->f](1); t1=[fn](2); t2=[t[i].g](3); t3=h(4); return"]
    assert body("int (*fn)(int) = p->pick; fn(1);") == ["0: fn=p->pick; t0=[fn](1); return"]


def test_a_choice_by_type_may_be_any_of_its_values() -> None:
    assert body("x = _Generic(n, int: f(n), unsigned long: 2, default: g(n));") == [
        "0: ? ? 1 2",
        "1: t0=f(n); $1=t0; -> 5",
        "2: ? ? 3 4",
        "3: $1=2; -> 5",
        "4: t1=g(n); $1=t1; -> 5",
        "5: x=$1; return",
    ]


def test_assignments() -> None:
    assert body("*pp = &mm->lock; a += b; x->n |= FLAG; a = b = c;") == [
        "0: *pp=&mm->lock; a=(a + b); x->n=(x->n | <FLAG>); b=c; a=b; return",
    ]
    assert body("WRITE_ONCE(x->y, v); swap(a, p->b);") == ["0: x->y=v; ~a; ~p->b; return"]


def test_steps() -> None:
    assert body("x++; --p->n;") == ["0: x=(x + 1); p->n=(p->n - 1); return"]
    assert body("y = ++x; z = x--;") == ["0: x=(x + 1); y=x; $1=x; x=(x - 1); z=$1; return"]
    assert body("*p++ = v;") == ["0: $1=p; p=(p + 1); *$1=v; return"]


def test_a_step_of_an_argument_waits_for_the_call() -> None:
    assert body("f(mm, p++, g(q));") == ["0: t0=g(q); t1=f(mm, p, t0); p=(p + 1); return"]
    assert body("f(++p);") == ["0: p=(p + 1); t0=f(p); return"]


def test_choices_assign_in_their_arms() -> None:
    assert body("x = a && f();") == ["0: ? a 1 3", "1: t0=f(); ? t0 2 3", "2: x=1; -> 4", "3: x=0; -> 4", "4: return"]
    assert body("x = c ? f(a) : b;") == ["0: ? c 1 2", "1: t0=f(a); x=t0; -> 3", "2: x=b; -> 3", "3: return"]
    assert body("x = f() ?: b;") == ["0: t0=f(); ? t0 1 2", "1: x=t0; -> 3", "2: x=b; -> 3", "3: return"]


def test_a_choice_inside_an_expression_has_a_synthetic_path() -> None:
    assert body("g(a || b, 1);") == ["0: ? a 2 1", "1: ? b 2 3", "2: $1=1; -> 4", "3: $1=0; -> 4", "4: t0=g($1, 1); return"]
    assert body("x = 1 + (c ? a : b);") == ["0: ? c 1 2", "1: $1=a; -> 3", "2: $1=b; -> 3", "3: x=(1 + $1); return"]


def test_choices_without_a_reader() -> None:
    assert body("a && f();") == ["0: ? a 1 2", "1: t0=f(); -> 2", "2: return"]
    assert body("a || f();") == ["0: ? a 2 1", "1: t0=f(); -> 2", "2: return"]
    assert body("c ? f() : g();") == ["0: ? c 1 2", "1: t0=f(); -> 3", "2: t1=g(); -> 3", "3: return"]


def test_comma_and_statement_expressions() -> None:
    assert body("x = (f(), g());") == ["0: t0=f(); t1=g(); x=t1; return"]
    assert body("x = ({ int y = f(); y + 1; });") == ["0: t0=f(); y=t0; x=(y + 1); return"]


def test_declarations() -> None:
    assert body("pte_t *p, old, arr[4]; unsigned  long n;") == ["0: pte_t * p; pte_t old; pte_t [] arr; unsigned long n; return"]
    assert body("const struct s *p = q; bool b = !x;") == ["0: p=q; b=!x; return"]
    assert body("static int n = 3; extern int m; int g(int);") == ["0: return"]


def test_designated_initialisers() -> None:
    assert body("struct s x = { .mm = m, .r = { .start = f(), }, .a.b = 2, };") == ["0: struct s x; x.mm=m; t0=f(); x.r.start=t0; x.a.b=2; return"]
    assert body("struct s x = { f(), 0 };") == ["0: struct s x; t0=f(); return"]
    assert body("*p = (struct s){ .a = 1 };") == ["0: *p=?; p->a=1; return"]


def test_walk_state_macro_declares_an_object() -> None:
    assert body("DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, at, PVMW_SYNC); g(pvmw.ptl);") == [
        "0: struct page_vma_mapped_walk pvmw; pvmw.vma=vma; pvmw.address=at; pvmw.flags=<PVMW_SYNC>; t0=g(pvmw.ptl); return"
    ]


def test_a_local_name_in_capitals_is_a_variable() -> None:
    assert body("int N = 1; g(N, M);") == ["0: N=1; t0=g(N, <M>); return"]


def test_assembly_outputs_come_from_the_original_text() -> None:
    raw = 'asm volatile("mov %1, %0" : "=r" (x->y), "+m" (*p) : "r" (z));'
    assert body('asm("")' + " " * (len(raw) - 8) + ";", raw) == ["0: ~x->y; ~*p; return"]
    raw = 'asm goto("jmp %l0" : : "r"(z) : : out, bad); f(); out: g(); bad: ;'
    text = 'asm("")' + " " * (raw.index(";") - 7) + raw[raw.index(";") :]
    assert body(text, raw) == ["0: ? ? 3 1", "1: ? ? 4 2", "2: t0=f(); -> 3", "3: t1=g(); -> 4", "4: return"]


def test_bit_operations_on_a_local_word_are_assignments() -> None:
    assert body("unsigned long w = 0; __set_bit(1, &w); g(test_bit(B, &w)); clear_bit(1, &w);") == [
        "0: w=0; w=(w | 2); t0=g((w & <1<<B>)); w=(w & -3); return"
    ]
    assert body("unsigned long w = 0; g(test_and_clear_bit(B, &w));") == ["0: w=0; $1=(w & <1<<B>); w=(w & ~<1<<B>); t0=g($1); return"]


def test_bit_operations_on_anything_else_stay_calls() -> None:
    assert body("unsigned long w = 0; set_bit(n, &w); set_bit(1, &mm->flags);") == ["0: w=0; t0=set_bit(n, &w); t1=set_bit(1, &mm->flags); return"]
