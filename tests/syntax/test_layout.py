"""Functions in any layout are analysed or named; none hides the one after it; what is no code raises no alarm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.syntax.support import SMALL, parse, shape
from tlblint.syntax import Config, parse_file
from tlblint.syntax.outline import NO_ARM, NO_CLOSE, NO_HEADER, NO_OPEN, outline

NEXT = "void next(void)\n{\n\tset_pte_at(x);\n}\n"
CALL = "set_pte_at(p);"


def read(source: str | bytes) -> tuple[list[str], list[tuple[str, str]]]:
    parsed = parse(source)
    for function in parsed.functions:
        assert shape(function.text) == shape(parsed.raw)
    return [f.name for f in parsed.functions if not f.variant], [(n.function, n.why) for n in parsed.not_analysed]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"static void f(pte_t *p) {{ {CALL} }}\n", ["f"]),
        (f"  static void f(pte_t *p) {{ {CALL} }}\n", ["f"]),
        (f"static void f(pte_t *p) {{ {CALL} }} static void g(void) {{ {CALL} }}\n", ["f", "g"]),
        (f"int x; static void f(pte_t *p) {{ {CALL} }}\n", ["f"]),
        (f"  static void f(pte_t *p)\n  {{\n    {CALL}\n  }}\n", ["f"]),
        (f"\tstatic __always_inline\n\tvoid f(pte_t *p)\n\t{{\n\t\t{CALL}\n\t}}\n", ["f"]),
        (f"  SYSCALL_DEFINE1(f, int, a)\n  {{\n    {CALL}\n  }}\n", ["f"]),
        (f"void f(pte_t *p)\n{{\n\t{CALL}\n  }}\n", ["f"]),
        (f"void f(pte_t *p) {{\n\t{CALL}\n  }}\n", ["f"]),
        (f"void f(pte_t *p)\n{{\n\t{CALL} }}\n", ["f"]),
        (f"void f(pte_t *p)\n  {{\n\t{CALL}\n}}\n", ["f"]),
        ("void f(pte_t *p)\n{\n\tg();\n  }\n", []),
        (f"void f(pte_t *p)\n{{\n\tif (p) {{\n\t\tg();\n}}\n\t{CALL}\n}}\n", ["f"]),
        (f"void f(pte_t *p)\n{{\n\tif (p) {{\n\t\tg();\n}}\n\t{CALL}\n\t}}\n", ["f"]),
        (f"#ifdef A\nvoid f(int a)\n{{\n#else\nvoid f(void)\n  {{\n#endif\n\t{CALL}\n  }}\n", ["f"]),
        (f'extern "C" {{\n  void f(void)\n  {{\n    {CALL}\n  }}\n}}\n', ["f"]),
        (f'#ifdef __cplusplus\nextern "C" {{\n#endif\n  void f(void) {{ {CALL} }}\n#ifdef __cplusplus\n}}\n#endif\n', ["f"]),
        (f'char *glob = "/*";\nvoid f(void)\n{{\n\t{CALL}\n}}\n/* */\n', ["f"]),
        (f"// see mm/*.c\nvoid f(void)\n{{\n\t{CALL}\n}}\n/* */\n", ["f"]),
        (f"void f(void)\r\n{{\r\n\t{CALL}\r\n  }}\r\n", ["f"]),
        (f"\ufeffvoid f(void)\n{{\n\t{CALL}\n}}\n", ["f"]),
    ],
)
def test_analysed_in_any_layout_and_so_is_the_next(source: str, expected: list[str]) -> None:
    assert read(source + NEXT) == ([*expected, "next"], [])


@pytest.mark.parametrize(
    ("source", "named"),
    [
        (f"void f(pte_t *p)\n{{\n\t{CALL}\n\n", ("f", NO_CLOSE)),
        (f"void f(pte_t *p)\n{{\n\t}}\n}}\n\t{CALL}\n}}\n", ("f", NO_OPEN)),
        (f"int f(a)\nint a;\n{{\n\t{CALL}\n}}\n", ("f", NO_HEADER)),
        (f"THING {{\n\t{CALL}\n}}\n", ("", NO_HEADER)),
        (f"#ifdef A\n  void f(void) {{\n\t{CALL}\n#else\n  void f(int a) {{\n\t{CALL}\n#endif\n  }}\n", None),
        (f"DEFINE_GUARD(ptl, pte_t *, {{ {CALL} }}, {{ g(); }})\n", ("ptl", "syntax not understood in its line 1")),
    ],
)
def test_named_and_the_next_is_analysed(source: str, named: tuple[str, str] | None) -> None:
    functions, gaps = read(source + NEXT)
    assert functions[-1:] == ["next"]
    assert gaps == [named] if named else ("f" in functions or gaps)


@pytest.mark.parametrize(
    "source",
    [
        "struct x {\n\tvoid (*set_pte_at)(int);\n};\n",
        "struct x_ops y = {\n\tset_pte_at,\n};\n",
        "struct x_ops y[] = { {\n\tset_pte_at,\n}, { set_pte_at } };\n",
        "struct x_ops y = {\n\t.set_pte_at = z,\n};\n",
        "enum x {\n\tset_pte_at,\n};\n",
        "struct a {\n\tint b;\n};\nvoid\nset_pte_at(int);\n",
        "struct a {\n\tint b;\n};\n#define x do { \\\n\tset_pte_at(y); \\\n} while (0)\n",
        "struct a {\n\tint b;\n};\n/* { set_pte_at(x); */\n",
        "struct a {\n\tint b;\n};\nchar *c =\n\t\"{ set_pte_at(x);\";\n",
        "struct a {\n\tint b;\n};\n\n#define set_pte_at set_pte_at\n\tint set_pte_at(int);\n",
        "THING(a, struct set_pte_at) {\n\tint a;\n};\n",
        "int g(void) { return 0; }\nint set_pte_at(int);\n",
    ],
)
def test_no_alarm_where_nothing_runs(source: str) -> None:
    assert read(source + NEXT) == (["next"], [])
    assert read(NEXT + source) == (["next"], [])


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(code: str) -> None:
    assert read(NEXT.encode(code)) == ([], [("", "encoded in UTF-16")])
    assert read("int a;\n".encode(code)) == ([], [])


def test_carriage_returns_alone_are_named() -> None:
    assert read(NEXT.replace("\n", "\r")) == ([], [("", "its lines end in carriage returns alone")])
    assert read("int a;\rint b;\r") == ([], [])
    assert read(NEXT.replace("\n", "\r\n")) == (["next"], [])


def test_a_name_outside_ascii_is_one_identifier() -> None:
    (function,) = parse("void f\u00e9(void)\n{\n\tset_pte_at(\u00fc);\n}\n").functions
    assert b"void f__(void)" in function.text and b"set_pte_at(__)" in function.text


@pytest.mark.parametrize("junk", [b"\0\1\xff(]\x80", b"\0\"'\1\xff(]\x80", b"{{{", b"}})(", b"\xff\xfe\xfd", b'"'])
def test_junk_before_a_header(junk: bytes) -> None:
    functions, gaps = read(junk + NEXT.encode() + NEXT.replace("next", "last").encode())
    assert {"next"} <= {*functions, *(name for name, _ in gaps)}
    assert "last" in functions


def test_positions_and_totals() -> None:
    parsed = parse("int a;\n" + f"int f(a)\nint a;\n{{\n\t{CALL}\n}}\n" + NEXT)
    assert [n.pos for n in parsed.not_analysed] == [parsed.raw.index(b"f(a)")]
    assert parsed.total == 2


def test_inner_groups_are_chosen_before_outer_ones() -> None:
    inner = "#ifdef B\n\tif (x) {\n#else\n\tif (y) {\n#endif\n\t}\n"
    text = f"#ifdef A\nvoid f(void)\n{{\n{inner}}}\n#else\nvoid g(void)\n{{\n}}\n#endif\n"
    assert [b.name for b in outline(text.encode(), Config()).blocks] == ["f", "g"]
    view = outline(b"#if A\nvoid f(void) {\n#else\nvoid set_pte_at(void) {\n#endif\n}\n", Config(frozenset({"A"})))
    lost = view.at(view.raw.index(b"set_pte_at"))
    assert lost is not None and (lost.name == "f" or lost.why == NO_ARM)


PIECES = [
    "static void %s(struct mm_struct *mm)\n{\n\tif (mm) {\n\t\tflush_tlb_mm(mm);\n\t}\n}\n",
    "int %s(pte_t *p,\n\t\tint b)\n{\n\tswitch (b) {\n\tcase 1:\n\t\tset_pte_at(p);\n\t}\n\treturn 0;\n}\n",
    "void %s(void) {\n\tset_pte_at(0); /* } */\n}\n",
    "void %s(void)\n{\n#ifdef CONFIG_X\n\tset_pte_at(0);\n#endif\n\tpte_unmap_unlock(a, \"{\");\n}\n",
    "SYSCALL_DEFINE1(%s, int, a)\n{\n\tset_pte_at(a);\n\treturn 0;\n}\n",
]
BETWEEN = ["", "\n", "struct a {\n\tint b;\n};\n", "#define M(x) { x }\n", "/* about { */\n", "int set_pte_at(int);\n"]
BEND = ["as it is", "indent the end", "indent all", "one line", "drop the end", "indent the start", "glue the end"]


def bent(text: str, how: str) -> str:
    if how == "indent the end":
        return text[:-2] + "\t}\n"
    if how == "indent all":
        return re.sub(r"^(?=[^#\n])", "  ", text, flags=re.M)
    if how == "one line" and "#" not in text:
        return text.replace("\n", " ") + "\n"
    if how == "drop the end":
        return text[:-2] + "\n"
    if how == "indent the start":
        return text.replace("\n{", "\n\t{", 1)
    return text[:-3] + " }\n" if how == "glue the end" and "#" not in text else text


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(BETWEEN), st.sampled_from(BEND)), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_every_function_is_analysed_or_named(parts: list[tuple[str, str, str]]) -> None:
    ways = [how for _, _, how in parts]
    for at in range(1, len(ways)):
        if ways[at - 1] == "drop the end" and ways[at] == "indent all":
            ways[at] = "as it is"  # nothing tells it from what is inside the function that is not closed
    source = "".join(bent(piece % f"fn{at}", ways[at]) + between for at, (piece, between, _) in enumerate(parts))
    parsed = parse(source)
    analysed = {f.name for f in parsed.functions}
    assert {f"fn{at}" for at in range(len(parts))} <= analysed | {n.function for n in parsed.not_analysed}
    if "drop the end" not in ways:
        assert not parsed.not_analysed and len(analysed) == len(parts)


def test_a_function_is_not_read_under_the_name_of_the_one_before() -> None:
    open_end = "void %s(void)\n{\n\tset_pte_at(0);\n\t}\n"
    parsed = parse(open_end % "a" + "struct s {\n\tint x;\n};\n" + open_end % "b" + NEXT)
    for function in parsed.functions:
        assert f" {function.name}(".encode() in parsed.raw[function.start : function.end]
    assert [f.name for f in parsed.functions] == ["a", "b", "next"]


def test_a_definer_that_is_cut_off_keeps_its_newline() -> None:
    parsed = parse("SYSCALL_DEFINE1(f#define x, int, a)\n{\n\tflush_tlb_mm(a);\n}\n" + NEXT)
    assert {"f", "next"} <= {f.name for f in parsed.functions} | {n.function for n in parsed.not_analysed}
    assert all(shape(f.text) == shape(parsed.raw) for f in parsed.functions)


def test_hostile_layouts_end() -> None:
    for line in ("void f(void) { flush_tlb_mm(a); }\n", "  void f(void) { flush_tlb_mm(a); }\n", "{ flush_tlb_mm(a);\n", "} flush_tlb_mm(a);\n",
                 "x {\nflush_tlb_mm(a);\n", "#if 0\n{\nflush_tlb_mm\n#endif\n", "void f(void)\n{\nflush_tlb_mm(a);\n ", "= { flush_tlb_mm(a); "):  # fmt: skip
        parse_file("x.c", (line * (400_000 // len(line))).encode(), Config(), SMALL)
    parse("#if 0\n" * 30_000 + " {\n flush_tlb_mm(a);\n" + "#endif\n" * 30_000)
