"""What answers and flags become: a path took one side, and the program must, too. See the event table."""

from __future__ import annotations

from tlblint.crosscheck.program import MARK
from tlblint.crosscheck.subjects import SILENT, attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent

ACCESSED = "the accessed bit"


def test(t: Translator, e: PathEvent, act: bool) -> None:
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


def flag(t: Translator, e: PathEvent, act: bool) -> None:
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


def mark(t: Translator, e: PathEvent, act: bool) -> None:
    """What a mend puts in: dirty bits go to the pages."""
    for register in t.owed.dirty.values():
        t.emit(f"if {register}.D: set_dirty({register}.pfn)", e, "if dirty: marks the page")
    t.owed.dirty.clear()
