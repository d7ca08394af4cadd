"""What a witness tells is what kernel code does, in its order, on that machine: nothing is made up without a word about it."""

from __future__ import annotations

import re

import pytest

from tests.crosscheck.corpus import judged, of_file, of_rule, one
from tests.crosscheck.test_rules import CASES, case_of
from tlblint.app.demo import demo
from tlblint.app.simulate import machines
from tlblint.crosscheck import verdict
from tlblint.crosscheck.adversaries import dontneed, migrate, reclaim, truncate
from tlblint.crosscheck.obligation import story_of
from tlblint.crosscheck.program import Entry, Program
from tlblint.crosscheck.verdict import Judge, Judgement, able
from tlblint.crosscheck.words import HAPPENS, machine_name, said
from tlblint.model.finding import PathEvent, RawFinding
from tlblint.model.witness import Witness
from tlblint.sim.ir import VIOLATIONS
from tlblint.sim.profiles import find

X86 = ("x86-64",)


def path(rule: str, profiles: tuple[str, ...], *events: tuple[str, ...], at: int = 0, act: str = "") -> RawFinding:
    """A finding with such a path: each event is its kind, what it is called, its answer and its objects as NAME=TEXT. Two locks in a row
    that are taken by one name are taken by one call."""
    made: list[PathEvent] = []
    for number, (kind, text, *more) in enumerate(events):
        notes = [word for word in more if "=" not in word]
        pairs = tuple((word.partition("=")[0], word.partition("=")[2]) for word in more if "=" in word)
        again = made and kind == "ptl.acquire" and (made[-1].kind, made[-1].text) == (kind, text)
        made.append(PathEvent("mm/a.c", made[-1].pos if again else 10 * number, "walk", kind, text, notes[0] if notes else "", pairs))
    return RawFinding(rule, "mm/a.c", 10 * at, "walk", "message", act or made[-1].kind, (), (), profiles, tuple(made))


