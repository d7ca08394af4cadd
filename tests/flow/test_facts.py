"""From bytes to the facts of a file."""

from __future__ import annotations

import pytest

from tlblint.flow import facts, facts_of
from tlblint.flow.lower import lower
from tlblint.model.ir import NotAnalysed
from tlblint.syntax import Config

RELEVANT = frozenset((b"set_pte_at",))
TEXT = b"""static int one(struct mm_struct *mm, pte_t *p) __releases(*p)
{
\tset_pte_at(mm, 0, p, *p);
\treturn 0;
}

static void other(void)
{
\tnothing();
}

void two(pte_t *p)
{
\tset_pte_at(0, 0, p, *p);
}
"""


def test_functions_in_scope_and_lines() -> None:
    found = facts_of("mm/x.c", TEXT, Config(), RELEVANT)
    assert [(function.name, TEXT[function.start : function.start + 6]) for function in found.functions] == [("one", b"static"), ("two", b"void t")]
    assert found.functions[0].annotations == ("releases(*p)",)
    assert (found.path, found.total, found.partial, found.not_analysed) == ("mm/x.c", 2, 0, ())
    assert [TEXT[at : at + 1] for at in found.newlines] == [b"\n"] * TEXT.count(b"\n")


def test_functions_named_besides() -> None:
    assert [function.name for function in facts_of("x.c", TEXT, Config(), RELEVANT, frozenset((b"other",))).functions] == ["one", "other", "two"]


def test_one_function_never_costs_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_on_one(node, *rest):  # type: ignore[no-untyped-def]
        if b"one" in TEXT[node.start_byte : node.start_byte + 20]:
            raise IndexError
        return lower(node, *rest)

    monkeypatch.setattr(facts, "lower", fails_on_one)
    found = facts_of("x.c", TEXT, Config(), RELEVANT)
    assert [function.name for function in found.functions] == ["two"]
    assert found.not_analysed == (NotAnalysed("x.c", "one", 0, "not understood: IndexError"),)
    assert found.total == 2


def test_too_deep_is_not_analysed() -> None:
    text = TEXT.replace(b"\treturn 0;", b"\t" + b"{" * 300 + b"}" * 300 + b"return 0;")
    found = facts_of("x.c", text, Config(), RELEVANT)
    assert [function.name for function in found.functions] == ["two"]
    assert [(miss.function, miss.why) for miss in found.not_analysed] == [("one", "nested too deeply")]


def test_a_function_in_doubt_is_told_of_and_kept() -> None:
    text = TEXT.replace(b"\treturn 0;", b"\tgoto lost;")
    found = facts_of("x.c", text, Config(), RELEVANT)
    assert [function.name for function in found.functions] == ["one", "two"]
    assert [(miss.function, miss.why) for miss in found.not_analysed] == [("one", "label lost not found")]
    assert found.partial == 1
