"""Names that stand alone in a text, looked for in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.syntax import patterns

NAMES = frozenset({b"a_b", b"a_b_b", b"_a_b", b"b_", b"__a", b"a_a_b"})


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = dict(patterns._finders)
    yield
    patterns._finders.clear()
    patterns._finders.update(before)


@given(st.lists(st.sampled_from([b"a", b"b", b"_", b" ", b"(", b"\xe4", b"a_b", b"b_"]), max_size=12).map(b"".join))
def test_both_ways_find_what_a_regex_finds(text: bytes) -> None:
    patterns._finders.clear()
    plain = patterns.whole(text, NAMES)
    patterns.ready(NAMES)
    assert patterns._finders
    assert patterns.whole(text, NAMES) == plain == [m.start() for m in re.finditer(rb"\b(?:" + b"|".join(NAMES) + rb")\b", text)]


def test_names_without_an_underscore_are_found_all_the_same() -> None:
    names = frozenset({b"plain", b"_late"})
    patterns.ready(names)
    patterns.ready(frozenset())
    assert patterns.whole(b"plain explain _late(plain)", names) == [0, 14, 20]
    assert patterns.whole(b"plain", frozenset()) == []
