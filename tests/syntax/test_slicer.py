"""Function extents on raw bytes, scope, and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.syntax.support import SMALL, TORTURE, parse
from tlblint.syntax import Config, index_functions, parse_file, slicer


def names(source: str) -> list[str]:
    return [name for name, _, _ in index_functions(source.encode())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("int f(void)\n{\n}\n", ["f"]),
        ("int f(void) {\n\tg();\n}\n", ["f"]),
        ("static inline int f(void) { return 0; }\nint g(void)\n{\n}\n", ["f", "g"]),
        ("static inline int f(int a,\n\t\tint b)\n\t{ return 0; }\n", ["f"]),
        ("static int f(void)\n{ return 0; }\nint g(void)\n{\n}\n", ["f", "g"]),
        ("static struct foo x = {\n\t.a = f(b) {\n};\n", []),
        ("struct foo\n{\n\tint a;\n};\n", []),
        ("#define F(x) \\\n{ \\\n\tg(x); \\\n}\nint f(void)\n{\n}\n", ["f"]),
        ("/*int f(void)\n{\n}*/\nint g(void)\n{\n}\n", ["g"]),
        ("/* a remark\n   in prose (with this). */\nint g(void)\n{\n}\n", ["g"]),
        ("EXPORT_SYMBOL(x);\nint g(void)\n{\n}\n", ["g"]),
        ("int f(int a, /* why */\n      int b)\n{\n}\n", ["f"]),
        ("int f(int a\n#ifdef X\n, int b\n#endif\n)\n{\n}\n", ["f"]),
        ("TYPED(struct x) {\n\tint a;\n};\n", []),
        ("DEFINE_PER_CPU(struct foo, x) =\n{\n\t.lock = INIT(x),\n};\n", []),
        ("}\n}\n{", []),
        ("", []),
    ],
)
def test_index(source: str, expected: list[str]) -> None:
    assert names(source) == expected


def test_extents_start_at_the_header_and_end_at_the_brace() -> None:
    raw = b"// one\nstatic int\nf(void)\n{\n\treturn 0;\n}\n\nint x;\n"
    ((_, start, end),) = index_functions(raw)
    assert raw[start:end] == b"static int\nf(void)\n{\n\treturn 0;\n}"


def test_scope_is_by_whole_identifier_and_by_name() -> None:
    source = b"void a(void)\n{\n\tflush_tlb_mm(m);\n}\nvoid b(void)\n{\n\tmy_flush_tlb_mm(m);\n\tflush_tlb_mm2(m);\n}\nvoid c(void)\n{\n}\n"
    assert [f.name for f in parse(source).functions] == ["a"]
    assert [f.name for f in parse_file("x.c", source, Config(), SMALL, frozenset({b"c"})).functions] == ["a", "c"]
    assert parse_file("x.c", source, Config(), frozenset()).functions == ()


def test_nodes_carry_offsets_of_the_whole_file() -> None:
    raw = (TORTURE / "loops.c").read_bytes()
    for function in parse(raw).functions:
        assert raw[function.start : function.end].endswith(b"}")
        assert function.node.end_byte == function.end


def test_tables() -> None:
    tables = parse((TORTURE / "conditionals.c").read_bytes()).tables
    assert [(t.name, t.type, t.owner) for t in tables] == [("file_ops", "mm_walk_ops", ""), ("rwc", "rmap_walk_control", "local_table")]
    assert tables[0].slots == (("pmd_entry", "split_else"), ("hugetlb_entry", "huge_one"), ("walk_lock", "PGWALK_WRLOCK"))
    assert tables[1].slots[0] == ("rmap_one", "one")


def test_tables_of_a_file_without_relevant_functions() -> None:
    assert [t.name for t in parse("static struct x_ops y = {\n\t.a = b,\n};\n").tables] == ["y"]


PIECES = st.sampled_from(
    [b"\n", b"\n\n", b"{", b"}", b"\n}\n", b"\n{\n", b"(", b")", b" ", b"\t", b"foo", b"int ", b"*", b"*/\n", b"#if X\n", b"#endif\n", b";", b"=", b"\r", b"\\",
     b"SYSCALL_DEFINE2(x, y)", b"if", b"__printf(1, 2)", b"\xc3\xa9", b"a_b", b"A", b"asm_exc_x", b"int foo(int a)", b"int foo(int a)\n{\n\tx();\n}\n",
     b"struct a\n*b(int c,\n\t int d)\n{", b",", b"7", b"sizeof(x)", b"\n{\n\tbar();\n}\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_the_short_way_finds_what_the_long_one_does(text: bytes) -> None:
    slicer._functions.cache_clear()
    short = slicer.index_functions(text)
    slicer._functions.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicer, "_simple", lambda raw, low, brace: (0, ""))
        assert slicer.index_functions(text) == short
    slicer._functions.cache_clear()
