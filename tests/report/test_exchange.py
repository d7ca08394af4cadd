"""The formats that other tools read: checkpatch, b4, GitHub Actions, mail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.report.make import HIDDEN, NOTE, finding, report
from tests.report.pages import STYLE
from tlblint.model.finding import Finding, TraceStep
from tlblint.model.witness import Change, Fix, PatchMark, Witness, WitnessStep
from tlblint.report import checkpatch, github, mail, review
from tlblint.report.formats import FORMATS
from tlblint.report.interleaving import diagram, wrapped
from tlblint.report.text import cells
from tlblint.report.view import PatchView, Report, SeriesView, Style

WITNESS = Witness(
    profile="x86-64",
    kind="stale-write",
    sentence="CPU1 writes to a page that was freed.",
    actors=(("zap_pte_range", 0), ("user thread", 1)),
    things=("PTE a", "TLB of CPU1"),
    steps=(
        WitnessStep(1, "user thread", 1, "writes through a", changes=(Change("TLB of CPU1", "empty", "a writable"),), mark="birth"),
        WitnessStep(2, "zap_pte_range", 0, "ptep_get_and_clear(mm, addr, pte)", "mm/a.c", 3, (Change("PTE a", "present", "none"),)),
        WitnessStep(3, "zap_pte_range", 0, "frees the page"),
        WitnessStep(4, "user thread", 1, "writes through a", mark="violation", note="page 1 is free"),
    ),
    assumptions=("no other CPU runs the mm",),
)
MARK = PatchMark(2, "mm: batch unmaps of file pages", "introduced", None, "ab" * 20)
RICH = finding(witness=WITNESS, patch=MARK, fix=Fix("flush before pte_unmap_unlock().", "", True))
WARNING = finding(rule="TLB004", slug="flush-after-ptl", severity="warning", line=9)
BAD = "x\n\r::error::y\x1b]0;evil\x07\u202e\udcff\u2028%0A,:ERROR: z\n---\ndiff --git a/x"


def test_checkpatch_lines() -> None:
    text = checkpatch.render(report(NOTE, finding(), WARNING, HIDDEN), Style())
    assert text == (
        "mm/a.c:1: CHECK: TLB902 not-analysed: Function g() was not analysed: why.\n"
        "mm/a.c:3: ERROR: TLB003 lazy-mode-unpaired: Lazy MMU mode is still on.\n"
        "mm/a.c:9: WARNING: TLB004 flush-after-ptl: Lazy MMU mode is still on.\n"
    )


@pytest.mark.parametrize("name", ["checkpatch", "b4", "mail"])
@pytest.mark.parametrize("verbosity", [-2, -1, 0, 1, 2])
def test_nothing_found_is_nothing_printed(name: str, verbosity: int) -> None:
    mended = replace(WARNING, patch=PatchMark(1, "s", "fixed"))
    known = replace(WARNING, patch=PatchMark(1, "s", "existing"))
    assert FORMATS[name].render(report(HIDDEN, mended, known), Style(verbosity=verbosity)) == ""


def test_a_series_names_the_patch_that_brings_a_finding_and_the_one_that_mends_it() -> None:
    until = replace(RICH, patch=replace(MARK, until=3))
    first, second = checkpatch.render(report(RICH, until), Style()).splitlines()
    assert first.endswith("still on. (patch 2)") and second.endswith("still on. (patch 2, mended by patch 3)")


@pytest.mark.parametrize("verdict", ["confirmed", "conditional", "refuted", "inconclusive", "not-run"])
def test_the_verdict_of_the_simulation_is_named(verdict: str) -> None:
    one = finding(verdict=verdict, reason="on x86-64: 5 steps")
    said = verdict != "not-run"
    assert checkpatch.render(report(one), Style()).endswith(f"still on. ({verdict})\n" if said else "still on.\n")
    assert checkpatch.render(report(replace(one, patch=MARK)), Style()).endswith(f"(patch 2, {verdict})\n" if said else "(patch 2)\n")
    assert (f"%0ASimulation: {verdict}: on x86-64: 5 steps" in github.render(report(one), Style())) == said


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_only_an_error_has_a_line_that_b4_takes_for_a_failure(severity: str) -> None:
    odd = finding(severity=severity, message="the word ERROR: comes from the code", path="mm/ERROR: .c")
    assert "ERROR:" not in checkpatch.render(report(odd), Style())
    assert checkpatch.render(report(finding(message="CHECK: ERROR: x")), Style()).count("ERROR:") == 1


def test_github_commands() -> None:
    text = github.render(report(NOTE, RICH, WARNING), Style())
    closing, *commands = text.splitlines()
    assert closing == (
        "::notice title=tlblint::Found 1 error, 1 warning, 1 note.%0AAnalysed 6 functions in 5 of 1,234 C files: 4 whole, 1 partial, 1 not analysed."
    )
    assert commands[0] == (
        "::error file=mm/a.c,line=3,col=9,title=TLB003 lazy-mode-unpaired::Lazy MMU mode is still on."
        "%0A1. mm/a.c:3: lazy.enter%0A2. mm/a.c:4: return (the end)%0APatch 2: mm: batch unmaps of file pages"
    )
    assert [command.split()[0] for command in commands] == ["::error", "::warning", "::notice"]
    assert github.render(report(NOTE, WARNING), Style(verbosity=-1)).count("\n") == 1


def test_github_names_the_patch_that_mends() -> None:
    until = replace(RICH, patch=replace(MARK, until=3))
    assert github.render(report(until), Style(verbosity=-1)).rstrip().endswith("%0APatch 2: mm: batch unmaps of file pages (mended by patch 3)")


def test_github_says_what_its_limits_hide() -> None:
    many = [finding(line=at) for at in range(1, 14)]
    closing = github.render(report(*many), Style()).splitlines()[0]
    assert "GitHub shows 10 error annotations of a step; 3 more stand in the log" in closing
    notes = [replace(NOTE, line=at) for at in range(1, 11)]
    assert "GitHub shows 9 notice annotations of a step; 1 more stand" in github.render(report(*notes), Style()).splitlines()[0]


def test_a_name_cannot_end_a_property() -> None:
    line = github.render(report(finding(path="mm/a,line=1::error::b.c")), Style(verbosity=-1))
    assert line.startswith("::error file=mm/a%2Cline=1%3A%3Aerror%3A%3Ab.c,line=3,")


MAIL = """\
  TLB003 lazy-mode-unpaired: mm/a.c:3, f()

  Lazy MMU mode is still on.

  f(), mm/a.c:
    1. line 3: lazy.enter -> on
    2. line 4: the end

  CPU1 writes to a page that was freed. On x86-64:

  CPU0: zap_pte_range                   CPU1: user thread
  -------------------                   -----------------
                                        writes through a
                                          TLB of CPU1: empty -> a writable
                                          <- this will be stale
  ptep_get_and_clear(mm, addr, pte)
    PTE a: present -> none
  frees the page
                                        writes through a
                                          <- VIOLATION
                                          (page 1 is free)

  This assumes: no other CPU runs the mm.

  A fix that holds in simulation: flush before pte_unmap_unlock().

  (error, on powerpc-hash, high confidence)
  Introduced by patch 2, abababababab ("mm: batch unmaps of file pages").
