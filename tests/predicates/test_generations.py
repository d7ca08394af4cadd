"""Generations, counts and masks of CPUs as threads: what kernels have is safe, what a series of 2021 had is judged in each form it was discussed in."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.predicates import twins
from tests.predicates.mini import DATA, PROTOCOLS, machine_of, seen, tree
from tlblint.app.reading import Reading
from tlblint.app.simulate import machines
from tlblint.io.tree import open_tree
from tlblint.names.unit import Shelf
from tlblint.predicates import protocol
from tlblint.predicates.protocol import Explored
from tlblint.predicates.survey import Reader, reader

HEAD = "extern struct cpumask tlb_flush_batched_cpumask;\nextern unsigned int nr_cpu_ids;\nextern struct mm_struct init_mm;\n"
EVERY = "every change takes a generation, as the author said later"
ONCE = "the flush does not increment once more"
RANGE = "a CPU that is more than one generation behind may flush a range"
BEYOND = "pending is what is deferred beyond the last completed"
BEFORE = "each CPU takes its bit back before it flushes"


def explored(own: Reader, name: str) -> list[Explored]:
    one, shell = next(given for given in PROTOCOLS if given[0].name == name)
    return list(protocol.run(own, one, shell, machines()))


def verdicts(own: Reader, name: str) -> dict[str, str]:
    """Variant ("" is the text as it is) -> verdict; what stopped it, where something did."""
    return {run.variant: run.blocker or run.verdict for run in explored(own, name)}


def of(text: str) -> Reader:
    return seen(tree("", {"mm/rmap.c": HEAD + text}))


TWINS = [
    ("flush_generation", twins.GENERATIONS, {"": "safe", RANGE: "contract"}),
    ("flush_pending", twins.COUNT, {"": "safe", "nobody counts": "false-pending"}),
    ("deferred_generation", twins.IN_VMA, {"": "safe", EVERY: "safe", ONCE: "contract", f"{ONCE}, every change takes a generation": "safe"}),
    ("pending_generation", twins.IN_VMA, {"": "false-pending", BEYOND: "safe", f"{BEYOND}, or is that": "safe"}),
    ("pending_generation", twins.IN_TABLE, {"": "false-pending", BEYOND: "safe", f"{BEYOND}, or is that": "safe"}),
    ("batched_cpumask", twins.MASK, {"": "uaf-store", BEFORE: "safe"}),
]


@pytest.mark.parametrize(("name", "text", "wanted"), TWINS)
def test_own_code_in_the_same_shape(name: str, text: str, wanted: dict[str, str]) -> None:
    assert verdicts(of(text), name) == wanted


def test_a_witness_cites_the_lines_of_the_c_and_of_no_other_function() -> None:
    run = explored(of(twins.IN_TABLE), "pending_generation")[0]
    assert run.witness is not None
    text = (HEAD + twins.IN_TABLE).splitlines()
    cited = {step.text: text[step.line - 1] for step in run.witness.steps if step.path == "mm/rmap.c"}
    assert "inc_mm_tlb_gen" in cited["add gen 1"] and "page->deferred_tlb_gen =" in cited["set deferred 2"]
    assert "define pte_tlb_flush_pending" in cited["read deferred"], "a macro has the line of its definition"


def test_the_second_increment_is_what_hides_the_reuse() -> None:
    """With it the flush goes by a newer generation than a CPU can have caught up with; the witness without it is a CPU that came back in between."""
    run = next(run for run in explored(of(twins.IN_VMA), "deferred_generation") if run.variant == ONCE)
    assert run.witness is not None and run.blocker == ""
    told = [step.text for step in run.witness.steps]
    assert told.index("add gen 1") < told.index("switch_in(): mm loaded, reads its generation") and told.count("add gen 1") == 1


def test_a_tree_that_does_it_otherwise_is_left_out() -> None:
    assert explored(of(twins.MASK.replace("tlb_flush_batched_cpumask", "other_mask")), "batched_cpumask") == []
    assert explored(of(twins.COUNT), "flush_generation") == []


def test_what_is_beyond_execution_is_inconclusive_only_where_it_is_reached() -> None:
    unknown = "\tif (mystery(mm))\n\t\treturn;\n\tinfo.mm = mm;\n"
    assert verdicts(of(twins.GENERATIONS.replace("\tinfo.mm = mm;\n", unknown)), "flush_generation")[""].startswith("no body of mystery")
    unreached = twins.COUNT.replace("{ atomic_dec(", "{ if (atomic_read(&mm->tlb_flush_pending) == 0) mystery(); atomic_dec(")
    assert verdicts(of(unreached), "flush_pending")[""] == "safe"


def test_an_endless_loop_is_inconclusive() -> None:
    endless = twins.COUNT.replace("{ atomic_dec(", "{ for (;;) cpu_relax(); atomic_dec(")
    assert "does not end" in verdicts(of(endless), "flush_pending")[""]


KERNELS = os.environ.get("TLBLINT_KERNELS", "")
RFC = os.environ.get("TLBLINT_RFC", "")
"""A git repository whose last 20 commits are the patches of the RFC "TLB batching consolidation and enhancements"."""


def kernel(directory: str, revision: str | None = None) -> Reader:
    read = Reading(open_tree(directory, directory, revision))
    return reader(Shelf(read), read, machine_of("x86-64"), DATA.modelled, DATA.sizes)


@pytest.mark.skipif(not KERNELS, reason="TLBLINT_KERNELS is not set")
@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12", "7.3"])
def test_kernels(version: str) -> None:
    place = os.path.join(KERNELS, f"linux-source-{version}")
    if not os.path.isdir(place):
        pytest.skip(f"no {version}")
    own = kernel(place)
    assert verdicts(own, "flush_generation") == {"": "safe", RANGE: "contract"}
    assert verdicts(own, "flush_pending") == {"": "safe", "nobody counts": "false-pending"}
    assert [explored(own, name) for name in ("deferred_generation", "pending_generation", "batched_cpumask")] == [[], [], []]


THREAD = Path(__file__).parents[2] / "fixtures/scenarios/THREAD.md"
TOLD = [
    (name, patch, says, verdict) for patch, name, says, verdict in re.findall(r"^\| (\d+) \| `(\w+)` \| ([^|]*?) ?\| ([^|]+) \|", THREAD.read_text(), re.M)
]
"""(protocol, patch, difference, verdict) as the document about the series has them."""


def test_the_document_speaks_of_every_shape_and_names_differences_that_there_are() -> None:
    known = {(one.name, variant.says) for one, _ in PROTOCOLS for variant in one.variant} | {(one.name, "") for one, _ in PROTOCOLS}
    assert len(TOLD) == 16 and {(name, says) for name, _, says, _ in TOLD} <= known
    for name, text, wanted in TWINS[2:]:
        del text
        told = {says: verdict.split()[0] for given, _, says, verdict in TOLD if given == name}
        assert told.items() <= wanted.items(), name


@pytest.mark.skipif(not RFC, reason="TLBLINT_RFC is not set")
@pytest.mark.parametrize(("name", "patch"), sorted({(name, patch) for name, patch, _, _ in TOLD}))
def test_the_series_of_2021(name: str, patch: str) -> None:
    found = explored(kernel(RFC, f"HEAD~{20 - int(patch)}"), name)
    told = {(run.variant, run.verdict + (f" in {run.length}" if run.length else "")) for run in found}
    assert {(says, verdict) for given, number, says, verdict in TOLD if (given, number) == (name, patch)} <= told


@pytest.mark.skipif(not RFC, reason="TLBLINT_RFC is not set")
def test_the_whole_series_says_the_same_of_what_patch_15_brought() -> None:
    own = kernel(RFC, "HEAD")
    for name in ("deferred_generation", "pending_generation"):
        assert verdicts(own, name) == dict(next((wanted for given, _, wanted in TWINS if given == name)))
