"""Mends as diffs: where the place is plain, and nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.crosscheck.corpus import cases, judged, of_rule, one
from tlblint.crosscheck.fix import diff
from tlblint.crosscheck.mend import Edit
from tlblint.model.finding import PathEvent

SOURCE = b"""int f(void)
{
	pte = map(&ptl);
	if (!pte)
		return 0;
	work(pte);
	if (done)
		return 1;
	late();
	flush();
	if (take(pte))
		return 2;
}
"""


def event(mark: bytes) -> PathEvent:
    return PathEvent("a.c", SOURCE.index(mark), "f", "x", "x")


def changed(edit: Edit) -> list[str]:
    return [line for line in diff("a.c", SOURCE, edit).splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_behind_a_lock_it_goes_behind_the_check_that_it_was_taken() -> None:
    text = diff("a.c", SOURCE, Edit("after", event(b"map("), "settle(mm);"))
    assert changed(Edit("after", event(b"map("), "settle(mm);")) == ["+\tsettle(mm);"]
    assert " \t\treturn 0;\n+\tsettle(mm);\n \twork(pte);\n" in text


def test_before_the_only_statement_of_a_condition_it_brings_braces() -> None:
    assert changed(Edit("before", event(b"return 1"), "finish(&tlb);")) == ["-\tif (done)", "+\tif (done) {", "+\t\tfinish(&tlb);", "+\t}"]


def test_before_a_plain_statement_it_takes_its_indentation() -> None:
    assert changed(Edit("before", event(b"late"), "finish(&tlb);")) == ["+\tfinish(&tlb);"]


def test_a_statement_moves_behind_another() -> None:
    lines = changed(Edit("move", event(b"late"), moved=event(b"flush")))
    assert lines in (["-\tlate();", "+\tlate();"], ["+\tflush();", "-\tflush();"])


@pytest.mark.parametrize(
    "edit", [Edit("after", event(b"take("), "x();"), Edit("move", event(b"flush"), moved=event(b"late")), Edit("", event(b"late"), "x();")]
)
def test_what_has_no_plain_place_is_refused(edit: Edit) -> None:
    assert diff("a.c", SOURCE, edit) == ""


def test_another_file_is_left_alone() -> None:
    assert diff("b.c", SOURCE, Edit("before", event(b"late"), "x();")) == ""


def test_a_diff_of_a_finding_applies_and_ends_it(tmp_path: Path) -> None:
    case = one(of_rule("TLB001", 1), "TLB001", "bar_writes")
    judgement = judged(case)
    assert judgement.mended is not None and judgement.mended.edit is not None and judgement.added == 1 and judgement.visited >= judgement.useful
    text = diff(case.raw.path, case.source, judgement.mended.edit)
    (tmp_path / case.raw.path).write_bytes(case.source)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=text.encode(), check=True)
    mended = (tmp_path / case.raw.path).read_bytes()
    assert not [again for again in cases(case.raw.path, "6.12", mended) if (again.raw.rule, again.raw.function) == ("TLB001", "bar_writes")]


def test_a_mend_that_does_not_hold_is_not_offered() -> None:
    """A budget that ends before every pairing of the mended path was tried."""
    case = one(of_rule("TLB001", 1), "TLB001", "bar_writes")
    needed = judged(case).states
    short = judged(case, needed * 3 // 4)
    assert short.verdict == "conditional" and short.mended is None
