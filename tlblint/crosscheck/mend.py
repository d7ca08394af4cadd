"""The smallest change of a path after which its rule has nothing to say, as events; where a line of C says the same, that line."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from tlblint.crosscheck.events import with_value
from tlblint.crosscheck.obligation import Story, made, shifted
from tlblint.crosscheck.subjects import CHANGES, attrs, objects
from tlblint.model.finding import PathEvent

Events = tuple[PathEvent, ...]


class Edit(msgspec.Struct, frozen=True):
    """One change of the source. ``how``: "before" or "after" the statement at ``at``, insert ``code``; "move": what stands at ``moved`` goes
    before it instead; "" when it is no change of one place."""

    how: str
    at: PathEvent
    code: str = ""
    moved: PathEvent | None = None


class Mend(msgspec.Struct, frozen=True):
    """The mended path, what was done in words, and how it is done in the source if that can be told."""

    story: Story
    note: str
    edit: Edit | None = None


def mend(code: str, story: Story) -> Mend | None:
    """The mend for a finding of a rule; None when there is none."""
    return _MENDS[code](story) if code in _MENDS and story.events else None


def _with(story: Story, events: Events, note: str, edit: Edit | None = None) -> Mend:
    return Mend(shifted(story, events), note, edit)


def _before_act(story: Story, *events: PathEvent) -> Events:
    return (*story.events[:-1], *events, story.events[-1])


def _named(event: PathEvent) -> str:
    """An event in a sentence."""
    if event.text.isidentifier():
        return f"{event.text}()"
    return {"ptl.release": "the lock is dropped", "exit": "the return"}.get(event.kind, event.text)


def _plain(text: str) -> bool:
    """Whether an object's text is an expression of the function itself."""
    return bool(text) and not any(mark in text for mark in ("::", "%", "^", " ", "@"))


def _taken(story: Story) -> PathEvent | None:
    """The event that took the entry out: at the finding's place, else the last before the act."""
    takes = [e for e in story.events if e.kind in ("entry.clear", "entry.start")]
    if story.origin >= 0 and story.events[story.origin] in takes:
        return story.events[story.origin]
    return takes[-1] if takes else None


def _tlb001(story: Story) -> Mend:
    at = max(story.origin, 0)
    site = story.events[at]
    while at + 1 < len(story.events) and site.kind == story.events[at + 1].kind == "ptl.acquire" and story.events[at + 1].pos == site.pos:
        at += 1  # one call may take two locks
    mm = objects(site).get("mm", "")
    if site.kind != "ptl.acquire" and "ptl" not in objects(site):  # a walk takes the lock, on its way to the entries
        at = next((n for n, e in enumerate(story.events) if n > at and e.kind.startswith("entry.")), at + 1) - 1
    flush = made(site, "flush.batched", "flush_tlb_batched_pending")
    edit = Edit("after", site, f"flush_tlb_batched_pending({mm});") if site.kind == "ptl.acquire" and _plain(mm) else None
    return _with(story, (*story.events[: at + 1], flush, *story.events[at + 1 :]), "insert flush_tlb_batched_pending() after the lock is taken", edit)


def _flush(like: PathEvent) -> PathEvent:
    return made(like, "flush.now", "flush_tlb_range", attrs="range")


def _mark(like: PathEvent) -> PathEvent:
    return made(like, "fix.mark", "folio_mark_dirty")


def _tlb002(story: Story) -> Mend | None:
    act, taken = story.events[-1], _taken(story)
    if act.kind == "value.stale" and len(story.events) > 1 and (store := story.events[-2]).kind == "entry.install" and store.pos == act.pos:
        story, act = replace(story, events=story.events[:-1]), store  # a plain store over a live entry
    if act.kind in ("ptl.release", "exit", "flush.rmaps"):
        if any(e.kind == "page.dirty" for e in story.events[max(story.origin, 0) :]):
            return _with(story, _before_act(story, _flush(act)), f"flush before {_named(act)}")
        return _with(story, _before_act(story, _mark(act)), f"mark the page dirty before {_named(act)}")
    if act.kind == "value.stale":
        at = max(n for n, e in enumerate(story.events) if e.kind in ("entry.clear", "entry.start"))
        clear = story.events[at]
        whole = replace(clear, objects=tuple((role, "atomic" if role == "attrs" else name) for role, name in clear.objects))
        return _with(story, (*story.events[:at], whole, _mark(act), *story.events[at + 1 :]), "take the entry out atomically and go by the value returned")
    if act.kind in ("entry.install", "entry.commit"):
        if taken is None or story.events.index(taken) < 0 or (objects(act).get("origin") == "read" and taken.kind not in ("entry.clear", "entry.start")):
            start = made(
                act, "entry.start", "ptep_get_and_clear", pte=objects(act).get("pte", ""), value="mended", ptl=objects(act).get("ptl", ""), attrs="atomic"
            )
            stored = act if objects(act).get("origin") == "built" else with_value(act, "mended")
            return _with(story, _before_act(story, start)[:-1] + (_mark(act), stored), "take the entry out before it is rewritten")
        if objects(act).get("origin") == "read":
            return _with(story, (*story.events[:-1], *_again(act, objects(taken)["value"])), f"write what {taken.text}() returned")
        return _with(story, _before_act(story, _mark(act)), "mark the page dirty before the entry is written clean")
    if act.kind == "test.dirty" and taken is not None:
        return _with(story, (*story.events[:-1], with_value(act, objects(taken)["value"])), f"test the value that {taken.text}() returned")
    if act.kind in ("test.cleaned", "unmap.defer"):
        return _with(story, _before_act(story, _mark(act)), "mark the page dirty before the bit is dropped")
    return None