"""


def test_mail() -> None:
    assert mail.render(report(RICH), Style()) == MAIL


def test_a_fix_is_a_sentence_in_a_mail() -> None:
    assert RICH.fix is not None
    bare = replace(RICH, fix=replace(RICH.fix, note=RICH.fix.note.rstrip(".")))
    assert mail.render(report(bare), Style()) == MAIL


def test_who_reads_a_mail_has_another_tree() -> None:
    style = Style(place=lambda path: f"../linux/{path}")
    assert mail.render(report(RICH), style) == MAIL and "../linux" not in review.render(report(RICH), style)


def test_a_mail_names_function_and_file_where_they_change() -> None:
    steps = (("mm/a.c", 1, "f"), ("mm/a.c", 2, "f"), ("mm/a.c", 9, "g"), ("mm/b.c", 3, "h"), ("mm/b.c", 4, ""), ("mm/a.c", 5, "f"))
    trace = tuple(TraceStep(path, line, function, "call", "", f"n{line}") for path, line, function in steps)
    assert mail.render(report(finding(trace=trace)), Style()).split("\n\n")[2].splitlines() == [
        "  f(), mm/a.c:", "    1. line 1: n1", "    2. line 2: n2", "  g():", "    3. line 9: n9", "  h(), mm/b.c:", "    4. line 3: n3",
        "  same file:", "    5. line 4: n4", "  f(), mm/a.c:", "    6. line 5: n5",
    ]  # fmt: skip


def test_mail_of_a_plain_finding() -> None:
    assert mail.render(report(finding(trace=(), profiles=()), WARNING), Style()).split("\n\n")[:4] == [
        "  TLB003 lazy-mode-unpaired: mm/a.c:3, f()",
        "  Lazy MMU mode is still on.",
        "  (error, high confidence)",
        "  TLB004 flush-after-ptl: mm/a.c:9, f()",
    ]


TEXT = st.text(max_size=200) | st.just(BAD)


@given(TEXT, TEXT)
def test_no_line_of_a_mail_is_long_or_starts_in_column_one(one: str, other: str) -> None:
    steps = tuple(replace(step, text=one, note=other, actor=other) for step in WITNESS.steps)
    witness = replace(WITNESS, steps=steps, actors=((other, 0), (one, 1), ("c", 2)), sentence=one)
    odd = finding(path=one, function=other, message=one, witness=witness, patch=PatchMark(1, other, "introduced"))
    for unicode in (False, True):
        for line in mail.render(report(odd), Style(unicode=unicode)).splitlines():
            assert cells(line) <= 75 and (not line or line.startswith("  "))


@pytest.mark.parametrize("name", ["checkpatch", "b4", "github", "mail", "b4-review", "concise", "full"])
def test_what_stands_in_the_code_stays_text(name: str) -> None:
    steps = tuple(TraceStep(BAD, 3, BAD, BAD, BAD, BAD) for _ in range(2))
    odd = finding(path=BAD, function=BAD, message=BAD, trace=steps, patch=PatchMark(1, BAD, "introduced"), severity="warning", witness=WITNESS)
    text = FORMATS[name].render(report(odd), Style(unicode=True, verbosity=-1))
    assert text.encode("utf-8") and not any(char in text for char in "\r\x1b\x07\u202e\udcff\u2028")
    starts = {"github": "::warning ", "checkpatch": "x\\x0a", "b4": "x\\x0a"}
    assert all(line.startswith(starts.get(name, "")) and not line.startswith(("---", "diff ", "::error")) for line in text.splitlines())
    if name == "github":
        command, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)\n", text).groups()  # type: ignore[union-attr]
        assert command == "warning" and re.fullmatch(r"file=[^:,]*,line=3,col=9,title=TLB003 lazy-mode-unpaired", properties)
        assert not re.search(r"%(?!0A|25)", message) and "%250A" in message


def one(made: Report, **style: int) -> dict[str, str]:
    [entry] = json.loads(review.render(made, Style(**style)))  # type: ignore[arg-type]
    assert set(entry) == {"tool", "status", "summary", "url", "details"} and all(isinstance(value, str) for value in entry.values())
    return dict(entry)


@pytest.mark.parametrize(
    ("findings", "status", "summary"),
    [
        ((), "pass", "nothing found"),
        ((HIDDEN,), "pass", "nothing found"),
        ((NOTE,), "warn", "TLB902 mm/a.c:1: Function g() was not analysed: why."),
        ((NOTE, WARNING, finding(), finding(line=8)), "fail", "2 errors, 1 warning, 1 note"),
        ((NOTE, WARNING), "warn", "1 warning, 1 note"),
    ],
)
def test_b4_review(findings: tuple[Finding, ...], status: str, summary: str) -> None:
    entry = one(report(*findings))
    assert (entry["tool"], entry["status"], entry["summary"]) == ("tlblint", status, summary)
    assert entry["details"].endswith("Analysed 6 functions in 5 of 1,234 C files: 4 whole, 1 partial, 1 not analysed.\n")


def test_b4_review_of_a_series_is_told_from_that_of_its_first_patch() -> None:
    patches = (PatchView(1, "mm: prepare", 0, 0, 0), PatchView(2, "mm: batch", 1, 0, 0))
    whole = one(report(RICH, series=SeriesView("mm: faster", "on v6.12", patches)))
    assert whole["tool"] == "tlblint-series" and "  2/2 mm: batch    1 introduced\n\n  TLB003" in whole["details"]
    assert one(report(RICH, series=SeriesView("mm: batch", "on v6.12", patches[1:])))["tool"] == "tlblint"


def test_threads_that_share_a_cpu_share_its_column() -> None:
    actors = (("zap_pte_range", 0), ("user thread", 1), ("reclaim", 0))
    steps = (*WITNESS.steps[1:3], WitnessStep(4, "reclaim", 0, "looks"), WITNESS.steps[3], WitnessStep(5, "reclaim", 0, "goes"))
    assert diagram(replace(WITNESS, actors=actors, steps=steps), 60) == [
        "CPU0                           CPU1",
        "----                           ----",
        "[zap_pte_range]",
        "ptep_get_and_clear(mm, addr,",
        "pte)",
        "  PTE a: present -> none",
        "frees the page",
        "[reclaim]",
        "looks",
        "                               [user thread]",
        "                               writes through a",
        "                                 <- VIOLATION",
        "                                 (page 1 is free)",
        "goes",
    ]


def test_more_threads_than_columns_are_listed() -> None:
    actors = tuple((name, cpu) for cpu, name in enumerate(("zap", "user", "kswapd", "")))
    text = "\n".join(diagram(replace(WITNESS, actors=actors), 75))
    assert "1. CPU1: user thread: writes through a\n   TLB of CPU1: empty -> a writable\n   <- this will be stale\n2. CPU0" in text


@given(st.text(alphabet="ab \u4e2d\u0301", max_size=60), st.integers(2, 9))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split()) and lines
    assert all(cells(line) <= width for line in lines)


def test_a_name_that_is_too_long_is_cut_where_it_has_a_seam() -> None:
    """A call in a narrow column keeps its parentheses."""
    assert wrapped("mmu_notifier_invalidate_range_start()", 36) == ["mmu_notifier_invalidate_range_", "start()"]
    assert wrapped("a_bcdefghijklmno", 10) == ["a_bcdefghi", "jklmno"]


def test_every_format_takes_a_report_of_each_kind() -> None:
    kinds: list[Callable[[], Report]] = [report, lambda: report(RICH, NOTE, HIDDEN), lambda: report(kind="series")]
    for form in FORMATS.values():
        for kind in kinds:
            assert isinstance(form.render(kind(), Style(unicode=True, templates=STYLE.templates)), str)
