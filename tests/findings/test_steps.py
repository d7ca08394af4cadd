"""How a path is told."""

from __future__ import annotations

import pytest

from tests.findings.make import RULE, raw
from tlblint.findings.lines import Lines
from tlblint.findings.refine import Files, refine
from tlblint.model.finding import Finding, Step
from tlblint.model.ir import OpsTable

WALKED = b"int x;\nstatic int\nf (pte_t *pte)\n{\n\tclear(pte);\n}\n"
START = WALKED.index(b"static")
CLEAR = Step("mm/a.c", WALKED.index(b"clear"), "f", "entry.clear", "violated", "clear() clears the entry")


def step(pos: int, event: str, note: str, state: str = "") -> Step:
    return Step("mm/a.c", pos, "f", event, state, note)


def only(trace: tuple[Step, ...], pos: int, source: bytes = WALKED, tables: tuple[OpsTable, ...] = (), function: str = "f") -> Finding:
    [found] = refine([raw(pos=pos, trace=trace, function=function)], Files({"mm/a.c": Lines.of(source)}, {"mm/a.c": source}, tables), {"TLB003": RULE})
    return found


def table(path: str, name: str = "ops") -> OpsTable:
    return OpsTable(path, name, "mm_walk_ops", (("pmd_entry", "other"), ("pte_entry", "f")), "", 1)


def test_a_callback_is_entered_before_its_first_step_and_stands_at_its_name() -> None:
    found = only((CLEAR,), START)
    assert (found.line, found.column) == (3, 1)
    assert [(s.line, s.event, s.state) for s in found.trace] == [(3, "entered", "obligation starts"), (5, "entry.clear", "violated")]
    assert found.trace[0].note == "a page walk calls f() with the page table lock held"


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ((table("mm/a.c"),), "it is .pte_entry of ops, line 1"),
        ((table("arch/a.c", "far"), table("mm/a.c")), "it is .pte_entry of ops, line 1"),
        ((table("mm/b.c", "far"),), "it is .pte_entry of far, mm/b.c"),
    ],
)
def test_the_table_that_names_it_is_named(tables: tuple[OpsTable, ...], where: str) -> None:
    assert only((CLEAR,), START, tables=tables).trace[0].note.endswith(f": {where}")
    assert only((CLEAR,), START, tables=tuple(reversed(tables))).trace[0].note.endswith(f": {where}")


@pytest.mark.parametrize("function", ["nosuch", "clear", "(", ""])
def test_a_name_that_is_not_in_the_header_leaves_the_place(function: str) -> None:
    found = only((CLEAR,), START, function=function)
    assert (found.line, found.column) == (2, 1)


def test_what_begins_at_a_step_is_left_alone() -> None:
    trace = (step(CLEAR.pos, "entry.clear", "clear() clears the entry", "obligation starts"), step(CLEAR.pos + 9, "exit", "", "violated"))
    found = only(trace, CLEAR.pos)
    assert (found.line, len(found.trace), found.message) == (5, 2, "m")


def test_a_call_that_takes_two_locks_is_told_once() -> None:
    both = step(CLEAR.pos, "ptl.acquire", "double_pt_lock() takes the page table lock", "obligation starts")
    assert len(only((both, both, step(CLEAR.pos + 3, "entry.clear", "", "violated"), both), CLEAR.pos).trace) == 3


@pytest.mark.parametrize(
    ("frame", "pos", "note"),
    [
        ("ops", 1, "a page walk with ops calls f()"),
        ("apply_to_page_range(f)", START, "apply_to_page_range(f) calls f()"),
    ],
)
def test_a_walk_is_no_function_and_the_entry_comes_after_its_call(frame: str, pos: int, note: str) -> None:
    before = Step("mm/a.c", pos, frame, "call", "", "calls pre()")
    call = Step("mm/a.c", pos, frame, "call", "", "calls f()")
    found = only((before, call, CLEAR), START, tables=(table("mm/a.c"),))
    assert [(s.function, s.event, s.state) for s in found.trace] == [
        ("", "call", ""), ("", "call", ""), ("f", "entered", "obligation starts"), ("f", "entry.clear", "violated"),
    ]  # fmt: skip
    assert (found.trace[1].note, found.trace[2].note) == (note, "the walk holds the page table lock")


def test_a_call_by_a_function_stays_one() -> None:
    call = Step("mm/a.c", 1, "g", "call", "", "calls f()")
    assert [s.function for s in only((call, CLEAR), START, tables=(table("mm/a.c"),)).trace] == ["g", "f", "f"]


def test_what_a_loop_comes_back_to_is_broken_the_second_time() -> None:
    enter = step(CLEAR.pos, "lazy.enter", "enter() enters lazy MMU mode", "violated")
    found = only((enter, step(3, "branch", "(i<n) is true"), enter), CLEAR.pos)
    assert [s.state for s in found.trace] == ["obligation starts", "", "violated"]


def walk(name: str) -> tuple[Step, ...]:
    return (
        step(8, "branch", f"{name}() succeeds"),
        step(8, "ptl.acquire", f"{name}() takes the page table lock"),
        step(CLEAR.pos, "entry.clear", "clear() clears the entry", "obligation starts"),
        step(8, "branch", f"{name}() fails"),
        step(8, "ptl.release", f"{name}() releases the page table lock", "violated"),
    )


def test_a_walk_ends_where_it_finds_nothing_more() -> None:
    found = only(walk("page_vma_mapped_walk"), CLEAR.pos)
    assert [s.note.partition("() ")[2] for s in found.trace] == [
        "finds an entry", "takes the page table lock", "clears the entry", "finds no further entry", "ends the walk and releases the page table lock",
    ]  # fmt: skip
    assert found.message == "m page_vma_mapped_walk() drops the lock when it finds no further entry."


def test_locks_that_are_taken_and_dropped_by_two_calls_are_no_walk() -> None:
    first = walk("spin_lock")[:-1]
    other = step(8, "ptl.release", "spin_unlock() releases the page table lock", "violated")
    found = only((*first, other), CLEAR.pos)
    assert found.message == "m" and found.trace[-1].note == other.note and found.trace[0].note == "spin_lock() succeeds"
