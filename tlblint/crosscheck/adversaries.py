"""What else may run in the kernel meanwhile: small programs, each with what must be true for it to meet the path at all.

Every program is correct by itself: it takes the lock of the entry, flushes what it changes before it gives the page away, and drops the
page's reference only if it took the mapping that the reference was for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tlblint.crosscheck.program import Entry, Program

KEY = "!"
"""A line that begins with this is what the program is there for: coverage asks for it to run after the path's first change."""


class Adversary(msgspec.Struct, frozen=True):
    """``lines`` makes the program for the entries that one page is mapped by, in the scenario language.

    ``needs``: the assumption under which it runs beside the path, "" when it always may. ``footprint``: what it must have in common with
    the path, a subset of Program.uses besides "entry". ``unless``: what on the path rules it out. ``machines``: "tlb", "hash", or a
    feature of flush profiles without which there is no such thing. ``shares``: what it has in common with others of its kind, apart from
    the path; two that share nothing are not tried together. ``far``: how much is taken for granted, of several that show the same the nearest is told.
    ``alone``: an op without which in the path it changes nothing by itself.
    """

    name: str
    cpu: int
    needs: str
    lines: Callable[[Sequence[Entry]], list[str]]
    footprint: frozenset[str] = frozenset({"entry"})
    unless: frozenset[str] = frozenset()
    machines: str = ""
    shares: frozenset[str] = frozenset()
    kind: str = "thread"
    far: int = 0
    alone: str = ""


def _per_entry(entries: Sequence[Entry], make: Callable[[Entry, str], list[str]]) -> list[str]:
    """The program for each entry that may map the page, one after the other: what a reverse-map walk does."""
    out: list[str] = []
    for number, entry in enumerate(entries):
        out += make(entry, f"_{number}" if number else "")
    return out


def _page(entries: Sequence[Entry]) -> int:
    return next((entry.page for entry in entries if entry.page), 1)


def _look(e: Entry, n: str, page: int) -> list[str]:
    """Takes the lock and looks whether the entry maps the page."""
    return [f"lock({e.lock})", f"{KEY}r{n} = read_pte({e.va})", f"if not (r{n}.P and r{n}.pfn == {page}) goto out{n}"]


def reclaim(entries: Sequence[Entry]) -> list[str]:
    """Unmaps a page, leaves the flush to the batch, flushes, frees."""
    page = _page(entries)

    def one(e: Entry, n: str) -> list[str]:
        return [
            *_look(e, n, page),
            f'old{n} = xchg_pte({e.va}, 0); own = 1 "clears the entry"',
            'defer() "set_tlb_ubc_flush_pending()"',
            f"if old{n}.D: set_dirty({page})",
            f"set_pte({e.va}, A)",
            f"out{n}: unlock({e.lock})",
        ]

    return [*_per_entry(entries, one), "if not own goto end", 'ubc_flush() "try_to_unmap_flush()"', f'put_page({page}) "frees the page"']


def writeback(entries: Sequence[Entry]) -> list[str]:
    """Cleans the entries of a page, then writes the page out."""
    page = _page(entries)

    def one(e: Entry, n: str) -> list[str]:
        return [f"lock({e.lock})", f"page_mkclean({e.va}, {page})", f"unlock({e.lock})"]

    return [*_per_entry(entries, one), f'{KEY}clear_dirty_for_io({page}) "writes the page out"']


def _unmapped(entries: Sequence[Entry], *behind: str, then: Sequence[str] = ()) -> list[str]:
    """Takes a page out of wherever it is mapped, flushes under the lock, then ``behind``; in the end gives the page back. ``then`` comes
    before each unlock."""
    page = _page(entries)

    def one(e: Entry, n: str) -> list[str]:
        return [
            *_look(e, n, page),
            f'old{n} = xchg_pte({e.va}, 0); own = 1 "clears the entry"',
            f"flush({e.va})",
            f"if old{n}.D: set_dirty({page})",
            *(text.format(va=e.va) for text in then),
            f"out{n}: unlock({e.lock})",
        ]

    return [*_per_entry(entries, one), "if not own goto end", *behind, f'put_page({page}) "frees the page"']


def truncate(entries: Sequence[Entry]) -> list[str]:
    """Zaps a page out of wherever it is mapped and frees it."""
    return _unmapped(entries)


def dontneed(entries: Sequence[Entry]) -> list[str]:
    """MADV_DONTNEED of the range: drops what is there and returns."""
    e = entries[0]
    return [
        "gather()",
        f"lock({e.lock})",
        "flush_batched()",
        f"{KEY}r = read_pte({e.va})",
        "if r == 0 goto out",
        "if r.P goto zap",
        f'set_pte({e.va}, 0) "clears the swap or migration entry"',
        "goto out",
        f"zap: old = xchg_pte({e.va}, 0); gather_add({e.va})",
        f"if old.D and old.pfn == {_page(entries)}: set_dirty({_page(entries)})",
        f"out: unlock({e.lock})",
        "gather_finish()",
        f"if old.P and old.pfn == {_page(entries)}: put_page({_page(entries)})",
        f'returns(access={e.va}) "MADV_DONTNEED returns"',
    ]


