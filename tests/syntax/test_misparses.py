"""Shapes that parse without an error and mean something else are found wherever a declaration can stand."""

from __future__ import annotations

import pytest
from tree_sitter import Parser

from tlblint.syntax import grammar
from tlblint.syntax.language import C


def found(body: str) -> list[str]:
    text = f"int f(int a)\n{{\n\t{body}\n}}\n".encode()
    tree = grammar.parse(Parser(C), text, 0, len(text))
    assert not tree.root_node.has_error
    [node] = tree.root_node.children
    return [why for _, why in grammar.silent_misparses(node, text)]


@pytest.mark.parametrize(
    "around",
    ["{}", "if (a) {{ {} }}", "if (a) b(); else {{ {} }}", "while (a) {{ b(); {} }}", "do {{ {} }} while (a);", "for (;;) {{ {} }}",
     "switch (a) {{ case 1: c(); break; default: {{ {} }} }}", "switch (a) {{ case 1: {{ {} }} }}",
     "here: {{ {} }}",
     "a = ({{ {} 1; }});", "b(a ? ( {{ {} }} ) : 2);", "[[fallthrough]] {{ {} }}"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("shape", "why"),
    [("walk(x) { b(); }", "nested function"), ("walk(x) y;", "read as a type"), ("step walk(x);", "read as a declaration")],
)
def test_a_shape_is_found_in(around: str, shape: str, why: str) -> None:
    assert [why in reason for reason in found(around.format(shape))] == [True]


@pytest.mark.parametrize(
    "body", ["int b(int x);", "void (*g)(int) = a;", "u64 x = b(a);", "spin_t lock(x);", "a = ({ int c = a; c; });", "return (struct x){ 1 }.a;"]
)
def test_none_is_found_in(body: str) -> None:
    assert found(body) == []


def test_one_is_found_at_the_start_of_a_loop() -> None:
    assert found("for (step walk(x); a; a--) b();") == ["a statement was read as a declaration"]
