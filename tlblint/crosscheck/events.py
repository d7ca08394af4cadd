"""The event table: what each effect of the role table becomes in the language of the simulator.

A handler is given the translator, the event and whether it is the act that the finding is about. What is neither in HANDLERS nor in
SILENT is unmodelled, and then nothing is said about the finding.
"""

from __future__ import annotations

from dataclasses import replace

from tlblint.crosscheck.program import MARK, Step
from tlblint.crosscheck.subjects import CHANGES, attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent

ACCESSED = "the accessed bit"


def _acquire(t: Translator, e: PathEvent, act: bool) -> None:
    if "rmap" in attrs(e):
        t.uses.add("folio-locked")
        t.modes.add("rmap")
    name = t.lock(objects(e).get("ptl", "the page table lock"))
    if name not in t.owed.locks:
        t.emit(f"lock({name})", e)
        t.owed.locks.append(name)


def _release(t: Translator, e: PathEvent, act: bool) -> None:
    name = t.lock(objects(e).get("ptl", "the page table lock"))
    if name in t.owed.locks:
        t.emit(f"unlock({name})", e)
        t.owed.locks.remove(name)


def _lazy_enter(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.paused:
        return
    t.owed.lazy += 1
    if t.owed.lazy == 1:
        t.emit("lazy_enter()", e)


def _lazy_leave(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.paused:
        return
    if t.owed.lazy == 1:
        t.emit("lazy_leave()", e)
    t.owed.lazy = max(0, t.owed.lazy - 1)


def _lazy_pause(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.lazy and not t.owed.paused:
        t.emit("lazy_leave()", e)
    t.owed.paused += 1


def _lazy_resume(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.paused = max(0, t.owed.paused - 1)
    if t.owed.lazy and not t.owed.paused:
        t.emit("lazy_enter()", e)


def _lazy_flush(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.lazy and not t.owed.paused:
        t.emit("lazy_leave()", e)
        t.emit("lazy_enter()", e)


def _read(t: Translator, e: PathEvent, act: bool) -> None:
    va = t.va_of(e)
    if va is not None:
        t.uses.discard("no-page")  # another look, maybe at another page
        register = t.fresh(objects(e).get("value", ""), va)
        t.emit(f"{register} = read_pte({va})", e, f"{e.text}() of entry {va}" if e.text.isidentifier() and "assumed" not in objects(e) else "")
        if "rmap" in t.modes and va not in t.stored:
            t.skip_unless(f"{register}.pfn == {t.need_page(va)}", register, va)


def _clear(t: Translator, e: PathEvent, act: bool) -> None:
    words = attrs(e)
    if "table" in words:
        t.uses.add("tables")
        t.emit("pmd_clear(T); g_T = 1", e)
        t.changes.append(len(t.steps) - 1)
        return
    va = t.va_of(e)
    if va is None:
        return
    register = t.fresh(objects(e).get("value", ""), va)
    if "nonpresent" in words:
        t.changed(f"{register} = pte[{va}]; set_pte({va}, 0)", va, e, "0")
    elif "plain" in words and "no-result" not in words:
        t.emit(f"{register} = read_pte({va})", e)
        t.changed(f"set_pte({va}, 0)", va, e, f"{register}.P")
    elif "plain" in words:
        t.changed(f"{register} = pte[{va}]; set_pte({va}, 0)", va, e, f"{register}.P")
    else:
        t.changed(f"{register} = {'start_pte(' + va if e.kind == 'entry.start' else f'xchg_pte({va}, 0'})", va, e, f"{register}.P")
    t.stored[va] = "0"
    t.lowered[va] = "access"
    if "invalidate" in words:
        t.invalidated.add(va)
    t.owed.dirty[va] = register
    t.taken[va] = objects(e).get("value", "")
    if e.kind == "entry.start":
        t.owed.started[va] = register
        t.stored[va] = f"{register} & ~{t.takes_off(va)}"
    following = t.events[t.events.index(e) + 1 :][:3]
    if "flushed" in words and not any(f.kind == "flush.now" and (f.path, f.pos) == (e.path, e.pos) for f in following):
        t.emit(f"flush({va}); g_{va} = 0", e)


def _value(t: Translator, e: PathEvent, va: str) -> str | None:
    """What is stored, as an expression over registers; None when it cannot be told."""
    found = objects(e)
    bits = found.get("bits", "")
    base = t.registers.get(found.get("from", ""))
    if found.get("origin") == "built":
        return "A" if "s" in bits else "P|pfn(3)"
    if base is None:
        return None
    home = t.homes.get(found.get("from", ""), va)
    if home != va:
        t.moved = True
        t.about = t.about or home
    taken_off = [bit for letter, bit in (("w", "W"), ("c", "D")) if letter in bits]
    if "k" in bits and home == va and (va in t.owed.started or va in t.invalidated) and not taken_off:
        taken_off = [t.take_off(va)]
    text = f"{base} & ~({'|'.join(taken_off)})" if taken_off else base
    return f"({text}) | D" if "d" in bits else text


def _install(t: Translator, e: PathEvent, act: bool) -> None:
    pointer = objects(e).get("pte", "")
    home = t.homes.get(objects(e).get("from", ""), "")
    foreign = objects(e).get("at", "") not in ("", pointer) or (home != "" and t.subjects.now(pointer) != home)
    va = t.va_of(e, starts=not foreign and objects(e).get("origin") != "built")
    if va is None:
        return
    if foreign and va not in t.stored:
        t.starts[va] = False  # what is moved goes where nothing is
    value = _value(t, e, va)
    if value is None:
        t.unknown(f"the value that {e.text} stores")
        return
    if value == "A" and va in t.taken and any(f.kind == "rmap.drop" for f in t.events) and not any(f.kind == "page.defer" for f in t.events):
        t.uses.add("folio-locked")
        t.known.append("the folio is locked, as it is when a swap or migration entry takes the place of a mapped page")
    if objects(e).get("origin") == "built" and value != "A":
        t.assume("the entry that is put in its place is that of another page")
    bits = objects(e).get("bits", "")
    t.changed(f"{'commit_pte' if e.kind == 'entry.commit' else 'set_pte'}({va}, {value})", va, e, "0")
    t.stored[va] = value
    if t.moved and foreign:
        t.owed.dirty.pop(t.homes.get(objects(e).get("from", ""), ""), None)
    if objects(e).get("origin") != "built":
        if "c" not in bits and "& ~(D" not in value:
            t.owed.dirty.pop(va, None)
        t.lowered[va] = ""
        if "& ~(W" in value or (e.kind == "entry.commit" and "& ~(D" in value):
            t.loses(va, "W" if "& ~(W" in value else "D")
    t.owed.started.pop(va, None)


def _demote(t: Translator, e: PathEvent, act: bool) -> None:
    va = t.va_of(e)
    if va is None:
        return
    register = t.fresh(objects(e).get("value", ""), va)
    bit = "W" if e.kind == "entry.demote" else "D"
    t.changed(f"{register} = pte[{va}]; set_pte({va}, {register} & ~{bit})", va, e, f"{register}.P and {register}.{bit}")
    t.stored[va] = f"{register} & ~{bit}"
    if bit == "W":
        t.lowered.setdefault(va, "write")
    else:
        t.owed.dirty[va] = register


def _young(t: Translator, e: PathEvent, act: bool) -> None:
    t.va_of(e)
    if act:
        t.unknown(ACCESSED)


def _promote(t: Translator, e: PathEvent, act: bool) -> None:
    if t.va_of(e) is not None and act:
        t.unknown("more permission")


def _flush(t: Translator, e: PathEvent, act: bool) -> None:
    vas = t.subjects.vas or ["a"]
    if "page" in attrs(e) and t.changes and len(vas) > 1:
        vas = vas[-1:]
    text = "flush_mm()" if "mm" in attrs(e) or not t.subjects.vas else f"flush({', '.join(vas)})"
    if "tables" in t.uses:
        text = text.replace(")", ", tables)") if text != "flush_mm()" else "flush_mm(tables)"
    reset = "".join(f"; g_{va} = 0" for va in (t.subjects.vas if text.startswith("flush_mm") else vas))
    t.emit(text + reset, e)


def _gather_flush(t: Translator, e: PathEvent, act: bool) -> None:
    if "finish" in attrs(e):
        return
    t.emit("flush_mm(tables=ft)" if "ft" in t.modes else "gather_flush()", e)
    _pages(t, e)


def _gather_reset(t: Translator, e: PathEvent, act: bool) -> None:
    t.modes.add("ft")
    t.emit("ft = 0", e, f"{e.text}() forgets what was recorded")


def _pages(t: Translator, e: PathEvent | None) -> None:
    for put in t.owed.pages:
        t.emit(put, e, "the gather frees the page")
    t.owed.pages.clear()
    if t.owed.tables:
        t.emit("free_table(T)", e, "the gather frees the page table")
        t.owed.tables = False


def _record(t: Translator, e: PathEvent, act: bool) -> None:
    if "table" in attrs(e):
        t.unknown("a shared page table in a gather")
        return
    va = t.va_of(e) or (t.subjects.vas[-1] if t.subjects.vas else None)
    if va is None:
        t.emit("nop(); gather_add()", e)
        return
    t.emit(f"g_{va} = 0; gather_add({va})", e)


def _gather_begin(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.gathers += 1
    t.emit("gather()", e)


def _gather_end(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.gathers = max(0, t.owed.gathers - 1)
    if "ft" in t.modes:
        t.emit("flush_mm(tables=ft)", e)
    t.emit("gather_finish()", e)
    _pages(t, e)


def _batched(t: Translator, e: PathEvent, act: bool) -> None:
    t.emit("flush_batched()", e)


def _defer(t: Translator, e: PathEvent, act: bool) -> None:
    found = objects(e)
    register = t.registers.get(found.get("from", found.get("value", "")))
    t.owed.deferred = True
    reset = "".join(f"; g_{va} = 0" for va in t.subjects.vas)
    if register is None:
        t.emit("defer()" + reset, e)
        return
    t.emit(f"if {register}.P: defer(){reset}; wd = wd or {register}.D", e)


def _unmap(t: Translator, e: PathEvent, act: bool) -> None:
    """try_to_unmap() and the like, as far as the one entry is concerned."""
    t.uses.add("folio-locked")
    t.modes.add("rmap")
    va = "a"
    if va not in t.subjects.vas:
        t.subjects.vas.append(va)
    name = t.lock("the page table lock")
    t.guards[va] = name
    t.modes.add("vu")
    t.emit(f"lock({name})", e, f"{e.text}(): takes the PTL")
    t.emit(f"vu = read_pte({va})", e, f"{e.text}(): looks for the page")
    t.steps.append(Step("if not (vu.P and vu.pfn == 1) goto unmapped"))
    t.changes.append(len(t.steps))
    t.emit(f"vu = xchg_pte({va}, 0); mine = 1", e, f"{e.text}(): clears the entry")
    t.emit("defer()", e, f"{e.text}(): set_tlb_ubc_flush_pending()")
    t.emit("if vu.D: set_dirty(1); wd = 1", e, f"{e.text}(): if the entry was dirty: marks the page")
    t.emit(f"set_pte({va}, A)", e, f"{e.text}(): puts a swap or migration entry in")
    t.emit(f"unmapped: unlock({name})", e, f"{e.text}(): drops the PTL")
    t.owed.deferred = True


def _unmap_flush(t: Translator, e: PathEvent, act: bool) -> None:
    if "dirty" in attrs(e):
        label = f"clean{len(t.steps)}"
        t.steps.append(Step(f"if not wd goto {label}"))
        t.emit("ubc_flush()", e)
        t.steps.append(Step(f"{label}:"))
    else:
        t.emit("ubc_flush()", e)
        t.owed.deferred = False


def _pending_inc(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.pending += 1
    t.emit("pending_inc()", e)


def _pending_dec(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.pending = max(0, t.owed.pending - 1)
    t.emit("pending_dec()", e)


def _page_of(t: Translator, e: PathEvent) -> str | None:
    """The number of the page that an event is about, None for one that no entry of the path maps."""
    home = t.homes.get(objects(e).get("value", ""))
    if home is not None:
        return t.need_page(home)
    return None


def _page_dirty(t: Translator, e: PathEvent, act: bool) -> None:
    if t.marked:
        return  # done already, where it was asked whether the entry was dirty
    home = t.homes.get(objects(e).get("value", ""), t.subjects.vas[-1] if t.subjects.vas else "a")
    t.emit(f"set_dirty({t.need_page(home)})", e)
    t.owed.dirty.pop(home, None)


def _page_get(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    if page is not None:
        t.held_pages.add(page)
        t.emit(f"get_page({page})", e)


def _page_free(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    words = attrs(e)
    if "last" in words:
        t.emit("if mine: put_page(1)" if "vu" in t.modes else "free_page(1)", e)
        return
    if page is None and not act and "extra" not in words:
        page = "1" if any(f.kind == "rmap.drop" for f in t.events) and t.shape.kinds and t.events[t.origin] is e else None
    if page is None or ("extra" in words and page not in t.held_pages):
        return
    t.uses.add("page")
    t.emit(f"{_if_owned(t, e, page)}put_page({page})", e)


def _if_owned(t: Translator, e: PathEvent, page: str) -> str:
    """A mapping's reference is the path's to give back only if it took the mapping."""
    value = objects(e).get("value", "")
    taken = t.taken.get(t.homes.get(value, ""), "")
    return f"if {t.registers[taken]}.P and {t.registers[taken]}.pfn == {page}: " if taken and page not in t.held_pages else ""


def _page_copy(t: Translator, e: PathEvent, act: bool) -> None:
    t.emit(f"copy_page({_page_of(t, e) or '1'})", e)


def _page_defer(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    if page is not None:
        t.owed.pages.append(f"{_if_owned(t, e, page)}put_page({page})")


def _rmap_drop(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    if page is None and act:
        page = "1"
    if page is not None and act:
        t.emit(f"fail_if(free[{page}], uaf-store); rmap_del({page})", e)


def _table_free(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("tables")
    if "deferred" in attrs(e):
        t.modes.add("ft")
        t.owed.tables = True
        t.emit("ft = 1", e)
        return
    t.emit("free_table(T)", e)


def _notifier_start(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("notifier")
    t.counters.add("notified")
    t.owed.notified += 1
    t.emit("mn_start(a); inc(notified)", e)


def _notifier_end(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("notifier")
    t.counters.add("notified")
    t.owed.notified = max(0, t.owed.notified - 1)
    t.emit("mn_end(a); dec(notified)", e)


def _generation(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.generation = "gen_"
    t.uses.add("generation")
    t.emit("gen_ = inc_gen()", e)


def _test(t: Translator, e: PathEvent, act: bool) -> None:
    """An answer on the way is a condition; what the act asks decides what follows it."""
    test = e.kind[5:]
    if test in ("paged", "unpaged", "anon"):
        _about_page(t, e, test)
        return
    if act:
        if test == "young":
            t.unknown(ACCESSED)
        return
    value = objects(e).get("value", "")
    if value in t.marked:
        return
    if test in ("dirty", "write") and e.note == "true" and value in t.registers:
        t.asked[t.homes[value]] = "D" if test == "dirty" else "W"
    if test == "dirty" and value in t.registers:
        home = t.homes[value]
        taken = t.owed.dirty.get(home) == t.registers[value]
        if t.kinds_of_rule_ignore_dirty() if taken else _marks_next(t, e):  # either answer leads on: a dirty entry's page is marked
            t.emit(f"if {t.registers[value]}.D: set_dirty({t.registers[value]}.pfn)", e, "if the entry was dirty: marks the page")
            t.marked.add(value)
            if taken:
                t.owed.dirty.pop(home)
            return
    if test == "needs_flush" and t.taken.get(t.homes.get(value, ""), value) not in (value, ""):
        return  # the answer is about another value than the one that was taken out
    home = t.homes.get(value, "")
    if home and home not in t.stored and (test, e.note) in (("present", "false"), ("nonpresent", "true"), ("none", "true")):
        t.absent.setdefault(home, "0" if test == "none" else "A")
    condition = t.condition(e, value, e.note == "true")
    if condition is not None:
        t.skip_unless(condition, t.registers[value], t.homes[value])


def _marks_next(t: Translator, e: PathEvent) -> bool:
    """Whether what hangs on the answer is that the page is marked dirty, and not whether the path goes on."""
    at = next(n for n, event in enumerate(t.events) if event is e)
    following = next((f for f in t.events[at + 1 :] if f.kind not in SILENT and not f.kind.startswith("test.")), None)
    if e.note != "true":
        return t.kinds_of_rule_ignore_dirty()
    return following is not None and following.kind in ("page.dirty", MARK)


def _about_page(t: Translator, e: PathEvent, test: str) -> None:
    if test == "anon":
        t.uses.add("anon" if e.note == "true" else "file")
        t.uses.discard("file" if e.note == "true" else "anon")
    elif (test == "paged") is (e.note == "true") or t.shape.range_promise:  # a range has other entries, too
        t.uses.discard("no-page")
    else:
        t.uses.add("no-page")


def _flag(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("flag")
    t.variables.add("due")
    what = e.kind[5:]
    if what == "read":
        t.emit("due_ = due", e, "reads the flag")
        if not act:
            t.skip_unless("due_")
    elif what == "clear":
        t.emit("due = 0", e, "takes the flag back")
    elif what == "swap":
        t.emit("swapped = cmpxchg(due, due_, 0)", e, "takes the flag back if unchanged")
    elif "own" in attrs(e):
        t.variables.add("own")
        t.emit("own = 1", e, "the task knows")
    else:
        t.emit("due = due + 1", e, "raises the flag")


def _batch_add(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("flag")
    t.variables.add("due")
    t.emit("in_batch = 1", e)


def _mark(t: Translator, e: PathEvent, act: bool) -> None:
    """What a mend puts in: dirty bits go to the pages."""
    for register in t.owed.dirty.values():
        t.emit(f"if {register}.D: set_dirty({register}.pfn)", e, "if dirty: marks the page")
    t.owed.dirty.clear()


HANDLERS = {
    "ptl.acquire": _acquire, "ptl.release": _release, "lazy.enter": _lazy_enter, "lazy.leave": _lazy_leave, "lazy.pause": _lazy_pause,
    "lazy.resume": _lazy_resume, "lazy.flush": _lazy_flush, "entry.read": _read, "entry.clear": _clear, "entry.start": _clear, "entry.install": _install,
    "entry.commit": _install, "entry.demote": _demote, "entry.clean": _demote, "entry.young": _young, "entry.promote": _promote, "flush.now": _flush,
    "flush.gather": _gather_flush, "flush.record": _record, "gather.begin": _gather_begin, "gather.end": _gather_end, "gather.reset": _gather_reset,
    "flush.batched": _batched,
    "unmap.defer": _defer, "unmap.batch": _unmap, "unmap.flush": _unmap_flush, "pending.inc": _pending_inc, "pending.dec": _pending_dec,
    "page.dirty": _page_dirty, "page.get": _page_get, "page.free": _page_free, "page.copy": _page_copy, "page.defer": _page_defer, "rmap.drop": _rmap_drop,
    "table.free": _table_free, "notifier.start": _notifier_start, "notifier.end": _notifier_end, "generation.take": _generation, "batch.add": _batch_add,
    **{f"test.{test}": _test for test in ("present", "none", "swap", "nonpresent", "dirty", "young", "write", "accessible", "needs_flush")},
    **{f"test.{test}": _test for test in ("paged", "unpaged", "anon")},
    **{f"flag.{word}": _flag for word in ("read", "raise", "clear", "swap")}, MARK: _mark,
}  # fmt: skip
"""Kind of event -> what it adds to the program."""

SILENT = frozenset({
    "entered", "enter", "exit", "settle", "call", "branch", "sleep", "value.stale", "value.commit", "value.derive", "value.count", "value.build", "page.same",
    "gather.declare", "gather.leave", "gather.vma", "gather.touch", "gather.mark", "gather.read", "notifier.declare", "notifier.leave", "notifier.init",
    "test.pagedirty", "test.defer", "test.delay_rmap", "test.cleaned", "test.same", "ptl.lookup", "assume.held", "flush.kernel", "flush.rmaps",
    "section.open", "section.close", "pending.query", "rmap.unlock",
})  # fmt: skip
"""Kinds that do nothing to entries, translations, pages or locks, or of which a neighbour tells the same. Everything else is unmodelled."""


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
