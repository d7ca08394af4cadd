"""What the simulated path must hold that the found one may leave out, and what cannot be simulated at all."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from tlblint.crosscheck.subjects import CHANGES, attrs, objects
from tlblint.model.finding import PathEvent, RawFinding

FORCED = "an entry"
"""The pointer of a change that is put in."""


class Story(msgspec.Struct, frozen=True):
    """The events to simulate, the index of the one that the finding stands at (-1: before the path), what is assumed about them."""

    events: tuple[PathEvent, ...]
    origin: int
    needs: tuple[str, ...] = ()
    moves: bool = False
    """The path takes an entry along that is not present; it promises nothing of those that it leaves."""


def made(like: PathEvent, kind: str, text: str, **roles: str) -> PathEvent:
    """An event in the place of another: nothing in the source says it."""
    return PathEvent(like.path, like.pos, like.function, kind, text, "", (*roles.items(), ("assumed", "yes")))


def static_only(raw: RawFinding) -> str:
    """Why a finding has no interleaving to look for; "" when it has."""
    act = raw.events[-1] if raw.events else None
    if act is None:
        return "the path is not known"
    if raw.rule == "TLB003" and act.kind in ("sleep", "lazy.enter", "lazy.leave"):
        what = {"sleep": "sleeping in lazy MMU mode", "lazy.enter": "a nested enter", "lazy.leave": "a leave without an enter"}[act.kind]
        return f"static judgement: {what} is an error by itself, whatever runs beside it"
    if raw.rule == "TLB003" and any(e.kind == "section.open" for e in raw.events) and not any(e.kind == "lazy.enter" for e in raw.events):
        return "static judgement: what a section of entry changes holds back is not simulated"
    if raw.rule == "TLB006" and "begins a gather" in raw.message:
        return "static judgement: a count that is raised nowhere is for other gathers of the mm to see"
    if raw.rule == "TLB012" and not any(e.kind == "flag.read" for e in raw.events):
        return "static judgement: what a reader of the flag flushes is not simulated"
    if raw.rule == "TLB013" and "may sleep" in raw.message:
        return "static judgement: sleeping under a page table lock is an error by itself, whatever runs beside it"
    if raw.rule == "TLB014" and act.kind in ("gather.touch", "gather.read", "gather.vma", "gather.mark"):
        return "static judgement: fields of the mmu_gather are not simulated"
    if raw.rule == "TLB014" and "was not told the VMA" in raw.message:
        return "static judgement: executable and huge mappings are not simulated"
    return ""


def origin_of(raw: RawFinding) -> int:
    """The index of the event at which the finding stands: the last one there before the act, else -1."""
    found = [n for n, e in enumerate(raw.events) if (e.path, e.pos) == (raw.path, raw.pos) and e.kind not in ("call", "branch", "entered")]
    return found[0] if found else -1


def story_of(raw: RawFinding) -> Story:
    """The path with what the obligation needs."""
    story = Story(raw.events, origin_of(raw))
    if raw.rule == "TLB001" and raw.act == "entry.install":
        return _of_an_absent_entry(story)
    if raw.rule == "TLB003":
        return _changed_in_lazy_mode(story)
    if raw.rule == "TLB011" and not any(e.kind in ("flush.record", "unmap.defer", "generation.take") for e in raw.events):
        record = made(raw.events[0], "flush.record", "whoever calls has noted the range", tlb="*tlb")
        return Story((raw.events[0], record, *raw.events[1:]), story.origin + 1 if story.origin >= 0 else -1)
    if raw.rule == "TLB014" and raw.act == "flush.gather":
        return _changed_since_the_gather(story)
    return story


def _of_an_absent_entry(story: Story) -> Story:
    """Moving an entry without asking for deferred flushes is the fault where it is not present: present ones are flushed when they move."""
    events = story.events
    at = next((n for n, e in enumerate(events) if n > story.origin and e.kind == "entry.clear"), -1)
    if at < 0:
        return story
    found = objects(events[at])
    seen = next((n for n in range(at - 1, -1, -1) if events[n].kind == "entry.read" and objects(events[n]).get("pte", "") == found.get("pte", "")), -1)
    if seen < 0:
        look = made(events[at], "entry.read", "looks at the entry", pte=found.get("pte", ""), value="looked", ptl=found.get("ptl", ""))
        return _of_an_absent_entry(Story((*events[:at], look, *events[at:]), story.origin, story.needs))
    absent = replace(made(events[at], "test.swap", "a swap entry", value=objects(events[seen]).get("value", "")), note="true")
    return Story((*events[: seen + 1], absent, *events[seen + 1 :]), story.origin, story.needs, moves=True)


def _changed_in_lazy_mode(story: Story) -> Story:
    """A mode that is left too late matters for what was changed in it."""
    events, act = story.events, story.events[-1]
    if any(e.kind in CHANGES and e.kind != "entry.young" for e in events[max(story.origin, 0) :]):
        return story
    needs: tuple[str, ...] = ("an entry is changed while the mode is on",)
    more: tuple[PathEvent, ...]
    if act.kind == "ptl.acquire":
        lock = objects(act).get("ptl", "")
        more = (*_flushed(act, lock), made(act, "ptl.release", "drops the lock", ptl=lock))
        return Story((*events, *more), story.origin, (*needs, "the mode, entered before the lock is taken, is left after it is dropped"))
    held = _held(events[:-1])
    if act.kind == "ptl.release":
        return Story((*events[:-1], *_flushed(act, objects(act).get("ptl", "")), act), story.origin, needs)
    if held:
        return Story((*events[:-1], *_flushed(act, held[-1]), act), story.origin, needs)
    last = max((n for n, e in enumerate(events) if e.kind == "ptl.release"), default=-1)
    if last > story.origin >= 0:
        return Story((*events[:last], *_flushed(events[last], objects(events[last]).get("ptl", "")), *events[last:]), story.origin, needs)
    lock = "the page table lock"
    more = (made(act, "ptl.acquire", "takes the PTL again", ptl=lock), *_flushed(act, lock), made(act, "ptl.release", "drops it", ptl=lock))
    return Story((*events[:-1], *more, act), story.origin, needs)


def _flushed(like: PathEvent, lock: str) -> tuple[PathEvent, PathEvent]:
    """A change with its flush, as code makes it that is wrong in nothing but the mode."""
    return _change(like, lock), made(like, "flush.now", "flushes it", attrs="range")


def _change(like: PathEvent, lock: str) -> PathEvent:
    return made(like, "entry.clear", "clears an entry", pte=FORCED, value="forced", ptl=lock, attrs="atomic", level="pte")


def _held(events: tuple[PathEvent, ...]) -> list[str]:
    held: list[str] = []
    for event in events:
        lock = objects(event).get("ptl", "")
        if event.kind == "ptl.acquire" or (event.kind == "entered" and lock):
            held.append(lock)
        elif event.kind == "ptl.release" and lock in held:
            held.remove(lock)
    return held


def _changed_since_the_gather(story: Story) -> Story:
    """A flush that holds nothing matters for what was changed since: with freed page tables for a reset, an entry otherwise."""
    events, act = story.events, story.events[-1]
    reset = any(e.kind == "gather.reset" for e in events)
    if reset:
        table = made(act, "entry.clear", "unlinks a page table", pte="pmd", value="forced", attrs="no-result plain table")
        return Story(
            (events[0], table, made(act, "table.free", "gives the page table to the gather", tlb="*tlb", attrs="deferred"), *events[1:]),
            -1,
            ("a page table was given to the gather",),
        )
    lock = "the page table lock"
    more = (made(act, "ptl.acquire", "takes the PTL", ptl=lock), _change(act, lock), made(act, "ptl.release", "drops the PTL", ptl=lock))
    return Story((*events[:-1], *more, act), story.origin, ("an entry is changed before this flush, and recorded in the gather only",))


def shifted(story: Story, events: tuple[PathEvent, ...]) -> Story:
    """The story with other events; the place that it is about is looked for again."""
    old = story.events[story.origin] if story.origin >= 0 else None
    return replace(story, events=events, origin=events.index(old) if old is not None and old in events else -1)


__all__ = ["FORCED", "Story", "attrs", "made", "origin_of", "shifted", "static_only", "story_of"]
