"""What a path goes on with: behind the act as well as it still can, and properly where an answer leads away from it."""

from __future__ import annotations

from tlblint.crosscheck.program import Owed, Step
from tlblint.crosscheck.subjects import attrs, objects
from tlblint.crosscheck.translate import Translator

RETURNS = frozenset({"exit", "settle", "gather.leave", "notifier.leave"})
"""Acts behind which nothing comes."""
UNMARKED = frozenset({"test.paged", "test.unpaged", "test.cleaned"})
"""Acts that make the code pass the page's marking by."""
OF_A_FILE = "the page belongs to a file"
"""What an anonymous page held may be dropped with it, on purpose."""
HAD = {"write": "W", "access": "P", "clean": "D"}
RETURNED = {
    "write": "returns: no store to {0} from now on",
    "access": "returns: no access of {0} by what was cached before from now on",
    "clean": "returns: no store to {0} from now on that leaves no dirty bit there",
}
"""What a call that takes a right away lets its caller count on."""


def finish(t: Translator, code: str) -> list[Step]:
    """Steps behind the act, and those that the skips on the way lead to. Registers and needs may be added to ``t``."""
    before = len(t.steps)
    act = t.events[-1]
    _consequence(t, code)
    _go_on(t, t.owed, code, returned=act.kind in RETURNS)
    if code == "TLB002" and "rmap" not in t.modes and "file" not in t.uses and "access" in t.lowered.values():
        t.given.append(OF_A_FILE)  # reclaim, which goes by the reverse mapping, saves anonymous pages, too
    if t.skips:
        t.steps.append(Step("goto end"))
    for label, owed, register, va in t.skips:
        t.steps.append(Step(f"{label}:"))
        _settle(t, owed, register, va)
        t.steps.append(Step("goto end"))
    if t.skips and t.steps[-1].text == "goto end":
        t.steps.pop()
        if t.steps[-1].text.endswith(":"):
            t.steps.append(Step("nop()"))
    made = t.steps[before:]
    del t.steps[before:]
    return made


def _put(t: Translator, text: str, words: str = "") -> None:
    t.steps.append(Step(text, None, words))


def _consequence(t: Translator, code: str) -> None:
    """What the answer to the question that the act asks decides."""
    act = t.events[-1]
    test = act.kind[5:] if act.kind.startswith("test.") else ""
    value = objects(act).get("value", "")
    register = t.registers.get(value)
    if act.kind == "value.commit" and register is not None:
        va = t.homes[value]
        _put(t, f"commit_pte({va}, {register} & ~W)", f"{act.text}()")
        t.owed.started.pop(va, None)
        t.owed.dirty.pop(va, None)
        t.loses(va, "W")
    if act.kind in UNMARKED:
        t.owed.dirty.clear()
    if not test or register is None:
        return
    va = t.homes[value]
    if test == "dirty":
        _put(t, f"if {register}.D: set_dirty({register}.pfn)", "if the entry was dirty: marks the page")
        t.owed.dirty.pop(va, None)
    elif test in ("needs_flush", "accessible", "present", "nonpresent"):
        needed = t.needs_flush(value) if test == "needs_flush" else f"{register}.P"
        label = f"unflushed{len(t.steps)}"
        _put(t, f"if not ({needed}) goto {label}")
        _put(t, f"flush({va})", "flushes if so decided")
        _put(t, f"{label}:")
        t.steps.append(Step(f"g_{va} = 0"))


def _decided_early(t: Translator) -> tuple[str, str] | None:
    """(VA, condition) of a flush that was decided by a read before the entry was taken out."""
    if t.events[-1].kind != "value.stale":
        return None
    for event in reversed(t.events[:-1]):
        if event.kind in ("test.needs_flush", "test.accessible") and objects(event).get("value", "") in t.registers:
            value = objects(event)["value"]
            return t.homes[value], t.needs_flush(value) if event.kind == "test.needs_flush" else f"{t.registers[value]}.P"
    return None


def _go_on(t: Translator, owed: Owed, code: str, returned: bool) -> None:
    """Everything that is still open, as late as the act makes it."""
    act = t.events[-1].kind
    early = _decided_early(t)
    for va, register in owed.started.items():
        bit = t.take_off(va)
        _put(t, f"commit_pte({va}, {register} & ~{bit})", "the modified entry goes back")
        t.loses(va, bit)
    unmarked = code == "TLB002" and act in ("ptl.release", "exit", "unmap.defer", "entry.install", "entry.commit", "value.stale")
    if t.shape.dirty and not unmarked:
        _mark_dirty(t, owed)
    if early is not None:
        va, needed = early
        _put(t, f"if not ({needed}) goto undecided")
        _put(t, f"flush({va})", "flushes as decided before")
        _put(t, "undecided:")
        _put(t, f"g_{va} = 0")
    if owed.generation:
        _put(t, f"flush_gen(1, {owed.generation})", "flush of that generation on CPU 1")
        _put(t, f"flush_gen(0, {owed.generation})", "flush of that generation")
    if code != "TLB003" and owed.lazy and not owed.paused:
        _put(t, "lazy_leave()")
    if owed.locks and not returned and not owed.generation and code not in ("TLB011", "TLB014"):
        _flush_rest(t, owed)
    for lock in owed.locks:
        _put(t, f"unlock({lock})")
    if code == "TLB003" and owed.lazy and not owed.paused and not returned:
        _put(t, "lazy_leave()")
    if owed.deferred:
        _reclaim(t, code)
    if not owed.locks and not returned and not owed.generation and code not in ("TLB011", "TLB014"):
        _flush_rest(t, owed)
    if not returned:
        _balance(t, owed)
    _promise(t)


