"""What a file declares, read off the layout of the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.names.heads import Heads
from tlblint.syntax.config import Config


def one(text: str, name: str = "f") -> tuple[str, object, str, int]:
    heads = Heads(text.encode())
    (head,) = heads.of(name)
    assert name in heads.names
    return head.kind, head.params, head.returns, heads.line(head)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("#define f g\n", ("macro", None, "", 1)),
        ("#  define\tf(a, b)\t\\\n\tg(b, a)\n", ("macro", ("a", "b"), "", 1)),
        ("#define f() g()\n", ("macro", (), "", 1)),
        ("static inline void f(struct mm_struct *mm, int n)\n{\n}\n", ("function", ("struct mm_struct *mm", "int n"), "static inline void", 1)),
        ("\nextern pte_t *f(void);\n", ("prototype", (), "extern pte_t *", 2)),
        ("static pte_t *\nf(int a)\n{\n}\n", ("function", ("int a",), "static pte_t *", 1)),
        ("int f(int (*g)(int, int),\n      int b) __must_check;\n", ("prototype", ("int (*g)(int, int)", "int b"), "int", 1)),
        ("void f(int a /* , int b */)\n{ }\n", ("function", ("int a",), "void", 1)),
        ("void f(int a, ...);\n", ("prototype", ("int a",), "void", 1)),
        ("unsigned long f(int a)", ("prototype", ("int a",), "unsigned long", 1)),
    ],
)
def test_a_declaration(text: str, told: object) -> None:
    assert one(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "/*\nvoid f(int a);\n*/\n",
        "// void f(int a);\n",
        "/* void f(int a); */\n",
        " * void f(int a);\n",
        "void g(void)\n{\n\tf(1);\n}\n",
        "int x = f(1);\n",
        "static int y[f(1)] = {\n};\n",
        "\treturn f(1);\n",
        "return f(1);\n",
        "}\nf(1);\n",
        "int f;\n",
        "void f(int a\n",
    ],
)
def test_what_is_none(text: str) -> None:
    assert Heads(text.encode()).of("f") == ()


def test_arity_is_told_where_there_is_one() -> None:
    heads = Heads(b"#define f(a, b) 1\n#define g 1\n#define h(a, rest...) 1\nint i(int a, ...);\n")
    assert [heads.of(name)[0].arity for name in "fghi"] == [2, None, None, None]


def test_conditions_around_a_declaration() -> None:
    text = b"#ifdef CONFIG_A\n#define f g\n#elif defined(CONFIG_B)\n#define f h\n#else\n#define f i\n#endif\n#define k f\n"
    heads = Heads(text)

    def alive(config: Config) -> list[str]:
        return [head.text for head in heads.of("f") if heads.there(head, config) is not False]

    assert alive(Config(on=frozenset({"CONFIG_A", "CONFIG_B"}))) == ["g"]
    assert alive(Config(on=frozenset({"CONFIG_B"}), off=frozenset({"CONFIG_A"}))) == ["h"]
    assert alive(Config(off=frozenset({"CONFIG_A", "CONFIG_B"}))) == ["i"]
    assert heads.around(heads.of("k")[0]) == ()


def test_what_is_not_known_may_be_there() -> None:
    heads = Heads(b"#ifndef own\n#define f g\n#endif\n")
    assert heads.there(heads.of("f")[0], Config()) is None


def test_names_by_a_pattern() -> None:
    heads = Heads(b"void ab(void);\nvoid abc(void);\nvoid xab(void);\n")
    assert sorted(head.name for head in heads.like(re.compile("ab.*"))) == ["ab", "abc"]


def test_a_hostile_file_is_done_with() -> None:
    heads = Heads(b"#if x\nvoid f(int a);\n" * 20_000)
    assert 0 < len(heads.of("f")) < 100
    assert Heads(b"void f(" + b"(" * 300_000).of("f") == ()
    assert Heads(b"#define f(a) \\\n" * 30_000).of("f") is not None


@given(st.text(alphabet="f(){};,# \n\\define/*ifx", max_size=80))
def test_any_text_is_read(text: str) -> None:
    heads = Heads(text.encode())
    assert all(heads.line(head) <= text.count("\n") + 1 for name in heads.names for head in heads.of(name))
