"""Arithmetic on truth tables against arithmetic on numbers, assignment by assignment."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.words import Space, Word

N = 4
SYMBOLIC, PLAIN = Space(N), Space()
OPERATORS = ("+", "-", "*", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">", "<=", ">=", "/", "%")


@st.composite
def words(draw: st.DrawFn) -> tuple[Word, tuple[int, ...]]:
    """A symbolic word and its number under each of the 16 assignments."""
    width, signed = draw(st.sampled_from(((8, False), (16, True), (32, True), (32, False), (64, True), (64, False))))
    values = [draw(st.integers(0, (1 << width) - 1))] * (1 << N)
    if draw(st.booleans()):
        values = [draw(st.integers(0, (1 << width) - 1)) for _ in range(1 << N)]
    bits = [sum((value >> i & 1) << at for at, value in enumerate(values)) for i in range(width)]
    return SYMBOLIC.of_bits(bits, signed), tuple(values)


def at(word: Word, index: int) -> Word:
    """The word under one assignment."""
    return Word(word.width, word.signed, sum((table >> index & 1) << i for i, table in enumerate(SYMBOLIC.tables(word))))


@settings(max_examples=400, deadline=None)
@given(words(), words(), st.sampled_from(OPERATORS))
def test_an_operator_means_the_same_for_all_assignments(a: tuple[Word, tuple[int, ...]], b: tuple[Word, tuple[int, ...]], operator: str) -> None:
    try:
        found = SYMBOLIC.binary(operator, a[0], b[0])
    except Inconclusive:
        return  # said, not guessed
    for index in (0, 5, 15):
        try:
            expected = PLAIN.binary(operator, at(a[0], index), at(b[0], index))
        except Inconclusive:
            continue  # undefined for this pair
        assert at(found, index) == expected


@settings(max_examples=200, deadline=None)
@given(words(), st.sampled_from((8, 16, 32, 64)), st.booleans())
def test_casts_and_unary_operators(a: tuple[Word, tuple[int, ...]], width: int, signed: bool) -> None:
    for found, expected in (
        (SYMBOLIC.cast(a[0], width, signed), lambda w: PLAIN.cast(w, width, signed)),
        (SYMBOLIC.complement(a[0]), PLAIN.complement),
        (SYMBOLIC.negative(a[0]), PLAIN.negative),
    ):
        assert [at(found, i) for i in (1, 14)] == [expected(at(a[0], i)) for i in (1, 14)]


def test_variables_are_all_assignments() -> None:
    tables = [SYMBOLIC.variable(i) for i in range(N)]
    assert [sum((t >> at & 1) << i for i, t in enumerate(tables)) for at in range(1 << N)] == list(range(1 << N))
