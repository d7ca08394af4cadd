"""The formats for people."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.report.make import HIDDEN, NOTE, finding, report
from tlblint.model.finding import TraceStep
from tlblint.model.witness import PatchMark
from tlblint.report import concise, full, mail
from tlblint.report.text import cells, clean, display, source_line, underline
from tlblint.report.view import Excused, Gap, Health, PatchView, SeriesView, Stale, Style

FULL = """\
mm/a.c:3:9: error TLB003 lazy-mode-unpaired, in f()
  Lazy MMU mode is still on.
      3 |         int a;  lazy_enter(a); /* \\u202e \\x1b[31m \\xff */
        |                 ^~~~~~~~~~
  path:
     1. mm/a.c:3 f(): lazy.enter -> on
         int a;  lazy_enter(a); /* \\u202e \\x1b[31m \\xff */
     2. mm/a.c:4 f(): return (the end)
         }
  on powerpc-hash; confidence high; fingerprint 0123456789abcdef

mm/a.c:1:1: note TLB902 not-analysed: Function g() was not analysed: why.

Found 1 error, 1 note; 1 suppressed in source.
Analysed 6 functions in 5 of 1,234 C files: 4 whole, 1 partial, 1 not analysed.
"""


def test_full() -> None:
    assert full.render(report(NOTE, finding(), HIDDEN), Style()) == FULL


def test_a_step_outside_of_any_function_names_none() -> None:
    steps = (TraceStep("mm/a.c", 3, "", "call", "", "a page walk with ops calls f()"),)
    assert "     1. mm/a.c:3: call (a page walk with ops calls f())\n" in full.render(report(finding(trace=steps)), Style())


def test_full_differs_in_unicode_only_by_the_arrow() -> None:
    text = full.render(report(NOTE, finding(), HIDDEN), Style(unicode=True))
    assert text == FULL.replace(" -> on", " \u2192 on")


def test_verbosity() -> None:
    everything = report(NOTE, finding(), HIDDEN)
    assert "suppressed by comment: known" in full.render(everything, Style(verbosity=1))
    quiet = full.render(everything, Style(verbosity=-1))
    assert "TLB003" in quiet and "TLB902" not in quiet and "Analysed" not in quiet
    assert full.render(everything, Style(verbosity=-2)) == concise.render(everything, Style(verbosity=-2)) == ""


def test_nothing_found_says_so() -> None:
    assert full.render(report(), Style()).startswith("Found nothing.\nAnalysed 6 functions")


def test_color_adds_nothing_but_color() -> None:
    painted = full.render(report(NOTE, finding()), Style(color=True))
    assert painted != full.render(report(NOTE, finding()), Style())
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == full.render(report(NOTE, finding()), Style())


def test_what_can_go_from_the_baseline_is_named_up_to_a_bound() -> None:
    gone = tuple(Stale(f"{n:016x}", "TLB003", "mm/a b.c", "f" if n else "") for n in range(12))
    text = full.render(report(stale=gone), Style())
    assert "  0000000000000000 TLB003 mm/a b.c\n  0000000000000001 TLB003 mm/a b.c f()\n" in text
    assert text.count(" TLB003 ") == 10 and "  and 2 more; -v names them all\n" in text and "12 baseline lines no longer needed" in text
    assert full.render(report(stale=gone), Style(verbosity=1)).count(" TLB003 ") == 12


def test_excused_functions_are_named_with_the_reason_by_v_only() -> None:
    one = report(excused=(Excused("mm/a.c", 3, "f", ("TLB001", "TLB004"), "The caller\x1b flushes."),))
    verbose = full.render(one, Style(verbosity=1, place=lambda path: f"../{path}"))
    assert "  ../mm/a.c:3 f() TLB001, TLB004: The caller\\x1b flushes.\nFound nothing; 1 function excused by contracts.\n" in verbose
    assert "The caller" not in full.render(one, Style())


def test_nothing_to_analyse_is_said_in_words() -> None:
    assert full.render(report(health=Health(3, 1, 0, 0, 0, ())), Style()).splitlines()[1:] == [
        "Analysed nothing: no function in 3 C files uses a page table or TLB interface that tlblint knows."
    ]
    assert "Analysed 0 functions" in full.render(report(health=Health(3, 1, 0, 0, 0, (Gap("mm/a.c", "", 1, "too large"),))), Style())


def test_concise_marks_what_is_suppressed() -> None:
    text = concise.render(report(finding(), HIDDEN), Style(verbosity=1))
    assert [line.partition("still on.")[2] for line in text.splitlines()] == ["", " [suppressed by comment: known]"]


def test_concise() -> None:
    text = concise.render(report(NOTE, finding(), HIDDEN), Style(place=lambda path: f"../{path}"))
    assert text == "../mm/a.c:1:1: TLB902 Function g() was not analysed: why.\n../mm/a.c:3:9: TLB003 Lazy MMU mode is still on.\n"


def test_concise_tells_the_patch_of_several_and_the_verdict() -> None:
    mark = PatchMark(2, "s", "introduced", 3)
    made = report(finding(patch=mark, verdict="conditional"), finding(verdict="refuted"), finding(patch=mark, suppressed_by="comment", suppressed_reason="r"))
    ends = [line.partition("still on.")[2] for line in concise.render(made, Style(verbosity=1)).splitlines()]
    assert ends == [" [patch 2, mended by patch 3, conditional]", " [refuted]", " [patch 2, mended by patch 3, suppressed by comment: r]"]
    alone = replace(made, series=SeriesView("t", "b", (PatchView(2, "s", 1, 0, 0),)))
    assert concise.render(alone, Style()).splitlines()[0].endswith("still on. [conditional]")


@pytest.mark.parametrize("render", [full.render, concise.render])
def test_hostile_names_stay_on_their_line(render: object) -> None:
    bad = "x\n\x1b]0;evil\x07\u202e\udcff\u2028y"
    steps = tuple(type(step)(bad, step.line, bad, bad, bad, bad) for step in finding().trace)
    assert callable(render)
    text = render(report(finding(path=bad, function=bad, message=bad, trace=steps)), Style(unicode=True))
    assert not any(char in text for char in "\x1b\x07\u202e\udcff\u2028")
    assert text.encode("utf-8")
    assert not any(line.startswith("y") for line in text.splitlines())


@given(st.text())
def test_clean_is_printable_and_without_unicode_ascii(text: str) -> None:
    assert clean(text).isprintable()
    assert clean(text, unicode=False).isascii()
    assert len(clean(text).splitlines()) <= 1


@given(st.binary(max_size=40), st.integers(1, 40))
def test_the_caret_stands_under_its_byte(raw: bytes, column: int) -> None:
    raw = raw.replace(b"\n", b"") + b" " * 40
    marks = underline(raw, column, unicode=False)
    shown = display(raw, unicode=False)
    assert marks.lstrip(" ")[0] == "^"
    lead = len(marks) - len(marks.lstrip(" "))
    if raw[column - 1 : column].isalnum() and raw[: column - 1].isascii():
        assert shown[lead] == chr(raw[column - 1])


def test_wide_characters_take_two_cells() -> None:
    assert cells("ab\u4e2d\u0301") == 4
    assert underline("\u4e2dx".encode(), 4, unicode=True) == "  ^"


def test_lines_of_a_file() -> None:
    assert [source_line(b"a\r\nb\n", n) for n in range(5)] == [None, b"a", b"b", b"", None]
    assert source_line(b"", 1) == b""


def test_a_finding_past_the_end_of_its_file_still_prints() -> None:
    assert "TLB003" in full.render(report(finding(line=999)), Style())
    assert "^" in full.render(report(finding(column=999)), Style())


def test_a_megabyte_line_is_cut() -> None:
    text = full.render(report(finding(line=1, column=900_000), sources={"mm/a.c": b"x" * 1_000_000}), Style())
    assert max(map(len, text.splitlines())) < 300


@pytest.mark.parametrize(("verdict", "said"), [("refuted", True), ("inconclusive", True), ("conditional", False), ("not-run", False)])
def test_a_mail_says_when_no_interleaving_shows_what_it_claims(verdict: str, said: bool) -> None:
    text = mail.render(report(finding(verdict=verdict, reason="all 7 states were explored")), Style())
    assert (f"\n  Simulation: {verdict}: all 7 states were explored.\n" in text) == said
