"""What a series introduces, mends and leaves, and at which patch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import ROOT, git
from tests.series.kit import HEAD, build, calling, helper, judge, protect, rows
from tlblint.app import states
from tlblint.app.emit import status
from tlblint.app.series import Request, series
from tlblint.io.errors import InputError
from tlblint.report.formats import FORMATS
from tlblint.report.view import Report, Style

X = "mm/x.c"
KERNEL = Path(os.environ.get("TLBLINT_KERNELS") or "none", "linux-source-6.12")


def test_a_defect_is_told_at_the_patch_that_brings_it(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect()}, {"mm/y.c": HEAD}, {X: HEAD + protect(flush=False)}, {"mm/y.c": HEAD + "/* */\n"})
    report = judge(top, 3)
    assert rows(report) == [("TLB004", X, "seal", 2, "introduced", None)]
    assert [(patch.index, patch.introduced, patch.fixed) for patch in report.series.patches] == [(1, 0, 0), (2, 1, 0), (3, 0, 0)]  # type: ignore[union-attr]


def test_what_a_later_patch_mends_breaks_bisection(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect()}, {X: HEAD + protect(flush=False)}, {X: HEAD + protect(flush=False, extra="\taddr = start;\n")},
                {X: HEAD + protect()})
    outcome = series(Request(str(top), ("HEAD~3..HEAD",)))
    assert rows(outcome.report) == [("TLB004", X, "seal", 1, "introduced", 3)]
    assert status(outcome.report, outcome.settings) == 1
    assert "mended by patch 3: a bisection can land between" in FORMATS["full"].render(outcome.report, Style(width=200))


def test_a_defect_of_the_base_that_is_mended_is_no_failure(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect(flush=False)}, {X: HEAD + "\n\n" + protect()})
    outcome = series(Request(str(top), ("HEAD~1..HEAD",)))
    assert rows(outcome.report) == [("TLB004", X, "seal", 1, "fixed", None)]
    assert status(outcome.report, outcome.settings) == 0
    assert "fixed by patch 1/1" in FORMATS["full"].render(outcome.report, Style(width=200))


def test_a_defect_of_the_base_in_the_same_file_is_left_alone(tmp_path: Path) -> None:
    """It is in the code that the series touches when its function is, else nobody asked."""
    old, extra = protect("old", flush=False), "\taddr = start;\n"
    top = build(tmp_path, {X: HEAD + old + protect()}, {X: HEAD + "/* */\n" + protect("old", False, extra) + protect(extra=extra)})
    outcome = series(Request(str(top), ("HEAD~1..HEAD",)))
    assert rows(outcome.report) == [("TLB004", X, "old", 1, "existing", None)]
    assert status(outcome.report, outcome.settings) == 0
    text = FORMATS["full"].render(outcome.report, Style())
    assert "leaves 1 finding" in text and "flush-after-ptl" not in text
    assert "flush-after-ptl" in FORMATS["full"].render(outcome.report, Style(verbosity=1))


def test_a_helper_that_stops_flushing_breaks_a_caller_that_nobody_touched(tmp_path: Path) -> None:
    top = build(tmp_path, {"mm/caller.c": HEAD + calling(), "mm/helper.c": HEAD + helper()}, {"mm/z.c": HEAD}, {"mm/helper.c": HEAD + helper(flush=False)})
    assert rows(judge(top, 2)) == [("TLB004", "mm/caller.c", "seal", 2, "introduced", None)]


def test_a_header_inline_that_stops_flushing_breaks_its_users(tmp_path: Path) -> None:
    header = "include/linux/seal.h"
    top = build(tmp_path, {X: HEAD + calling(), header: helper().replace("void", "static inline void", 1)},
                {header: helper(flush=False).replace("void", "static inline void", 1)})
    assert rows(judge(top, 1)) == [("TLB004", X, "seal", 1, "introduced", None)]


@pytest.mark.parametrize("flush", (False, True))
def test_a_function_under_a_new_name_is_the_same(tmp_path: Path, flush: bool) -> None:
    top = build(tmp_path, {X: HEAD + protect("seal", flush)}, {X: HEAD + protect("seal_range", flush)})
    assert [row[4] for row in rows(judge(top, 1))] == ([] if flush else ["existing"])


def test_a_renamed_function_with_a_further_change_is_the_same(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect("seal", False)}, {X: HEAD + protect("seal_range", False, extra="\tcond_resched();\n")})
    assert [row[2:5] for row in rows(judge(top, 1))] == [("seal_range", 1, "existing")]


def test_a_file_under_a_new_name_is_the_same(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect("seal", False)}, {X: None, "mm/new.c": HEAD + protect("seal", False)})
    assert [row[1:5] for row in rows(judge(top, 1))] == [("mm/new.c", "seal", 1, "existing")]


def test_a_function_that_moves_to_another_file_is_the_same(tmp_path: Path) -> None:
    other = protect("other", extra="\taddr = start;\n")
    top = build(tmp_path, {X: HEAD + protect("seal", False) + other, "mm/y.c": HEAD + helper()},
                {X: HEAD + other, "mm/y.c": HEAD + helper() + protect("seal", False)})
    assert [row[1:5] for row in rows(judge(top, 1))] == [("mm/y.c", "seal", 1, "existing")]


def test_a_second_defect_beside_an_old_one_is_new(tmp_path: Path) -> None:
    """The new one comes first in the file, so that ordinals do not tell them apart."""
    body = protect("seal", False)
    before = body.replace("ptep_set_wrprotect(vma->vm_mm, addr, pte);", "ptep_set_wrprotect(vma->vm_mm, addr, pte); /* the old one */")
    loop = "\tfor (; addr < end; pte++, addr += PAGE_SIZE)\n"
    after = before.replace(loop, "\tif (pte_present(ptep_get(pte)))\n\t\tptep_set_wrprotect(vma->vm_mm, addr, pte);\n" + loop)
    assert after != before
    top = build(tmp_path, {X: HEAD + before}, {X: HEAD + after})
    report = judge(top, 1)
    assert sorted(row[4] for row in rows(report)) == ["existing", "introduced"]
    [new] = [finding for finding in report.findings if finding.patch and finding.patch.change == "introduced"]
    [old] = [finding for finding in report.findings if finding.patch and finding.patch.change == "existing"]
    assert new.line < old.line


def test_what_a_patch_says_to_tlblint_is_not_obeyed(tmp_path: Path) -> None:
    quiet = "\t\t\t/* tlblint: allow TLB004 -- trust me */\n"
    bad = protect(flush=False).replace("\t\t\tptep_set", quiet + "\t\t\tptep_set")
    top = build(tmp_path, {X: HEAD + protect()}, {X: HEAD + bad})
    report = judge(top, 1)
    assert rows(report) == [("TLB004", X, "seal", 1, "introduced", None)]
    assert report.findings[0].suppressed_by is None
    assert any("not obeyed" in note for note in report.series.patches[0].notes)  # type: ignore[union-attr]


def test_a_promise_that_a_patch_brings_is_not_believed(tmp_path: Path) -> None:
    promise = "/* tlblint: assume caller-flushes -- trust me */\n"
    top = build(tmp_path, {X: HEAD + protect()}, {X: HEAD + promise + protect(flush=False)})
    assert [row[4] for row in rows(judge(top, 1))] == ["introduced"]


def test_a_suppression_of_the_base_goes_on_when_its_line_moves(tmp_path: Path) -> None:
    quiet = "\t\t\t/* tlblint: allow TLB004 -- known */\n"
    bad = protect(flush=False).replace("\t\t\tptep_set", quiet + "\t\t\tptep_set")
    top = build(tmp_path, {X: HEAD + bad}, {X: HEAD + "int one;\n" + bad.replace("\tif (!pte)\n", "\taddr = start;\n\tif (!pte)\n")})
    [finding] = judge(top, 1).findings
    assert (finding.suppressed_by, finding.patch.change) == ("comment", "existing")  # type: ignore[union-attr]


def test_a_baseline_goes_on(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect()}, {X: HEAD + protect(flush=False)})
    [finding] = judge(top, 1).findings
    (tmp_path / "known").write_text(f"{finding.fingerprint} {finding.rule} {finding.path} {finding.function} known\n")
    outcome = series(Request(str(top), ("HEAD~1..HEAD",), flags={"baseline": "known"}))
    assert [f.suppressed_by for f in outcome.report.findings] == ["baseline"]
    assert status(outcome.report, outcome.settings) == 0


def test_the_configuration_is_that_of_the_base(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect()}, {"tlblint.toml": 'ignore = ["TLB004"]\n'}, {X: HEAD + protect(flush=False)})
    assert [row[0] for row in rows(judge(top, 2))] == ["TLB004"]
    assert rows(judge(top, 1)) == []


def test_a_file_that_a_patch_makes_unreadable_is_named_and_mends_nothing(tmp_path: Path) -> None:
    bad = protect(flush=False)
    broken = bad.replace("\tif (!pte)\n\t\treturn;\n", "\tif ((pte {{ return;\n")
    top = build(tmp_path, {X: HEAD + bad}, {X: HEAD + broken}, {X: HEAD + bad})
    report = judge(top, 2)
    first, second = report.series.patches  # type: ignore[union-attr]
    assert any(X in note and "not analysed after this patch" in note for note in first.notes)
    assert not second.notes
    assert [row[3:] for row in rows(report)] == [(1, "existing", None)]
    assert report.health.not_analysed


def test_a_new_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD}, {"mm/new.c": HEAD + protect().replace("\tif (!pte)\n\t\treturn;\n", "\tif ((pte {{ return;\n")})
    report = judge(top, 1)
    assert any("mm/new.c" in note and "not analysed" in note for note in report.series.patches[0].notes)  # type: ignore[union-attr]
    assert [finding.rule for finding in report.findings] == ["TLB902"]
    assert report.series.patches[0].introduced == 0  # type: ignore[union-attr]


def test_a_series_without_c_is_judged_in_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = build(tmp_path, {X: HEAD + protect(flush=False)}, {"Documentation/x.rst": "x\n"}, {X: HEAD + "/* */\n" + protect(flush=False)})
    monkeypatch.setattr("tlblint.app.series.surround", lambda source, found: pytest.fail("nothing changes what could be found"))
    report = judge(top, 2)
    assert rows(report) == [] and [patch.introduced for patch in report.series.patches] == [0, 0]  # type: ignore[union-attr]


def test_a_new_callback_in_an_ops_table_is_judged_with_the_walkers_lock(tmp_path: Path) -> None:
    callback = """static int dim_entry(pte_t *pte, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	flush_tlb_batched_pending(walk->mm);
	if (pte_present(ptep_get(pte)))
		ptep_set_wrprotect(walk->mm, addr, pte);
	return 0;
}

