"""Roots that call the same go together; nothing is lost, and no group is too heavy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlblint.engine.lots import together

WEIGHTS = [5, 1, 10, 20, 3, 30, 8, 10]


def groups(items: list[set[int]], parts: int) -> list[list[set[int]]]:
    return together(items, lambda item: item, WEIGHTS, parts)


def test_what_calls_the_same_goes_together() -> None:
    one, other, apart, third = {0, 3}, {1, 3}, {6, 7}, {2, 7}
    assert groups([one, apart, other, third, {5}], 2) == [[one, other], [apart, third], [{5}]]


def test_the_heaviest_go_first() -> None:
    assert groups([{1}, {3}, {5}], 2) == [[{5}], [{3}], [{1}]]


def test_what_is_too_heavy_for_one_process_is_parted() -> None:
    assert sorted(map(len, groups([{0, 3}, {1, 3}, {2, 3}, {3, 4}], 2))) == [1, 1, 2]


def test_one_process_needs_no_groups() -> None:
    assert groups([{1}, {3}, {0, 3}], 1) == [[{1}], [{3}], [{0, 3}]]


@given(st.lists(st.sets(st.integers(0, len(WEIGHTS) - 1), min_size=1), max_size=12), st.integers(1, 4))
def test_nothing_is_lost(items: list[set[int]], parts: int) -> None:
    made = groups(items, parts)
    assert sorted(map(sorted, (item for group in made for item in group))) == sorted(map(sorted, items))
    loads = [sum(WEIGHTS[index] for index in item) for item in items]
    for group in made:
        assert len(group) == 1 or sum(WEIGHTS[index] for item in group for index in item) <= sum(loads) / parts
