"""Facts as bytes: nothing is lost, nothing but facts comes back, and a function's shape does not say where it stands."""

from __future__ import annotations

import pickle
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.conftest import ROOT
from tlblint.app import spine as spines
from tlblint.app.spine import Wanted
from tlblint.calls.program import size
from tlblint.calls.record import NESTED, checked, decode, encode, shape, shapes
from tlblint.model.ir import Block, FileFacts, Function

FILES = sorted(path for folder in ("rules", "traps") for path in (ROOT / "fixtures" / folder).glob("*.c"))
TEXT = b"""static void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	arch_enter_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}
"""


@pytest.fixture(scope="module")
def facts() -> list[FileFacts]:
    spine = spines.load(Wanted())
    return [spine.facts(f"mm/{path.name}", path.read_bytes()) for path in FILES]


def test_facts_come_back(facts: list[FileFacts]) -> None:
    for fact in facts:
        back = decode(encode(fact))
        assert [len(fn.blocks) for fn in back.functions] == [len(fn.blocks) for fn in fact.functions]
        assert [size(fn) for fn in back.functions] == [size(fn) for fn in fact.functions]
        assert back == fact
        assert fact == back
        assert hash(back.functions) == hash(fact.functions)
        for mine, theirs in zip(back.functions, fact.functions, strict=True):  # no list for a tuple, no 1 for a True
            assert repr(replace(mine, advanced=frozenset())) == repr(replace(theirs, advanced=frozenset()))
        assert back.shapes == shapes(fact)
    assert sum(len(fact.functions) for fact in facts) > 50


def test_blocks_are_made_when_somebody_asks_and_travel_as_what_they_are(facts: list[FileFacts]) -> None:
    fact = max(facts, key=lambda fact: len(fact.functions))
    back = decode(encode(fact))
    assert pickle.loads(pickle.dumps(back.functions)) == fact.functions
    assert all(type(fn.blocks) is tuple for fn in pickle.loads(pickle.dumps(back.functions)))
    again = decode(encode(back))
    assert again.functions[0].blocks[0] == fact.functions[0].blocks[0]
    assert again.functions[0].blocks[1:] == fact.functions[0].blocks[1:]


def test_a_shape_does_not_depend_on_what_stands_above() -> None:
    spine = spines.load(Wanted())
    one, other = spine.facts("mm/a.c", TEXT), spine.facts("mm/b.c", b"/* moved */\nint x;\n\n" + TEXT)
    assert one.functions[0].start != other.functions[0].start
    assert shapes(one) == shapes(other)


@pytest.mark.parametrize(("old", "new"), [(b"static ", b""), (b"*pte =", b" *pte ="), (b"pte, ptl", b"pte, ptk"), (b"addr)", b"adds)")])
def test_a_shape_depends_on_everything_else(old: bytes, new: bytes) -> None:
    spine = spines.load(Wanted())
    assert shapes(spine.facts("mm/a.c", TEXT)) != shapes(spine.facts("mm/a.c", TEXT.replace(old, new)))


def test_variants_have_shapes_of_their_own(facts: list[FileFacts]) -> None:
    for fact in facts:
        for fn in fact.functions:
            assert shape(fn) != shape(replace(fn, variant=fn.variant + 1))


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        decode(raw)


@given(st.data())
def test_cut_and_changed_bytes_never_give_anything_but_facts(data: st.DataObject) -> None:
    block = Block((("call", 0, "f", (("&", "x"), ("op", "+", ("v", "a"), ("n", 1))), 7),), "return", None, (), 9)
    raw = encode(FileFacts("a.c", (Function("f", "a.c", 1, 10, (("a", "int"),), "int", True, (block,), frozenset({"p"})),), (), (), 1, 0, (3, 9)))
    at = data.draw(st.integers(0, len(raw) - 1))
    bad = data.draw(st.sampled_from([raw[:at], raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at + 1 :]]))
    with suppress(ValueError):
        assert all(type(block) is Block for fn in checked(bad).functions for block in fn.blocks)


def test_an_expression_deeper_than_any_is_refused_not_mangled() -> None:
    expr: tuple[object, ...] = ("v", "x")
    for _ in range(NESTED + 5):
        expr = ("!", expr)
    deep = FileFacts("a.c", (Function("f", "a.c", 0, 9, (), "int", False, (Block((), "return", expr, (), 1),), frozenset()),), (), (), 1, 0, ())
    with pytest.raises(ValueError, match=r"\S"):
        decode(encode(deep))
