"""Statements and expressions of C, and the bounds that end what does not end."""

from __future__ import annotations

import pytest

from tests.predicates.mini import names_of, result, runner
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.machine import Bounds


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("int i, s = 0; for (i = 0; i < 10; i++) { if (i == 3) continue; if (i == 7) break; s += i; } return s;", 18),
        ("int n = 0; again: n++; if (n < 5) goto again; return n;", 5),
        ("switch (x) { case 1: return 10; case 2: x = 7; case 3: return x; default: return 0; }", 7),
        ("int y = ({ int z = x + 1; z * 2; }); return y;", 6),
        ("do { if (x) break; return 1; } while (0); return 2;", 2),
        ("unsigned char c = 255; c++; return c;", 0),
        ("return -1 < 0U;", 0),
        ("return (unsigned int)-1 >> 28;", 15),
        ("return sizeof(unsigned long) + sizeof(x);", 12),
        ("int a[3] = { 1, 2, 3 }; int *p = a; p++; return *p + a[2];", 5),
        ("struct s { int u; } v = { .u = 4 }, *q = &v; q->u += x; return v.u;", 6),
        ("return x ?: 9;", 2),
        ("return (x, 3);", 3),
        ("bool b = 256; return b;", 1),
        ("int i = 0; while (1) { if (++i == 4) break; } return i;", 4),
        ("return min(x, 1) + max_t(unsigned long, x, 40) + clamp(x, 5, 6);", 46),
        ("return GENMASK(3, 1) | BIT(6);", 78),
        ("return 010 + 0x10 + 1;", 25),
        ("long y = ~0; return y == -1;", 1),
        ("return ~0U == 0xffffffffUL;", 1),
    ],
)
def test_a_body_has_its_value(body: str, value: int) -> None:
    assert result(f"int f(int x) {{ {body} }}", "f(2)") == value


def test_an_enumerator_counts_from_the_last_value() -> None:
    assert result("enum e { A, B = 1 << 3, C, D, };\nint f(void) { return A + D; }", "f()") == 10


def test_names_of_a_macro_do_not_leak_into_the_caller() -> None:
    text = "#define twice(v) ({ int __t = (v); __t + __t; })\nint f(void) { int __u = 3; int r = twice(__u); return r + __u; }"
    assert result(text, "f()") == 9


@pytest.mark.parametrize(
    ("body", "blocker"),
    [
        ("for (;;) ;", "a loop does not end"),
        ("x: goto x;", "does not end"),
        ("return f();", "nest too deeply"),
        ("return missing_name(1);", "no body of missing_name"),
        ("return 1 / 0;", "a division by zero"),
        ("return *(int *)0;", "a null pointer"),
        ("return 1 << 40;", "a shift by 40"),
        ("int i; for (i = 0; i < 500; i++) { int j; for (j = 0; j < 500; j++) i += 0; } return i;", "steps"),
        ("int (*p)(int); return p(1);", "through a pointer"),
        ("goto nowhere;", "a label is not found"),
        ("break;", "break outside"),
    ],
)
def test_what_cannot_go_on_says_why(body: str, blocker: str) -> None:
    machine = runner(names_of(f"int f(void) {{ {body} }}"), Bounds(30_000, 40, 600))
    with pytest.raises(Inconclusive, match=blocker):
        machine.evaluate("f()", {})


def test_a_blocker_says_where() -> None:
    machine = runner(names_of("int f(void)\n{\n\tint x = 1;\n\treturn x + missing_name(2);\n}\n"))
    with pytest.raises(Inconclusive) as stopped:
        machine.evaluate("f()", {})
    assert stopped.value.where == "a.c:4"


def test_python_in_a_tree_is_a_name_like_any_other() -> None:
    machine = runner(names_of("int f(void) { return __import__(\"os\"); }"))
    with pytest.raises(Inconclusive, match="no body of __import__"):
        machine.evaluate("f()", {})
