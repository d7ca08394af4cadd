"""Versions of a file share what is the same in them; what they say stays."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from tests.series.test_incremental import CHAIN, FIXTURES, edited
from tlblint.app import spine as spines
from tlblint.app.spine import Wanted
from tlblint.app.taken_over import taken_over
from tlblint.model.ir import FileFacts

SPINE = spines.load(Wanted())
PATH = "mm/x.c"


def listed(facts: FileFacts) -> FileFacts:
    return replace(facts, newlines=tuple(facts.newlines))


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_same_whatever_came_before(seed: int) -> None:
    dice = random.Random(seed)
    raw = dice.choice(FIXTURES).read_bytes() + CHAIN
    last = None
    for _ in range(8):
        facts = SPINE.facts(PATH, raw)
        last = taken_over(last, facts)
        assert listed(last) == listed(facts)
        raw = edited(raw, dice)


def test_what_did_not_move_is_the_same_object_and_what_did_shares_its_words() -> None:
    first = taken_over(None, SPINE.facts(PATH, CHAIN))
    more = taken_over(first, SPINE.facts(PATH, CHAIN + b"\nint more;\n"))
    assert all(one is other for one, other in zip(first.functions, more.functions, strict=True))
    moved = taken_over(first, SPINE.facts(PATH, b"/* moved */\n" + CHAIN))
    calls = [[instr[3] for block in facts.functions[0].blocks for instr in block.instrs if instr[0] == "call"] for facts in (first, moved)]
    assert calls[0] and all(one is other for one, other in zip(*calls, strict=True))
    assert moved.functions[0].start == first.functions[0].start + len("/* moved */\n")
