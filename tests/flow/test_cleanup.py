"""Objects that clean up after themselves: what is called on which way out of their scope."""

from __future__ import annotations

import pytest

from tests.flow.listing import listing
from tlblint.flow import facts_of
from tlblint.syntax.config import Config


def body(text: str, head: str = "") -> list[str]:
    """Listing of a function with that body that went through the whole front end; nothing of it may be in doubt."""
    source = f"{head}\nint f(spinlock_t *ptl, struct mm_struct *mm, int n)\n{{\n\t{text}\n}}\n"
    facts = facts_of("mm/x.c", source.encode(), Config(), frozenset({b"g"}))
    assert facts.not_analysed == ()
    return listing(next(function for function in facts.functions if function.name == "f"))


LOCK, UNLOCK = "spin_lock(ptl)", "spin_unlock(ptl)"


@pytest.mark.parametrize("made", ["guard(spinlock)(ptl)", "CLASS(spinlock, taken)(ptl)", "ACQUIRE(spinlock, taken)(ptl)"])
def test_a_guard_ends_with_its_block_not_with_the_function(made: str) -> None:
    assert body(f"{{ {made}; g(); }} h();") == [f"0: t0={LOCK}; t1=g(); t2={UNLOCK}; t3=h(); return"]


def test_scoped_guard_is_a_lock_around_its_statement() -> None:
    assert body("scoped_guard(spinlock, ptl)\n\t\tg();\n\th();") == [f"0: t0={LOCK}; t1=g(); t2={UNLOCK}; t3=h(); return"]
    assert body("scoped_guard(spinlock, ptl) {\n\t\tg();\n\t}\n\th();") == [f"0: t0={LOCK}; t1=g(); t2={UNLOCK}; t3=h(); return"]


def test_a_lock_that_a_call_finds_is_found_once() -> None:
    assert body("scoped_guard(spinlock, pmd_lockptr(mm, n)) {\n\t\tg();\n\t}") == [
        "0: t0=pmd_lockptr(mm, n); t1=spin_lock(t0); t2=g(); t3=spin_unlock(t0); return"
    ]


def test_a_return_is_computed_before_the_lock_is_dropped() -> None:
    assert body("guard(spinlock)(ptl);\n\tif (n)\n\t\treturn g();\n\treturn n ? g() : 3;") == [
        f"0: t0={LOCK}; ? n 1 2",
        f"1: t1=g(); t2={UNLOCK}; return t1",
        "2: ? n 3 4",
        f"3: t3=g(); t4={UNLOCK}; return t3",
        f"4: t5={UNLOCK}; return 3",
    ]


def test_break_and_continue_in_a_loop_leave_the_guard_of_the_turn() -> None:
    assert body("while (g()) {\n\t\tguard(spinlock)(ptl);\n\t\tif (n)\n\t\t\tbreak;\n\t\tif (h())\n\t\t\tcontinue;\n\t\ti();\n\t}") == [
        "0: -> 1",
        "1: t0=g(); ? t0 2 7",
        f"2: t1={LOCK}; ? n 3 4",
        f"3: t2={UNLOCK}; -> 7",
        "4: t3=h(); ? t3 5 6",
        f"5: t4={UNLOCK}; -> 1",
        f"6: t5=i(); t6={UNLOCK}; -> 1",
        "7: return",
    ]


def test_a_guard_outside_of_the_loop_is_held_by_break() -> None:
    lines = body("guard(spinlock)(ptl);\n\twhile (g()) {\n\t\tif (n)\n\t\t\tbreak;\n\t}\n\th();")
    assert sum(UNLOCK in line for line in lines) == 1 and lines[-1].endswith(f"h(); t3={UNLOCK}; return")


def test_break_and_continue_leave_only_the_scoped_guard() -> None:
    for word in ("break", "continue"):
        assert body(f"while (g()) {{\n\t\tscoped_guard(spinlock, ptl) {{\n\t\t\tif (n)\n\t\t\t\t{word};\n\t\t\th();\n\t\t}}\n\t\ti();\n\t}}") == [
            "0: -> 1",
            "1: t0=g(); ? t0 2 5",
            f"2: t1={LOCK}; ? n 4 3",
            "3: t2=h(); -> 4",
            f"4: t3={UNLOCK}; t4=i(); -> 1",
            "5: return",
        ]


def test_goto_ends_what_it_leaves_and_nothing_else() -> None:
    assert body("{\n\t\tguard(spinlock)(ptl);\n\t\tif (n)\n\t\t\tgoto out;\n\t\tif (mm)\n\t\t\tgoto here;\n\t\tg();\nhere:\n\t\th();\n\t}\nout:\n\ti();") == [
        f"0: t0={LOCK}; ? n 1 2",
        f"1: t1={UNLOCK}; -> 5",
        "2: ? mm 4 3",
        "3: t2=g(); -> 4",
        f"4: t3=h(); t4={UNLOCK}; -> 5",
        "5: t5=i(); return",
    ]


def test_goto_back_before_the_declaration_ends_the_object() -> None:
    assert body("again:\n\tg();\n\tguard(spinlock)(ptl);\n\tif (n)\n\t\tgoto again;\n\th();") == [
        "0: -> 1",
        f"1: t0=g(); t1={LOCK}; ? n 2 3",
        f"2: t2={UNLOCK}; -> 1",
        f"3: t3=h(); t4={UNLOCK}; return",
    ]


