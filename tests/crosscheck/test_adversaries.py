"""Each adversary by itself is right: beside the most general user, and beside each other that it is ever paired with."""

from __future__ import annotations

from itertools import combinations

import pytest

from tlblint.app.simulate import machines
from tlblint.crosscheck.adversaries import ADVERSARIES, Adversary, meets
from tlblint.crosscheck.program import Entry, Program, Step
from tlblint.crosscheck.rules import SHAPES
from tlblint.crosscheck.systems import Setting, pairings, system
from tlblint.sim import Bounds, explore
from tlblint.sim.profiles import find

EVERYTHING = frozenset({"tables", "notifier", "generation", "flag"})
NAMES = [adversary.name for adversary in ADVERSARIES]
BY_NAME = {adversary.name: adversary for adversary in ADVERSARIES}


def idle(uses: frozenset[str]) -> Program:
    """A path that does nothing."""
    return Program((Step("nop()"),), (Entry("a", "ptl", 1),), ("ptl",), uses, variables=("due",) if "flag" in uses else ())


def explored(pairing: tuple[Adversary, ...], start: str, code: str = "TLB002") -> str:
    machine = find(machines(), "powerpc-hash" if any(adversary.machines == "hash" for adversary in pairing) else "x86-ipi")
    uses = frozenset().union(*(adversary.footprint for adversary in pairing)) - {"entry"}
    return explore(system(idle(uses), Setting(machine, start, pairing), SHAPES[code], lambda event: ("", 1)), Bounds(100_000)).verdict


@pytest.mark.parametrize("start", ["P|W|D", "P|W", "P"])
@pytest.mark.parametrize("code", ["TLB002", "TLB004"])
@pytest.mark.parametrize("name", NAMES)
def test_alone_it_is_safe(name: str, code: str, start: str) -> None:
    if BY_NAME[name].machines == "hash" and start == "P|W":
        pytest.skip("a machine without hardware dirty bits has no writable clean entries")
    # The entry of the flag's second page table is absent for one that trusts an empty flag only while another is at work.
    assert explored((BY_NAME[name],), start, code) == "safe"


PAIRS = [pair for pair in combinations(ADVERSARIES, 2) if pair[0].shares & pair[1].shares and {pair[0].machines, pair[1].machines} != {"tlb", "hash"}]


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{one.name}+{other.name}" for one, other in PAIRS])
def test_two_that_are_paired_do_each_other_no_harm(pair: tuple[Adversary, Adversary]) -> None:
    assert explored(pair, "P|W|D", "TLB004") == "safe"


def test_there_are_enough_and_each_says_what_it_takes_for_granted() -> None:
    assert len(ADVERSARIES) >= 12 and len(set(NAMES)) == len(NAMES)
    assert [adversary.name for adversary in ADVERSARIES if not adversary.needs] == ["gup", "counted-flusher", "switch", "spinner"]


@pytest.mark.parametrize(
    ("uses", "absent"),
    [
        (frozenset({"no-page"}), {"reclaim", "writeback", "truncate", "ksm", "migrate"}),
        (frozenset({"anon"}), {"writeback", "truncate"}),
        (frozenset({"file"}), {"ksm"}),
        (frozenset({"folio-locked"}), {"reclaim", "writeback", "truncate", "ksm", "migrate"}),
    ],
)
def test_what_is_known_of_the_page_rules_adversaries_out(uses: frozenset[str], absent: set[str]) -> None:
    batching = frozenset({"batched-unmap"})
    before = {adversary.name for adversary in ADVERSARIES if meets(adversary, idle(frozenset()), False, batching)}
    after = {adversary.name for adversary in ADVERSARIES if meets(adversary, idle(uses), False, batching)}
    assert before - after == absent


def test_reclaim_defers_only_where_the_architecture_does() -> None:
    def names(machine: str) -> set[str]:
        return {adversary.name for pairing in pairings(idle(frozenset()), find(machines(), machine)) for adversary in pairing}

    assert "reclaim" in names("x86-ipi") and "reclaim" not in names("s390")
    assert "fault" in names("x86-ipi") and "hash-fault" in names("powerpc-hash")
