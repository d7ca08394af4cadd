"""A witness as rows and lanes: what the picture, the list behind it and SARIF have in common. Depends on nothing but the witness."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tlblint.model.witness import Change, Witness, WitnessStep

MOST = 60
"""Rows that are shown; of a longer witness the middle is folded."""
SHORT = 24
"""Witnesses up to this many steps are shown whole, uneventful steps too."""
RUN = 3
"""So many uneventful steps of one actor in a row are folded."""
MARKS = {"birth": "will be stale", "missed": "does not remove it"}
"""What a marked row says besides its text; a violation says of which kind it is."""


_ENTRY = re.compile(r"\b(?:PTE|PMD|PUD|entry of|link to page table)\b")


class Row(msgspec.Struct, frozen=True):
    """A row. ``lane`` is the place of its actor in Timeline.lanes, or for a birth without an actor that of the stale thing. ``number`` is the
    step's, 0 for what has none, or of a fold its first; a fold has ``folded`` steps, else 0. ``said`` is the mark in words. ``cause`` is the
    place of the row that made this one possible, or None."""

    lane: int
    number: int
    text: str
    folded: int = 0
    path: str | None = None
    line: int | None = None
    changes: tuple[Change, ...] = ()
    mark: str = ""
    said: str = ""
    note: str = ""
    cause: int | None = None


class Lane(msgspec.Struct, frozen=True):
    """A column. ``kind`` is "actor", "tlb" or "thing". Actors come first."""

    name: str
    kind: str


class Window(msgspec.Struct, frozen=True):
    """A stretch of rows, both included, in which the TLB of a lane uses a translation that is no longer true. ``open``: nothing ends it."""

    lane: int
    first: int
    last: int
    open: bool


class Timeline(msgspec.Struct, frozen=True):
    """The picture in words. ``steps`` counts those of the witness, folded ones too."""

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    windows: tuple[Window, ...]
    steps: int


def timeline(witness: Witness, most: int = MOST) -> Timeline:
    """The rows and lanes of a witness, at most ``most`` rows."""
    stale = _stale_thing(witness)
    groups = _folded([_told(step, stale) for step in witness.steps], most)
    doing = dict.fromkeys((step.actor, step.cpu) for step in witness.steps if step.number)
    actors = list(dict.fromkeys([*(one for one in witness.actors if one in doing), *doing]))
    changed = dict.fromkeys(change.thing for step in witness.steps for change in step.changes if not _register(change.thing))
    things = list(dict.fromkeys([*(thing for thing in witness.things if thing in changed), *changed]))
    things = ([stale] if stale is not None else []) + [thing for thing in things if thing != stale]
    lanes = [Lane(f"{name} on CPU{cpu}", "actor") for name, cpu in actors] + [Lane(thing, "tlb" if is_tlb(thing) else "thing") for thing in things]
    places = [row for row, group in enumerate(groups) for _ in group]
    numbers = _places(witness.steps, places)
    actor_lanes = _Lanes({one: lane for lane, one in enumerate(actors)}, len(actors))
    rows = tuple(_row(place, group, actor_lanes, numbers, witness.kind) for place, group in enumerate(groups))
    window = _window(witness, stale, places)
    return Timeline(tuple(lanes), rows, (Window(len(actors) + things.index(stale), *window),) if stale is not None and window else (), len(witness.steps))


def is_tlb(thing: str) -> bool:
    """Whether a thing of a witness keeps translations: "TLB of CPU1 for a", "walk cache of CPU0 for table 1", "hash table for a"."""
    return re.match(r"TLB of |TLB\b|walk cache |hash table |device's translation ", thing) is not None


def _register(thing: str) -> bool:
    """Whether a thing is a variable of one thread: "reclaim's old". Its step shows it, a column would be wasted."""
    return re.fullmatch(r"\S+'s \w+", thing) is not None


def _places(steps: Sequence[WitnessStep], places: Sequence[int]) -> dict[int, int]:
    """The rows of steps by number; 0 is no number."""
    return {step.number: place for step, place in zip(steps, places, strict=True) if step.number}


class _Lanes(msgspec.Struct, frozen=True):
    """The lanes of actors; ``stale`` is the lane for the birth in what does nothing else: a hash table, a device."""

    actors: dict[tuple[str, int], int]
    stale: int

    def of(self, step: WitnessStep) -> int:
        """The lane of a step."""
        return self.actors.get((step.actor, step.cpu), self.stale)


def _told(step: WitnessStep, stale: str | None) -> WitnessStep:
    """A birth that does not name its change gets one: what is cached stands in the lane of the TLB."""
    _, caches, what = step.text.partition(" caches ")
    return replace(step, changes=(Change(stale, "not cached", what),)) if step.mark == "birth" and not step.changes and stale and caches else step


def _row(here: int, group: Sequence[WitnessStep], lanes: _Lanes, at: dict[int, int], kind: str) -> Row:
    first = group[0]
    lane = lanes.of(first)
    if len(group) > 1:
        same = all((step.actor, step.cpu) == (first.actor, first.cpu) for step in group)
        number = next((step.number for step in group if step.number), 0)
        return Row(lane, number, f"{len(group)} steps" + (f" on CPU{first.cpu}" if same else ""), folded=len(group))
    cause = at.get(first.cause, len(at)) if first.cause is not None else len(at)
    cause_row = cause if cause < here else None
    said = f"violation: {kind}" if first.mark == "violation" else MARKS.get(first.mark, "")
    return Row(lane, first.number, first.text, 0, first.path, first.line, first.changes, first.mark, said, first.note, cause_row)


def _folded(steps: Sequence[WitnessStep], most: int) -> list[list[WitnessStep]]:
    """Steps in groups: those of more than one are shown as one row."""
    if len(steps) <= min(SHORT, most):
        return [[step] for step in steps]
    causes = {step.cause for step in steps if step.cause is not None}
    groups: list[list[WitnessStep]] = []
    for step in steps:
        quiet = not (step.changes or step.mark or step.note or step.cause is not None or step.number in causes)
        last = groups[-1] if groups else None
        if quiet and last and _quiet_run(last, causes) and (last[0].actor, last[0].cpu) == (step.actor, step.cpu):
            last.append(step)
        else:
            groups.append([step])
    loose = [part for group in groups for part in ([group] if len(group) >= RUN else [[step] for step in group])]
    if len(loose) <= most:
        return loose
    head, tail = most // 3, most - most // 3 - 1
    return [*loose[:head], [step for group in loose[head:-tail] for step in group], *loose[-tail:]]


def _quiet_run(group: Sequence[WitnessStep], causes: set[int]) -> bool:
    return not any(step.changes or step.mark or step.note or step.cause is not None or step.number in causes for step in group)


def _stale_thing(witness: Witness) -> str | None:
    """The TLB that the witness is about: where the stale translation is cached, or that of the CPU that uses it."""
    broken = next((step for step in witness.steps if step.mark == "violation"), None)
    born = next((step for step in witness.steps if step.mark == "birth"), None)
    if born is not None:
        return next((change.thing for change in born.changes if is_tlb(change.thing)), None) or _cached(born)
    if broken is None:
        return None
    known = dict.fromkeys([*witness.things, *(change.thing for step in witness.steps for change in step.changes)])
    tlbs = [thing for thing in known if is_tlb(thing)]
    own = [thing for thing in tlbs if re.search(rf"CPU ?{broken.cpu}\b", thing)]
    return (own or tlbs or [f"TLB of CPU{broken.cpu}"])[0]


def _cached(born: WitnessStep) -> str:
    """What keeps the translation of a birth: "CPU1 caches a -> page 1 writable", "hash table caches ...", "device caches ..."."""
    match = re.match(r"(?P<who>.+?) caches (?:the pointer to table (?P<table>\w+)|(?P<va>\w+) -> )", born.text)
    if match is None:
        return f"TLB of CPU{born.cpu}"
    if match["table"]:
        return f"walk cache of {match['who']} for table {match['table']}"
    heads = {"hash table": "hash table for ", "device": "device's translation of "}
    return heads.get(match["who"], f"TLB of {match['who']} for ") + match["va"]


def _window(witness: Witness, stale: str | None, places: Sequence[int]) -> tuple[int, int, bool] | None:
    """(first row, last row, whether nothing ends it): from the change of an entry to the flush, else to the violation. Where no step caches what
    will be stale, a flush that comes in time leaves nothing to show."""
    steps = witness.steps
    born = next((at for at, step in enumerate(steps) if step.mark == "birth"), -1)
    start = next((at for at in range(born + 1, len(steps)) if any(_ENTRY.search(change.thing) for change in steps[at].changes)), born)
    if start < 0:
        return None
    for at in range(start + 1, len(steps)):
        flushed = any(change.thing == stale for change in steps[at].changes)
        if flushed and born < 0:
            return None
        if flushed or steps[at].mark == "violation":
            return places[start], places[at], not flushed
    return places[start], places[-1], True