def mprotect(entries: Sequence[Entry]) -> list[str]:
    """Takes write permission from the range and returns."""
    e = entries[0]
    return [
        "gather()",
        f"lock({e.lock})",
        "flush_batched()",
        f"{KEY}r = read_pte({e.va})",
        "if not r.P goto out",
        f'old = start_pte({e.va}) "ptep_modify_prot_start()"',
        f'commit_pte({e.va}, old & ~W); if old.W: gather_add({e.va}) "ptep_modify_prot_commit(), records what needs a flush"',
        f"out: unlock({e.lock})",
        "gather_finish()",
        f'returns(write={e.va}) "mprotect(PROT_READ) returns"',
    ]


def munmap(entries: Sequence[Entry]) -> list[str]:
    """Unmaps the range and frees its page table."""
    e = entries[0]
    page = _page(entries)
    return [
        f"lock({e.lock})",
        f"old = xchg_pte({e.va}, 0)",
        f"unlock({e.lock})",
        f"if old.D and old.pfn == {page}: set_dirty({page})",
        f"{KEY}pmd_clear(T)",
        "flush_mm(tables)",
        "free_table(T)",
        f"if old.P and old.pfn == {page}: put_page({page})",
        f'returns(access={e.va}) "munmap returns"',
    ]


def fault(entries: Sequence[Entry]) -> list[str]:
    """A page fault fills an empty entry with a new page."""
    e = entries[0]
    may = f"pte[{e.va}] == 0 and not wforbid[{e.va}] and not rforbid[{e.va}]"
    return [
        f"lock({e.lock})",
        f'{KEY}nop() "looks at the entry"',
        f'if {may}: set_pte({e.va}, P|W|pfn(3)); fresh = 1; own = 1 "maps a new page"',
        f"unlock({e.lock})",
    ]


def hash_fault(entries: Sequence[Entry]) -> list[str]:
    """A page fault fills an empty entry, and the hash table behind it."""
    e = entries[0]
    return [*fault(entries)[:-1], f'if own: hash_insert({e.va}) "puts it into the hash table"', f"unlock({e.lock})"]


def ksm(entries: Sequence[Entry]) -> list[str]:
    """Makes an entry read-only unless it is already, and compares the page's contents."""
    e = entries[0]
    page = _page(entries)
    return [
        f"lock({e.lock})",
        f"{KEY}r = read_pte({e.va})",
        f"if not (r.P and r.pfn == {page}) goto out",
        "waiting = flush_pending()",
        "if not (r.W or r.D or waiting) goto trust",
        f"old = xchg_pte({e.va}, 0)",
        f"flush({e.va})",
        f"set_pte({e.va}, old & ~(W|D)); if old.D: set_dirty({page})",
        f'trust: stable({page}) "takes the page for stable"',
        f"unstable({page})",
        f"out: unlock({e.lock})",
    ]


def migrate(entries: Sequence[Entry]) -> list[str]:
    """Unmaps a page, flushes, copies it and frees it."""
    return _unmapped(entries, f'copy_page({_page(entries)}) "copies the page"', then=["set_pte({va}, A)"])


def gup_fast(entries: Sequence[Entry]) -> list[str]:
    """Walks page tables without a lock, interrupts off."""
    return ["irq_off()", f"{KEY}gup_read(T)", "gup_done(T)", "irq_on()"]


def other_flusher(entries: Sequence[Entry]) -> list[str]:
    """Completes deferred flushes under the lock of another page table."""
    return ["lock(ptl_other)", "flush_batched()", f'{KEY}nop() "changes entries of its own"', "unlock(ptl_other)"]


def counted_flusher(entries: Sequence[Entry]) -> list[str]:
    """A flush of another range, by generation."""
    return [f"{KEY}g = inc_gen()", "flush_gen(1, g)", "flush_gen(0, g)"]


def switcher(entries: Sequence[Entry]) -> list[str]:
    """CPU 1 switches to another mm and back."""
    # Interrupts are off while the mm is loaded, and no user program runs on that CPU: one step.
    return [f"{KEY}switch_out()", 'loaded[1] = 1; if lgen[1] < gen: flush_cpu(1); lgen[1] = gen "switches back, flushes if behind"']


def device(entries: Sequence[Entry]) -> list[str]:
    """A secondary MMU uses what it has of the entry."""
    e = entries[0]
    return [f'{KEY}nop() "is asked to work"', f"dev_store({e.va})", f"dev_load({e.va})"]


def spinner(entries: Sequence[Entry]) -> list[str]:
    """CPU 1 has interrupts off for a while."""
    return ["irq_off()", f'{KEY}nop() "interrupts are off"', "irq_on()"]


def flag_deferrer(entries: Sequence[Entry]) -> list[str]:
    """Reclaim on another page table: clears an entry, then raises the flag."""
    return ["lock(ptl_other)", f'{KEY}old = xchg_pte(b, 0) "unmaps a page"', 'due = due + 1 "raises the flag"', "unlock(ptl_other)"]


