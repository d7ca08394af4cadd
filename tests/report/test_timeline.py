"""Interleavings as rows, and as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.pages import EVIL, long_witness, witness
from tlblint.model.witness import Change, Witness, WitnessStep
from tlblint.report.swimlane import LANES, table
from tlblint.report.timeline import RUN, SHORT, timeline


def made(*steps: WitnessStep, things: tuple[str, ...] = ()) -> Witness:
    return Witness("x86-64", "stale-read", "S.", (("a", 0), ("b", 1)), things, steps)


def step(number: int, cpu: int, text: str = "t", change: tuple[str, str, str] | None = None, mark: str = "", cause: int | None = None) -> WitnessStep:
    return WitnessStep(number, "ab"[cpu], cpu, text, None, None, (Change(*change),) if change else (), mark, "", cause)


def test_lanes_are_the_actors_then_what_changes() -> None:
    names = [(lane.name, lane.kind) for lane in timeline(witness()).lanes]
    assert names == [
        ("reclaim on CPU0", "actor"), ("mprotect on CPU0", "actor"), ("user on CPU1", "actor"),
        ("TLB of CPU1", "tlb"), ("PTE a", "thing"), ("batch", "thing"), ("promise", "thing"), ("page 1", "thing"),
    ]  # fmt: skip


def test_what_never_changes_has_no_lane() -> None:
    time = timeline(made(step(1, 0, change=("PTE a", "x", "y")), things=("page 9", "PTE a")))
    assert [lane.name for lane in time.lanes] == ["a on CPU0", "PTE a"]


def test_what_only_caches_stands_in_the_lane_of_its_thing() -> None:
    birth = WitnessStep(0, "hash table", 0, "hash table caches a -> page 1", mark="birth")
    time = timeline(made(step(1, 0), birth, step(2, 0, change=("entry of a", "p", "none")), step(3, 0, mark="violation")))
    assert [lane.name for lane in time.lanes] == ["a on CPU0", "hash table for a", "entry of a"] and [row.lane for row in time.rows] == [0, 1, 0, 0]
    assert [cell.text for cell in table(time, "").lines[1].cells] == ["", "hash table caches a -> page 1"]


def test_the_stale_window_runs_from_the_clear_to_the_bad_step() -> None:
    time = timeline(witness())
    [window] = time.windows
    assert (time.lanes[window.lane].name, window.first, window.last, window.open) == ("TLB of CPU1", 2, 9, True)


def test_a_flush_ends_the_window() -> None:
    time = timeline(made(
        step(1, 1, change=("TLB of CPU1", "empty", "a"), mark="birth"), step(2, 0, change=("PTE a", "p", "none")), step(3, 1, mark="violation"),
        step(4, 0, change=("TLB of CPU1", "a", "empty")),
    ))  # fmt: skip
    assert [(w.first, w.last, w.open) for w in time.windows] == [(1, 2, True)]
    time = timeline(made(
        step(1, 1, change=("TLB of CPU1", "empty", "a"), mark="birth"), step(2, 0, change=("PTE a", "p", "none")),
        step(3, 0, change=("TLB of CPU1", "a", "empty")), step(4, 1, mark="violation"),
    ))  # fmt: skip
    assert [(w.first, w.last, w.open) for w in time.windows] == [(1, 2, False)]


def test_a_tlb_that_only_gets_stale_has_its_lane() -> None:
    time = timeline(made(step(1, 0, change=("PTE a", "p", "none")), step(2, 1, mark="violation")))
    assert [lane.name for lane in time.lanes][2:] == ["TLB of CPU1", "PTE a"] and [(w.first, w.last) for w in time.windows] == [(0, 1)]


def test_a_flush_in_time_leaves_no_window_where_nothing_was_cached() -> None:
    flushed = step(2, 0, change=("TLB of CPU1", "a", "empty"))
    time = timeline(made(step(1, 0, change=("PTE a", "p", "none")), flushed, step(3, 0, change=("PTE a", "none", "p")), step(4, 1, mark="violation")))
    assert time.windows == ()


def test_no_window_where_no_entry_changes() -> None:
    assert timeline(made(step(1, 0), step(2, 1, mark="violation"))).windows == ()


def test_short_witnesses_are_shown_whole() -> None:
    assert [row.folded for row in timeline(made(*(step(n, 0) for n in range(1, SHORT + 1)))).rows] == [0] * SHORT


def test_runs_without_events_fold() -> None:
    steps = [step(n, 0) for n in range(1, 11)] + [step(11, 1, change=("PTE a", "x", "y")), step(12, 0), step(13, 0)] + [step(n, 1) for n in range(14, 30)]
    time = timeline(made(*steps))
    assert [(row.number, row.folded, row.text) for row in time.rows] == [
        (1, 10, "10 steps on CPU0"), (11, 0, "t"), (12, 0, "t"), (13, 0, "t"), (14, 16, "16 steps on CPU1"),
    ]  # fmt: skip


def test_a_step_that_makes_another_possible_is_not_folded() -> None:
    steps = [*(step(n, 0) for n in range(1, 30)), step(30, 1, cause=5)]
    time = timeline(made(*steps))
    assert [row.number for row in time.rows] == [1, 5, 6, 30] and time.rows[3].cause == 1
    assert RUN <= 4


@given(st.integers(1, 200), st.integers(6, 60))
def test_rows_are_capped_and_no_step_is_lost(count: int, most: int) -> None:
    time = timeline(long_witness(count), most)
    assert len(time.rows) <= most
    assert sum(row.folded or 1 for row in time.rows) == time.steps == count
    assert time.rows[-1].mark == "violation"
    assert [row.number for row in time.rows] == sorted(row.number for row in time.rows)


def test_a_cause_always_comes_before() -> None:
    time = timeline(made(step(1, 0, cause=2), step(2, 1, cause=2), step(3, 0, cause=99), step(4, 1, cause=3)))
    assert [row.cause for row in time.rows] == [None, None, None, 2]


def rows(source: Witness, path: str = "mm/a.c") -> list[list[str]]:
    """What each row of the table says: its number, then its cells."""
    return [[line.number, *(cell.text for cell in line.cells)] for line in table(timeline(source), path).lines]


def test_a_table_has_a_column_for_each_thread_and_for_what_changes() -> None:
    made = table(timeline(witness()), "mm/a.c")
    names = ("reclaim on CPU0", "mprotect on CPU0", "user on CPU1", "TLB of CPU1", "PTE a", "batch", "promise", "page 1")
    assert made.heads == tuple((name, at < 3) for at, name in enumerate(names))
    assert made.first == ("", "", "", "empty", "page 1, write", "empty", "none", "clean")
    said = rows(witness())
    assert said[0] == ["1", "", "", "writes a: its TLB now holds it", "a: page 1, write"] and said[2] == ["3", "ptep_get_and_clear()", "", "", "", "none"]
    assert [place for line in made.lines for place in [cell.place for cell in line.cells if cell.place]] == [f"line {n}" for n in (3, 4, 4, 3, 4)]


def test_the_stale_window_is_marked_in_its_column() -> None:
    lines = table(timeline(witness()), "").lines
    assert [[at for at, cell in enumerate(line.cells) if cell.stale] for line in lines] == [[], [], *([[3]] * 8)]
    assert [line.number for line in lines if any(cell.opens for cell in line.cells)] == ["3"]


def test_the_bad_step_is_marked_by_shape_and_word() -> None:
    [bad] = [line for line in table(timeline(witness()), "").lines if line.kind == "bad"]
    assert bad.number == "10" and bad.cells[2].said == "\u2715 violation: contract"


def test_causes_are_named_by_their_step() -> None:
    assert [(line.number, cell.after) for line in table(timeline(witness()), "").lines for cell in line.cells if cell.after] == [("6", "5"), ("10", "9")]


def test_places_in_other_files_are_told_whole() -> None:
    assert {cell.place for line in table(timeline(witness()), "mm/b.c").lines for cell in line.cells if cell.place} == {"mm/a.c:3", "mm/a.c:4"}


def test_a_value_says_what_was_before_where_no_row_does() -> None:
    odd = made(step(1, 0, change=("PTE a", "x", "y")), step(2, 0, change=("PTE a", "z", "w")), step(3, 0, change=("PTE a", "w", "v")))
    assert [row[2] for row in rows(odd)] == ["y", "z \u2192 w", "v"] and table(timeline(odd), "").first == ("", "x")


@given(st.integers(1, 200))
def test_no_change_of_a_row_is_lost(count: int) -> None:
    time = timeline(long_witness(count))
    changed = [change.after for row in time.rows for change in row.changes]
    assert [cell.text.rpartition(" ")[2] for line in table(time, "").lines for cell in line.cells if cell.text and not cell.act] == changed


def test_more_columns_than_fit_become_one() -> None:
    wide = made(*(step(n, 0, change=(f"PTE {n}", "x", "y")) for n in range(1, LANES + 1)), step(LANES + 1, 1, cause=2))
    one = table(timeline(wide), "")
    assert one.heads == (("who does what", True),) and {len(line.cells) for line in one.lines} == {1}
    assert one.lines[1].cells[0].text == "a on CPU0: t" and one.lines[1].cells[0].more == ("PTE 2: x \u2192 y",) and one.lines[-1].cells[0].after == "2"


@pytest.mark.parametrize("source", [witness(), long_witness(40), long_witness(300), made(step(1, 0, EVIL, (EVIL, EVIL, EVIL), "violation"))])
def test_a_table_is_clean_and_no_row_is_longer_than_its_head(source: Witness) -> None:
    one = table(timeline(source), "")
    assert all(len(line.cells) <= len(one.heads) == len(one.first) for line in one.lines)
    texts = [text for line in one.lines for cell in line.cells for text in (cell.text, cell.said, cell.place, *cell.more)]
    assert all(text.isprintable() for text in [*texts, *(name for name, _ in one.heads), *one.first])


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        ("CPU1 caches a -> page 1 writable", "TLB of CPU1 for a"), ("hash table caches b -> page 2 writable", "hash table for b"),
        ("device caches a -> page 1 read-only", "device's translation of a"), ("CPU0 caches the pointer to table T", "walk cache of CPU0 for table T"),
        ("odd words", "TLB of CPU1"),
    ],
)  # fmt: skip
def test_the_lane_of_a_birth_that_is_no_step(text: str, lane: str) -> None:
    birth = WitnessStep(0, "b", 1, text, mark="birth")
    time = timeline(made(step(1, 0), birth, step(2, 0, change=("entry of a", "page 1", "none")), step(3, 1, mark="violation", cause=2)))
    assert [one.name for one in time.lanes][2:] == [lane, "entry of a"]
    assert [(w.lane, w.first, w.last, w.open) for w in time.windows] == [(2, 2, 3, True)]
    assert [row.number for row in time.rows] == [1, 0, 2, 3] and time.rows[3].cause == 2
    assert [change.after for change in time.rows[1].changes] == ([] if text == "odd words" else [text.partition(" caches ")[2]])


def test_a_thread_s_own_variables_have_no_lane() -> None:
    time = timeline(made(step(1, 0, change=("a's old", "none", "page 1")), step(2, 1, change=("a's deferred flush", "none", "due"))))
    assert [lane.name for lane in time.lanes] == ["a on CPU0", "b on CPU1", "a's deferred flush"]
    assert table(time, "").lines[0].cells[0].more == ("a's old: none \u2192 page 1",)
