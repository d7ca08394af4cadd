"""Each rule: a finding that goes wrong, beside nothing or under named assumptions, and the same path mended, of which every pairing holds."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.crosscheck.corpus import STATES, Case, judged, of_file, of_rule, one
from tlblint.app.simulate import machines
from tlblint.crosscheck import mend, verdict
from tlblint.crosscheck.obligation import story_of
from tlblint.crosscheck.rules import SHAPES

CASES = [
    ("TLB001", of_rule, ("TLB001", 1), "bar_writes", "conditional", "contract"),
    ("TLB002", of_file, ("rules/tlb002-unmap-walk.c",), "evict_one_bad", "confirmed", "lost-dirty"),
    ("TLB003", of_rule, ("TLB003", 1), "sample_some", "conditional", "contract"),
    ("TLB004", of_rule, ("TLB004", 1), "", "conditional", "contract"),
    ("TLB005", of_rule, ("TLB005", 1), "drop_range", "confirmed", "leak"),
    ("TLB006", of_rule, ("TLB006", 1), "dim_pending", "confirmed", "leak"),
    ("TLB007", of_rule, ("TLB007", 3), "hand_over", "confirmed", "lost-dirty"),
    ("TLB008", of_rule, ("TLB008", 1), "drop_one", "confirmed", "lost-dirty"),
    ("TLB009", of_rule, ("TLB009", 2), "evict_all", "confirmed", "uaf-store"),
    ("TLB010", of_rule, ("TLB010", 1), "drop_huge", "confirmed", "uaf-store"),
    ("TLB011", of_rule, ("TLB011", 3), "dim_and_number", "confirmed", "contract"),
    ("TLB012", of_rule, ("TLB012", 1), "finish_deferred", "conditional", "contract"),
    ("TLB013", of_rule, ("TLB013", 1), "give_up", "confirmed", "leak"),
    ("TLB014", of_rule, ("TLB014", 1), "drop_range", "conditional", "contract"),
]


def case_of(code: str, where: object, args: tuple[object, ...], function: str) -> Case:
    found = where(*args)  # type: ignore[operator]
    return one(found, code, function) if function else next(case for case in found if case.raw.rule == code)


@pytest.mark.parametrize(("code", "where", "args", "function", "expected", "kind"), CASES, ids=[case[0] for case in CASES])
def test_a_true_finding_goes_wrong(code: str, where: object, args: tuple[object, ...], function: str, expected: str, kind: str) -> None:
    judgement = judged(case_of(code, where, args, function))
    assert (judgement.verdict, bool(judgement.assumptions)) == (expected, expected == "conditional"), judgement.reason
    assert judgement.witness is not None and judgement.witness.kind == kind
    assert any(step.path is not None and step.line is not None for step in judgement.witness.steps), "no step names a line of the source"


@pytest.mark.parametrize(("code", "where", "args", "function", "expected", "kind"), CASES, ids=[case[0] for case in CASES])
def test_the_mended_path_is_refuted_and_not_for_want_of_running(
    code: str, where: object, args: tuple[object, ...], function: str, expected: str, kind: str
) -> None:
    case = case_of(code, where, args, function)
    mended = mend.mend(code, story_of(case.raw))
    assert mended is not None
    judge = verdict.Judge(machines(), case.place)
    programs = verdict.translations(mended.story, code)
    assert not any(program.unmodelled for program in programs)
    search, budget = verdict.Search(), verdict.Budget(5 * STATES)
    judge.search(code, [replace(program, needs=()) for program in programs], [], verdict.distinct(judge.machines_of(case.raw), programs), budget, search)
    result = judge.conclude(case.raw, [replace(program, needs=()) for program in programs], search, budget)
    assert result.verdict == "refuted", result.reason


def test_every_rule_of_correctness_has_a_shape() -> None:
    assert list(SHAPES) == [case[0] for case in CASES] == [f"TLB{number:03}" for number in range(1, 15)]


def test_a_rule_that_is_no_subject_is_not_run() -> None:
    case = one(of_rule("TLB001", 1), "TLB001", "bar_writes")
    assert judged(replace(case, raw=replace(case.raw, rule="TLB101"))).verdict == "not-run"
