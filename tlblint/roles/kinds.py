"""The closed vocabulary of effects: kinds, the objects each binds, and the words that refine it."""

from __future__ import annotations

import re

import msgspec

LEVELS = frozenset({"pte", "pmd", "pud", "huge", ""})
WHENS = frozenset({"always", "ret!=0", "ret==0"})
FLAG = re.compile(r"flag:(?P<index>\d|1[0-5]):(?P<names>[A-Z_]\w*(?:\|[A-Z_]\w*)*)")
"""A ``when``, too: argument ``index`` may hold one of the constants, going by what the calling function assigns."""
OPERAND = re.compile(r"ret|\*(?P<pointed>\d|1[0-5])|(?P<index>\d|1[0-5])(?:\.[A-Za-z_]\w*)*")


class Kind(msgspec.Struct, frozen=True):
    """One kind of effect: objects it must bind, objects it may bind, words it accepts, and whether it puts a function in scope."""

    needs: frozenset[str]
    may: frozenset[str]
    attrs: frozenset[str]
    relevant: bool


def _kind(needs: str = "", may: str = "", attrs: str = "", relevant: bool = False) -> Kind:
    return Kind(frozenset(needs.split()), frozenset(may.split()), frozenset(attrs.split()), relevant)


KINDS: dict[str, Kind] = {
    "ptl.acquire": _kind("ptl", "pte mm pmd pud", "rmap checked", True),
    "ptl.release": _kind("ptl", "pte", "rmap", True),
    "ptl.lookup": _kind("ptl", "pte mm pmd pud", "", True),
    "lock.acquire": _kind("lock"),
    "lock.release": _kind("lock"),
    "entry.read": _kind("pte", "value mm", "lockless"),
    "entry.clear": _kind("pte", "value mm vma", "atomic plain nonpresent discard flushed full invalidate table", True),
    "entry.start": _kind("pte", "value mm vma", "", True),
    "entry.commit": _kind("pte value", "old mm vma", "", True),
    "entry.demote": _kind("pte", "mm", "", True),
    "entry.clean": _kind("pte", "mm vma flags", "by-flags", True),
    "entry.install": _kind("pte", "value mm vma", "marker", True),
    "entry.promote": _kind("pte", "value mm vma", "", True),
    "entry.young": _kind("pte", "mm vma", "by-flags", True),
    "flush.now": _kind("", "vma mm addr end", "range page mm", True),
    "flush.kernel": _kind(),
    "flush.local": _kind(relevant=True),
    "flush.gather": _kind("tlb", "", "finish table", True),
    "flush.record": _kind("tlb", "pte", "table", True),
    "flush.batched": _kind("mm", "", "", True),
    "flush.rmaps": _kind("tlb", "vma", "", True),
    "generation.take": _kind("mm", "", "", True),
    "generation.start": _kind("mm"),
    "cpus.read": _kind("mm"),
    "section.open": _kind("tlb", "", "", True),
    "section.close": _kind("tlb", "", "", True),
    "unmap.defer": _kind("mm", "value", "", True),
    "unmap.batch": _kind("", "page", "", True),
    "unmap.flush": _kind("", "", "dirty", True),
    "lazy.enter": _kind("", "", "nests", True),
    "lazy.leave": _kind("", "", "nests", True),
    "lazy.flush": _kind("", "", "xen-only", True),
    "lazy.pause": _kind("", "", "nests", True),
    "lazy.resume": _kind("", "", "nests", True),
    "gather.begin": _kind("tlb", "mm vma", "full", True),
    "gather.end": _kind("tlb", "", "", True),
    "gather.vma": _kind("tlb", "vma", "", True),
    "gather.touch": _kind("tlb", "", "", True),
    "gather.reset": _kind("tlb"),
    "batch.add": _kind("", "mm"),
    "flag.read": _kind("flag", "bit"),
    "flag.raise": _kind("flag", "bit"),
    "flag.clear": _kind("flag", "bit", "locked"),
    "flag.swap": _kind("flag"),
    "pending.inc": _kind("mm", "", "", True),
    "pending.dec": _kind("mm", "", "", True),
    "pending.query": _kind("mm", "pte", "nested", True),
    "test.dirty": _kind("value"),
    "test.present": _kind("value"),
    "test.none": _kind("value"),
    "test.nonpresent": _kind("", "value page"),
    "test.write": _kind("value"),
    "test.young": _kind("value"),
    "test.same": _kind("value", "old"),
    "test.anon": _kind("page"),
    "test.pagedirty": _kind("page"),
    "test.paged": _kind("value", "", "mapped"),
    "test.unpaged": _kind("", "page value"),
    "test.needs_flush": _kind("old value"),
    "test.defer": _kind("", "mm"),
    "test.delay_rmap": _kind("tlb"),
    "test.accessible": _kind("value", "mm vma"),
    "value.derive": _kind("from value", "", "clean dirty wrprotect invalid old keep modify"),
    "value.count": _kind("value"),
    "value.swap": _kind("value"),
    "value.asked": _kind("value"),
    "value.table": _kind("value"),
    "value.build": _kind("value", "page", "nonpresent"),
    "page.dirty": _kind("page", "", "flagonly"),
    "page.free": _kind("page", "", "last"),
    "page.get": _kind("page"),
    "page.copy": _kind("page"),
    "page.same": _kind("page"),
    "page.defer": _kind("tlb page"),
    "rmap.drop": _kind("page", "vma"),
    "rmap.unlock": _kind("", "lock"),
    "table.free": _kind("", "tlb mm", "deferred"),
    "notifier.init": _kind("range"),
    "notifier.start": _kind("range", "", "nonblock", True),
    "notifier.end": _kind("range", "", "", True),
    "sleep": _kind(),
    "assume.held": _kind("ptl"),
    "walk.range": _kind("ops", "private mm vma", "rmap fn"),
}
