"""Constants that a .c file numbers itself."""

from __future__ import annotations

import pytest

from tlblint.flow.numbers import numbers_of


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("enum { A, B, C };", {"A": 0, "B": 1, "C": 2}),
        ("enum e {\n\tA = 3, /* three, more */\n\tB, // four\n\tC = A,\n\tD,\n};", {"A": 3, "B": 4, "C": 3, "D": 4}),
        ("enum { A = sizeof(int), B, C = 0x10 };", {"C": 16}),
        ("enum { A,\n#ifdef X\nB,\n#endif\nC };", {"A": 0}),
        ("enum { small, A };", {"A": 1}),
        ("#define A 4\n#define B (1UL << 3)\n  # define C BIT(2)\n#define D BIT_ULL(63) /* high */\n", {"A": 4, "B": 8, "C": 4, "D": 1 << 63}),
        ("#define A 1\n#define A 2\n#define B 1\n#define B 1\n", {"B": 1}),
        ("#define A(x) 1\n#define B other\n#define C (1 << OTHER)\n#define D (1 << 64)\n", {}),
        ("#define A -1\n", {"A": -1}),
    ],
)
def test_numbers(source: str, found: dict[str, int]) -> None:
    assert {name.decode(): expr for name, expr in numbers_of(source.encode()).items()} == {name: ("k", name, value) for name, value in found.items()}


def test_what_is_there_to_cost_time_has_no_number() -> None:
    assert numbers_of(b"enum " * 200_000) == {}
    assert numbers_of(b"enum {" + b"/*" * 200_000 + b"}") == {}
    assert numbers_of(b"#define A " + b"(" * 200_000 + b"1" + b")" * 200_000) == {}
