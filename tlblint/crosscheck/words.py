"""What a translated step, a machine and a violation are called: by their kernel names, not by those of the simulator's language."""

from __future__ import annotations

import re
from functools import lru_cache

from tlblint.sim import Profile

HAPPENS = {
    "uaf-store": "a store reaches a page that was freed",
    "uaf-load": "a load reaches a page that was freed",
    "uaf-walk": "a page table is freed that a walk still reaches",
    "uaf-device": "a device reaches a page that was freed",
    "contract": "an access goes through that a system call revoked before it returned",
    "stable": "a store changes a page that is relied on not to change",
    "lost-dirty": "data is neither on disk nor marked dirty anywhere",
    "false-pending": "the kernel relies on no CPU having a translation that one still has",
    "false-complete": "a flush counts as completed that is not",
    "dup-hash": "the hash table has two entries for one address",
    "unbalanced": "a count falls below zero, or a lock is dropped that is not held",
    "leak": "something is still owed when all is done",
    "deadlock": "nobody can go on",
    "unrecorded": "a store goes through that no dirty bit tells of, though the call that cleans the range has returned",
}
"""Violation -> what happens."""
_PTL = r"(?:\w+: )?{}\((\w+)\)"
_SAID = (
    (re.compile(_PTL.format("lock")), "takes {lock}"),
    (re.compile(_PTL.format("unlock")), "drops {lock}"),
    (re.compile(r"(?:\w+: )?\w+ = read_pte\((\w)\)"), r"reads entry \1"),
    (re.compile(r"(?:\w+: )?\w+ = xchg_pte\((\w), 0\)"), r"clears entry \1"),
    (re.compile(r"set_pte\((\w), \w+ & ~W\)"), r"write-protects entry \1"),
    (re.compile(r"set_pte\((\w), A\)"), r"puts a swap or migration entry in"),
    (re.compile(r"flush\((\w)\)"), r"flushes \1"),
    (re.compile(r"(?:if .*: )?set_dirty\([\d\w.]+\)"), "if the entry was dirty: marks the page"),
    (re.compile(r"if .*: put_page\(\d\)"), "if it took the mapping: gives the page back"),
    (re.compile(r"gather\(\)"), "begins an mmu_gather"),
    (re.compile(r"gather_finish\(\)"), "tlb_finish_mmu()"),
    (re.compile(r"flush_batched\(\)"), "flush_tlb_batched_pending()"),
    (re.compile(r"ubc_flush\(\)"), "try_to_unmap_flush()"),
    (re.compile(r"page_mkclean\((\w), \d\)"), r"page_mkclean() of entry \1"),
    (re.compile(r"pending_inc\(\)"), "inc_tlb_flush_pending()"),
    (re.compile(r"pending_dec\(\)"), "dec_tlb_flush_pending()"),
    (re.compile(r"lazy_enter\(\)"), "enters lazy MMU mode"),
    (re.compile(r"lazy_leave\(\)"), "leaves lazy MMU mode"),
    (re.compile(r"flush_mm\(.*\)"), "flushes all of the mm"),
    (re.compile(r"pmd_clear\(T\)"), "unlinks the page table"),
    (re.compile(r"free_table\(T\)"), "frees the page table"),
    (re.compile(r"\w+ = inc_gen\(\)"), "inc_mm_tlb_gen()"),
    (re.compile(r"flush_gen\((\d), \w+\)"), r"flushes CPU\1 up to that generation"),
    (re.compile(r"irq_off\(\)"), "interrupts off"),
    (re.compile(r"irq_on\(\)"), "interrupts on"),
)
_TWICE = {
    "ptl.acquire": "takes {lock}", "ptl.release": "drops {lock}", "entry.clear": "takes the entry out", "entry.install": "writes the entry",
    "flush.now": "flushes", "flush.record": "notes the range", "page.free": "gives the page back", "rmap.drop": "drops the mapping",
    "flush.gather": "flushes the gather", "table.free": "frees the page table",
}  # fmt: skip
"""Kind of event -> what a call does in a step of its own that does several things."""


THINGS = {
    "due": "flag of deferred flushes", "own": "the task's note of a deferred flush", "in_batch": "entry in the batch",
    "notified": "notifier invalidations under way",
}  # fmt: skip
"""Bytes that only a translation has, and what they stand for."""


def called(name: str) -> str:
    """What changes, by its name."""
    return THINGS.get(name, name)


def spoken(text: str) -> str:
    """A text of the simulator with the names of such bytes put into words."""
    return re.sub(r"\b(?:due|in_batch|notified)\b(?=: )", lambda match: THINGS[match[0]], text)


@lru_cache(maxsize=4096)
def said(text: str) -> str:
    """A step of the simulator's language in words, "" when there are none for it."""
    for pattern, words in _SAID:
        match = pattern.match(text)
        if match is not None:
            return words.format(lock=_lock(match[1])) if "{lock}" in words else match.expand(words)
    return ""


def part(kind: str, text: str) -> str:
    """What one effect of several that a call has is, "" for the call itself. ``text``: the step."""
    match = re.match(_PTL.format(r"\w+"), text)
    words = _TWICE.get(kind, "")
    return words.format(lock=_lock(match[1])) if match is not None else "" if "{" in words else words


def _lock(name: str) -> str:
    return "the PTL of another page table" if name == "ptl_other" else "the PTL" if name == "ptl" else "the other PTL"


def machine_name(machine: Profile) -> str:
    """A machine by the name that the rules have for it, and by the simulator's where that is another."""
    names = machine.flush_profiles
    return machine.name if not names or names == (machine.name,) else f"{' and '.join(names)} (machine {machine.name})"