def _again(act: PathEvent, value: str) -> Events:
    """The store of a returned value; with its dirty bit passed on if the store drops it."""
    stored = with_value(act, value)
    return (_mark(act), stored) if "c" in objects(act).get("bits", "") else (stored,)


def _leave(like: PathEvent) -> PathEvent:
    return made(like, "lazy.leave", "arch_leave_lazy_mmu_mode")


def _tlb003(story: Story) -> Mend | None:
    events = story.events
    last = max((n for n, e in enumerate(events) if e.kind == "ptl.release"), default=-1)
    if last < 0:
        return _with(story, _before_act(story, _leave(events[-1])), "leave lazy MMU mode before the return")
    first = next((n for n, e in enumerate(events) if e.kind == "ptl.acquire"), -1)
    enter = next((n for n, e in enumerate(events) if e.kind == "lazy.enter"), -1)
    inserted = (*events[:last], _leave(events[last]), _flush(events[last]), *events[last:])  # what waited in the mode can be flushed only now
    if 0 <= enter < first:
        inserted = (*inserted[:enter], *inserted[enter + 1 : first + 1], events[enter], *inserted[first + 1 :])
    return _with(story, inserted, f"leave lazy MMU mode before {_named(events[last])}")


def _tlb004(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    if act.kind == "lazy.leave":
        at = next((n for n, e in enumerate(events) if n > story.origin and e.kind == "ptl.release"), -1)
        return _with(story, (*events[:at], _leave(events[at]), *events[at:-1]), f"leave lazy MMU mode before {_named(events[at])}") if at >= 0 else None
    return _with(story, _before_act(story, _flush(act)), f"flush before {_named(act)}")


def _tlb005(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    tlb = objects(act).get("tlb", "")
    end = made(act, "gather.end", "tlb_finish_mmu", tlb=tlb)
    if act.kind == "gather.leave" or act.kind == "gather.begin":
        edit = Edit("before", act, f"tlb_finish_mmu(&{tlb});") if _plain(tlb) and "*" not in tlb else None
        return _with(story, _before_act(story, end), f"insert tlb_finish_mmu() before {act.text}", edit)
    if act.kind == "gather.end":
        return _with(
            story,
            tuple(e for e in events if (e.path, e.pos) != (act.path, act.pos) or (e is not act and e.kind != "flush.gather") or _first(events, e)),
            "do not finish what is not begun",
        )
    return None


def _first(events: Events, event: PathEvent) -> bool:
    """Whether the same happens again later on the path."""
    return any(other is not event and other == event for other in events[[id(e) for e in events].index(id(event)) + 1 :])


def _tlb006(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    if act.kind == "exit":
        mm = next((objects(e).get("mm", "") for e in events if e.kind == "pending.inc"), "")
        edit = Edit("before", act, f"dec_tlb_flush_pending({mm});") if _plain(mm) and act.function == events[story.origin].function else None
        return _with(
            story, _before_act(story, made(act, "pending.dec", "dec_tlb_flush_pending", mm=mm)), "insert dec_tlb_flush_pending() before the return", edit
        )
    if act.kind == "pending.dec":
        return _with(story, events[:-1], "do not lower what is not raised")
    if act.kind == "flush.now":
        at = max((n for n, e in enumerate(events) if e.kind == "pending.dec"), default=-1)
        return (
            _with(story, (*events[:at], *events[at + 1 :], events[at]), "lower the count after the flush", Edit("move", events[at], moved=act))
            if at >= 0
            else None
        )
    if act.kind == "pending.inc":
        return _with(story, (events[0], act, *events[1:-1]), "raise the count before the first change")
    return None


def _tlb007(story: Story) -> Mend | None:
    act, events, taken = story.events[-1], story.events, _taken(story)
    if taken is None:
        return None
    value = objects(taken)["value"]
    if act.kind == "value.stale":
        asked = [e for e in events if e.kind in ("test.needs_flush", "test.accessible")]
        rest = tuple(e for e in events[:-1] if e not in asked)
        return _with(story, (*rest, with_value(asked[-1], value)), f"ask about the value that {taken.text}() returned") if asked else None
    if act.kind in ("ptl.release", "exit"):
        return _with(story, tuple(with_value(e, value) if e.kind == "unmap.defer" else e for e in events), f"hand over the value that {taken.text}() returned")
    return _with(story, (*events[:-1], with_value(act, value)), f"use the value that {taken.text}() returned")


def _tlb008(story: Story) -> Mend | None:
    taken = _taken(story)
    if taken is None:
        return None
    return _with(story, (*story.events[:-1], with_value(story.events[-1], objects(taken)["value"])), f"ask about the value that {taken.text}() returned")


def _tlb009(story: Story) -> Mend:
    act = story.events[-1]
    if any(e.kind == "unmap.batch" for e in story.events):
        edit = Edit("before", act, "try_to_unmap_flush();") if act.kind in ("page.free", "page.copy", "exit", "settle") else None
        return _with(story, _before_act(story, made(act, "unmap.flush", "try_to_unmap_flush")), f"insert try_to_unmap_flush() before {_named(act)}", edit)
    return _with(story, _before_act(story, _flush(act)), f"flush before {_named(act)}")


def _tlb010(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    if act.kind == "rmap.drop":
        free = events[story.origin] if story.origin >= 0 else None
        return _with(story, (*(e for e in events if e is not free), free), "give the reference back after the mapping") if free is not None else None
    return _with(story, _before_act(story, _flush(act)), f"flush before {_named(act)}")


def _tlb011(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    at = max((n for n, e in enumerate(events) if e.kind in ("flush.record", "unmap.defer", "generation.take")), default=-1)
    if at < 0:
        return None
    record = with_value(events[at], objects(act).get("value", "")) if events[at].kind == "unmap.defer" else events[at]
    return _with(story, (*events[:at], *events[at + 1 :], record), f"{events[at].text}() after {act.text}()", Edit("move", events[at], moved=act))


def _tlb012(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    at = next((n for n, e in enumerate(events) if e.kind in ("flush.now", "flush.gather", "unmap.flush")), -1)
    if act.kind == "flag.clear" and at >= 0:
        swap = replace(act, kind="flag.swap")
        return _with(story, (*events[:-1], swap), "take the flag back with a compare-and-exchange of the value that was read before the flush")
    if act.kind == "flag.swap" and at >= 0:
        return _with(
            story, tuple(e for n, e in enumerate(events) if not (n > at and e.kind == "flag.read")), "compare with the value that was read before the flush"
        )
    if act.kind in ("flag.clear", "flag.swap"):
        return _with(story, _before_act(story, made(act, "flush.now", "flush_tlb_mm", attrs="mm")), "flush before the flag is taken back")
    if act.kind == "flag.raise":
        own = made(act, "flag.raise", "own flag", attrs="own")
        return _with(story, _before_act(story, made(act, "batch.add", "the batch"), own), "tell the batch first")
    return None


def _tlb013(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    name = objects(act).get("range", "")
    end = made(act, "notifier.end", "mmu_notifier_invalidate_range_end", range=name)
    if act.kind in ("notifier.leave", "notifier.start", "notifier.declare"):
        edit = Edit("before", act, f"mmu_notifier_invalidate_range_end(&{name});") if _plain(name) and "*" not in name else None
        return _with(story, _before_act(story, end), f"insert mmu_notifier_invalidate_range_end() before {act.text}", edit)
    if act.kind == "notifier.end":
        return _with(story, events[:-1], "do not end what is not started")
    if act.kind in CHANGES:
        at = max((n for n, e in enumerate(events) if e.kind == "notifier.end"), default=-1)
        return _with(story, (*events[:at], *events[at + 1 :], events[at]), "end the invalidation after the change") if at >= 0 else None
    return None


def _tlb014(story: Story) -> Mend | None:
    act, events = story.events[-1], story.events
    if any(e.kind == "gather.reset" for e in events):
        return _with(story, tuple(e for e in events if e.kind != "gather.reset"), "do not forget what was recorded before it is flushed")
    if act.kind == "flush.gather":
        return _with(story, (*events[:-2], _flush(act), events[-2]), "flush what was changed")
    if act.kind in ("flush.record", "page.defer", "table.free"):
        return _with(story, _before_act(story, made(act, "gather.begin", "tlb_gather_mmu", tlb=objects(act).get("tlb", ""))), "begin the gather before")
    return None


_MENDS: dict[str, Callable[[Story], Mend | None]] = {
    "TLB001": _tlb001, "TLB002": _tlb002, "TLB003": _tlb003, "TLB004": _tlb004, "TLB005": _tlb005, "TLB006": _tlb006, "TLB007": _tlb007, "TLB008": _tlb008,
    "TLB009": _tlb009, "TLB010": _tlb010, "TLB011": _tlb011, "TLB012": _tlb012, "TLB013": _tlb013, "TLB014": _tlb014,
}  # fmt: skip

__all__ = ["Edit", "Mend", "attrs", "mend"]
