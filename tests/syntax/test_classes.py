"""Definitions of objects that clean up after themselves, read as the functions that they define."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.flow.listing import listing
from tlblint.flow import facts_of
from tlblint.model.ir import Function
from tlblint.syntax.classes import classes
from tlblint.syntax.config import Config


def functions(text: str) -> dict[str, Function]:
    """The functions of a file that begins with an empty line, by name; nothing may be in doubt."""
    facts = facts_of("mm/x.c", ("\n" + text).encode(), Config(), frozenset({b"flush"}), expand=True)
    assert facts.not_analysed == ()
    return {function.name: function for function in facts.functions}


def shown(text: str) -> dict[str, list[str]]:
    return {name: listing(function) for name, function in functions(text).items()}


def test_a_guard_hands_on_what_it_guards() -> None:
    assert shown("DEFINE_GUARD(table, spinlock_t *, spin_lock(_T), spin_unlock(_T))\n") == {
        "class_table_constructor": ["0: t0=spin_lock(_T); return _T"],
        "class_table_destructor": ["0: t0=spin_unlock(_T); return"],
    }


def test_the_structure_around_a_lock_is_left_out() -> None:
    found = shown("DEFINE_LOCK_GUARD_1(table, spinlock_t,\n\t\t    take(_T->lock, _T->flags),\n\t\t    drop(_T->lock), unsigned long flags)\n")
    assert found["class_table_constructor"] == ["0: t0=take(_T, _T->flags); return _T"]
    assert found["class_table_destructor"] == ["0: t0=drop(_T); return"]
    assert shown("DEFINE_LOCK_GUARD_0(lazy, enter(), leave())\n")["class_lazy_destructor"] == ["0: t0=leave(); return"]


def test_a_class_begins_with_its_value_and_ends_with_its_expression() -> None:
    found = functions("DEFINE_CLASS(got, struct a *, if (_T) put(_T), get(mm, n), struct mm *mm, int n)\nEXTEND_CLASS(got, _late, late(mm), struct mm *mm)\n")
    assert found["class_got_constructor"].params == (("mm", "struct mm *"), ("n", "int"))
    assert listing(found["class_got_constructor"]) == ["0: t0=get(mm, n); t=t0; return t"]
    assert listing(found["class_got_destructor"]) == ["0: ? _T 1 2", "1: t0=put(_T); -> 2", "2: return"]
    assert listing(found["class_got_late_constructor"]) == ["0: t0=late(mm); t=t0; return t"]
    assert listing(found["class_got_late_destructor"]) == ["0: t0=class_got_destructor(_T); return"]


def test_a_way_to_free_is_a_function_of_the_pointer() -> None:
    assert shown("DEFINE_FREE(put_a, struct a *, if (!IS_ERR_OR_NULL(_T)) put(_T))\n")["__free_put_a"][-2:] == ["1: t1=put(_T); -> 2", "2: return"]


def test_positions_are_those_of_the_file() -> None:
    text = "DEFINE_GUARD(table, spinlock_t *,\n\t     spin_lock(_T), spin_unlock(_T))\n\nvoid f(int *ptl)\n{\n\tscoped_guard(table, ptl)\n\t\tflush();\n}\n"
    found = functions(text)
    assert ("\n" + text)[found["f"].start :].startswith("void f(")
    [block] = found["f"].blocks
    assert [("\n" + text)[instr[4] :][:7] for instr in block.instrs] == ["scoped_", "flush()", ";\n}\n"]
    begins, ends = found["class_table_constructor"], found["class_table_destructor"]
    assert begins.start == 1 and ends.start == 2, "two functions of one place are told apart"


def test_what_is_not_understood_stays_as_it_is() -> None:
    assert classes(b"int x;\n") is None
    assert classes(b"\nDEFINE_CLASS(a, b)\nDEFINE_GUARD(a\n") is None
    assert classes(b"\n#define DEFINE_GUARD(_name, _type, _lock, _unlock) \\\n\tDEFINE_CLASS(_name, _type, _unlock, _lock, _type _T)\n") is None


@given(st.lists(st.sampled_from([b"\nDEFINE_GUARD(", b"a", b", ", b"(", b")", b"\nDEFINE_FREE(a, b, c)\n", b"\n", b"{", b"}", b"/*", b'"'])).map(b"".join))
def test_any_text_keeps_what_stands_outside(raw: bytes) -> None:
    made = classes(raw)
    if made is not None:
        text, _ = made
        outside = {at for cut in text.cuts for at in range(cut[0], cut[1])}
        for at in set(range(len(text.text))) - outside:
            assert raw[text.origin(at)] == text.text[at]
