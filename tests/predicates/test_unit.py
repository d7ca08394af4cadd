"""The preprocessor: what is active, which macro holds where, and that nothing makes it run away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.predicates.mini import names_of, result
from tlblint.names.tokens import Macro
from tlblint.names.unit import Places, Shelf, Unit, build
from tlblint.predicates.errors import Inconclusive


def unit(files: dict[str, str], root: str = "a.h", **predefined: str) -> Unit:
    read = {path: text.encode() for path, text in files.items()}.get
    return build(Shelf(read), [root], predefined, Places(("include",)))


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("if A", True), ("ifdef B", False), ("if defined(A) && !defined(B)", True), ("if A > 3 && B", False), ("if IS_ENABLED(A)", False),
        ("if ONE == 1", True),
        ("if F(2) == 3", True), ("if (1 << 4) == 16 ? 1 : 0", True), ("if 1 +", False), ("if UNKNOWN(3)", False), ("ifndef B", True), ("if !A", False),
    ],
)  # fmt: skip
def test_a_condition_decides(condition: str, kept: bool) -> None:
    found = unit({"a.h": f"#define F(x) ((x) + 1)\n#{condition}\nint here;\n#else\nint there;\n#endif\n"}, A="5", ONE="1")
    assert ("int here" in found.text, "int there" in found.text) == (kept, not kept)


def test_a_macro_holds_from_its_definition_to_its_end() -> None:
    text = "#define V 1\nint f(void) { return V; }\n#undef V\n#define V 2\nint g(void) { return V; }\n"
    assert (result(text, "f()"), result(text, "g()")) == (1, 2)


def test_a_fallback_is_taken_only_without_an_own_definition() -> None:
    own = "#define limit() 7\n#ifndef limit\n#define limit() 9\n#endif\nint f(void) { return limit(); }\n"
    assert result(own, "f()") == 7
    assert result(own.partition("\n")[2], "f()") == 9


def test_asm_headers_come_from_the_generic_ones_when_the_architecture_has_none() -> None:
    files = {"a.h": "#include <asm/x.h>\n#include <asm/y.h>\n"}
    files |= {"arch/z/include/asm/x.h": "int own;\n", "include/asm-generic/x.h": "int not;\n", "include/asm-generic/y.h": "int generic;\n"}
    read = {path: text.encode() for path, text in files.items()}.get
    found = build(Shelf(read), ["a.h"], {}, Places(("arch/z/include", "include")))
    assert [word for word in ("own", "not", "generic") if f"int {word};" in found.text] == ["own", "generic"]


def test_an_include_never_leaves_the_tree() -> None:
    asked: list[str] = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        return b'#include "../../etc/passwd"\n#include </etc/passwd>\n' if path == "a.h" else None

    build(Shelf(read), ["a.h"], {}, Places(("include",)))
    assert [path for path in asked if path.startswith(("/", ".."))] == []


def test_lines_are_those_of_the_file() -> None:
    found = unit({"a.h": "/* one\n two */\n#define X \\\n 1\nint f(void)\n{\n\treturn X;\n}\n"})
    assert found.where(found.text.index("return")) == ("a.h", 7)


@pytest.mark.parametrize(
    ("text", "call", "value"),
    [
        ("#define CAT(a, b) a##b\nint CAT(f, 1)(void);\nint f1(void) { return CAT(1, 2); }", "f1()", 12),
        ("#define ADD(a, ...) ((a) + SUM(__VA_ARGS__))\n#define SUM(a, b) ((a) * (b))\nint f(void) { return ADD(1, 2, 3); }", "f()", 7),
        ("#define f(x) f((x) + 1)\nint (f)(int x);\nstatic int f2(int x) { return x; }\n#define g(x) f2(x)\n", "g(4)", 4),
        ("#define SELF SELF + 1\nenum { SELF_ = 3 };\nint f(void) { int SELF_ = 2; return SELF_; }", "f()", 2),
    ],
)
def test_macros_expand_as_in_c(text: str, call: str, value: int) -> None:
    assert result(text, call) == value


def test_an_expansion_that_explodes_is_inconclusive() -> None:
    bomb = "#define A0 x x x x x x x x\n" + "".join(f"#define A{i} A{i - 1} A{i - 1} A{i - 1} A{i - 1} A{i - 1} A{i - 1}\n" for i in range(1, 12))
    with pytest.raises(Inconclusive, match="expansion is too large"):
        names_of(bomb + "int f(void) { return A11; }\n").function("f")


@pytest.mark.parametrize(
    "text",
    ["/* never closed", '#include "a.h"\n', "#if\n" * 500, "#endif\n#else\n", "#define (\n#define f(\n", '"\\', "#if " + "(" * 5000 + "\nint x;\n#endif"],
)
def test_broken_files_are_read_to_their_end(text: str) -> None:
    unit({"a.h": text})


def test_a_file_under_a_guard_is_run_once_and_one_with_more_in_it_each_time() -> None:
    files = {
        "include/linux/a.h": b"/* a */\n#ifndef A_H\n#define A_H\n#if 1\nint once;\n#else\n#endif\n#endif\n",
        "include/linux/b.h": b"#ifndef B_H\n#define B_H\nint guarded;\n#endif\nint again;\n",
        "include/linux/c.h": b"#ifndef C_H\n#define C_H\nint first;\n#else\nint second;\n#endif\n",
        "root.h": b"".join(b"#include <linux/%s.h>\n" % name for name in (b"a", b"b", b"c") * 2),
    }
    unit = build(Shelf(files.get), ["root.h"], {}, Places(("include",)))
    assert unit.text.split() == ["int", "once;", "int", "guarded;", "int", "again;", "int", "first;", "int", "again;", "int", "second;"]


def kept(lines: list[str]) -> list[str]:
    """The texts that are active, by the book: a stack of (active around, an arm was taken)."""
    stack: list[tuple[bool, bool]] = []
    active, out, macros = True, [], {"A"}
    for line in lines:
        word, _, rest = line.partition(" ")
        holds = {"#if": rest == "1" or rest.removeprefix("defined ") in macros, "#ifdef": rest in macros, "#ifndef": rest not in macros}.get(word, True)
        if word in ("#if", "#ifdef", "#ifndef"):
            stack.append((active, active and holds))
            active = active and holds
        elif word in ("#elif", "#else") and stack:
            around, taken = stack.pop()
            active = around and not taken and (word == "#else" or rest == "1" or rest in macros)
            stack.append((around, taken or active))
        elif word == "#endif" and stack:
            active = stack.pop()[0]
        elif word == "#define" and active:
            macros.add(rest)
        elif word == "#undef" and active:
            macros.discard(rest)
        elif active and word[0] != "#":
            out.append(line)
    return out


LINES = st.sampled_from(
    ["#if 1", "#if 0", "#if defined B", "#ifdef A", "#ifdef B", "#ifndef B", "#elif 1", "#elif 0", "#else", "#endif", "#define B", "#undef A", "text"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=30))
def test_any_order_of_directives(lines: list[str]) -> None:
    named = [f"t{index}" if line == "text" else line for index, line in enumerate(lines)]
    found = unit({"a.h": "\n".join(named)}, A="1")
    assert found.text.split() == kept(named)
    for name in found.text.split():
        assert found.where(found.text.index(name)) == ("a.h", named.index(name) + 1)


def test_a_macro_that_is_defined_again_is_each_of_them_in_turn() -> None:
    found = unit({"a.h": "#define V 1\nint a;\n#define V 2\nint b;\n#undef V\nint c;\n"}, V="0")
    assert [macro and macro.body for at in ("a;", "b;", "c;") for macro in [found.macro_at("V", found.text.index(at))]] == [("1",), ("2",), None]
    assert [macro and (macro.path, macro.line) for _, macro in found.history("V")] == [("", 0), ("a.h", 1), ("a.h", 3), None]
    other = found.with_macro(Macro("V", None, ("9",)))
    assert (other.last("V"), found.last("V")) == (Macro("V", None, ("9",)), Macro("V", None, ("2",), "a.h", 3))
