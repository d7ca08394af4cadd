"""Conditions as the preprocessor has them: the evaluator that all layers share, against a compiler."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from tlblint.names.conditions import Meaning, evaluate
from tlblint.names.guards import Macros
from tlblint.names.tokens import Macro, macro
from tlblint.syntax import Config

CC = shutil.which("cc") or shutil.which("gcc")
DEFINES = (
    "CONFIG_ONE 1", "CONFIG_TWO 2", "CONFIG_LEVELS 4", "CONFIG_FREE_MODULE 1", "SHIFT 12", "SIZE (1 << SHIFT)", "LEVELS CONFIG_LEVELS", "EMPTY",
    "VERSION(a, b) (((a) << 8) + (b))", "ASKS (defined(CONFIG_ONE) && !defined(CONFIG_OTHER))", "SELF SELF", "HEX 0x10L", "WORD some_word",
    "__ARG_PLACEHOLDER_1 0,", "__take_second_arg(__ignored, val, ...) val", "__is_defined(x) ___is_defined(x)",
    "___is_defined(val) ____is_defined(__ARG_PLACEHOLDER_##val)", "____is_defined(arg1_or_junk) __take_second_arg(arg1_or_junk 1, 0)",
    "__or(x, y) ___or(x, y)", "___or(x, y) ____or(__ARG_PLACEHOLDER_##x, y)", "____or(arg1_or_junk, y) __take_second_arg(arg1_or_junk 1, y)",
    "IS_BUILTIN(option) __is_defined(option)", "IS_MODULE(option) __is_defined(option##_MODULE)",
    "IS_ENABLED(option) __or(IS_BUILTIN(option), IS_MODULE(option))",
)  # fmt: skip
ATOMS = (
    "0", "1", "3", "0x1f", "010", "12L", "CONFIG_ONE", "CONFIG_TWO", "CONFIG_NONE", "SHIFT", "SIZE", "LEVELS", "VERSION(6, 1)", "ASKS", "SELF", "HEX", "WORD",
    "defined(CONFIG_ONE)", "defined CONFIG_NONE", "defined(EMPTY)", "defined(VERSION)", "IS_ENABLED(CONFIG_ONE)", "IS_ENABLED(CONFIG_NONE)",
    "IS_MODULE(CONFIG_FREE)", "IS_MODULE(CONFIG_ONE)", "IS_BUILTIN(CONFIG_ONE)", "__is_defined(CONFIG_TWO)",
)  # fmt: skip
TEXTS = 3000


def lookup() -> dict[str, Macro]:
    return {made.name: made for text in DEFINES if (made := macro(text)) is not None}


def expression(rng: random.Random, depth: int) -> str:
    """Values stay small: what signed and unsigned numbers do at the end of their range is not what this is about."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(ATOMS)
    kind = rng.randrange(6)
    if kind == 0:
        return f"!{rng.choice(ATOMS)}"
    if kind == 1:
        return f"({expression(rng, depth - 1)})"
    if kind == 2:
        return f"(({expression(rng, depth - 1)}) ? {expression(rng, depth - 1)} : {expression(rng, depth - 1)})"
    if kind == 3:
        return f"(-({expression(rng, 0)}) {rng.choice(('/', '%', '+', '*', '-'))} {rng.choice(('3', '7', 'SHIFT', '(0 - 5)'))})"
    operator = rng.choice(("&&", "||", "&&", "||", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^"))
    return f"{expression(rng, depth - 1)} {operator} {expression(rng, depth - 1)}"


@pytest.mark.skipif(CC is None, reason="no C compiler")
def test_a_preprocessor_agrees() -> None:
    assert CC is not None
    rng = random.Random("conditions")
    texts = [expression(rng, 4) for _ in range(TEXTS)]
    source = "".join(f"#define {text}\n" for text in DEFINES) + "".join(f"#if {text}\nyes_{n}\n#endif\n" for n, text in enumerate(texts))
    run = subprocess.run([CC, "-E", "-P", "-w", "-"], input=source, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[:2000]
    taken = set(run.stdout.split())
    names = Macros(lookup().get)
    assert [text for n, text in enumerate(texts) if (evaluate("if", text, names) is True) != (f"yes_{n}" in taken)] == []
    assert 500 < len(taken) < TEXTS - 500


LARGE = ("0", "1", "2u", "3", "63", "0u", "1UL", "5llu", "7LLU", "0x7fffffffffffffff", "0x8000000000000000", "9223372036854775807", "18446744073709551615",
         "0xfffffffffffffffful", "4611686018427387904", "01777777777777777777777", "0x123456789abcdef0", "9223372036854775808")  # fmt: skip


def arithmetic(rng: random.Random, depth: int) -> str:
    """Signed and unsigned numbers of all sizes; nothing that the language leaves open but what wraps."""
    if depth == 0 or rng.random() < 0.1:
        return rng.choice(LARGE)
    kind = rng.randrange(8)
    inner = f"({arithmetic(rng, depth - 1)})"
    if kind < 2:
        return rng.choice("-~!+") + inner
    if kind == 2:
        return f"{inner} {rng.choice(('<<', '>>'))} {rng.choice(('0', '1', '5u', '63'))}"
    if kind == 3:
        return f"{inner} {rng.choice('/%')} {rng.choice(('1', '3', '3u', '7', '0x8000000000000000', '(0 - 3)'))}"
    if kind == 4:
        return f"({inner} ? {arithmetic(rng, depth - 1)} : {arithmetic(rng, depth - 1)})"
    operator = rng.choice(("+", "-", "*", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||"))
    return f"{inner} {operator} ({arithmetic(rng, depth - 1)})"


@pytest.mark.skipif(CC is None, reason="no C compiler")
def test_a_preprocessor_counts_the_same() -> None:
    """Conversions, and what wraps, of values that are held against others."""
    assert CC is not None
    rng = random.Random("unsigned")
    texts = [f"({arithmetic(rng, 4)}) {rng.choice(('<', '>', '==', '<=', '!='))} ({arithmetic(rng, 2)})" for _ in range(TEXTS)]
    source = "".join(f"#if {text}\nyes_{n}\n#endif\n" for n, text in enumerate(texts))
    run = subprocess.run([CC, "-E", "-P", "-w", "-"], input=source, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[:2000]
    taken = set(run.stdout.split())
    found = [evaluate("if", text, Meaning()) for text in texts]
    assert [text for n, text in enumerate(texts) if found[n] is not (f"yes_{n}" in taken)] == []
    assert 500 < len(taken) < TEXTS - 500


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0u - 1 > 0", True),
        ("0 - 1 > 0", False),
        ("-1 > 0u", True),
        ("-1 >> 1u < 0", True),
        ("(1 ? -1 : 0u) > 0", True),
        ("(0 && 1u) - 1 < 0", True),
        ("-9223372036854775808 < 0", False),
        ("9223372036854775807 + 1 < 0", True),
        ("1ul && 1LU && 1llu && 1ULL && 0b11u == 3", True),
        ("18446744073709551617 == 1", True),
        ("1uul", None),
        ("1lL", None),
        ("1lul", None),
        ("UNKNOWN(1) - 1u > 0", None),
        ("__has_attribute(packed) || CONFIG_ONE", True),
        ("__has_include(<linux/mm.h>)", False),
        ("UNKNOWN(1) || CONFIG_ONE", True),
        ("!UNKNOWN(1)", None),
        ("EMPTY", None),
        ("1 / 0", None),
        ("CONFIG_ONE || 1 / 0", True),
        ("08 || 1", None),
        ("1_0", None),
        ("0b11 == 3", True),
        ("'a'", None),
        ("1 << 64", None),
        ("", None),
        ("defined", None),
        ("defined(", None),
        ("defined() || 1", None),
    ],
)
def test_what_a_compiler_may_not_read(text: str, value: bool | None) -> None:
    assert evaluate("if", text, Macros(lookup().get)) is value


@pytest.mark.parametrize("kind", ["if", "elif"])
def test_a_bomb_is_not_known(kind: str) -> None:
    bomb = {f"B{n}": Macro(f"B{n}", None, (f"B{n - 1}", "+", f"B{n - 1}") if n else ("1",)) for n in range(64)}
    assert evaluate(kind, "B63 == 3", Macros(bomb.get)) is None


def test_where_a_configuration_knows_a_macro_both_say_the_same() -> None:
    """The front end asks a configuration, a unit its macros: one evaluator, one answer."""
    rng = random.Random("both")
    known = {"CONFIG_ONE": "1", "CONFIG_NONE": ""}
    config = Config(on=frozenset({"CONFIG_ONE"}), off=frozenset({"CONFIG_NONE"}))
    macros = Macros({"CONFIG_ONE": Macro("CONFIG_ONE", None, ("1",))}.get)
    atoms = [form.format(name) for name in known for form in ("{}", "defined({})", "IS_ENABLED({})", "!{}")]
    for _ in range(500):
        text = f" {rng.choice(('&&', '||', '=='))} ".join(rng.sample(atoms, 4))
        assert evaluate("if", text, config) is evaluate("if", text, macros) is not None, text


def test_who_knows_nothing_decides_what_constants_decide() -> None:
    assert [evaluate("if", text, Meaning()) for text in ("A", "A || 1", "A && 0", "defined(A)", "__has_include(<a.h>)")] == [None, True, False, None, None]
    assert [evaluate(kind, "A", Meaning()) for kind in ("ifdef", "ifndef")] == [None, None]
