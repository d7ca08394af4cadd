"""Generated programs, half of them broken: each ends in a value or in a reason, never in a crash."""

from __future__ import annotations

import random

import pytest

from tests.predicates.mini import DATA, names_of, seen, tree, zero
from tlblint.predicates import automaton, survey, truth
from tlblint.predicates.automaton import Runs, graph
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.lowered import lines
from tlblint.predicates.machine import Bounds, Machine
from tlblint.predicates.models import Setting
from tlblint.predicates.thread import Call, Shared, Subject
from tlblint.predicates.variants import Edit, edited
from tlblint.predicates.words import Space

OPERATORS = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">=", "&&", "||", ",")
LEAVES = (
    "o", "n", "x", "y", "0", "1", "~0UL", "0x8000", "X", "M(x)", "p->f", "a[1]", "*q", "&x", "sizeof(x)", "f(o, n)", "g(x)", "'c'", '"s"',
    "atomic_read(&p->c)", "xyzzy", "E1",
)  # fmt: skip


def expression(rng: random.Random, depth: int) -> str:
    if depth <= 0 or rng.random() < 0.25:
        return rng.choice(LEAVES)
    kind = rng.randrange(8)
    inner = expression(rng, depth - 1)
    if kind < 4:
        return f"({inner} {rng.choice(OPERATORS)} {expression(rng, depth - 1)})"
    if kind == 4:
        return rng.choice(("!", "~", "-", "(int)", "(unsigned char)", "*(long *)", "++", "(pte_t)")) + inner
    if kind == 5:
        return f"({inner} ? {expression(rng, depth - 1)} : {expression(rng, depth - 1)})"
    if kind == 6:
        return f"({{ int t = {inner}; t; }})"
    return f"atomic_cmpxchg(&x, {inner}, {expression(rng, depth - 1)})"


def statement(rng: random.Random, depth: int) -> str:
    e = expression(rng, 2)
    if depth <= 0:
        plain = (f"x = {e};", f"y |= {e};", f"return {e};", "break;", "continue;", "goto l;", ";", f"p->f = {e};", "l: x++;", f"a[x & 1] = {e};")
        return rng.choice((*plain, 'asm volatile("" : "=r"(x));'))
    inner = " ".join(statement(rng, depth - 1) for _ in range(rng.randrange(1, 4)))
    return rng.choice((
        f"if ({e}) {{ {inner} }} else {{ {statement(rng, depth - 1)} }}", f"while ({e}) {{ {inner} }}", f"do {{ {inner} }} while ({e});",
        f"for (x = 0; x < {e}; x++) {{ {inner} }}", f"switch ({e}) {{ case 1: {inner} break; default: {inner} }}", f"{{ {inner} }}",
    ))  # fmt: skip


def program(rng: random.Random) -> str:
    body = " ".join(statement(rng, rng.randrange(3)) for _ in range(rng.randrange(1, 5)))
    text = (
        "typedef struct { unsigned long pte; } pte_t;\nenum { E0, E1 = X };\n#define X 3\n#define M(v) ((v) + X)\nint g(int v) { return v + 1; }\n"
        f"bool f(unsigned long o, unsigned long n)\n{{ int x = 0, a[2], *q = a; unsigned long y = o; struct s *p; {body} return y; }}\n"
    )
    for _ in range(rng.choice((0, 0, 1, 3))):  # damage
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(("", "{", ")", "#", "\n#if\n", "/*", '"', "\0", "\xff", "((((", "##")) + text[at + rng.randrange(3) :]
    return text


@pytest.mark.parametrize("part", range(4))
def test_generated_programs_end(part: int) -> None:
    """500 programs each, as ordinary numbers and with six symbolic bits."""
    rng = random.Random(f"programs {part}")
    ended = {"value": 0, "reason": 0}
    for index in range(500):
        text = program(rng)
        space = Space(6 if index % 2 else 0)
        machine = Machine(names_of(text), DATA.modelled, Setting(zero), space, Bounds(3000, 20, 12))
        bits = [space.variable(i) if space.n else 0 for i in range(6)]
        try:
            word = space.of_bits(bits + [0] * 58, False)
            machine.evaluate("f(o__, n__)", {"o__": (word, truth.AUTO), "n__": (space.constant(5, 64, False), truth.AUTO)})
            ended["value"] += 1
        except Inconclusive as stopped:
            assert stopped.blocker
            ended["reason"] += 1
    assert ended["value"] > 20 and ended["reason"] > 20


