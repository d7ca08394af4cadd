"""Names across a call: what goes into a callee comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.small import CONTEXT, facts
from tlblint.engine.automata import ordered
from tlblint.engine.code import Code
from tlblint.engine.compile import Compiler
from tlblint.engine.rename import Frame
from tlblint.engine.state import START
from tlblint.engine.values import Env
from tlblint.model.ir import Expr

CALLEE = "\nvoid g(pte_t *pte, spinlock_t **ptlp, struct vm_fault *vmf, int n) { clear(pte); drop(*ptlp); drop(vmf->ptl); if (n) flush(); }\n"
ARGS: tuple[Expr, ...] = (("v", "my_pte"), ("&", "my_ptl"), ("v", "w->fault"), ("n", 1))


def code() -> Code:
    (function,) = facts(CALLEE).functions
    return Compiler(CONTEXT.roles, lambda name, path: None, CONTEXT.pure).compile(0, function)


def frame(args: tuple[Expr, ...] = ARGS, env: Env | None = None) -> Frame:
    return Frame(code(), args, env or {})


PAIRS = [
    ("my_pte", "pte"), ("*my_pte", "*pte"), ("my_pte->x", "pte->x"), ("my_ptl", "*ptlp"), ("my_ptl.f", "ptlp->f"), ("w->fault", "vmf"),
    ("w->fault->ptl", "vmf->ptl"), ("w->fault->pmd.x", "vmf->pmd.x"),
]  # fmt: skip


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_path_of_an_argument_has_a_name_on_both_sides(mine: str, theirs: str) -> None:
    held = frame()
    assert held.into(mine) == theirs
    assert held.back(theirs) == mine


@pytest.mark.parametrize("path", ["other", "w", "w->other", "my_pte2", "my_ptl2", "*other", "n"])
def test_what_no_argument_reaches_has_none(path: str) -> None:
    assert frame().into(path) is None


@pytest.mark.parametrize("path", ["local", "*local", "pte2", "vmf2->ptl"])
def test_locals_of_the_callee_stay_there(path: str) -> None:
    assert frame().back(path) is None
    assert frame().name_out(path) == ""


names = st.sampled_from(["my_pte", "my_ptl", "w->fault->ptl", "x_ptl", "s->ptl", "*q", "ptl", "pte", "vmf->ptl", "*ptlp"])
keys = st.one_of(names, st.integers(1, 9), st.tuples(names, names), st.just(()), st.just(""), st.just(0))
locks = st.tuples(names, st.sampled_from(["pte", "pmd"]), st.sampled_from(["", "rmap"]))
instances = st.tuples(st.integers(0, 3), st.sampled_from(["open", "late"]), st.tuples(keys, keys), st.integers(1, 99))


@given(st.sets(locks, max_size=3), st.sets(instances, max_size=4))
def test_a_state_comes_back_as_it_went(held: set, many: set) -> None:  # type: ignore[type-arg]
    """Also names of the caller that happen to be parameters or locals of the callee."""
    auto = START._replace(held=tuple(sorted(held)), instances=ordered(many))
    link = frame()
    inside = link.state_in(auto)
    assert link.state_out(inside) == auto
    assert all(origin < 0 for *_, origin in inside.instances), "the caller's sites are opaque in the callee"


@given(st.sets(names, min_size=1, max_size=6))
def test_names_stay_apart(many: set[str]) -> None:
    """Two locks of the caller are two locks in the callee."""
    link = frame()
    inside = [link.name_in(name) for name in sorted(many)]
    assert len(set(inside)) == len(many)
    assert [link.name_out(name) for name in inside] == sorted(many)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_numbers_come_back(numbers: list[int]) -> None:
    link = frame()
    inside = [link.number_in(n) for n in numbers]
    assert all(n < 0 for n in inside)
    assert [link.number_out(n) for n in inside] == numbers
    assert link.number_out(77) == 77, "made in the callee"


def test_two_callers_in_one_situation_look_the_same_inside() -> None:
    """The point of opaque names: one analysis serves both."""
    first, second = frame(), frame()
    one = START._replace(held=(("x_ptl", "pte", ""),), instances=((0, "open", ("x_ptl", 17), 400),))
    two = START._replace(held=(("y_ptl", "pte", ""),), instances=((0, "open", ("y_ptl", 23), 900),))
    assert first.state_in(one) == second.state_in(two)


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (1, 1),
        ("nz", "nz"),
        (("k", "MODE"), ("k", "MODE")),
        (("p", "my_ptl"), ("p", "*ptlp")),
        (("term", "(my_ptl==x)", False), None),
        (("term", "w->fault->flags", True), ("term", "vmf->flags", True)),
        (("e", 7, "read", "c", "my_pte"), ("e", -1, "read", "c", "pte")),
        (("e", 7, "read", "", "elsewhere"), ("e", -1, "read", "", "")),
    ],
)
def test_values(value: object, inside: object) -> None:
    link = frame()
    assert link.value_in(value) == inside  # type: ignore[arg-type]
    if inside is not None and "elsewhere" not in str(value):
        assert link.value_out(inside) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "inside"),
    [
        ("my_pte", "pte"),
        ("(my_pte==MODE)", "(pte==MODE)"),
        ("(my_ptl==w->fault->ptl)", "(*ptlp==vmf->ptl)"),
        ("pure_huge(w->fault->folio)", "pure_huge(vmf->folio)"),
        ("pure_huge(other)", None),
        ("(my_pte<my_pte)", None),
        ("(my_pte>=my_pte)", None),
    ],
)
def test_keys(key: str, inside: str | None) -> None:
    link = frame()
    assert link.text(key, True) == inside
    if inside is not None:
        assert link.text(inside, False) == key


def test_predicates_on_values_travel_by_number() -> None:
    link = frame()
    assert link.text("present#7", True) is None, "nothing in the callee bears that number"
    link.number_in(7)
    assert link.text("present#7", True) == "present#-1"
    assert link.text("present#-1", False) == "present#7"
    assert link.text("anon#w->fault", True) == "anon#vmf"


def test_an_alias_of_the_lock_reaches_the_parameter() -> None:
    link = frame((("v", "p"), ("v", "q"), ("v", "f"), ("n", 0)), {"p": ("l", "the_ptl"), "q": ("&", "x_ptl")})
    assert link.name_in("the_ptl") == "pte"
    assert link.name_in("x_ptl") == "*ptlp"
    assert link.name_out("pte") == "the_ptl"
    assert link.name_out("*ptlp") == "x_ptl"


def test_a_returned_lock_gets_the_name_it_is_assigned_to() -> None:
    link = frame()
    link.hand_out("ptl", "mine")
    assert link.name_out("ptl") == "mine"
    link.hand_out("*ptlp", "mine")
    assert link.name_out("*ptlp") == "my_ptl", "what has a name keeps it"
