"""What is known of variables is true of them: environments against concrete values.

A world gives each path a small unsigned number. Every fact of an environment drawn here is true in its world; each
operation must keep it so. Counts are taken to be unsigned: that is the engine's assumption, too.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tlblint.engine.compile import mentions, text_of
from tlblint.engine.values import Env, ask, assign, evaluate, forget, learn, merge, presence, reads_of, resolve, truth
from tlblint.model.ir import Expr

World = dict[str, int]
PATHS = ("a", "b", "*p", "s->f", "s->g", "c")
FALSE, TRUE = False, True

worlds = st.fixed_dictionaries({path: st.integers(0, 2) for path in PATHS})
leaves = st.one_of(st.sampled_from(PATHS).map(lambda p: ("v", p)), st.integers(0, 2).map(lambda n: ("n", n)))
operators = st.sampled_from(["==", "!=", "+", "|", "&", ">", "<", ">=", "<="])
plain: st.SearchStrategy[Expr] = st.recursive(leaves, lambda inner: st.tuples(st.just("op"), operators, inner, inner), max_leaves=4)
exprs: st.SearchStrategy[Expr] = st.one_of(plain, plain.map(lambda e: ("!", e)), plain.map(lambda e: ("!", ("!", e))))


def concrete(world: World, expr: Expr) -> int:
    """The value of an expression in a world."""
    if expr[0] == "v":
        return world[expr[1]]
    if expr[0] == "n":
        return int(expr[1])
    if expr[0] == "!":
        return int(not concrete(world, expr[1]))
    left, right = concrete(world, expr[2]), concrete(world, expr[3])
    return int({"==": left == right, "!=": left != right, "+": left + right, "|": left | right, "&": left & right, ">": left > right,
                "<": left < right, ">=": left >= right, "<=": left <= right}[expr[1]])  # fmt: skip


def of_key(world: World, key: str) -> int:
    """The value of what an environment key stands for: a path, or an expression as text."""
    names = {path: re.sub(r"\W", "_", path) for path in PATHS}
    text = re.sub("|".join(re.escape(p) for p in sorted(PATHS, key=len, reverse=True)), lambda m: names[m[0]], key)
    return int(eval(text, {"__builtins__": {}}, {names[p]: v for p, v in world.items()}))


def true_in(world: World, env: Env) -> bool:
    """Whether every fact holds."""
    return all(_holds(world, of_key(world, key), value) for key, value in env.items())


def _holds(world: World, held: int, value: Any) -> bool:
    if isinstance(value, tuple) and value[0] == "term":
        return bool(held) == (bool(of_key(world, value[1])) != value[2])
    if isinstance(value, tuple) and value[0] == "of":
        return held in value[1:]
    return bool(held) if value == "nz" else held == value


@st.composite
def known(draw: st.DrawFn, world: World | None = None) -> tuple[World, Env]:
    """A world and an environment that is true in it. A variable is only called a copy of one before it: no cycles."""
    world = world or draw(worlds)
    env: Env = {}
    for number, path in enumerate(PATHS):
        facts: list[Any] = [None, world[path]]
        if world[path]:
            facts.append("nz")
        for other in PATHS[:number]:
            if world[other] == world[path]:
                facts.append(("term", other, FALSE))
            if bool(world[other]) != bool(world[path]):
                facts.append(("term", other, TRUE))
        fact = draw(st.sampled_from(facts))
        if fact is not None:
            env[path] = fact
    for one in PATHS[:3]:
        for other in PATHS[3:]:
            if draw(st.booleans()):
                left, right = sorted((one, other))
                env[f"({left}=={right})"] = int(world[one] == world[other])
    return world, env


@settings(max_examples=300)
@given(known(), exprs)
def test_evaluate_is_right_when_it_answers(drawn: tuple[World, Env], expr: Expr) -> None:
    world, env = drawn
    value = evaluate(env, expr)
    if value is not None and not (type(value) is tuple and value[0] == "term"):
        held = concrete(world, expr)
        assert bool(held) if value == "nz" else held == value
    decided = truth(env, value)
    assert decided is None or decided == bool(concrete(world, expr))


@settings(max_examples=300)
@given(known(), exprs)
def test_ask_is_right_and_learning_the_outcome_keeps_truth(drawn: tuple[World, Env], expr: Expr) -> None:
    """A branch taken as the world takes it."""
    world, env = drawn
    outcome = bool(concrete(world, expr))
    question = ask(env, expr)
    if question.known is not None:
        assert question.known == outcome
        return
    if question.key is None:
        return
    assert bool(of_key(world, question.key)) == (outcome != question.negated)
    learn(env, question.key, outcome != question.negated)
    assert true_in(world, env)
    if question.equals is not None and outcome != question.negated:
        path, value = question.equals
        assert world[path] == value
    again = ask(env, expr)
    assert again.known is outcome, "what was learned is known"


@given(known(), st.sampled_from(PATHS), exprs)
def test_assignments_keep_truth(drawn: tuple[World, Env], path: str, expr: Expr) -> None:
    world, env = drawn
    value = evaluate(env, expr)
    assume(expr[0] == "v" or not (type(value) is tuple and value[0] == "term"))
    symbolic = text_of(expr) if value is None and expr[0] == "v" else None
    after = {**world, path: concrete(world, expr)}
    assign(env, path, value, symbolic)
    assert true_in(after, env)
    if value is not None and not (type(value) is tuple and path in mentions(value[1])):
        assert env[path] == value


@given(known(), st.sampled_from(PATHS), st.integers(0, 2))
def test_forgotten_is_forgotten(drawn: tuple[World, Env], path: str, now: int) -> None:
    world, env = drawn
    before = dict(env)
    forget(env, path)
    assert not any(path in mentions(key) for key in env)
    assert not any(path in mentions(v[1]) for v in env.values() if type(v) is tuple and v[0] == "term")
    assert true_in({**world, path: now}, env)
    for key, value in before.items():
        if path not in mentions(key) and not (type(value) is tuple and path in mentions(value[1])):
            assert env[key] == value, "what does not speak of it stays"


@given(known(), known())
def test_merge_keeps_what_is_true_on_both_ways(one: tuple[World, Env], other: tuple[World, Env]) -> None:
    (first, old), (second, new) = one, other
    before = dict(old)
    changed = merge(old, new)
    assert changed == (old != before)
    assert set(old) <= set(before) & set(new)
    assert true_in(first, old) and true_in(second, old)
    assert {k for k in before if before[k] == new.get(k)} <= set(old), "what both know stays"


@given(known(), known())
def test_merge_comes_to_rest(one: tuple[World, Env], other: tuple[World, Env]) -> None:
    """A loop ends: merging the same again, or with itself, changes nothing."""
    old, new = one[1], other[1]
    merge(old, new)
    assert not merge(old, new)
    assert not merge(old, dict(old))


@given(known(), known())
def test_merge_does_not_depend_on_who_came_first(one: tuple[World, Env], other: tuple[World, Env]) -> None:
    left, right = dict(one[1]), dict(other[1])
    merge(left, other[1])
    merge(right, one[1])
    assert left == right


@pytest.mark.parametrize(
    ("env", "path", "expected"),
    [({"p": ("&", "x")}, "*p", "x"), ({"p": ("&", "x")}, "p->f", "x.f"), ({}, "*p", "*p"), ({"p": 1}, "p->f", "p->f"), ({"x": ("&", "y")}, "x", "x")],
)
def test_a_known_address_is_followed(env: Env, path: str, expected: str) -> None:
    assert resolve(env, path) == expected


def test_a_pointer_that_may_be_null_becomes_one_or_the_other() -> None:
    for outcome, held in ((True, ("p", "ptl")), (False, 0)):
        env: Env = {"pte": ("m", "ptl")}
        assert ask(env, ("v", "pte")).known is None
        learn(env, "pte", outcome)
        assert env["pte"] == held
        assert ask(env, ("v", "pte")).known is outcome


@pytest.mark.parametrize(("key", "outcome", "implied"), [("present#7", True, {"none#7": 0}), ("none#7", True, {"present#7": 0}), ("dirty#7", True, {})])
def test_predicates_imply_others(key: str, outcome: bool, implied: Env) -> None:
    env: Env = {}
    learn(env, key, outcome)
    assert env[key] == 1
    assert implied.items() <= env.items()
    learn(other := {}, key, False)
    assert other == {key: 0}, "the negative of a predicate implies nothing"


def test_presence_of_what_was_read_or_taken_keeps_states_apart() -> None:
    read, cleared, gone = ("e", 4, "read", "", "pte"), ("e", 5, "cleared", "", "pte"), ("e", 6, "read", "", "")
    env: Env = {"v": read, "w": cleared, "x": gone, "present#4": 1, "present#5": 1, "present#6": 0}
    assert presence(env) == ((4, 1), (5, 1))
    assert list(reads_of(env, "pte")) == [read]
    forget(env, "pte")
    assert presence(env) == ((5, 1),) and list(reads_of(env, "pte")) == [], "the pointer moved on"
    assert env["v"] == ("e", 4, "read", "", ""), "the value did not"


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("f(vmf->ptl)", {"vmf", "vmf->ptl"}),
        ("*p", {"p", "*p"}),
        ("a.b.c", {"a", "a.b", "a.b.c"}),
        ("(new_ptl==old_ptl)", {"new_ptl", "old_ptl"}),
        ("x->y[i]", {"x", "x->y", "x->y[i]"}),
    ],
)
def test_mentions(key: str, paths: set[str]) -> None:
    assert paths <= mentions(key)


def test_copies_of_each_other_say_nothing() -> None:
    env: Env = {"a": ("term", "b", False, "copy"), "b": ("term", "a", False, "copy")}
    assert truth(env, env["a"]) is None
