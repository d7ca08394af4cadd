"""Paths, calls and locks: the C of cases.py must give the findings marked in it."""

from __future__ import annotations

import pytest

from tests.engine.cases import ALL
from tests.engine.small import judge, marked, places

# engine: known miss
KNOWN_MISSES = frozenset({
    "calls: boolean through two helpers",
    "calls: callee changes what its pointer argument points to",
    "calls: helper of a helper sees the same lock",
    "guards: a count at least one",
    "guards: conjunction repeated",
    "guards: copy of a flag, the original changed after",
    "guards: negated copy of a field whose name is inside",
    "locks: caller that only calls helpers",
    "locks: lock in a field of a local struct, through helpers",
    "locks: lock through an out-parameter, with a local in between",
    "locks: lock through two out-parameters in a row",
})  # fmt: skip
"""Cases that the engine gets wrong: exactly these, so one that comes right has to leave the list."""


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
    assert {title for title in ALL if wrong(title)} == KNOWN_MISSES


def test_titles_say_which_side_a_case_is_on() -> None:
    assert [title for title in ALL if title.endswith("(bad)") != bool(marked(ALL[title]))] == []
