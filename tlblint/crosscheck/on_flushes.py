"""What flushes, gathers and batched unmaps become. See the event table."""

from __future__ import annotations

from tlblint.crosscheck.program import Step
from tlblint.crosscheck.subjects import attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent


def flush(t: Translator, e: PathEvent, act: bool) -> None:
    vas = t.subjects.vas or ["a"]
    if "page" in attrs(e) and t.changes and len(vas) > 1:
        vas = vas[-1:]
    text = "flush_mm()" if "mm" in attrs(e) or not t.subjects.vas else f"flush({', '.join(vas)})"
    if "tables" in t.uses:
        text = text.replace(")", ", tables)") if text != "flush_mm()" else "flush_mm(tables)"
    reset = "".join(f"; g_{va} = 0" for va in (t.subjects.vas if text.startswith("flush_mm") else vas))
    t.emit(text + reset, e)


def gather_flush(t: Translator, e: PathEvent, act: bool) -> None:
    if "finish" in attrs(e):
        return
    t.emit("flush_mm(tables=ft)" if "ft" in t.modes else "gather_flush()", e)
    _pages(t, e)


def gather_reset(t: Translator, e: PathEvent, act: bool) -> None:
    t.modes.add("ft")
    t.emit("ft = 0", e, f"{e.text}() forgets what was recorded")


def _pages(t: Translator, e: PathEvent | None) -> None:
    for put in t.owed.pages:
        t.emit(put, e, "the gather frees the page")
    t.owed.pages.clear()
    if t.owed.tables:
        t.emit("free_table(T)", e, "the gather frees the page table")
        t.owed.tables = False


def record(t: Translator, e: PathEvent, act: bool) -> None:
    if "table" in attrs(e):
        t.unknown("a shared page table in a gather")
        return
    va = t.va_of(e) or (t.subjects.vas[-1] if t.subjects.vas else None)
    if va is None:
        t.emit("nop(); gather_add()", e)
        return
    t.emit(f"g_{va} = 0; gather_add({va})", e)


def gather_begin(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.gathers += 1
    t.emit("gather()", e)


def gather_end(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.gathers = max(0, t.owed.gathers - 1)
    if "ft" in t.modes:
        t.emit("flush_mm(tables=ft)", e)
    t.emit("gather_finish()", e)
    _pages(t, e)


def batched(t: Translator, e: PathEvent, act: bool) -> None:
    t.emit("flush_batched()", e)


def defer(t: Translator, e: PathEvent, act: bool) -> None:
    found = objects(e)
    register = t.registers.get(found.get("from", found.get("value", "")))
    t.owed.deferred = True
    reset = "".join(f"; g_{va} = 0" for va in t.subjects.vas)
    if register is None:
        t.emit("defer()" + reset, e)
        return
    t.emit(f"if {register}.P: defer(){reset}; wd = wd or {register}.D", e)


def unmap(t: Translator, e: PathEvent, act: bool) -> None:
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


def unmap_flush(t: Translator, e: PathEvent, act: bool) -> None:
    if "dirty" in attrs(e):
        label = f"clean{len(t.steps)}"
        t.steps.append(Step(f"if not wd goto {label}"))
        t.emit("ubc_flush()", e)
        t.steps.append(Step(f"{label}:"))
    else:
        t.emit("ubc_flush()", e)
        t.owed.deferred = False


def batch_add(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("flag")
    t.variables.add("due")
    t.emit("in_batch = 1", e)