static int look_at(pte_t *pte, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	return pte_present(ptep_get(pte));
}

"""
    walk = """static const struct mm_walk_ops dim_ops = { .pte_entry = %s };

void dim_mm(struct mm_struct *mm, unsigned long end)
{
	walk_page_range(mm, 0, end, &dim_ops, NULL);
}
"""
    top = build(tmp_path, {X: HEAD + callback + walk % "look_at"}, {X: HEAD + callback + walk % "dim_entry"})
    after = rows(judge(top, 1))
    whole = build(tmp_path / "whole", {X: HEAD}, {X: HEAD + callback + walk % "dim_entry"})
    assert {row[:3] for row in after} == {row[:3] for row in rows(judge(whole, 1))}
    assert all(row[4] == "introduced" for row in after) and after


def test_two_functions_swapped_bring_nothing(tmp_path: Path) -> None:
    one, other = protect("one", False), protect("other")
    top = build(tmp_path, {X: HEAD + one + other}, {X: HEAD + other + one})
    assert "introduced" not in [row[4] for row in rows(judge(top, 1))]


def test_a_deleted_function_takes_its_defect_with_it(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect("one", False) + protect("two")}, {X: HEAD + protect("two")})
    assert [row[2:5] for row in rows(judge(top, 1))] == [("one", 1, "fixed")]


def test_json_follows_the_schema_and_says_which_patch(tmp_path: Path) -> None:
    top = build(tmp_path, {X: HEAD + protect()}, {X: HEAD + protect(flush=False)}, {X: HEAD + protect()})
    document = json.loads(FORMATS["json"].render(judge(top, 2), Style()))
    schema = json.loads((ROOT / "reports/templates/tlblint-findings-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["tree"]["kind"] == "series"
    assert [(patch["index"], patch["introduced"], patch["fixed"]) for patch in document["series"]["patches"]] == [(1, 1, 0), (2, 0, 1)]
    [found] = document["findings"]
    assert found["patch"]["until"] == 2


def test_lines_are_those_after_the_patch(tmp_path: Path) -> None:
    """A later patch moves the code: who answers the mail that introduced it wants the lines of that mail."""
    top = build(tmp_path, {X: HEAD + protect()}, {X: HEAD + protect(flush=False)}, {X: "/* */\n" * 9 + HEAD + protect(flush=False)})
    report = judge(top, 2)
    [finding] = report.findings
    text = FORMATS["full"].render(report, Style())
    assert (HEAD + protect(flush=False)).split("\n")[finding.line - 1].strip().startswith("ptep_set_wrprotect")
    assert f"{finding.line} |             " in text.replace("\t", " " * 8) and "ptep_set_wrprotect(vma->vm_mm, addr, pte);" in text


@pytest.mark.parametrize("wide", (False, True))
def test_callers_far_away_are_found_by_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: bool) -> None:
    monkeypatch.setattr(states, "SMALL", 0)
    top = build(tmp_path, {"drivers/caller.c": HEAD + calling(), "mm/helper.c": HEAD + helper(), "include/linux/mm.h": "\n"},
                {"mm/helper.c": HEAD + helper(flush=False)})
    report = series(Request(str(top), ("HEAD~1..HEAD",), wide=wide)).report
    assert [row[1] for row in rows(report)] == (["drivers/caller.c"] if wide else [])
    assert any("--wide" in note for note in report.series.notes) is not wide  # type: ignore[union-attr]


def test_a_comment_in_a_broken_function_is_no_reason_to_judge_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = protect(flush=False)
    top = build(tmp_path, {X: HEAD + body}, {X: HEAD + body.replace("\tif (!pte)\n", "\t/* gone? */\n\tif (!pte)\n")})
    monkeypatch.setattr("tlblint.app.series.surround", lambda source, found: pytest.fail("nothing changes what could be found"))
    assert rows(judge(top, 1)) == []


def test_lines_are_right_behind_a_comment_in_the_function(tmp_path: Path) -> None:
    """The function is known from the state before: what is said of it is told where its parts are now."""
    good, bad = protect(), protect(flush=False)
    remark = "\t/* one\n\t * two\n\t */\n\tif (!pte)\n"
    top = build(tmp_path, {X: HEAD + good}, {X: HEAD + bad}, {X: HEAD + good}, {X: HEAD + bad.replace("\tif (!pte)\n", remark)})
    first, second = (finding.line for finding in sorted(judge(top, 3).findings, key=lambda f: f.patch.index))  # type: ignore[union-attr]
    assert second == first + 3


def test_a_contract_follows_its_function_to_another_file(tmp_path: Path) -> None:
    """fork flushes for copy_pte_range(), wherever that stands; the shipped contract names mm/memory.c."""
    old, new = "mm/memory.c", "mm/fork.c"
    kept = protect("copy_pte_range", flush=False)
    top = build(tmp_path, {old: HEAD + kept, X: HEAD}, {old: None, new: HEAD + kept}, {X: HEAD + protect(flush=False)})
    report = judge(top, 2)
    assert rows(report) == [("TLB004", X, "seal", 2, "introduced", None)]
    assert report.series is not None and f"contracts for {old} were taken to hold for what moves to {new}" in report.series.notes


def test_what_is_outside_stays_outside_under_another_name(tmp_path: Path) -> None:
    """What arch/x86/mm/pgtable.c frees was never in a TLB, wherever that code stands."""
    old, new = "arch/x86/mm/pgtable.c", "arch/x86/mm/tables.c"
    body = """static void mop_up(struct mm_struct *mm, pgd_t *pgdp)
{
	pmd_t *pmd = (pmd_t *)pgd_page_vaddr(*pgdp);

	pgd_clear(pgdp);
	pmd_free(mm, pmd);
}
"""
    top = build(tmp_path, {old: HEAD + body, X: HEAD}, {old: None, new: HEAD + body}, {X: HEAD + protect(flush=False)})
    assert rows(judge(top, 2)) == [("TLB004", X, "seal", 2, "introduced", None)]
    assert rows(judge(build(tmp_path / "second", {X: HEAD}, {new: HEAD + body}), 1)) != []


@pytest.mark.skipif(not KERNEL.is_dir(), reason="TLBLINT_KERNELS names no directory with this kernel")
@pytest.mark.parametrize("old", ["mm/huge_memory.c", "mm/migrate.c", "arch/x86/mm/pgtable.c"])
def test_to_rename_a_file_introduces_nothing(tmp_path: Path, old: str) -> None:
    new = old.replace(".c", "_2.c")
    diff = f"diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"
    (tmp_path / "one.patch").write_text(f"From: A <a@example.org>\nSubject: [PATCH] rename\n\nWhy.\n---\n{diff}-- \n2.1\n")
    report = series(Request(str(tmp_path), (str(tmp_path / "one.patch"),), tree=str(KERNEL), cache=False)).report
    assert [row for row in rows(report) if row[4] != "existing"] == []


def test_what_a_move_brings_is_not_excused_by_the_contract_that_is_left_behind(tmp_path: Path) -> None:
    old, new = "mm/memory.c", "mm/fork.c"
    top = build(tmp_path, {old: HEAD + protect("copy_pte_range")}, {old: None, new: HEAD + protect("copy_pte_range", flush=False)})
    report = judge(top, 1)
    assert rows(report) == [("TLB004", new, "copy_pte_range", 1, "introduced", None)]
    assert report.series is not None and not [note for note in report.series.notes if "contract" in note]


def test_the_setting_that_turns_the_cache_off_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = build(tmp_path / "linux", {X: HEAD + protect()}, {X: HEAD + protect(flush=False)})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    git(top, "config", "tlblint.cache", "false")
    series(Request(str(top), ("HEAD~1..HEAD",)))
    assert not (tmp_path / "cache").exists()
    git(top, "config", "tlblint.cache", "true")
    series(Request(str(top), ("HEAD~1..HEAD",)))
    assert (tmp_path / "cache").exists()
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    said: list[str] = []
    series(Request(str(top), ("HEAD~1..HEAD",), note=said.append))
    assert len(said) == 1 and said[0].startswith("no cache: ")


def test_a_partial_clone_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    """git would end where it may not fetch; what is there is judged, what is not is said."""
    kernel = {f"include/linux/h{number}.h": f"/* {number} */\n" for number in range(states.SMALL)}
    top = build(tmp_path / "full", {**kernel, X: HEAD + protect(), "mm/y.c": HEAD + protect("other")}, {X: HEAD + protect(flush=False)})
    git(top, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", top.as_uri(), "part")
    part = tmp_path / "part"
    git(top, "format-patch", "-q", "-1", "-o", str(tmp_path))
    (mail,) = tmp_path.glob("*.patch")

    def judged() -> Report:
        return series(Request(str(part), (str(mail),), base="HEAD~1", flags={"jobs": 1})).report

    with pytest.raises(InputError, match=r"mm/x\.c cannot be read \(the repository does not hold this object\).*; fetch it first"):
        judged()
    git(part, "cat-file", "blob", f"HEAD~1:{X}")
    report = judged()
    assert rows(report) == [("TLB004", X, "seal", 1, "introduced", None)]
    note = "callers were not looked for in 501 files around the series: the repository does not hold this object"
    assert report.series is not None and note in report.series.notes
