"""Conditions at a point of a unit."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tlblint.names.conditions import evaluate
from tlblint.names.guards import Macros, holds
from tlblint.names.tokens import macro

NAMES = ("A", "B", "A_MODULE", "F")
MACROS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("", " 0", " 1", " 2UL", " B", " (1 + 1)", "(x) x", " defined(B)", " 1 1")))
TERMS = ("defined(A)", "A", "B == 1", "IS_ENABLED(A)", "IS_MODULE(A)", "F(1)", "!B", "A + B > 1", "defined B", "1", "__is_defined(F)", "__has_attribute(A)")
CONDITIONS = st.lists(st.tuples(st.sampled_from(("&&", "||", "+")), st.sampled_from(TERMS)), min_size=1, max_size=3)


@example([{}, {"A_MODULE": " 1"}], [("&&", "IS_MODULE(A)")])
@example([{"A": " 1"}, {"A": " B"}, {"A": " B", "B": " 1"}], [("&&", "A")])
@given(st.lists(MACROS, min_size=1, max_size=4), CONDITIONS)
def test_an_answer_that_is_remembered_is_the_one_that_would_be_found(several: list[dict[str, str]], terms: list[tuple[str, str]]) -> None:
    """One condition, asked for several machines in turn."""
    text = " ".join(word for term in terms for word in term).split(" ", 1)[1]
    for macros in several:
        known = {name: macro(name + body) for name, body in macros.items()}
        assert holds("if", text, known.get) == (evaluate("if", text, Macros(known.get)) is True)