def flag_trusting(entries: Sequence[Entry]) -> list[str]:
    """Takes write permission from an entry of that page table; for an absent entry it goes by the flag."""
    return [
        "lock(ptl_other)",
        'f = due "reads the flag"',
        "if not f goto done",
        "flush_mm()",
        "c = cmpxchg(due, f, 0)",
        "done: r = read_pte(b)",
        "if not r.P goto out",
        "old = xchg_pte(b, 0)",
        "set_pte(b, old & ~W)",
        "flush(b)",
        "out: unlock(ptl_other)",
        'returns(write=b) "mprotect(PROT_READ) returns"',
    ]


def flag_user(entries: Sequence[Entry]) -> list[str]:
    """mprotect() of the path's own entry; for an absent entry it goes by the flag."""
    e = entries[0]
    return [
        f"lock({e.lock})",
        'f = due "reads the flag"',
        "if not f goto done",
        "flush_mm()",
        "c = cmpxchg(due, f, 0)",
        f"{KEY}done: r = read_pte({e.va})",
        "if not r.P goto out",
        f"old = xchg_pte({e.va}, 0)",
        f"set_pte({e.va}, old & ~W)",
        f"flush({e.va})",
        f"out: unlock({e.lock})",
        f'returns(write={e.va}) "mprotect(PROT_READ) returns"',
    ]


MMAP = "while this path does not hold the mmap lock for writing"
RMAP = "the page is on the LRU, and this path has not locked its folio yet"
FILE = "the page belongs to a file that is {}, and this path has not locked its folio"

ADVERSARIES = (
    Adversary(
        "reclaim",
        0,
        f"{RMAP}, and this architecture batches unmap flushes",
        reclaim,
        unless=frozenset({"no-page", "folio-locked"}),
        machines="batched-unmap",
        shares=frozenset({"batch"}),
    ),
    Adversary(
        "writeback",
        0,
        FILE.format("written back"),
        writeback,
        unless=frozenset({"no-page", "anon", "folio-locked"}),
    ),
    Adversary(
        "truncate",
        0,
        FILE.format("truncated"),
        truncate,
        unless=frozenset({"no-page", "anon", "folio-locked"}),
    ),
    Adversary("madvise", 0, f"another thread calls madvise(MADV_DONTNEED) on the range {MMAP}", dontneed, shares=frozenset({"batch", "pending", "refill"})),
    Adversary(
        "mprotect",
        0,
        "another thread calls mprotect() on the range while this path holds no mmap lock",
        mprotect,
        shares=frozenset({"batch", "pending"}),
        far=1,
    ),
    Adversary(
        "munmap", 0, "another thread unmaps the range while this path holds no mmap lock", munmap, frozenset({"tables"}), shares=frozenset({"tables"}), far=1
    ),
    Adversary("fault", 0, f"page faults of the range are served {MMAP}", fault, machines="tlb", shares=frozenset({"refill"})),
    Adversary("hash-fault", 0, f"page faults of the range are served {MMAP}", hash_fault, machines="hash", shares=frozenset({"refill"})),
    Adversary("ksm", 0, "the range is registered with KSM", ksm, unless=frozenset({"no-page", "file", "folio-locked"}), shares=frozenset({"pending"})),
    Adversary("migrate", 0, f"{RMAP}, and it is migrated", migrate, unless=frozenset({"no-page", "folio-locked"})),
    Adversary("gup", 1, "", gup_fast, frozenset({"tables"}), shares=frozenset({"tables"})),
    Adversary("other-flusher", 0, "another thread works on another page table of this mm", other_flusher, shares=frozenset({"batch"}), alone="defer()"),
    Adversary("counted-flusher", 0, "", counted_flusher, frozenset({"generation"})),
    Adversary("switch", 1, "", switcher),
    Adversary("device", 0, "a secondary MMU maps the range", device, frozenset({"notifier"}), kind="device"),
    Adversary("spinner", 1, "", spinner, frozenset({"tables"})),
    Adversary(
        "flag-deferrer",
        0,
        "reclaim works on another page table of this mm, and the architecture batches unmap flushes",
        flag_deferrer,
        frozenset({"flag"}),
        shares=frozenset({"flag"}),
    ),
    Adversary("flag-trusting", 0, "another thread calls mprotect() on that page table", flag_trusting, frozenset({"flag"}), shares=frozenset({"flag"})),
    Adversary("flag-user", 0, "another thread calls mprotect() on the range", flag_user, frozenset({"flag"}), shares=frozenset({"flag"})),
)


def meets(adversary: Adversary, program: Program, hash_machine: bool, features: frozenset[str]) -> bool:
    """Whether an adversary has anything to do with a path on this machine."""
    if adversary.footprint != {"entry"} and not adversary.footprint <= program.uses:
        return False
    if "flag" in program.uses and adversary.footprint == {"entry"}:
        return False
    if not adversary.unless.isdisjoint(program.uses):
        return False
    if adversary.machines in ("tlb", "hash"):
        return hash_machine is (adversary.machines == "hash")
    return not adversary.machines or adversary.machines in features
