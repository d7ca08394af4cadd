"""The event table: what each effect of the role table becomes in the language of the simulator.

A handler is given the translator, the event and whether it is the act that the finding is about. What is neither in HANDLERS nor in
SILENT is unmodelled, and then nothing is said about the finding.
"""

from __future__ import annotations

from msgspec.structs import replace

from tlblint.crosscheck import on_entries, on_flushes, on_locks, on_pages, on_tests
from tlblint.crosscheck.program import MARK
from tlblint.crosscheck.subjects import CHANGES, SILENT, attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent

HANDLERS = {
    "ptl.acquire": on_locks.acquire, "ptl.release": on_locks.release, "lazy.enter": on_locks.lazy_enter, "lazy.leave": on_locks.lazy_leave,
    "lazy.pause": on_locks.lazy_pause, "lazy.resume": on_locks.lazy_resume, "lazy.flush": on_locks.lazy_flush, "entry.read": on_entries.read,
    "entry.clear": on_entries.clear, "entry.start": on_entries.clear, "entry.install": on_entries.install, "entry.commit": on_entries.install,
    "entry.demote": on_entries.demote, "entry.clean": on_entries.demote, "entry.young": on_entries.young, "entry.promote": on_entries.promote,
    "flush.now": on_flushes.flush, "flush.gather": on_flushes.gather_flush, "flush.record": on_flushes.record,
    "gather.begin": on_flushes.gather_begin, "gather.end": on_flushes.gather_end, "gather.reset": on_flushes.gather_reset,
    "flush.batched": on_flushes.batched, "unmap.defer": on_flushes.defer, "unmap.batch": on_flushes.unmap, "unmap.flush": on_flushes.unmap_flush,
    "pending.inc": on_locks.pending_inc, "pending.dec": on_locks.pending_dec, "page.dirty": on_pages.page_dirty, "page.get": on_pages.page_get,
    "page.free": on_pages.page_free, "page.copy": on_pages.page_copy, "page.defer": on_pages.page_defer, "rmap.drop": on_pages.rmap_drop,
    "table.free": on_pages.table_free, "notifier.start": on_locks.notifier_start, "notifier.end": on_locks.notifier_end,
    "generation.take": on_locks.generation, "batch.add": on_flushes.batch_add,
    **{f"test.{test}": on_tests.test for test in ("present", "none", "swap", "nonpresent", "dirty", "young", "write", "accessible", "needs_flush")},
    **{f"test.{test}": on_tests.test for test in ("paged", "unpaged", "anon")},
    **{f"flag.{word}": on_tests.flag for word in ("read", "raise", "clear", "swap")},
    MARK: on_tests.mark,
}  # fmt: skip
"""Kind of event -> what it adds to the program."""


def translate(t: Translator) -> None:
    """Add the steps of all events but what the act leads to."""
    t.prelude()
    for number, event in enumerate(t.events):
        t.arrive(event)
        if event.kind in CHANGES and objects(event).get("level", "") in ("pmd", "pud") and "table" not in attrs(event):
            t.uses.add("huge")
        handler = HANDLERS.get(event.kind)
        if handler is None:
            if event.kind not in SILENT:
                t.unknown(event.kind)
            continue
        handler(t, event, number == len(t.events) - 1)
    if t.subjects.too_many:
        t.unknown("more than two entries")


def with_value(event: PathEvent, value: str) -> PathEvent:
    """The event about another entry value: what a mend may put in the place of one that is out of date."""
    return replace(event, objects=tuple((role, value if role in ("value", "from") and name else name) for role, name in event.objects))
