"""TLB202 under a series: told at the patch that makes a predicate wrong, wherever that patch reaches in; other series pay nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.predicates.mini import RIGHT, TYPES, WASTEFUL, WRONG, tree, write
from tests.series.kit import build, judge, protect
from tlblint.app import executed as executed_app
from tlblint.app import refuted
from tlblint.app.check import check
from tlblint.app.predicates_data import Data
from tlblint.app.reading import Reading
from tlblint.app.request import Request
from tlblint.io.overlay import Overlay
from tlblint.io.tree import PlainDir, Tree
from tlblint.names.unit import Shelf

HEADER = "arch/x86/include/asm/tlbflush.h"
BITS = "arch/x86/include/asm/pgtable_types.h"
BASE = tree(RIGHT, {"mm/x.c": protect(), "include/linux/other.h": "\n"})
NO_DIRTY = TYPES.replace("1) << 6)", "1) << 10)")
"""The predicate reads another bit than the one that says dirty."""


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kinds of the trees in which something was executed."""
    kinds: list[str] = []
    plain = executed_app.told

    def told(read: Reading, ships: Data, machine: refuted.Machine, shelf: Shelf) -> refuted.Told:
        kinds.append(read.tree.kind)
        return plain(read, ships, machine, shelf)

    monkeypatch.setattr(executed_app, "told", told)
    return kinds


def rows(top: Path, count: int) -> list[tuple[str, str, int, str, int | None]]:
    """(path, function, patch, change, until) of the predicates."""
    marks = [(finding, finding.patch) for finding in judge(top, count).findings if finding.rule == "TLB202"]
    return [(f.path, f.function, mark.index, mark.change, mark.until) for f, mark in marks if mark is not None]


def test_at_the_patch_that_makes_it_wrong_and_until_it_is_mended(tmp_path: Path, executed: list[str]) -> None:
    top = build(tmp_path, BASE, {"mm/x.c": protect("other")}, {HEADER: WRONG}, {"include/linux/other.h": "int x;\n"}, {HEADER: RIGHT})
    assert rows(top, 4) == [(HEADER, "pte_needs_flush", 2, "introduced", 4)]
    assert executed == ["revision", "series", "series"]
    assert rows(top, 4) and len(executed) == 3


def test_a_change_in_a_header_behind_it_counts(tmp_path: Path) -> None:
    top = build(tmp_path, BASE, {"include/linux/other.h": "int x;\n"}, {BITS: NO_DIRTY})
    assert rows(top, 2) == [(HEADER, "pte_needs_flush", 2, "introduced", None)]
    report = judge(top, 2)
    assert "tlbflush.h" in next(path for path in report.sources if path == HEADER)


def test_a_header_that_comes_to_stand_before_another_counts(tmp_path: Path) -> None:
    top = build(tmp_path, {**BASE, BITS: "#include <linux/bits.h>\n", "include/linux/bits.h": TYPES}, {"arch/x86/include/linux/bits.h": NO_DIRTY})
    assert rows(top, 1) == [(HEADER, "pte_needs_flush", 1, "introduced", None)]


def test_what_was_wrong_before_is_not_the_series_doing(tmp_path: Path) -> None:
    top = build(tmp_path, {**BASE, HEADER: WRONG}, {HEADER: "\n\n" + WRONG}, {HEADER: WASTEFUL})
    assert [row[2:] for row in rows(top, 1)] == [(1, "fixed", None)]
    assert [row[2:] for row in rows(build(tmp_path / "second", {**BASE, HEADER: WRONG}, {HEADER: "\n\n" + WRONG}), 1)] == [(1, "existing", None)]


def test_a_predicate_that_cannot_be_executed_is_not_mended(tmp_path: Path) -> None:
    strange = WRONG.replace("return true", "return strange(diff)")
    top = build(tmp_path, {**BASE, HEADER: WRONG}, {HEADER: strange}, {HEADER: WRONG})
    assert [row[2:] for row in rows(top, 2)] == [(1, "existing", None)]
    series = judge(top, 2).series
    assert series is not None and ["cannot be executed" in " ".join(patch.notes) for patch in series.patches] == [True, False]


def test_series_that_touch_no_header_of_it_execute_nothing(tmp_path: Path, executed: list[str]) -> None:
    top = build(tmp_path, BASE, {"mm/x.c": protect("other")}, {"Kconfig": "config X\n", "mm/y.c": protect("more")})
    assert rows(top, 2) == [] and executed == []


@pytest.mark.parametrize("seed", range(3))
def test_each_state_is_as_a_check_of_it_says(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    edits = [{HEADER: RIGHT}, {HEADER: WRONG}, {HEADER: WASTEFUL}, {BITS: NO_DIRTY}, {BITS: TYPES}, {HEADER: None}, {"include/linux/other.h": "int y;\n"},
             {"arch/x86/include/linux/mm.h": "#include <asm/pgtable_types.h>\n"}, {"arch/x86/Kconfig": "config X86\n"}]  # fmt: skip
    gone = {HEADER}
    states = []
    for edit in [dice.choice(edits) for _ in range(6)]:
        path, text = next(iter(edit.items()))
        if text is not None or path not in gone:
            states.append(edit)
            (gone.add if text is None else gone.discard)(path)
    gone.discard(HEADER)
    top = build(tmp_path, BASE, *states)
    count = len(states)
    there = []
    for number in range(count + 1):
        report = check(Request(str(top), tree=str(top), revision=f"HEAD~{count - number}", flags={"jobs": 1})).report
        there.append({(f.path, f.function) for f in report.findings if f.rule == "TLB202"})
    came = sorted(number for number in range(1, count + 1) for _ in there[number] - there[number - 1])
    assert sorted(patch for _, _, patch, change, _ in rows(top, count) if change == "introduced") == came


def test_what_is_known_of_one_state_changes_nothing_in_the_next(tmp_path: Path) -> None:
    """A walk through states of a tree, each executed after the one before and by itself."""
    changes: tuple[dict[str, str | None], ...] = (
        {HEADER: RIGHT}, {HEADER: WRONG}, {HEADER: WASTEFUL}, {HEADER: "#define pte_needs_flush(o, n) ((o).pte != (n).pte)\n" + TYPES},
        {BITS: TYPES}, {BITS: NO_DIRTY}, {BITS: "#include <linux/bits.h>\n"}, {"include/linux/bits.h": TYPES}, {"include/linux/bits.h": None},
        {"arch/x86/include/linux/bits.h": NO_DIRTY}, {"arch/x86/include/linux/bits.h": None}, {"arch/x86/Kconfig": "config X86\n"},
        {"include/linux/mm.h": "#undef WHAT\n#include <asm/tlbflush.h>\n", BITS: TYPES},
    )  # fmt: skip
    base = PlainDir(str(write(tmp_path, BASE)))
    (machine,) = (one for one in executed_app.machines() if one.name == "x86-64")
    rng = random.Random("states")
    tree: Tree = base
    last = executed_app.Executing(base)
    answers = [last(machine)]
    for _ in range(60):
        changed = {path: None if text is None else text.encode() for path, text in rng.choice(changes).items()}
        tree = Overlay(tree, changed)
        last = executed_app.Executing(tree, last, changed)
        found = last(machine)
        assert found == executed_app.Executing(tree)(machine)
        answers.append(found)
    assert len({(one.wrong, one.unclear, one.judged) for one in answers}) > 3