def judge(raw: RawFinding, states: int = 150_000) -> Judgement:
    return Judge(machines(), lambda event: (event.path, event.pos // 10 + 1)).judge(raw, states)


def program(raw: RawFinding) -> Program:
    return verdict.translations(story_of(raw), raw.rule)[0]


def told(judgement: Judgement) -> Witness:
    assert judgement.witness is not None, judgement.reason
    return judgement.witness


LOCK = ("ptl.acquire", "pte_offset_map_lock", "ptl=ptl")
UNLOCK = ("ptl.release", "pte_unmap_unlock", "ptl=ptl")
READ = ("entry.read", "ptep_get", "pte=pte", "value=v1", "ptl=ptl")
START = ("entry.start", "ptep_modify_prot_start", "pte=pte", "value=v2", "ptl=ptl", "level=pte")
COMMIT = ("entry.commit", "ptep_modify_prot_commit", "pte=pte", "value=v2", "ptl=ptl", "from=v2", "origin=cleared", "bits=k", "at=pte", "level=pte")
WALK = (
    ("entered", "ops"), ("notifier.start", "mmu_notifier_invalidate_range_start", "range=r"), ("pending.inc", "inc_tlb_flush_pending", "mm=mm"),
    ("call", "wp()"), READ,
)  # fmt: skip


def test_a_walk_takes_the_lock_behind_what_comes_before_it_and_flushes_before_the_notifier_ends() -> None:
    texts = [step.text for step in program(path("TLB001", X86, *WALK, START)).steps]
    before = texts[: texts.index("v1 = start_pte(a); g_a = g_a or v1.P; c_a = c_a or v1.P")]
    order = ["mn_start(a); inc(notified)", "pending_inc()", "lock(ptl)", "v0 = read_pte(a)"]
    assert [before.index(text) for text in order] == sorted(before.index(text) for text in order)
    tail = texts[len(before) :]
    order = ["flush(a)", "unlock(ptl)", "others = nested()", "if others: flush_mm()", "mn_end(a); dec(notified)", "pending_dec()", "returns(write=a)"]
    assert [tail.index(text) for text in order] == sorted(tail.index(text) for text in order)


def test_who_asks_for_the_dirty_bit_takes_that_away_and_promises_no_more() -> None:
    found = judge(path("TLB001", X86, *WALK, ("test.dirty", "dirty", "true", "value=v1"), START))
    assert (found.verdict, told(found).kind) == ("conditional", "unrecorded")
    assert "the change takes the dirty bit away" in found.assumptions and found.mended is not None
    assert not any(step.text.startswith("ptep_modify_prot_start") for step in told(found).steps), "an entry that is not dirty is passed by"
    found = judge(path("TLB001", X86, *WALK, START))
    assert (found.verdict, told(found).kind) == ("conditional", "contract")
    assert "the change takes the write permission away" in found.assumptions and found.mended is not None


def test_records_are_kept_by_hardware_dirty_bits_only() -> None:
    raw = path("TLB001", ("arm64",), *WALK, ("test.dirty", "dirty", "true", "value=v1"), START)
    assert {machine.name for machine in able(Judge(machines(), lambda event: ("", 1)).machines_of(raw), [program(raw)])} == {"arm64-broadcast"}


LAZY = (("entered", "walk"), ("lazy.enter", "arch_enter_lazy_mmu_mode"), LOCK, READ, START, COMMIT, ("flush.now", "flush_tlb_range", "attrs=range"), UNLOCK)
LEAVE = ("lazy.leave", "arch_leave_lazy_mmu_mode")


def test_on_xen_a_modification_begins_with_a_read_and_write_and_flush_are_queued() -> None:
    found = judge(path("TLB004", ("x86-xen-pv",), *LAZY, LEAVE, at=4))
    assert found.verdict == "conditional"
    steps = {step.text: {change.thing for change in step.changes} for step in told(found).steps}
    assert steps["ptep_modify_prot_start()"] == set()
    assert steps["ptep_modify_prot_commit()"] == {"walk's queued write of a"}
    assert steps["flush_tlb_range()"] == {"walk's queued flush of a"}
    assert "entry of a" in steps["arch_leave_lazy_mmu_mode()"]


def test_huge_entries_are_not_looked_for_where_there_are_none() -> None:
    huge = [tuple(word.replace("level=pte", "level=pmd") for word in event) for event in LAZY]
    found = judge(path("TLB004", ("x86-xen-pv",), *huge, LEAVE, at=4))
    assert (found.verdict, found.reason) == ("inconclusive", "unmodelled: none of x86-xen-pv (machine xen-pv) has what the path is about")
    found = judge(path("TLB004", ("powerpc-hash", "x86-xen-pv"), *huge, LEAVE, at=4))
    assert found.verdict == "inconclusive" and found.reason.endswith("; x86-xen-pv (machine xen-pv) has no huge entries")
    assert judge(path("TLB004", ("powerpc-hash",), *LAZY, LEAVE, at=4)).verdict == "conditional"


def test_an_entry_that_is_made_invalid_and_written_again_has_lost_something() -> None:
    clear = ("entry.clear", "pmdp_invalidate_ad", "pte=pte", "value=v2", "ptl=ptl", "attrs=atomic invalidate", "level=pmd")
    install = ("entry.install", "set_pmd_at", *COMMIT[2:-1], "level=pmd")
    made = program(path("TLB004", X86, LOCK, clear, install, UNLOCK, at=1))
    assert any(step.text.startswith("set_pte(a, v0 & ~(W))") for step in made.steps)
    assert made.needs == ("the change takes the write permission away",)


MOVE = (
    ("ptl.acquire", "double_pt_lock", "ptl=dst"), ("ptl.acquire", "double_pt_lock", "ptl=src"),
    ("entry.read", "ptep_get", "pte=src_pte", "value=v1", "ptl=src"), ("entry.read", "ptep_get", "pte=dst_pte", "value=v2", "ptl=dst"),
    ("entry.clear", "ptep_get_and_clear", "pte=src_pte", "value=v3", "ptl=src", "attrs=atomic", "level=pte"),
    ("entry.install", "set_pte_at", "pte=dst_pte", "value=v3", "ptl=dst", "from=v3", "origin=cleared", "bits=k", "at=src_pte", "level=pte"),
)  # fmt: skip


def test_what_is_moved_goes_where_nothing_is_and_no_gather_is_made_up() -> None:
    raw = path("TLB001", X86, *MOVE)
    made = program(raw)
    assert {entry.va: (entry.page, entry.start) for entry in made.entries} == {"a": (1, "0"), "b": (0, "0")}
    assert not any("gather" in step.text for step in made.steps) and made.given == ()
    found = judge(raw)
    assert found.verdict == "conditional" and found.mended is not None
    changes = [change for step in told(found).steps for change in step.changes if change.thing == "entry of b"]
    assert [(change.before, change.after) for change in changes] == [("none", "a swap or migration entry")]
    assert not any("(assumed)" in step.text for step in told(found).steps), "the path looks at the entry itself"


DEVICE = (
    LOCK, READ, ("entry.clear", "ptep_get_and_clear", "pte=pte", "value=v2", "ptl=ptl", "attrs=atomic", "level=pte"),
    ("test.dirty", "dirty", "true", "value=v2"), ("page.dirty", "folio_mark_dirty", "page=folio"),
)  # fmt: skip
SWAP = ("entry.install", "set_pte_at", "pte=pte", "value=v4", "ptl=ptl", "from=v4", "origin=built", "bits=ks", "level=pte")
UNMAP = ("rmap.drop", "folio_remove_rmap_pte", "page=folio", "value=v2")


def test_a_page_whose_entry_becomes_a_swap_entry_is_locked_and_nobody_writes_it_back() -> None:
    found = judge(path("TLB002", X86, *DEVICE, SWAP, UNMAP, UNLOCK, at=2))
    assert found.verdict == "refuted" and "the folio is locked" in found.reason
    found = judge(path("TLB002", X86, *DEVICE, UNMAP, UNLOCK, at=2))
    assert found.verdict == "conditional" and told(found).kind == "lost-dirty"


def test_what_an_anonymous_page_held_may_be_dropped_with_it() -> None:
    clear = ("entry.clear", "pmdp_huge_get_and_clear", "pte=pte", "value=v2", "ptl=ptl", "attrs=atomic", "level=pmd")
    record = ("flush.record", "tlb_remove_pmd_tlb_entry", "tlb=*tlb", "pte=pte")
    zap = (LOCK, clear, record, UNLOCK)
    assert judge(path("TLB002", X86, *zap, at=1)).assumptions == ("the page belongs to a file",)
    assert judge(path("TLB002", X86, LOCK, ("test.anon", "anon", "false", "page=folio"), *zap[1:], at=2)).verdict == "confirmed"
    kept = judge(path("TLB002", X86, LOCK, READ, clear, ("entry.install", "set_pte_at", *SWAP[2:5], "from=v1", "origin=read", "at=pte"), UNLOCK, at=2))
    assert "the page belongs to a file" not in kept.assumptions


def test_what_only_the_act_takes_out_may_go_back() -> None:
    clear = ("entry.clear", "ptep_get_and_clear_full", "pte=pte", "value=v2", "ptl=ptl", "attrs=atomic full", "level=pte")
    found = judge(path("TLB001", X86, LOCK, READ, ("test.present", "present", "true", "value=v1"), clear))
    assert found.assumptions[:2] == (
        "what ptep_get_and_clear_full() takes out is not put back afterwards with the same rights", "whoever calls has begun an mmu_gather",
    )  # fmt: skip


def test_a_call_that_does_several_things_says_which() -> None:
    apart = verdict.translations(story_of(path("TLB001", X86, *MOVE)), "TLB001")[-1]
    assert [step.words for step in apart.steps if "lock(ptl" in step.text][:2] == ["double_pt_lock(): takes the PTL", "double_pt_lock(): takes the other PTL"]


def test_a_step_that_is_made_up_says_so_and_cites_nothing() -> None:
    case = one(of_rule("TLB003", 1), "TLB003", "sample_some")
    steps = told(judged(case)).steps
    made = [step for step in steps if step.text.startswith("(assumed) ")]
    assert [step.text for step in made] == ["(assumed) clears an entry", "(assumed) flushes it"]
    assert {(step.path, step.line) for step in made} == {(None, None)}
    named = [step for step in steps if step.line is not None]
    lines = case.source.decode().splitlines()
    assert named and all(step.text.split("(")[0] in lines[step.line - 1] for step in named if step.line and step.text.endswith("()"))


def test_reclaim_clears_defers_marks_and_then_puts_the_swap_entry_in() -> None:
    entry = [Entry("a", "ptl", 1)]
    texts = reclaim(entry)
    wanted = ("xchg_pte(a, 0)", "defer()", "set_dirty", "set_pte(a, A)", "unlock", "ubc_flush")
    order = [next(n for n, text in enumerate(texts) if what in text.partition(' "')[0]) for what in wanted]
    assert order == sorted(order)
    assert "clears the swap or migration entry" in "".join(dontneed(entry))
    assert set(truncate(entry)) < set(migrate(entry))


@pytest.fixture(scope="module")
def witnesses() -> list[tuple[str, Witness]]:
    found = demo({"cache": False, "jobs": 1}).report.findings
    shown = [(finding.reason, finding.witness) for finding in found if finding.witness is not None]
    judgements = [judged(case_of(*case[:4])) for case in CASES]
    return [*shown, *((judgement.reason, told(judgement)) for judgement in judgements)]


_LANGUAGE = r"goto|done_|\?|--|[=&|~]|\bptl\d|\bv\d|\w\.[PWD]\b|_pte\(a|^nested" + r"|unlock\(ptl|\b(due|notified|began|met\d|own)\b|lazy_(enter|leave)\(\)"


def test_no_word_of_the_simulators_language_is_left(witnesses: list[tuple[str, Witness]]) -> None:
    for reason, witness in witnesses:
        things = (change.thing for step in witness.steps for change in step.changes)
        for text in (witness.sentence, *(step.text for step in witness.steps), *(step.note for step in witness.steps), *things):
            assert not re.search(_LANGUAGE, text), text
        assert not any(re.search(rf"\b{kind}\b", reason) for kind in HAPPENS if kind not in ("leak", "deadlock", "stable", "contract")), reason
        assert "contract in" not in reason
    assert list(HAPPENS) == list(VIOLATIONS)


def test_a_tlb_gains_by_an_access_of_its_own_only(witnesses: list[tuple[str, Witness]]) -> None:
    for _, witness in witnesses:
        for step in witness.steps:
            for change in step.changes:
                if change.thing.startswith("TLB of CPU") and change.before in ("nothing", change.after.replace("writable", "read-only")):
                    assert change.thing.startswith(f"TLB of CPU{step.cpu} ") and step.text.startswith(("stores", "loads")), step


def test_lost_data_is_marked_where_it_is_lost_and_nobody_stores_for_nothing(witnesses: list[tuple[str, Witness]]) -> None:
    lost = [witness for _, witness in witnesses if witness.kind == "lost-dirty"]
    assert lost
    for witness in lost:
        at = next(n for n, step in enumerate(witness.steps) if step.mark == "violation")
        assert not any("dec_tlb_flush_pending" in step.text or "PTL" in step.text for step in witness.steps[at : at + 1])
        stores = [step for step in witness.steps if step.text.startswith("stores")]
        assert all(step.changes for step in stores)
        births = [n for n, step in enumerate(witness.steps) if step.mark == "birth"]
        assert not births or births[0] < witness.steps.index(stores[-1])
    assert any(step.text.startswith("stores") for witness in lost for step in witness.steps)


def test_a_refutation_says_what_it_rests_on() -> None:
    case = one(of_file("rules/tlb008-reads-the-hole.c"), "TLB008", "age_bad")
    assert machine_name(find(machines(), "xen-pv")) == "x86-xen-pv (machine xen-pv)" and machine_name(find(machines(), "powerpc-hash")) == "powerpc-hash"
    assert said("unlock(ptl_other)") == "drops the PTL of another page table" and said("nothing(of, that)") == ""
    assert judged(case).witness is None