def _reclaim(t: Translator, code: str) -> None:
    """The rest of what reclaim does with a page whose flush it put off."""
    if code not in ("TLB007", "TLB008"):
        _put(t, "ubc_flush()", "try_to_unmap_flush()")
        if not t.shape.dirty and t.events[-1].kind != "page.free":
            _put(t, "put_page(1)", "frees the page")
        return
    t.steps.append(Step("if not wd goto early"))
    _put(t, "ubc_flush()", "try_to_unmap_flush_dirty()")
    _put(t, "early:")
    if t.shape.dirty:
        _put(t, "clear_dirty_for_io(1)", "pageout()")
    _put(t, "ubc_flush()", "try_to_unmap_flush()")


def _mark_dirty(t: Translator, owed: Owed) -> None:
    for register in owed.dirty.values():
        _put(t, f"if {register}.D: set_dirty({register}.pfn)", "if the entry was dirty: marks the page")


def _flush_rest(t: Translator, owed: Owed) -> None:
    """A flush of what was changed and neither flushed nor recorded."""
    noted = [va for va in t.subjects.vas if any(f"g_{va} =" in step.text for step in t.steps)]
    if noted:
        label = f"flushed{len(t.steps)}"
        _put(t, f"if not ({' or '.join(f'g_{va}' for va in noted)}) goto {label}")
        _put(t, f"flush({', '.join(noted)})", "flushes what was changed")
        _put(t, f"{label}:")
    if any("g_T = 1" in step.text for step in t.steps) and "ft" not in t.modes:
        _put(t, "flush_mm(tables)", "flushes walk caches")


def _balance(t: Translator, owed: Owed) -> None:
    if owed.tables and not owed.gathers:
        _put(t, "free_table(T)", "the gather frees the page table")
    for _ in range(owed.gathers - int(t.events[-1].kind == "gather.begin" and owed.gathers > 1)):
        if "ft" in t.modes and act_flushes(t):
            _put(t, "flush_mm(tables=ft)", "the gather flushes")
        _put(t, "gather_finish()")
        if owed.tables:
            _put(t, "free_table(T)", "the gather frees the page table")
            owed.tables = False
    for put in owed.pages:
        _put(t, put, "the gather frees the page")
    if owed.pending and t.range_promise:  # who raises the count flushes if somebody else has raised it, too
        _put(t, "others = nested()", "mm_tlb_flush_nested()")
        _put(t, "if others: flush_mm()", "if so: flushes all of the range")
    for _ in range(owed.notified):  # a device may fill again from here on: behind all flushes
        _put(t, "mn_end(a); dec(notified)", "mmu_notifier_invalidate_range_end()")
    for _ in range(owed.pending):
        _put(t, "pending_dec()")


def act_flushes(t: Translator) -> bool:
    """Whether the gather's own flush is still to come."""
    return t.events[-1].kind != "flush.gather"


def _promise(t: Translator, register: str = "", of: str = "") -> None:
    """The call returns: what its entries lost, nobody may use any more."""
    if "contract" not in t.shape.kinds:
        return
    for va in t.subjects.vas:
        right = t.lowered.get(va, "")
        if right and of in ("", va):
            only = "" if t.range_promise or t.moves else f"if c_{va}: "
            only = f"if not {register}.{HAD[right]}: " if register else only
            act = t.events[-1]
            if right == "clean":
                t.uses.add("records")
            elif right == "access" and act.kind == "entry.clear" and t.taken.get(va) == objects(act).get("value", "") and "nonpresent" not in attrs(act):
                t.assume(f"what {act.text}() takes out is not put back afterwards with the same rights")
            _put(t, f"{only}returns({right}={va})", RETURNED[right].format(va))


def _settle(t: Translator, owed: Owed, register: str, va: str) -> None:
    """All that is open, in the right order. ``register`` has the entry that is left alone: it may keep what the call takes from others."""
    for started, taken in owed.started.items():
        _put(t, f"commit_pte({started}, {taken})", "puts the entry back")
    if t.shape.dirty:
        _mark_dirty(t, owed)
    _flush_rest(t, owed)
    if owed.lazy and not owed.paused:
        _put(t, "lazy_leave()")
    for lock in owed.locks:
        _put(t, f"unlock({lock})")
    if owed.deferred:
        _put(t, "ubc_flush()")
    _balance(t, owed)
    if t.range_promise and register:
        _promise(t, register, va)
