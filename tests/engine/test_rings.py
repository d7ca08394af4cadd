"""The order in which functions are looked at when each answer needs those of the callees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlblint.engine.rings import rings

graphs = st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=4), min_size=n, max_size=n))


def walk(graph: list[list[int]], start: int, known: dict[int, int]) -> list[list[int]]:
    out = []
    for ring in rings(start, lambda index: graph[index], known):
        out.append(ring)
        known.update(dict.fromkeys(ring, 0))
    return out


def below(graph: list[list[int]], start: int) -> set[int]:
    out, work = {start}, [start]
    while work:
        new = set(graph[work.pop()]) - out
        out |= new
        work += new
    return out


@given(graphs)
def test_callees_come_first_and_rings_together(graph: list[list[int]]) -> None:
    found = walk(graph, 0, {})
    assert sorted(index for ring in found for index in ring) == sorted(below(graph, 0))
    for at, ring in enumerate(found):
        earlier = {index for other in found[:at] for index in other}
        for index in ring:
            assert {i for i in below(graph, index) if index in below(graph, i)} == set(ring)
            assert set(graph[index]) <= earlier | set(ring)


@given(graphs)
def test_the_order_in_a_ring_does_not_hang_on_what_is_asked_first(graph: list[list[int]]) -> None:
    def all_from(starts: list[int]) -> dict[frozenset[int], list[int]]:
        known: dict[int, int] = {}
        return {frozenset(ring): ring for start in starts for ring in walk(graph, start, known)}

    starts = list(range(len(graph)))
    assert all_from(starts) == all_from(starts[::-1])


def test_a_long_chain_needs_no_stack() -> None:
    assert walk([[index + 1] for index in range(5000)] + [[]], 0, {})[0] == [5000]


def test_what_is_known_is_not_looked_at_again() -> None:
    graph = [[1, 2], [2], []]
    assert walk(graph, 0, {1: 0, 2: 0}) == [[0]]
    assert walk(graph, 1, {1: 0}) == []
