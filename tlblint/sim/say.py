"""Bytes of a state in words."""

from __future__ import annotations

from tlblint.sim.ir import Program, Set, Step, Var, When
from tlblint.sim.machine import A, D, N, P, W, pfn, reads, writes

HEADS = {
    "pte": "entry of {0}", "tlb": "TLB of CPU{0} for {1}", "dev": "device's translation of {0}", "hpt": "hash table for {0}",
    "free": "page {0}", "ref": "references of page {0}", "pd": "PG_dirty of page {0}", "gd": "data of page {0}", "cp": "copy of page {0}",
    "io": "IO of page {0}", "stable": "contents of page {0}", "mapped": "mappings of page {0}", "wforbid": "right to write {0}",
    "rforbid": "right to read {0}", "dforbid": "right to write {0} unseen", "dseen": "new dirty bit of {0}", "hashed": "hash table's mark in entry of {0}",
    "pmd": "link to page table {0}", "freed": "page table {0}", "pwc": "walk cache of CPU{0} for table {1}",
    "walk": "software walk on CPU{0} of table {1}", "loaded": "mm on CPU{0}", "lazy": "lazy TLB mode of CPU{0}", "irq": "interrupts of CPU{0}",
    "lgen": "TLB generation of CPU{0}", "held": "invalidations of {0} under way",
}  # fmt: skip
PLAIN = {
    "gen": "TLB generation of the mm", "done": "completed TLB generation", "batched": "batched flush of the mm", "pending": "flushes pending",
    "tlbi": "TLB invalidations under way",
}  # fmt: skip
OWN = {
    "owed": "deferred flush", "gathered": "gathered flush", "batch": "batched invalidation of {0}", "queued": "queued write of {0}",
    "queue": "queued value of {0}", "waits": "queued flush of {0}",
}  # fmt: skip
"""Bytes of a thread that ops keep, by the first part of their name."""
STATES = {
    "free": ("in use", "free"), "gd": ("saved", "not saved"), "pd": ("clean", "dirty"), "cp": ("none", "taken"), "io": ("none", "under way"),
    "stable": ("may change", "relied on"), "wforbid": ("granted", "revoked, call returned"), "rforbid": ("granted", "revoked, call returned"),
    "dforbid": ("granted", "revoked, call returned"), "dseen": ("no", "yes"), "hashed": ("clear", "set"),
    "pmd": ("cleared", "set"), "freed": ("in use", "free"), "pwc": ("empty", "cached"), "walk": ("none", "under way"), "loaded": ("not loaded", "loaded"),
    "lazy": ("off", "on"), "irq": ("off", "on"), "batched": ("none", "pending"),
}  # fmt: skip


def split(name: str) -> tuple[str, list[str]]:
    """("tlb", ["0", "a"]) for "tlb[0,a]"."""
    base, bracket, rest = name.partition("[")
    return base, rest.rstrip("]").split(",") if bracket else []


def thing(name: str) -> str:
    """A variable in words: "TLB of CPU1 for a"."""
    base, parts = split(name)
    if base in HEADS and parts:
        return HEADS[base].format(*parts)
    thread, dot, own = name.partition(".")
    if not dot:
        return PLAIN.get(name, name)
    word, _, va = own.partition("_")
    return f"{thread}'s {OWN[word].format(va)}" if word in OWN else f"{thread}'s {own}"


def entry(value: int) -> str:
    """A page-table entry in words: "page 1, writable, dirty"."""
    if not value:
        return "none"
    if value == A:
        return "a swap or migration entry"
    words = [f"page {pfn(value)}" if pfn(value) else "no page"]
    if not value & P:
        words.append("PROT_NONE" if value & N else "not present")
    words.append("writable" if value & W else "read-only")
    words += [word for bit, word in ((D, "dirty"), (A, "accessed")) if value & bit]
    return ", ".join(words)


def cached(value: int) -> str:
    """A set of translations in words: "page 1 writable"."""
    words = []
    for page in (1, 2, 3):
        if value & (reads(page) | writes(page)):
            words.append(f"page {page} {'writable' if value & writes(page) else 'read-only'}")
    return ", ".join(words) or "nothing"


class Words:
    """Values of a program's variables in words. Registers that hold entries are told from counts by what is assigned to them."""

    def __init__(self, program: Program) -> None:
        self._entries = _entries(program)
        self._locks: set[str] = set()

    def value(self, name: str, value: int) -> str:
        """A value of a variable."""
        base, _ = split(name)
        if base == "pte" or name in self._entries:
            return entry(value)
        if base in ("tlb", "dev", "hpt"):
            return cached(value)
        own = name.partition(".")[2].partition("_")[0]
        if base in STATES and value < 2:
            return STATES[base][value]
        if own in OWN and own != "queue":
            return ("none", "due")[min(value, 1)]
        return str(value)


def _entries(program: Program) -> set[str]:
    found: set[str] = set()
    before = -1
    while before != len(found):
        before = len(found)
        for code in program.codes:
            for node in code.nodes:
                if isinstance(node, Step):
                    for alt in node.alts:
                        for effect in alt.effects:
                            _entry_sets(effect, found)
    return found


def _entry_sets(effect: object, found: set[str]) -> None:
    if isinstance(effect, Set) and "." in effect.var and isinstance(effect.value, Var):
        if effect.value.name.startswith("pte[") or effect.value.name in found:
            found.add(effect.var)
    elif isinstance(effect, When):
        for inner in effect.effects:
            _entry_sets(inner, found)
