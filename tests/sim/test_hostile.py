"""Whatever a scenario file holds, the answer is a scenario or a ScenarioError, and soon."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sim.catalogue import NAMES, PLACE, machines
from tlblint.sim import Bounds, ScenarioError, explore
from tlblint.sim import scenario as scenarios
from tlblint.sim.lang import parse_way

HEAD = "scenario s\nprofile x86-ipi\nva a = P|W|D|pfn(1)\nlock l\nvar x = 0\nexpect buggy safe\nexpect fixed safe\n"


def feed(text: str) -> None:
    try:
        one = scenarios.parse(text, machines(), "s.scn")
        for variant in one.variants:
            explore(variant.model, Bounds(300))
    except ScenarioError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable() or not text.isprintable()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    feed(text)
    feed(HEAD + text)
    feed(f"{HEAD}thread k on cpu0\n    {text}\n")


_WORDS = """
    if goto await either or and not end x l a r k P W D pfn ( ) [ ] , . : ; = == != < <= | & + - ~ 0 1 255 300 lock unlock flush store any
    xchg_pte set_pte flush_batched tables write read returns fail_if contract uaf store assume cpu tlb pte free gen defer ubc_flush switch_in
    page_mkclean "w" @a:1 # l:
"""
WORDS = st.sampled_from(_WORDS.split())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=4))
def test_words_of_the_language_in_any_order(lines: list[str]) -> None:
    feed(f"{HEAD}thread k on cpu0\n" + "".join(f"    {line}\n" for line in lines))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(NAMES), st.data())
def test_shipped_files_with_a_line_or_character_lost(name: str, data: st.DataObject) -> None:
    text = (PLACE / f"{name}.scn").read_text()
    at = data.draw(st.integers(0, len(text) - 1))
    feed(text[:at] + text[at + 1 :])
    lines = text.splitlines(keepends=True)
    gone = data.draw(st.integers(0, len(lines) - 1))
    feed("".join(lines[:gone] + lines[gone + 1 :]))


@pytest.mark.parametrize(
    "step",
    [
        "x = " + "(" * 5000 + "1" + ")" * 5000,
        "x = " + "~" * 5000 + "1",
        "x = " + "not " * 5000 + "1",
        "x = " + "1 + " * 5000 + "1",
        "x = " + "x & " * 5000 + "1",
        "x = " + "x or " * 5000 + "1",
        "x = a" + ".P" * 5000,
        "if x: " * 5000 + "x = 1",
        "x = 1; " * 5000 + "x = 2",
        "x = " + "9" * 100_000,
        "x" * 100_000 + " = 1",
        "flush(" + "a, " * 5000 + "a)",
        "x = pte[" * 3000,
        'x = 1 "' + "w" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_long_and_deep_lines(step: str) -> None:
    feed(f"{HEAD}thread k on cpu0\n    {step}\n")


def test_long_and_deep_files() -> None:
    feed("scenario s\n" * 50_000)
    feed(HEAD + "".join(f"lock l{at}\n" for at in range(20_000)) + "thread k on cpu0\n    nop()\n")
    feed(f"{HEAD}thread k on cpu0\n" + "    x = x + 1\n" * 20_000)
    feed(f"{HEAD}thread k on cpu0\n" + "    if x goto e\n    r = r + 1\n    if r goto e\n" * 60 + "    e: nop()\n")
    feed(f"{HEAD}thread k on cpu0\n    r = 1\n" + "    if r goto e\n" * 240 + "    e: nop()\n")
    feed(f"{HEAD}thread k on cpu0\n    either x = 1\n" + "    or x = 2\n" * 5000)
    feed("x" * (scenarios.LARGEST + 1))


def test_line_ends_of_other_systems_and_odd_blanks() -> None:
    text = (PLACE / f"{NAMES[0]}.scn").read_text()
    one = scenarios.parse(text.replace("\n", "\r\n"), machines())
    assert one.variants == scenarios.parse(text, machines()).variants
    assert scenarios.parse("\ufeff" + text, machines()).variants == one.variants
    assert scenarios.parse(text.replace("\n", "\r"), machines()).variants == one.variants
    feed(text.replace(" ", "\xa0"))
    feed(text.replace("\n", "\x0b"))


def test_lines_are_counted_as_editors_do() -> None:
    with pytest.raises(ScenarioError) as caught:
        scenarios.parse("scenario s\nabout a\x0cb \u2028 \x85 c\nprofil x\n", machines(), "s.scn")
    assert str(caught.value).startswith("s.scn:3:1: ")


def test_what_is_wrong_is_said_in_a_line_of_some_length() -> None:
    with pytest.raises(ScenarioError) as caught:
        scenarios.parse(f"{HEAD}cpus {'9 ' * 100_000}\n", machines(), "s.scn")
    assert len(str(caught.value)) < 500
    assert str(caught.value).startswith("s.scn:8:6: expected a number from 0 to 255")


def test_more_threads_than_are_explored_are_refused_at_once() -> None:
    text = HEAD + "".join(f"thread k{at} on cpu0\n    nop()\n" for at in range(20_000))
    with pytest.raises(ScenarioError, match="one thread too many"):
        scenarios.parse(text, machines())


def test_a_step_may_be_nothing_but_a_label() -> None:
    way, label = parse_way("out:")
    assert way.body == ()
    assert label is not None
