"""The path through the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.make import finding, report
from tests.report.pages import CALLED
from tlblint.model.finding import TraceStep
from tlblint.report.excerpt import marks, segments
from tlblint.report.html_graph import neighbourhood

SOURCE = {"mm/a.c": b"".join(b"line %d\n" % n for n in range(1, 101))}


def at(line: int, function: str = "f", event: str = "x", note: str = "", state: str = "", path: str = "mm/a.c") -> TraceStep:
    return TraceStep(path, line, function, event, state, note)


def test_calls_go_deeper_and_returns_come_back() -> None:
    trace = (at(1), at(2, event="call", note="calls g()"), at(50, "g"), at(51, "g", "call", "calls h()"), at(80, "h"), at(52, "g"), at(3))
    assert [(s.function, s.depth, [step.number for step in s.steps]) for s in segments(finding(trace=trace), SOURCE)] == [
        ("f", 0, [1, 2]), ("g", 1, [3, 4]), ("h", 2, [5]), ("g", 1, [6]), ("f", 0, [7]),
    ]  # fmt: skip


def test_recursion_goes_deeper() -> None:
    trace = (at(1), at(2, event="call", note="calls f()"), at(1), at(3))
    assert [(s.function, s.depth) for s in segments(finding(trace=trace), SOURCE)] == [("f", 0), ("f", 1)]


def test_functions_of_one_name_in_two_files_are_two() -> None:
    trace = (at(1), at(1, path="mm/b.c"))
    assert [(s.path, s.depth, bool(s.lines)) for s in segments(finding(trace=trace), SOURCE)] == [("mm/a.c", 0, True), ("mm/b.c", 1, False)]


def test_states_before_and_after() -> None:
    trace = (at(1), at(2, state="obligation starts"), at(3), at(4, state="violated"))
    [one] = segments(finding(trace=trace), SOURCE)
    assert [(s.before, s.state, s.bad) for s in one.steps] == [
        ("", "clean", False), ("clean", "obligation starts", False), ("", "open", False), ("open", "violated", True),
    ]  # fmt: skip


def test_lines_holes_and_steps_on_one_line() -> None:
    [one] = segments(finding(trace=(at(10), at(10), at(30), at(12))), SOURCE)
    assert [(line.number, line.skipped, [s.number for s in line.steps]) for line in one.lines] == [
        (8, 0, []), (9, 0, []), (10, 0, [1, 2]), (11, 0, []), (12, 0, [4]), (13, 0, []), (14, 0, []), (0, 13, []),
        (28, 0, []), (29, 0, []), (30, 0, [3]), (31, 0, []), (32, 0, []),
    ]  # fmt: skip


def test_a_hole_of_one_line_is_shown() -> None:
    [one] = segments(finding(trace=(at(10), at(16))), SOURCE)
    assert [line.number for line in one.lines] == list(range(8, 19))


def test_ends_of_the_file_and_lines_beyond_it() -> None:
    [one] = segments(finding(trace=(at(1), at(100), at(500))), SOURCE)
    assert [line.number for line in one.lines if line.number] == [1, 2, 3, 98, 99, 100]
    [none] = segments(finding(trace=(at(500),)), SOURCE)
    assert none.lines == () and [step.number for step in none.steps] == [1]


@pytest.mark.parametrize(("around", "count"), [(2, 5), (0, 1), (-1, 0)])
def test_context_shrinks(around: int, count: int) -> None:
    [one] = segments(finding(trace=(at(50),)), SOURCE, around)
    assert len(one.lines) == count and len(one.steps) == 1


def test_a_finding_without_a_path_shows_its_line() -> None:
    [one] = segments(finding(trace=(), line=40), SOURCE)
    assert [line.number for line in one.lines] == [38, 39, 40, 41, 42] and one.steps == () and not any(line.steps for line in one.lines)


def test_long_lines_are_cut_and_control_characters_shown() -> None:
    source = {"mm/a.c": b"a" * 10_000 + b"\n\x1b[31m\tx\r\n"}
    [one] = segments(finding(trace=(at(1),)), source)
    assert len(one.lines[0].text) == 200 and one.lines[1].text == "\\x1b[31m\tx"


some = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=12)


@given(some, some)
def test_a_text_and_its_marks_give_the_other_text(shown: list[bytes], other: list[bytes]) -> None:
    new, old = b"\n".join(shown).split(b"\n"), b"\n".join(other).split(b"\n")
    told = marks(b"\n".join(new), b"\n".join(old))
    made = []
    for number, line in enumerate([*new, None], 1):
        made += told.other.get(number, ())
        made += [line] if line is not None and number not in told.own else []
    assert made == old
    assert new != old or told == marks(b"", b"")


def test_both_sides_of_a_patch_are_shown() -> None:
    new = {"mm/a.c": b"1\n2\n3 new\n4\n5\n6\n7\n8\n9\n10\n"}
    old = b"1\n2\n3 old\n4\n5\n6\ngone\n7\n8\n9\n10\n"
    [one] = segments(finding(trace=(at(1), at(10))), new, 0, {"mm/a.c": marks(new["mm/a.c"], old)})
    assert [(line.number, line.text, line.mark, line.skipped) for line in one.lines] == [
        (1, "1", "", 0), (2, "2", "", 0), (0, "3 old", "-", 0), (3, "3 new", "+", 0), (0, "", "", 3), (0, "gone", "-", 0), (7, "7", "", 0),
        (0, "", "", 2), (10, "10", "", 0),
    ]  # fmt: skip


def test_the_calls_of_a_path() -> None:
    view = neighbourhood(report(), finding(trace=CALLED))
    assert [(node.name, node.changes, node.focus) for node in view.nodes] == [("f", False, True), ("g", True, False)]
    assert [(edge.caller, edge.callee, edge.kind, edge.line) for edge in view.edges] == [(0, 1, "direct", 4)]


def test_a_page_walk_is_a_table() -> None:
    trace = (at(7, "", "call", "a page walk with ops calls entry()"), at(3, "entry", "entry.clear", "", "violated"))
    view = neighbourhood(report(), finding(trace=trace, function="entry"))
    assert [(node.name, node.kind) for node in view.nodes] == [("ops", "pointer"), ("entry", "function")]
    assert [(edge.kind, edge.via) for edge in view.edges] == [("table", "ops")]
