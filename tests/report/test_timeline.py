"""Interleavings as rows, and as a picture."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.pages import EVIL, long_witness, witness
from tlblint.model.witness import Change, Witness, WitnessStep
from tlblint.report import swimlane
from tlblint.report.timeline import MOST, RUN, SHORT, timeline


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
    root = ElementTree.fromstring(swimlane.svg(time, "x"))
    [group] = [one for one in root.iter("g") if one.attrib["data-n"] == "2"]
    assert len(list(group.iter("rect"))) == 1


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


@pytest.mark.parametrize("picture", [witness(), long_witness(40), long_witness(300), made(step(1, 0, EVIL, (EVIL, EVIL, EVIL), "violation"))])
def test_the_picture_is_sound_and_everything_lies_inside(picture: Witness) -> None:
    text = swimlane.svg(timeline(picture), f"label {EVIL}")
    root = ElementTree.fromstring(text)
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {width} {height}"
    for rect in root.iter("rect"):
        x, y, w, h = (int(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        assert x >= 0 and x + w <= width and y >= 0 and y + h <= height
    lines = [part for part in root.iter() if part.tag in ("text", "tspan")]
    assert all(0 < int(part.attrib["x"]) < width for part in lines)
    assert not {"style", "href", "onclick", "id"} & {name for part in root.iter() for name in part.attrib}
    assert {part.tag for part in root.iter()} <= {"svg", "g", "rect", "path", "text", "tspan"}


def test_boxes_of_a_column_do_not_overlap() -> None:
    root = ElementTree.fromstring(swimlane.svg(timeline(witness()), "x"))
    boxes = sorted((int(r.attrib["x"]), int(r.attrib["y"]), int(r.attrib["height"])) for r in root.iter("rect") if r.attrib["class"] in ("c", "v"))
    for (x, y, height), (other, below, _) in itertools.pairwise(boxes):
        assert x != other or y + height <= below


def test_the_bad_step_is_marked_by_shape_and_word() -> None:
    root = ElementTree.fromstring(swimlane.svg(timeline(witness()), "x"))
    [bad] = [group for group in root.iter("g") if "bad" in group.attrib["class"].split()]
    assert "✕ violation: contract" in " ".join(bad.itertext()).replace("  ", " ") and bad.attrib["data-n"] == "10"


def test_text_fits_its_column() -> None:
    long = replace(witness(), steps=(step(1, 0, "set_tlb_ubc_flush_pending_and_more(mm, pte) " + "x" * 60),))
    root = ElementTree.fromstring(swimlane.svg(timeline(long), "x"))
    texts = [part.text or "" for part in root.iter() if part.tag in ("text", "tspan")]
    assert max(map(len, texts)) <= swimlane.ACTOR and "set_tlb_ubc_flush_" in texts


@pytest.mark.parametrize("count", [20, 40, 60])
def test_the_picture_is_small(count: int) -> None:
    assert len(swimlane.svg(timeline(long_witness(count)), "x")) <= 330 * count + 1000 <= 330 * MOST + 1000


def test_arrows_are_for_causes_only() -> None:
    assert len(re.findall('class="cause"', swimlane.svg(timeline(witness()), "x"))) == 2


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
    swimlane.svg(time, "x")


def test_arrows_cross_no_box() -> None:
    time = timeline(made(step(1, 0), step(2, 1), step(3, 1), step(4, 0, cause=2), step(5, 1, cause=1)))
    root = ElementTree.fromstring(swimlane.svg(time, "x"))
    boxes = [tuple(int(r.attrib[key]) for key in ("x", "y", "width", "height")) for r in root.iter("rect") if r.attrib["class"] == "c"]
    for path in (p.attrib["d"] for p in root.iter("path") if p.attrib.get("class") == "cause"):
        x1, y1, out, y2, x2 = map(int, re.match(r"M(\d+) (\d+)h(-?\d+)V(\d+)H(\d+)", path).groups())  # type: ignore[union-attr]
        lines = [(x1 + out, min(y1, y2), 0, abs(y2 - y1)), (min(x1 + out, x2), y2, abs(x2 - x1 - out), 0)]
        for x, y, w, h in lines:
            assert not [box for box in boxes if x < box[0] + box[2] and box[0] < x + w and y < box[1] + box[3] and box[1] < y + h]
