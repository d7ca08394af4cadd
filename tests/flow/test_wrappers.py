"""Macros of a file that stand for one call."""

from __future__ import annotations

import pytest

from tlblint.flow import facts_of
from tlblint.flow.members import members_of
from tlblint.flow.wrappers import wrappers_of
from tlblint.syntax.config import Config

NONE = Config(frozenset(), frozenset())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"#define F(v, a) flush(a, v)\n", {"F": (("v", "a"), "flush", ("a", "v"))}),
        (b"#define F(v, a) flush((v)->mm, (a), 0);\n", {"F": (("v", "a"), "flush", ("v->mm", "a", "0"))}),
        (b"#define F(v) flush((v), v->mm, 12, PAGE_SIZE)\n", {"F": (("v",), "flush", ("v", "v->mm", "12", "PAGE_SIZE"))}),
        (b"#define F(v) \\\n\tflush(v)\n", {"F": (("v",), "flush", ("v",))}),
        (b"#define F(v) (flush(v))\n", {"F": (("v",), "flush", ("v",))}),
        (b"#define F(v) flush(v); more(v)\n", {}),
        (b"#define F(v) if (v)\n", {}),
        (b"#define F(v) flush(v)\n#undef F\n#define F(v) no(v)\n", {}),
        (b"#define F flush\n", {}),
    ],
)
def test_which_macros(text: bytes, wanted: object) -> None:
    assert wrappers_of(text) == wanted


def test_a_use_is_the_call() -> None:
    raw = b"#define OUTER(x, y) INNER(y, x)\n#define INNER(a, b) flush(b->mm, (a), a->mm, 3)\nvoid f(struct s *p)\n{\n\tOUTER(p, &local);\n}\n"
    [function] = facts_of("mm/a.c", raw, NONE, frozenset({b"OUTER"}), unwrap=True).functions
    [call] = [instr for block in function.blocks for instr in block.instrs if instr[0] == "call"]
    assert call[2:4] == ("flush", (("v", "p->mm"), ("&", "local"), ("v", "local.mm"), ("n", 3)))
    assert raw[call[4] :].startswith(b"OUTER(")


def test_a_header_keeps_its_names() -> None:
    raw = b"#define F(v) flush(v)\nstatic inline void f(struct s *p)\n{\n\tF(p);\n}\n"
    [function] = facts_of("include/a.h", raw, NONE, frozenset({b"F"}), unwrap=True).functions
    assert any(instr[0] == "call" and instr[2] == "F" for block in function.blocks for instr in block.instrs)


def test_text_that_makes_patterns_back_track() -> None:
    """Ends at all: each of these took longer than the square of its length."""
    for text in (b"#define F(v) flush(v)" + b" " * 200_000 + b"x", b"#define F(v) " + b" \\\n" * 50_000 + b"(", b"#define F(" + b"v, " * 100_000):
        assert wrappers_of(text + b"\n") == {}
    assert members_of(b"struct s { struct mmu_gather tlb; };\n" + b"/*" * 200_000) == {"struct s": (("tlb", "struct mmu_gather"),)}
