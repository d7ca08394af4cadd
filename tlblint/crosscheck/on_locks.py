"""What locks, lazy MMU mode and deferral counters become. See the event table."""

from __future__ import annotations

from tlblint.crosscheck.subjects import attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent


def acquire(t: Translator, e: PathEvent, act: bool) -> None:
    if "rmap" in attrs(e):
        t.uses.add("folio-locked")
        t.modes.add("rmap")
    name = t.lock(objects(e).get("ptl", "the page table lock"))
    if name not in t.owed.locks:
        t.emit(f"lock({name})", e)
        t.owed.locks.append(name)


def release(t: Translator, e: PathEvent, act: bool) -> None:
    name = t.lock(objects(e).get("ptl", "the page table lock"))
    if name in t.owed.locks:
        t.emit(f"unlock({name})", e)
        t.owed.locks.remove(name)


def lazy_enter(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.paused:
        return
    t.owed.lazy += 1
    if t.owed.lazy == 1:
        t.emit("lazy_enter()", e)


def lazy_leave(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.paused:
        return
    if t.owed.lazy == 1:
        t.emit("lazy_leave()", e)
    t.owed.lazy = max(0, t.owed.lazy - 1)


def lazy_pause(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.lazy and not t.owed.paused:
        t.emit("lazy_leave()", e)
    t.owed.paused += 1


def lazy_resume(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.paused = max(0, t.owed.paused - 1)
    if t.owed.lazy and not t.owed.paused:
        t.emit("lazy_enter()", e)


def lazy_flush(t: Translator, e: PathEvent, act: bool) -> None:
    if t.owed.lazy and not t.owed.paused:
        t.emit("lazy_leave()", e)
        t.emit("lazy_enter()", e)


def pending_inc(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.pending += 1
    t.emit("pending_inc()", e)


def pending_dec(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.pending = max(0, t.owed.pending - 1)
    t.emit("pending_dec()", e)


def notifier_start(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("notifier")
    t.counters.add("notified")
    t.owed.notified += 1
    t.emit("mn_start(a); inc(notified)", e)


def notifier_end(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("notifier")
    t.counters.add("notified")
    t.owed.notified = max(0, t.owed.notified - 1)
    t.emit("mn_end(a); dec(notified)", e)


def generation(t: Translator, e: PathEvent, act: bool) -> None:
    t.owed.generation = "gen_"
    t.uses.add("generation")
    t.emit("gen_ = inc_gen()", e)
