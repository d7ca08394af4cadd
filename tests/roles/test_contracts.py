"""Contracts: the shipped ones, look-up, and errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tlblint.roles import ContractTable, RoleError, load_contracts
from tlblint.roles.contracts import IMPLIED, SAYS

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = '[[contract]]\nfunction = ["f"]\nsays = ["promotion-only"]\nreason = "r"\n'
SLOT = '[[slot]]\nstruct = "ops"\nslot = "go"\nholds = ["ptl"]\nbind = { pte = "0" }\nreason = "r"\n'


@pytest.fixture(scope="module")
def shipped(api: Mapping[str, str]) -> ContractTable:
    return load_contracts(api["contracts.toml"])


def test_callbacks(shipped: ContractTable) -> None:
    found = shipped.slot("const struct mm_walk_ops", "pte_entry")
    assert found is not None
    assert found.holds == {"ptl", "walker"}
    assert (found.level, dict(found.bind)["mm"], found.unless) == ("pte", "3.mm", "no_vma")
    pmd = shipped.slot("mm_walk_ops", "pmd_entry")
    assert pmd is not None and not pmd.holds
    fn = shipped.slot("apply_to_page_range", "fn")
    assert fn is not None and fn.holds == {"ptl", "lazy"} and fn.unless == "init_mm"
    assert shipped.slot("mm_walk_ops", "walk_lock") is None


def test_the_file_matters(shipped: ContractTable) -> None:
    """Two files have a function of this name; only one of them ages pages."""
    assert "young-only" in shipped.says("mm/vmscan.c", "walk_pte_range")
    assert shipped.says("mm/pagewalk.c", "walk_pte_range") == frozenset()
    assert shipped.says("mm/anything.c", "folio_referenced_one") >= {"young-only", "flush-elsewhere"}


def test_parameters_tell_spellings_apart(shipped: ContractTable) -> None:
    new = shipped.function("hugetlb_wp", "mm/hugetlb.c", ["vmf"])
    old = shipped.function("hugetlb_wp", "mm/hugetlb.c", ["mm", "vma", "address", "ptep", "flags", "pagecache_page", "ptl"])
    assert new is not None and old is not None
    assert (dict(new.entry), dict(old.entry)) == ({"ptl": "vmf->ptl"}, {"ptl": "ptl"})
    assert shipped.function("hugetlb_wp", "mm/hugetlb.c", ["x"]) is None


def test_words_imply_words(shipped: ContractTable) -> None:
    assert shipped.says("mm/memory.c", "copy_pte_range") == {
        "caller-flushes-mm", "dirty-stays", "flush-elsewhere", "flushes-none-too", "dirty-settled",
    }  # fmt: skip
    assert shipped.says("mm/memory.c", "no_such_function") == frozenset()
    assert not SAYS & frozenset().union(*IMPLIED.values()), "an implied word is not one to be written"


def test_a_walk_over_live_entries_has_no_excuse(shipped: ContractTable) -> None:
    """The walkers that the batched-pending rule is about must not be excused from it."""
    for path, name in [
        ("mm/memory.c", "zap_pte_range"), ("mm/mprotect.c", "change_pte_range"), ("mm/madvise.c", "madvise_free_pte_range"),
        ("mm/madvise.c", "madvise_cold_or_pageout_pte_range"), ("mm/mremap.c", "move_ptes"),
        ("mm/userfaultfd.c", "move_swap_pte"), ("mm/rmap.c", "try_to_unmap_one"),
    ]:  # fmt: skip
        assert not shipped.says(path, name) & {"flushes-none-too", "flush-elsewhere"}, name


def test_every_word_is_used_and_in_the_readme(shipped: ContractTable) -> None:
    text = (ROOT / "rules" / "api" / "README.md").read_text(encoding="utf-8")
    used = {word for item in shipped.functions for word in item.contract.says} | {word for slot in shipped.slots for word in slot.says}
    assert used == SAYS
    for word, implied in IMPLIED.items():
        row = re.search(rf"^\| `{word}` \|.*$", text, re.MULTILINE)
        assert row is not None, word
        assert set(re.findall(r"`([\w-]+)`", row[0].rsplit("|", 2)[1])) == implied, word


def test_a_named_file_wins() -> None:
    table = load_contracts(GOOD + GOOD.replace("says", 'file = ["a.c"]\nsays').replace("promotion-only", "young-only"))
    assert "young-only" in table.says("a.c", "f")
    assert "promotion-only" in table.says("b.c", "f")


@pytest.mark.parametrize(
    ("text", "points_at", "message"),
    [
        (GOOD.replace("promotion-only", "promotion"), "promotion", "unknown word 'promotion', known are "),
        (GOOD.replace('"r"', '" "'), "reason", "a contract needs a reason"),
        (GOOD.replace('reason = "r"\n', ""), "[[contract]]", "Object missing required field `reason`"),
        (GOOD.replace('says = ["promotion-only"]\n', ""), "[[contract]]", "a contract needs to say something"),
        (GOOD + 'entry = { colour = "x" }\n', "colour", "unknown word 'colour', known are "),
        (GOOD + GOOD, "f", "f is described twice"),
        (SLOT.replace('"0"', '"arg0"'), '"arg0"', "bad operand 'arg0'"),
        (SLOT.replace('["ptl"]', '["mmap"]'), "mmap", "unknown word 'mmap', known are "),
        (SLOT + 'level = "p5d"\n', "p5d", "unknown level 'p5d'"),
        (SLOT + SLOT, "go", "ops go is described twice"),
        (SLOT + "colour = 1\n", "colour", "Object contains unknown field `colour`"),
    ],
)
def test_where_it_is_wrong(text: str, points_at: str, message: str) -> None:
    with pytest.raises(RoleError) as caught:
        load_contracts("\n" + text, "c.toml")
    error = caught.value
    assert error.file == "c.toml" and error.message.startswith(message)
    assert ("\n" + text).splitlines()[error.line - 1][error.column - 1 :].startswith(points_at)