def test_generated_programs_end_as_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with two shared words, as states of a thread; variants of them, too."""
    monkeypatch.setattr(automaton, "MOST_NODES", 40)
    rng = random.Random("threads")
    words = (Shared(at=("p.f",), name="u"), Shared(at=("x", "p.c"), name="v", own=True))
    edits = [Edit("f", drop="g"), Edit("f", always=1), Edit("f", compare=(1, "<", ">")), Edit("f", cmpxchg="plain"), Edit("f", first=("g", "atomic_read"))]
    ended = {"graph": 0, "reason": 0, "edited": 0}
    for index in range(300):
        names = names_of(program(rng))
        try:
            if index % 3 == 0:
                names = edited(names, [rng.choice(edits)])
                ended["edited"] += 1
            made = graph(Runs(Subject(names, DATA.modelled, Setting(zero), words)), Call("F", ("f",)), [[0, 1], [0, 3]])
            assert lines(made, words, [[0, 1], [0, 3]], "k")[-1:] != [""]
            ended["graph"] += 1
        except Inconclusive as stopped:
            assert stopped.blocker
            ended["reason"] += 1
    assert min(ended.values()) > 10, ended


@pytest.mark.parametrize(
    "text",
    [
        "int f(void) { return " + "(" * 3000 + "1" + ")" * 3000 + "; }",
        "int f(void) { " + "{" * 2000 + "}" * 2000 + " return 1; }",
        "int f(void) { return " + "!" * 20000 + "1; }",
        "int f(void) { return " + "1 + " * 20000 + "1; }",
        "int f(void) { " + "if (1) " * 3000 + "return 1; }",
        "#define a(x) a2(x)(x)\n#define a2(x) a(x)\nint f(void) { return a(a(a(1))); }",
        "typedef t t;\ntypedef u v;\ntypedef v u;\nint f(void) { return sizeof(t) + sizeof(u); }",
        "enum { A = B, B = A };\nint f(void) { return A; }",
        "int f(void) { long x = 1; for (;;) x *= 3; }",
    ],
)
def test_deep_and_circular_text_ends(text: str) -> None:
    machine = Machine(names_of(text), DATA.modelled, Setting(zero), Space(), Bounds(20_000, 40, 100))
    try:
        machine.evaluate("f()", {})
    except Inconclusive as stopped:
        assert stopped.blocker


@pytest.mark.parametrize(
    "text",
    [
        "int f(void) " + " " * 100_000 + ";",
        "int f(void) " + "__a(" * 20_000,
        "int f(void) " + "__a " * 20_000,
        "f(" * 50_000,
        "enum " * 50_000 + "{",
        "typedef " * 50_000 + "f;",
        "#define f " + "\\\n" * 50_000,
        '"' + "\\" * 100_000,
    ],
)
def test_text_that_makes_patterns_back_track_is_read_at_once(text: str) -> None:
    """Nothing here is a definition; a pattern that tries all ways to see that would not come back."""
    names = names_of(text)
    assert names.function("f") is None
    assert names.enumerator("f") is None
    assert names.type_named("g") is None


@pytest.mark.parametrize(
    ("body", "blocker"),
    [
        ("unsigned long x = pte_val(o), y = pte_val(n); int i; for (i = 0; i < 70; i++) { x = x * 181 + y; y ^= x >> 3; } return x;", "too much work"),
        ("unsigned long a[100]; int i; for (i = 0; i < 75; i++) a[i] = pte_val(o) + i; return a[0];", ""),
    ],
)
def test_symbolic_work_is_bounded_and_many_words_are_none(body: str, blocker: str) -> None:
    header = f"#include <asm/pgtable_types.h>\nstatic inline bool pte_needs_flush(pte_t o, pte_t n) {{ {body} }}\n"
    (found,) = survey.predicates(seen(tree(header)))
    assert blocker in found.blocker and bool(found.verdicts) == (not blocker)
