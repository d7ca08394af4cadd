"""What must hold for any bytes at all."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.syntax.support import TORTURE, by_name, parse, shape
from tlblint.syntax import index_functions

TOKENS = [
    b"{", b"}", b"(", b")", b";", b",", b"\n", b"\n}\n", b"\n{\n", b"\t", b" ", b"/*", b"*/", b"//", b'"', b"'", b"\\", b"\\\n", b"#if 0\n",
    b"\n#ifdef CONFIG_X\n", b"\n#else\n", b"\n#endif\n", b"#define x", b"for_each_x(a)", b"scoped_guard(a, b)", b"flush_tlb_mm(a);", b"set_pte_at",
    b"void f(void)", b"static", b"struct a", b"unsigned long", b"min_t(int, a, b)", b"case 1 ... 2:", b"out:", b"asm volatile(", b"typeof(x)",
    b"DECLARE_BITMAP(a, 3)", b"__init", b"__releases(x)", b"SYSCALL_DEFINE1(f, int, a)", b"SYSCALL_DEFINE0(f)", b"=", b"*", b"&", b"\r", b"\0", b"\xff",
    b"if (a)", b"else", b"do", b"while (a)", b"return", b"goto out;", b"...", b"KERN_ERR x", b"auto x = ", b"struct a_ops b = {", b".c = d,",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(TOKENS), max_size=80).map(b"".join)
SOURCES = [path.read_bytes() for path in sorted(TORTURE.glob("*.c"))]


def check(raw: bytes) -> None:
    parsed = parse(raw)
    wanted = shape(raw)
    for function in parsed.functions:
        assert shape(function.text) == wanted
        assert 0 <= function.start < function.end <= len(raw)
        assert function.node.start_byte == function.start and not any(h for h in function.health if "semicolon" not in h)
    found = {f.start for f in parsed.functions} | {n.pos for n in parsed.not_analysed if n.function}
    assert len(found) <= parsed.total
    assert parsed.partial <= parsed.total
    spans = index_functions(raw)
    assert all(a[2] <= b[1] for a, b in pairwise(spans))


@given(SOUP)
@settings(max_examples=150, deadline=None)
def test_token_soup(raw: bytes) -> None:
    check(raw)


@given(SOUP)
@settings(max_examples=150, deadline=None)
def test_token_soup_in_a_function(raw: bytes) -> None:
    check(b"static void f(struct mm_struct *mm)\n{\n\tflush_tlb_mm(mm);\n" + raw + b"\n}\n")


@given(st.sampled_from(SOURCES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(TOKENS)), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_mutations(raw: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    for where, length, token in edits:
        at = int(where * len(raw))
        raw = raw[:at] + token + raw[at + length :]
    check(raw)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes(raw: bytes) -> None:
    check(b"void f(void)\n{\n\tflush_tlb_mm(a);" + raw + b"\n}\n")


def test_twice_gives_the_same() -> None:
    for raw in SOURCES:
        first, second = parse(raw), parse(raw)
        assert [(f.name, f.start, f.text) for f in first.functions] == [(f.name, f.start, f.text) for f in second.functions]
        assert first.not_analysed == second.not_analysed


def test_normalised_text_parses_as_itself() -> None:
    """Normalising is idempotent: what came out whole stays whole when it is fed back."""
    raw = (TORTURE / "loops.c").read_bytes()
    text = parse(raw).functions[0].text
    again = parse(text)
    assert by_name(again, "each_with_block").text == text and not again.not_analysed


def test_hostile_input_ends() -> None:
    """Inputs on which a careless pattern or the parser itself would take hours."""
    frame = b"void f(void)\n{\n\tflush_tlb_mm(a);\n%s\n}\n"
    size = 100_000
    for piece in (b"(", b"{", b"f(", b"*", b"case ", b"...", b"#if 0\n", b"#else\n", b'"', b"/*", b"typeof(", b"asm(", b"struct ", b",", b"\\\n"):
        parse(frame % (piece * (size // len(piece))))
    for line in (b"void f(void) { flush_tlb_mm(a); } ", b"x){ flush_tlb_mm(a); ", b"struct x_ops a = { .a = b ", b"a"):
        parse(line * (1_000_000 // len(line)))
