"""Verdicts: what makes a finding inconclusive, refuted, and the same twice."""

from __future__ import annotations

from msgspec.structs import replace

from tests.crosscheck.corpus import Case, judged, of_file, of_rule, one
from tlblint.app.simulate import machines
from tlblint.app.simulated import told
from tlblint.crosscheck import verdict
from tlblint.crosscheck.obligation import made, origin_of, static_only, story_of
from tlblint.crosscheck.verdict import Judge, Judgement
from tlblint.model.finding import Finding, PathEvent, RawFinding


def walker() -> Case:
    return one(of_rule("TLB001", 1), "TLB001", "bar_writes")


def at(case: Case, *events: PathEvent) -> Case:
    return replace(case, raw=replace(case.raw, events=events))


def test_an_event_that_has_no_translation_is_named_and_not_dropped() -> None:
    case = walker()
    events = case.raw.events
    odd = made(events[-1], "entry.twist", "ptep_twist")
    judgement = judged(at(case, *events[:-1], odd, events[-1]))
    assert (judgement.verdict, judgement.reason) == ("inconclusive", "unmodelled: entry.twist")


def test_a_path_that_is_not_known_is_not_judged() -> None:
    assert judged(at(walker())).reason == "the path is not known"


def test_the_accessed_bit_is_not_modelled() -> None:
    judgement = judged(one(of_file("rules/tlb008-reads-the-hole.c"), "TLB008", "age_bad"))
    assert (judgement.verdict, judgement.reason) == ("inconclusive", "unmodelled: the accessed bit")


def test_what_is_an_error_by_itself_is_called_a_static_judgement() -> None:
    judgement = judged(one(of_rule("TLB013", 3), "TLB013", "give_up_locked"))
    assert judgement.verdict == "inconclusive" and judgement.reason.startswith("static judgement: sleeping")
    assert static_only(walker().raw) == ""


def test_a_budget_that_is_too_small_is_a_reason() -> None:
    judgement = judged(walker(), 10)
    assert judgement.verdict == "inconclusive" and judgement.reason.startswith("bound: ")


def test_the_same_finding_gets_the_same_judgement() -> None:
    assert judged(walker()) == judged(walker())


def test_the_flush_that_is_missing_refutes_the_finding_where_it_is_put_in() -> None:
    """The near miss: the same path with the call that the rule asks for."""
    case = walker()
    events = case.raw.events
    taken = origin_of(case.raw)
    flush = made(events[taken], "flush.batched", "flush_tlb_batched_pending", mm="vma->vm_mm")
    judgement = judged(at(case, *events[: taken + 1], flush, *events[taken + 1 :]), 300_000)
    assert judgement.verdict == "refuted", judgement.reason
    assert "x86-ipi" in judgement.reason


def test_a_path_that_the_model_cannot_take_is_no_refutation() -> None:
    """Present and none at once: nothing goes wrong, because nothing happens."""
    case = walker()
    events = case.raw.events
    read = next(event for event in events if event.kind == "entry.read")
    value = dict(read.objects)["value"]
    never = replace(made(read, "test.none", "none", value=value), note="true")
    before, taken = events.index(read) + 1, origin_of(case.raw) + 1
    flush = made(events[taken], "flush.batched", "flush_tlb_batched_pending")
    judgement = judged(at(case, *events[:taken], flush, *events[taken:before], never, *events[before:]), 300_000)
    assert judgement.verdict == "inconclusive" and judgement.reason.startswith("vacuous: "), judgement.reason


def test_locks_that_may_be_one_or_two_are_tried_both_ways() -> None:
    case = walker()
    events = case.raw.events
    other = made(events[-1], "ptl.acquire", "spin_lock", ptl="pml")
    story = story_of(replace(case.raw, events=(events[0], other, *events[1:])))
    programs = verdict.translations(story, "TLB001")
    assert [program.locks for program in programs] == [("ptl",), ("ptl", "ptl1")]
    assert [sum("lock(" in step.text and "un" not in step.text for step in program.steps) for program in programs] == [1, 2]
    assert len(verdict.translations(story_of(case.raw), "TLB001")) == 1


def test_on_no_machine_nothing_is_said() -> None:
    case = walker()
    judgement = Judge((), case.place).judge(case.raw, 1000)
    assert judgement.verdict == "inconclusive" and "no machine" in judgement.reason


def test_a_violation_that_the_mended_path_has_as_well_is_not_the_finding_s() -> None:
    case = walker()
    judge = Judge(machines(), case.place)
    programs = verdict.translations(story_of(case.raw), "TLB001")
    search = verdict.Search()
    judge.search("TLB001", programs, programs, judge.machines_of(case.raw)[:1], verdict.Budget(20_000), search)
    assert search.found is None and any("mended path has that, too" in odd for odd in search.odd)


def finding(severity: str) -> Finding:
    return Finding("TLB001", "s", severity, "high", "not-run", (), "mm/a.c", 1, 1, "f", "m", "0" * 16, (), ())


def test_refuted_is_one_level_lower_and_says_why() -> None:
    judgement = Judgement("refuted", "no interleaving goes wrong")
    assert [told(finding(level), judgement, {}).severity for level in ("error", "warning", "note")] == ["warning", "note", "note"]
    assert told(finding("error"), judgement, {}).reason == "no interleaving goes wrong"
    assert told(finding("error"), Judgement("inconclusive", "bound"), {}).severity == "error"


def test_the_raw_finding_is_left_as_it_is() -> None:
    case = walker()
    before: RawFinding = replace(case.raw)
    judged(case)
    assert case.raw == before and case.raw.events == before.events
