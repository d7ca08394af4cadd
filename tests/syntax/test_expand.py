"""Macros of a file, read as what they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.flow import facts_of
from tlblint.model.ir import FileFacts
from tlblint.syntax.config import Config
from tlblint.syntax.expand import expanded, macros_of

NONE = Config(frozenset(), frozenset())
WORDS = frozenset({b"flush", b"lock", b"unlock"})


def facts(raw: bytes) -> FileFacts:
    return facts_of("mm/a.c", raw, NONE, WORDS, expand=True)


def calls(raw: bytes) -> list[tuple[str, object, int]]:
    """(name, arguments, offset) of the calls of the one function."""
    [function] = facts(raw).functions
    return [(instr[2], instr[3], instr[4]) for block in function.blocks for instr in block.instrs if instr[0] == "call"]


def body(macro: bytes, *lines: bytes) -> bytes:
    return macro + b"\nvoid f(struct s *p, struct s *q)\n{\n" + b"".join(b"\t" + line + b"\n" for line in lines) + b"}\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"#define F(v, a) flush(a, v)\n", {b"F": ((b"v", b"a"), b"flush(a, v)")}),
        (b"#define F(v) \\\n\tflush(v); /* that is \\\n all */\n", {b"F": ((b"v",), b"flush(v);")}),
        (b"#define F() flush()\n", {b"F": ((), b"flush()")}),
        (b"#define F(v) if (!(v)) goto out\n", {b"F": ((b"v",), b"if (!(v)) goto out")}),
        (b"#define F(v) own(v)\nstatic void own(int v)\n{\n}\n", {b"F": ((b"v",), b"own(v)")}),
        (b"#define F(v) G(v)\n#define G(v) flush(v)\n", {b"F": ((b"v",), b"G(v)"), b"G": ((b"v",), b"flush(v)")}),
        (b"#define F(v) other(v)\n", {}),
        (b"#define F(v) flush(v)\n#undef F\n#define F(v) no(v)\n", {}),
        (b"#ifdef CONFIG_A\n#define F(v) flush(v)\n#endif\n", {}),
        (b"#define F(v) flush(v)\nstatic int F(int v)\n{\n}\n", {}),
        (b"#define F(v) flush(v##_x)\n", {}),
        (b"#define F(v, ...) flush(v, __VA_ARGS__)\n", {}),
        (b"#define lock(v) flush(v)\n", {}),
        (b"#define F flush\n", {}),
    ],
)
def test_which_macros(text: bytes, wanted: object) -> None:
    assert macros_of(text, WORDS) == wanted


def test_a_use_is_what_it_stands_for_and_stands_where_it_is_used() -> None:
    raw = body(b"#define OUT(x, y) IN(y, x)\n#define IN(a, b) flush((b)->mm, (a), a->mm, 3)\n", b"first(p);", b"OUT(p, /* by, name */ &q);", b"last(q);")
    first, middle, last = calls(raw)
    assert middle[:2] == ("flush", (("v", "p->mm"), ("&", "q"), ("&", "q->mm"), ("n", 3)))
    assert raw[middle[2] :].startswith(b"OUT(p")
    assert raw[first[2] :].startswith(b"first(") and raw[last[2] :].startswith(b"last(")


def test_names_and_control_flow_go_through() -> None:
    raw = body(
        b"#define TAKE(x, out) do { x = lock(p); if (!x) goto out; } while (0)", b"struct s *n;", b"", b"TAKE(n, done);", b"unlock(n);", b"done:", b"return;"
    )
    [function] = facts(raw).functions
    assert not facts(raw).not_analysed
    assert ("set", "n", ("t", 0)) in [instr[:3] for block in function.blocks for instr in block.instrs]
    assert any(block.kind == "branch" for block in function.blocks)
    assert raw[function.start :].startswith(b"void f(") and raw[: function.end].endswith(b"}")


@pytest.mark.parametrize(
    "line", [b"/* F(p) */ other(p);", b'say("F(p)");', b"x->F(p);", b"F = p;", b"F(p, q);", b"# define G F(p)", b"F(p"]
)
def test_what_is_no_use(line: bytes) -> None:
    assert expanded(body(b"#define F(v) flush(v)", line), WORDS) is None


def test_a_header_keeps_its_names() -> None:
    raw = body(b"#define F(v) flush(v)", b"F(p);", b"unlock(p);")
    [function] = facts_of("include/a.h", raw, NONE, WORDS, expand=True).functions
    assert [instr[2] for block in function.blocks for instr in block.instrs if instr[0] == "call"] == ["F", "unlock"]


def test_a_macro_is_not_written_out_in_itself() -> None:
    assert [name for name, *_ in calls(body(b"#define F(v) G(v); flush(v)\n#define G(v) F(v)", b"F(p);"))] == ["F", "flush"]


def test_bombs_stay_as_they_are_written() -> None:
    bomb = b"#define A0(v) flush(v)\n" + b"".join(b"#define A%d(v) %s\n" % (n + 1, b" ".join([b"A%d(v)" % n] * 40)) for n in range(8))
    assert expanded(body(bomb, b"A8(p);"), WORDS) is None


def test_text_that_makes_patterns_back_track() -> None:
    """Ends at all: each of these took longer than the square of its length."""
    for text in (b"#define F(v) flush(v)" + b" " * 200_000 + b"x", b"#define F(v) " + b" \\\n" * 50_000 + b"(", b"#define F(" + b"v, " * 100_000):
        expanded(text + b"\n", WORDS)
    assert expanded(b"#define F(v) flush(v)\n " + b"F(" * 200_000, WORDS) is None


PIECES = [b"F(p);", b"F((p, q));", b"G(q, p);", b"other(p);", b"\n", b"/* F(p) */", b"if (G(p, q)) ", b"F(p", b"{", b"}", b'"F(']


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_every_offset_leads_back(pieces: list[bytes]) -> None:
    raw = body(b"#define F(v) do { flush(v); } while (0)\n#define G(a, b) (flush(a) && F(b))", *pieces)
    found = expanded(raw, WORDS)
    if found is None:
        return
    origins = [found.origin(pos) for pos in range(len(found.text) + 1)]
    assert origins == sorted(origins) and origins[-1] == len(raw)
    inside = {pos for start, end, _ in found.cuts for pos in range(start, end)}
    assert all(found.text[pos] == raw[origins[pos]] for pos in range(len(found.text)) if pos not in inside)
    kept = facts(raw)
    assert all(raw[function.start :].startswith(b"void f(") for function in kept.functions)
