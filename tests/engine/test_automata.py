"""Rule automata by themselves: which transition an event takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.small import rule
from tlblint.engine.automata import Automata
from tlblint.engine.events import Event
from tlblint.engine.grammar import ARG_GUARDS, PLAIN_GUARDS, GrammarError, RuleSpec, parse_transition

_EMPTY: dict[str, Any] = {"str": "", "int": 0, "bool": False, "frozenset[str]": frozenset(), "Env": {}, "dict[str, object]": {}}


def event(kind: str, **more: Any) -> Event:
    """An event with nothing special about it."""
    values = {name: _EMPTY.get(type_, None if "None" in type_ else ()) for name, type_ in Event.__init__.__annotations__.items() if name != "return"}
    return Event(**{**values, "kind": kind, "site": 5, **more})


def machine(*rules: RuleSpec, features: frozenset[str] = frozenset()) -> Automata:
    return Automata(rules, features)


LOCK = rule("LOCK", ("ptl",), "held", "start -> held : ptl.acquire(ptl)", "held -> gone : ptl.release(ptl)", "held -> ERROR : exit say 'kept'")
VALUE = rule("VALUE", ("value",), "seen", "start -> seen : entry.clear", "seen -> gone : test.dirty(value)=false",
             "seen -> ERROR : test.dirty(value)=true say 'dirty'")  # fmt: skip


def test_start_binds_and_the_same_object_ends() -> None:
    auto = machine(LOCK)
    one, bad, changed = auto.apply((), event("ptl.acquire", objects={"ptl": "a"}))
    assert one == ((0, "held", ("a",), 5),) and not bad and changed
    two, _, _ = auto.apply(one, event("ptl.acquire", objects={"ptl": "b"}, site=6))
    assert two == ((0, "held", ("a",), 5), (0, "held", ("b",), 6))
    left, bad, _ = auto.apply(two, event("ptl.release", objects={"ptl": "a"}))
    assert left == ((0, "held", ("b",), 6),) and not bad


def test_another_object_is_left_alone() -> None:
    held = ((0, "held", ("a",), 5),)
    assert machine(LOCK).apply(held, event("ptl.release", objects={"ptl": "b"})) == (held, [], False)


@pytest.mark.parametrize("other", [("a", "b"), ()])
def test_a_lock_known_by_halves_matches(other: object) -> None:
    """A tuple stands for any of its members, the empty one for a lock that nobody knows."""
    assert machine(LOCK).apply(((0, "held", ("a",), 5),), event("ptl.release", objects={"ptl": other}))[0] == ()
    assert machine(LOCK).apply(((0, "held", (other,), 5),), event("ptl.release", objects={"ptl": "a"}))[0] == ()


def test_an_event_without_the_tracked_object_does_not_match() -> None:
    held = ((0, "held", ("a",), 5),)
    assert machine(LOCK).apply(held, event("ptl.release", objects={}))[0] == held


def test_an_error_is_reported_once_and_ends_the_instance() -> None:
    held = ((0, "held", ("a",), 5), (0, "held", ("b",), 6))
    left, bad, _ = machine(LOCK).apply(held, event("exit"))
    assert left == ()
    assert [(v.rule, v.instance, v.say) for v in bad] == [(0, held[0], "kept"), (0, held[1], "kept")]


@pytest.mark.parametrize(("truth", "errors"), [(True, 1), (False, 0), (None, 0)])
def test_the_outcome_of_a_test_decides(truth: bool | None, errors: int) -> None:
    held = ((0, "seen", (9,), 5),)
    left, bad, _ = machine(VALUE).apply(held, event("test.dirty", objects={"value": 9}, truth=truth))
    assert len(bad) == errors
    assert left == (held if truth is None else ())


def test_the_first_transition_that_holds_wins() -> None:
    first = rule("ONE", (), "x y z", "start -> x : lazy.enter", "x -> y : exit when root", "x -> z : exit", "y|z -> gone : sleep")
    auto = machine(first)
    assert auto.apply(((0, "x", (), 5),), event("exit", is_root=True))[0] == ((0, "y", (), 5),)
    assert auto.apply(((0, "x", (), 5),), event("exit"))[0] == ((0, "z", (), 5),)


def test_one_event_is_one_step() -> None:
    """An instance that an event creates or moves does not step again on it."""
    twice = rule("TWICE", (), "x y", "start -> x : sleep", "x -> y : sleep", "y -> ERROR : sleep say 'third'")
    auto = machine(twice)
    state: tuple[Any, ...] = ()
    counts = []
    for _ in range(3):
        state, bad, _ = auto.apply(state, event("sleep"))
        counts.append(([s for _, s, _, _ in state], len(bad)))
    assert counts == [(["x"], 0), (["x", "y"], 0), (["x", "y"], 1)]


def test_instances_have_one_order() -> None:
    auto = machine(LOCK, VALUE)
    held = ((0, "held", ("b",), 6), (0, "held", ("a",), 5))
    a = auto.apply(held, event("ptl.acquire", objects={"ptl": "c"}, site=7))[0]
    assert a == auto.apply(held[::-1], event("ptl.acquire", objects={"ptl": "c"}, site=7))[0]


GUARDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("may-be-present", {"present": None}, {"present": False}),
    ("known-present", {"present": True}, {"present": None}),
    ("walked", {"walked": True}, {}),
    ("page-table-level", {"level": "pte"}, {"level": "pmd"}),
    ("huge-level", {"level": "pmd"}, {"level": "pte"}),
    ("lazy", {"lazy": 2}, {"lazy": 0}),
    ("lazy-told", {"lazy": -1}, {"lazy": 1}),
    ("pending-open", {"pending": 1}, {"pending": 0}),
    ("root", {"is_root": True}, {}),
    ("ptl-held", {"held": (("a", "pte", ""),)}, {}),
    ("user-space", {"user": True}, {"user": True, "attrs": frozenset({"kernel"})}),
    ("cleaned-value", {"bits": "cd"}, {"bits": "d"}),
    ("read-value", {"origin": "read"}, {"origin": "cleared"}),
    ("restores", {"pointer_kept": True}, {"pointer_kept": True, "bits": "c"}),
    ("moves", {"moved": True, "origin": "cleared"}, {"moved": True, "origin": "built"}),
    ("anon-page", {"env": {"anon#folio": 1}}, {"env": {"anon#folio": 0}}),
    ("attr:plain|full", {"attrs": frozenset({"full"})}, {"attrs": frozenset({"atomic"})}),
    ("contract:one|two", {"says": frozenset({"two"})}, {"says": frozenset({"three"})}),
]


@pytest.mark.parametrize(("guard", "yes", "no"), GUARDS, ids=[guard for guard, _, _ in GUARDS])
def test_guards(guard: str, yes: dict[str, Any], no: dict[str, Any]) -> None:
    for word, for_yes, for_no in ((guard, 1, 0), (f"not {guard}", 0, 1)):
        auto = machine(rule("G", (), "", f"start -> ERROR : sleep when {word} say 'x'"))
        assert len(auto.apply((), event("sleep", **yes))[1]) == for_yes
        assert len(auto.apply((), event("sleep", **no))[1]) == for_no


def test_features_are_of_the_kernel() -> None:
    needs = rule("F", (), "", "start -> ERROR : sleep when feature:nests|pauses say 'x'")
    assert machine(needs, features=frozenset({"pauses"})).apply((), event("sleep"))[1]
    assert not machine(needs, features=frozenset({"other"})).apply((), event("sleep"))[1]


def test_every_word_of_the_grammar_is_known_at_run_time() -> None:
    """A guard that parses and then fails would end a run."""
    for word in sorted(PLAIN_GUARDS | {f"{word}:x" for word in ARG_GUARDS}):
        tracked = rule("W", ("ptl", "value"), "s", "start -> s : lazy.enter", f"s -> gone : sleep when {word}")
        machine(tracked).apply(((0, "s", ("a", 3), 5),), event("sleep", objects={"ptl": "b", "value": 3}))


def test_listens() -> None:
    auto = machine(LOCK, VALUE)
    assert auto.listens((0, "held", ("a",), 5), frozenset({"exit"}))
    assert not auto.listens((0, "held", ("a",), 5), frozenset({"test.dirty", "ptl.acquire"}))
    assert auto.listens((1, "seen", (3,), 5), frozenset({"test.dirty"}))


WHOLE = "open|late -> ERROR : entry.clear(ptl), test.dirty(value)=true when walked and not attr:plain say 'It isn't {ptl}.'"


def test_a_transition_is_read_whole() -> None:
    read = parse_transition(WHOLE, frozenset({"open", "late"}))
    assert (read.sources, read.target, read.say) == (("open", "late"), "ERROR", "It isn't {ptl}.")
    assert [(e.kind, e.object, e.truth) for e in read.events] == [("entry.clear", "ptl", None), ("test.dirty", "value", True)]
    assert [(g.word, g.argument, g.negated) for g in read.guards] == [("walked", "", False), ("attr", "plain", True)]


MISTAKES = [
    ("open > gone : exit", "expected 'STATE", "open"),
    ("open -> gone exit", "expected 'STATE", "open"),
    ("closed -> gone : exit", "unknown state 'closed'", "closed"),
    ("open -> closed : exit", "unknown state 'closed'", "closed"),
    ("open -> start : exit", "'start' stands only", "open"),
    ("gone -> open : exit", "'start' stands only", "gone"),
    ("open -> gone : vanish", "unknown event 'vanish'", "vanish"),
    ("open -> gone : exit, vanish", "unknown event 'vanish'", "vanish"),
    ("open -> gone : exit(lock)", "unknown object 'lock'", "lock"),
    ("open -> gone : exit when tired", "unknown guard 'tired'", "tired"),
    ("open -> gone : exit when root and tired", "unknown guard 'tired'", "tired"),
    ("open -> gone : exit when root:x", "unknown guard 'root'", "root"),
    ("open -> gone : exit when attr", "unknown guard 'attr'", "attr"),
    ("open -> gone : exit = maybe", "cannot read", "= maybe"),
    ("open -> gone : exit say sentence", "single quotes", "say"),
    ("open -> ERROR : exit as flush.now say 'x'", "'as' takes one of lazy.leave", "flush.now"),
    ("open -> gone : exit as lazy.leave", "in a transition to ERROR only", "open"),
]


@pytest.mark.parametrize(("text", "what", "at"), MISTAKES)
def test_a_mistake_has_its_column(text: str, what: str, at: str) -> None:
    with pytest.raises(GrammarError, match=what.replace("(", r"\(")) as error:
        parse_transition(text, frozenset({"open"}))
    assert text[error.value.column :].startswith(at)


def test_what_counts_as_done_after_an_error_goes_with_it() -> None:
    auto = machine(rule("M", (), "on", "start -> on : lazy.enter", "on -> ERROR : sleep when not root as lazy.leave say 'x'", "on -> ERROR : exit say 'y'"))
    on = ((0, "on", (), 1),)
    assert [violation.mend for kind in ("sleep", "exit") for violation in auto.apply(on, event(kind))[1]] == ["lazy.leave", ""]


def test_an_error_without_a_sentence() -> None:
    with pytest.raises(GrammarError, match="needs say") as error:
        parse_transition("open -> ERROR : exit", frozenset({"open"}))
    assert error.value.column == len("open -> ERROR : exit")


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_half_a_transition_is_refused_or_read_never_worse(end: int) -> None:
    try:
        parse_transition(WHOLE[:end], frozenset({"open", "late"}))
    except GrammarError as error:
        assert 0 <= error.column <= end
