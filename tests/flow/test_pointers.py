"""Calls through pointers that can only be one function."""

from __future__ import annotations

import pytest

from tests.flow.listing import instruction
from tlblint.flow import facts_of
from tlblint.syntax.config import Config


def calls(body: str, head: str = "") -> list[str]:
    """The calls of a function with that body, as listed; ``[x]`` is one through a pointer."""
    source = f"{head}\nvoid f(struct mm_struct *mm, void (*given)(int), int n)\n{{\n\t{body}\n}}\n"
    [function] = facts_of("mm/x.c", source.encode(), Config(), frozenset({b"g"}), frozenset({b"f"})).functions
    return [instruction(i).split("=", 1)[1] for block in function.blocks for i in block.instrs if i[0] in ("call", "icall")]


TABLE = "static const struct my_ops table = {\n\t.flush = g,\n};\n"


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("void (*p)(int) = g;\n\tp(n);", ""),
        ("void (*p)(int) = &g;\n\t(*p)(n);", ""),
        ("void (*p)(int);\n\tp = g;\n\tif (n)\n\t\tp(n);", ""),
        ("const struct my_ops o = { .flush = g };\n\to.flush(n);", ""),
        ("table.flush(n);", TABLE),
        ("const struct my_ops *o = &table;\n\to->flush(n);", TABLE),
        ("static const struct my_ops o = { .flush = g };\n\to.flush(n);", ""),
    ],
)
def test_a_pointer_with_one_value_is_that_function(body: str, head: str) -> None:
    assert calls(body, head) == ["g(n)"]


@pytest.mark.parametrize(
    ("body", "head", "call"),
    [
        ("void (*p)(int) = g;\n\tif (n)\n\t\tp = h;\n\tp(n);", "", "[p](n)"),
        ("void (*p)(int) = n ? g : h;\n\tp(n);", "", "[p](n)"),
        ("void (*p)(int) = g;\n\tchoose(&p);\n\tp(n);", "", "[p](n)"),
        ("void (*p)(int) = mm->g;\n\tp(n);", "", "[p](n)"),
        ("if (!given)\n\t\tgiven = g;\n\tgiven(n);", "", "[given](n)"),
        ("struct my_ops o = { .flush = g };\n\tfill(&o);\n\to.flush(n);", "", "[o.flush](n)"),
        ("table.flush(n);", TABLE.replace("const ", ""), "[table.flush](n)"),
        ("const struct my_ops *o = n ? &table : &other;\n\to->flush(n);", TABLE, "[o->flush](n)"),
        ("const struct my_ops *o = mm->ops;\n\to->flush(n), g();", TABLE, "[o->flush](n)"),
    ],
)
def test_a_pointer_that_may_be_another_one_stays_a_pointer(body: str, head: str, call: str) -> None:
    assert call in calls(body, head)
