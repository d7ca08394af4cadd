"""Truth tables against sets of assignments, and arithmetic on them against arithmetic on numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.predicates.mini import holds
from tlblint.predicates import diagrams
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.words import Space, Word

N = 4
SYMBOLIC, PLAIN = Space(N), Space()
OPERATORS = ("+", "-", "*", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">", "<=", ">=", "/", "%")


def table(space: Space, wanted: int) -> int:
    """The table that holds under the assignments that are set bits of ``wanted``."""
    found = 0
    for at in range(1 << space.n):
        if wanted >> at & 1:
            term = space.full
            for index in range(space.n):
                variable = space.variable(index)
                term = space.and_(term, variable if at >> index & 1 else space.not_(variable))
            found = space.or_(found, term)
    return found


TABLES = st.integers(0, (1 << (1 << N)) - 1)


@settings(max_examples=300, deadline=None)
@given(TABLES, TABLES, TABLES)
def test_a_table_is_a_set_of_assignments(a: int, b: int, c: int) -> None:
    space, full = Space(N), (1 << (1 << N)) - 1
    x, y, z = (table(space, wanted) for wanted in (a, b, c))
    for found, wanted in (
        (space.and_(x, y), a & b), (space.or_(x, y), a | b), (space.xor(x, y), a ^ b), (space.not_(x), a ^ full),
        (space.choose(x, y, z), a & b | ~a & c & full),
    ):  # fmt: skip
        assert found == table(space, wanted), "equal tables are one number"
        assert [holds(space, found, at) for at in range(1 << N)] == [bool(wanted >> at & 1) for at in range(1 << N)]
        assert space.count(found) == wanted.bit_count()


def test_tables_that_do_not_stay_small_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagrams, "MOST_WORK", 20_000)
    space = Space(24)
    entry = space.of_bits([space.variable(i) for i in range(24)], False)
    with pytest.raises(Inconclusive, match="too much work"):
        space.binary("*", space.binary("^", entry, space.binary("*", entry, space.constant(0x5A5))), space.constant(0x1353))


@st.composite
def words(draw: st.DrawFn) -> tuple[Word, tuple[int, ...]]:
    """A symbolic word and its number under each of the 16 assignments."""
    width, signed = draw(st.sampled_from(((8, False), (16, True), (32, True), (32, False), (64, True), (64, False))))
    values = [draw(st.integers(0, (1 << width) - 1))] * (1 << N)
    if draw(st.booleans()):
        values = [draw(st.integers(0, (1 << width) - 1)) for _ in range(1 << N)]
    bits = [table(SYMBOLIC, sum((value >> i & 1) << at for at, value in enumerate(values))) for i in range(width)]
    return SYMBOLIC.of_bits(bits, signed), tuple(values)


def at(word: Word, index: int) -> Word:
    """The word under one assignment."""
    return Word(word.width, word.signed, sum(holds(SYMBOLIC, bit, index) << i for i, bit in enumerate(SYMBOLIC.tables(word))))


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
    assert [sum(holds(SYMBOLIC, t, at) << i for i, t in enumerate(tables)) for at in range(1 << N)] == list(range(1 << N))
