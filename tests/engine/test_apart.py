"""What keeps two entry states of a callee apart: only what it, or what it calls, can make use of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.engine.small import CONTEXT, ROLES, RULES, WORDS, _role, rule
from tlblint.engine.analyse import analyse
from tlblint.engine.asked import EngineResult
from tlblint.flow import facts_of
from tlblint.syntax import Config

GATHER = {role.name: role for role in (_role("begin", 1, "gather.begin tlb=0"), _role("end", 1, "gather.end tlb=0"))}
TWICE = rule(
    "TWICE", ("tlb",), "open",
    "start -> open : gather.begin",
    "open -> gone : gather.end(tlb)",
    "open -> ERROR : gather.begin(tlb) say 'begun twice'",
)  # fmt: skip


def judged(source: str) -> EngineResult:
    context = replace(CONTEXT, roles=lambda name, count: (ROLES | GATHER).get(name))
    return analyse([facts_of("mm/a.c", source.encode(), Config(), WORDS | {name.encode() for name in GATHER}, frozenset({b"outer"}))], (*RULES, TWICE), context)


INNER = "\nstatic void inner(struct mmu_gather *tlb, int n) { begin(tlb); %s end(tlb); }\n"


@pytest.mark.parametrize(("sometimes", "states"), [("one", 1), ("two", 2)])
def test_a_gather_that_is_not_handed_over(sometimes: str, states: int) -> None:
    """Whether it is open is nothing to the callee."""
    source = INNER % "" + f"""
void outer(struct mmu_gather *one, struct mmu_gather *two, struct mmu_gather *three, int n) {{
	begin(three);
	if (other(1))
		begin({sometimes});
	inner(two, n);
	end(three);
}}
"""
    assert judged(source).contexts == 1 + states


def test_a_gather_that_is_found_through_a_member() -> None:
    source = """
struct args { struct mmu_gather *tlb; };
static void inner(struct args *args) { begin(args->tlb); end(args->tlb); }
void outer(void) {
	struct mmu_gather one;
	struct args args;
	args.tlb = &one;
	begin(&one);
	inner(&args);
}
"""
    assert [(f.rule, f.function) for f in judged(source).findings if f.rule == "TWICE"] == [("TWICE", "outer")]


@pytest.mark.parametrize(
    ("inside", "states"),
    [("other(NR_ALL);", 1), ("if (n < NR_ALL) flush();", 2), ("if (n & NR_ALL) flush();", 1)],
)
def test_two_constants_compared(inside: str, states: int) -> None:
    """A loop from 0 to a constant says which of the two is the lower one, and that is nothing to who does not compare with it."""
    source = INNER % inside + """
void outer(struct mmu_gather *two, int n) {
	int i;
	inner(two, n);
	for (i = 0; i < NR_ALL; i++)
		inner(two, n);
}
"""
    assert judged(source).contexts == 1 + states


@pytest.mark.parametrize(
    ("inside", "states"),
    [("if (n & FLAG) flush();", 1), ("int m = n & FLAG; if (m) flush();", 1), ("if (n == FLAG) flush();", 2), ("if (n) flush();", 2),
     ("if (n & FLAG) flush(); if (n == FLAG) flush();", 2)],
)  # fmt: skip
def test_a_word_of_which_bits_are_asked(inside: str, states: int) -> None:
    """Which constant it is says nothing of a bit."""
    source = INNER % inside + """
void outer(struct mmu_gather *two, int n) {
	inner(two, FLAG);
	inner(two, OTHER | MORE);
	if (n)
		inner(two, n);
}
"""
    told = judged(source).contexts
    assert told == 1 + states if states == 1 else told > 2
