"""Local pointers that are only ever the address of one local object."""

from __future__ import annotations

import pytest

from tests.flow.listing import instruction
from tlblint.flow import facts_of
from tlblint.syntax.config import Config


def listing(body: str) -> list[str]:
    """The instructions of a function with that body, as listed, without positions; then its conditions."""
    source = f"void f(struct mm_struct *mm, struct pair *given, int n)\n{{\n\t{body}\n}}\n"
    [function] = facts_of("mm/x.c", source.encode(), Config(), frozenset({b"g"}), frozenset({b"f"})).functions
    return [instruction(i) for block in function.blocks for i in block.instrs] + [str(block.cond) for block in function.blocks if block.cond is not None]


@pytest.mark.parametrize(
    ("pointer", "plain"),
    [
        ("int x = 0, *p = &x;\n\t*p = n;\n\tg(x);", "int x = 0;\n\tint *p = &x;\n\tx = n;\n\tg(x);"),
        ("struct pair x = {}, *p = &x;\n\tp->a = n;\n\tg(p->a);", "struct pair x = {}, *p = &x;\n\tx.a = n;\n\tg(x.a);"),
        ("struct pair x, *p = &x;\n\tg(p, *p);", "struct pair x, *p = &x;\n\tg(&x, x);"),
        ("struct pair x;\n\tint *p = &x.b;\n\tif (*p > n)\n\t\tg(&p);", "struct pair x;\n\tint *p = &x.b;\n\tif (*p > n)\n\t\tg(&p);"),
        ("struct pair x;\n\tint *p = &x.b;\n\tif (*p > n)\n\t\tg(n);", "struct pair x;\n\tint *p = &x.b;\n\tif (x.b > n)\n\t\tg(n);"),
        ("struct outer x, *p = &x;\n\tg(&p->in, p->in.a[n]);", "struct outer x, *p = &x;\n\tg(&x.in, x.in.a[n]);"),
    ],
)
def test_it_is_another_name(pointer: str, plain: str) -> None:
    assert listing(pointer) == listing(plain)


@pytest.mark.parametrize(
    "body",
    [
        "int x, y, *p = &x;\n\tif (n)\n\t\tp = &y;\n\t*p = n;",
        "int x, *p = &x;\n\tg(&p);\n\t*p = n;",
        "int x[4], *p = &x[0];\n\tp++;\n\t*p = n;",
        "int *p = &given->a;\n\t*p = n;",
        "int *p = mm ? &n : &n;\n\t*p = n;",
    ],
)
def test_a_pointer_that_may_be_something_else_stays(body: str) -> None:
    assert any(line.startswith("*p=") for line in listing(body))
