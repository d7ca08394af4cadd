"""Paths, calls and locks: the C of cases.py must give the findings marked in it."""

from __future__ import annotations

import pytest

from tests.engine.cases import ALL
from tests.engine.small import judge, marked, places

_MIDDLE = "a function that only calls helpers, or helpers and flushes, is taken for a stranger: its helpers are run as roots"
_STORED = "a stored comparison loses the negation of == 0 and !="

# engine: known miss
KNOWN_MISSES = {
    "locks: caller that only calls helpers": "the front end leaves the caller out: it names no API function",
    "guards: an error code is not zero, not positive (bad)": "not zero is taken to be positive",
    "guards: conjunction repeated": "one environment a state: which of both was false is forgotten at the join",
    "calls: unknown callee may change the fields of what it is given (bad)": "fields survive unknown calls",
}
"""Cases that the engine gets wrong, and why: exactly these, so one that comes right has to leave the list."""


def wrong(title: str) -> str:
    """What is found where it should not be, or the other way round; "" when all is right."""
    result = judge(ALL[title])
    found, expected = places(result, ALL[title]), marked(ALL[title])
    gaps = [f"{gap.function}: {gap.why}" for gap in result.not_analysed]
    return "" if found == expected and not gaps else f"found {found}, expected {expected}, not analysed {gaps}{ALL[title]}"


@pytest.mark.parametrize("title", [title for title in ALL if title not in KNOWN_MISSES])
def test_findings_stand_where_they_are_marked(title: str) -> None:
    problem = wrong(title)
    if problem:
        pytest.fail(problem, pytrace=False)


def test_the_known_misses_are_exactly_the_misses() -> None:
    assert {title for title in ALL if wrong(title)} == set(KNOWN_MISSES)


def test_titles_say_which_side_a_case_is_on() -> None:
    assert [title for title in ALL if title.endswith("(bad)") != bool(marked(ALL[title]))] == []