def test_the_youngest_object_ends_first() -> None:
    assert body("guard(rcu)();\n\tguard(spinlock_irqsave)(ptl);\n\tg();") == [
        "0: t0=rcu_read_lock(); t1=spin_lock_irqsave(ptl, ?); t2=g(); t3=spin_unlock_irqrestore(ptl, ?); t4=rcu_read_unlock(); return"
    ]


def test_a_lock_whose_variable_moves_on_is_remembered() -> None:
    assert body("guard(spinlock)(ptl);\n\tptl = g();") == ["0: $1=ptl; t0=spin_lock($1); t1=g(); ptl=t1; t2=spin_unlock($1); return"]


def test_a_lock_that_was_not_taken_is_not_dropped() -> None:
    assert body("scoped_guard(spinlock_try, ptl)\n\t\tg();\n\th();") == [
        "0: t0=spin_trylock(ptl); $1=t0; ? $1 1 2",
        "1: t1=g(); -> 2",
        "2: ? $1 3 4",
        "3: t2=spin_unlock(ptl); -> 4",
        "4: t3=h(); return",
    ]
    assert body("ACQUIRE(mmap_read_lock_try, lock)(mm);\n\tif (ACQUIRE_ERR(mmap_read_lock_try, &lock))\n\t\treturn 1;\n\tg();") == [
        "0: t0=mmap_read_trylock(mm); lock.lock=t0; ? lock.lock 1 4",
        "1: t2=g(); ? lock.lock 2 3",
        "2: t3=mmap_read_unlock(mm); -> 3",
        "3: return",
        "4: ? lock.lock 5 6",
        "5: t1=mmap_read_unlock(mm); -> 6",
        "6: return 1",
    ]


@pytest.mark.parametrize(("fail", "end"), [("return -EINTR", "return -4"), ("return", "return"), ("break", "t3=h(); return")])
def test_a_scoped_guard_that_fails_does_as_it_was_told(fail: str, end: str) -> None:
    lines = body(f"scoped_cond_guard(mutex_intr, {fail}, ptl) {{\n\t\tg();\n\t}}\n\th();")
    assert lines[0].startswith("0: t0=mutex_lock_interruptible(ptl); $1=!t0; ? $1 ")
    assert sum("g()" in line for line in lines) == 1 and sum("h()" in line for line in lines) == 1
    assert any(line.endswith(end.replace("-4", "-<EINTR>")) for line in lines)


def test_a_class_that_is_not_known_is_called_by_its_functions() -> None:
    assert body("CLASS(walk, w)(mm, n);\n\tg(w);") == [
        "0: t0=class_walk_constructor(mm, n); w=t0; t1=g(w); t2=class_walk_destructor(w); return"
    ]
    assert body("guard(entries)(mm);\n\tg();") == ["0: t0=class_entries_constructor(mm); t1=g(); t2=class_entries_destructor(mm); return"]


def test_a_pointer_that_frees_itself_is_freed_unless_it_is_given_away() -> None:
    assert body("struct a *p __free(put_a) = g();\n\th(p);") == ["0: t0=g(); p=t0; t1=h(p); ? p 1 2", "1: t2=__free_put_a(p); -> 2", "2: return"]
    lines = body("struct a *p __free(put_a) = g();\n\treturn no_free_ptr(p);")
    assert lines[0].startswith("0: t0=g(); p=t0; $1=p; p=0; ? p") and lines[-1] == "2: return $1"
    assert body("struct a *p __free(put_a) = g();\n\treturn_ptr(p);") == lines


def test_a_function_that_cleans_up_is_given_the_address() -> None:
    assert body("int *x __cleanup(done) = mm, *y;\n\tg(y);") == ["0: x=mm; int * y; t0=g(y); t1=done(&x); return"]


def test_a_block_with_a_value_is_a_scope() -> None:
    assert body("n = ({ guard(spinlock)(ptl); g(); });\n\th(n);") == [f"0: t0={LOCK}; t1=g(); t2={UNLOCK}; n=t1; t3=h(n); return"]


def test_an_else_behind_a_macro_with_a_body_belongs_to_the_if() -> None:
    ways = ["0: ? n 1 2", f"1: t0={LOCK}; t1=g(); t2={UNLOCK}; -> 3", "2: t3=h(); -> 3", "3: return"]
    assert body("if (n)\n\t\tscoped_guard(spinlock, ptl)\n\t\t\tg();\n\telse\n\t\th();") == ways
    assert body("if (n)\n\t\tscoped_guard(spinlock, ptl)\n\t\t\tscoped_rest(mm)\n\t\t\t\tg();\n\telse if (mm)\n\t\th();")[0] == "0: ? n 1 2"


def test_a_macro_with_a_body_leaves_to_the_label_that_it_is_given() -> None:
    assert body("guard(spinlock)(ptl);\n\tscoped_user_read_access(mm, fault) {\n\t\tg();\n\t}\n\treturn 0;\nfault:\n\treturn h();") == [
        f"0: t0={LOCK}; ? ? 1 2",
        f"1: t3=h(); t4={UNLOCK}; return t3",
        f"2: t1=g(); t2={UNLOCK}; return 0",
    ]


def test_a_call_that_may_leave_to_a_label_ends_what_it_leaves() -> None:
    assert body("{\n\t\tguard(spinlock)(ptl);\n\t\tunsafe_get_user(n, mm, out);\n\t\tg();\n\t}\nout:\n\th();") == [
        f"0: t0={LOCK}; t1=unsafe_get_user(n, mm, out); ? ? 1 2",
        f"1: t2={UNLOCK}; -> 3",
        f"2: t3=g(); t4={UNLOCK}; -> 3",
        "3: t5=h(); return",
    ]
