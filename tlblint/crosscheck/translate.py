"""A path on its way to a program: registers, locks, entries, what is open, what answers mean."""

from __future__ import annotations

from collections.abc import Sequence

from tlblint.crosscheck.program import Entry, Owed, Program, Step
from tlblint.crosscheck.rules import LOST, SHAPES, Shape
from tlblint.crosscheck.subjects import Subjects, objects
from tlblint.crosscheck.words import part
from tlblint.model.finding import PathEvent

MODELLED_TESTS = {
    ("present", True): "{r}.P", ("present", False): "not {r}.P", ("none", True): "{r} == 0", ("none", False): "{r} != 0",
    ("nonpresent", True): "not {r}.P", ("dirty", True): "{r}.D", ("dirty", False): "not {r}.D", ("write", True): "{r}.W", ("write", False): "not {r}.W",
    ("swap", True): "{r} == A", ("accessible", True): "{r}.P", ("accessible", False): "not {r}.P",
}  # fmt: skip
"""What an answer says about the register that the value is in. Answers about age and about pages say nothing here."""


class Translator:
    """One translation. ``origin``: index of the event that the finding stands at, -1 when the path begins behind it. ``same``: PTLs that
    are not provably different are one lock."""

    def __init__(self, events: Sequence[PathEvent], origin: int, code: str, same: bool, moves: bool = False) -> None:
        self.events = events
        self.code = code
        self.launders = code in ("TLB007", "TLB008")
        """Whether a change that is not known further is taken for one that cleans the entry: what decisions on dirty bits are about."""
        self.origin = origin
        self.shape: Shape = SHAPES[code]
        self.same = same
        self.moves = moves
        self.range_promise = self.shape.range_promise and not moves
        """Whether what the call returns with holds for entries that it found absent, too."""
        self.subjects = Subjects(events)
        self.steps: list[Step] = []
        self.owed = Owed()
        self.skips: list[tuple[str, Owed, str, str]] = []
        """Labels that answers lead to, what is open there, the register that was asked about, its VA."""
        self.registers: dict[str, str] = {}
        self.homes: dict[str, str] = {}
        """Value -> VA it was read from or taken out of."""
        self.locks: dict[str, str] = {}
        self.guards: dict[str, str] = {}
        self.starts: dict[str, bool] = {}
        """VA -> whether it maps a page at the start."""
        self.stored: dict[str, str] = {}
        self.unmodelled: list[str] = []
        self.uses: set[str] = set()
        self.counters: set[str] = set()
        self.variables: set[str] = set()
        self.needs: list[str] = []
        self.given: list[str] = []
        self.known: list[str] = []
        self.asked: dict[str, str] = {}
        """VA -> the bit that the path wants to be set before it goes on: "W" or "D"."""
        self.walks = ""
        """The walker's PTL, as long as it is still to be taken."""
        self.changes: list[int] = []
        self.moved = False
        self.about = ""
        self.absent: dict[str, str] = {}
        """VA -> what it holds at the start, where the path found it not present before it changed it."""
        self.marked: set[str] = set()
        self.invalidated: set[str] = set()
        """VAs whose entries were made invalid to be written again."""
        self.taken: dict[str, str] = {}
        """VA -> value that was taken out of it last."""
        self.last_changed = ""
        self.modes: set[str] = set()
        """"ft": the path keeps in a register whether page tables were freed. "rmap": it looks for the entries of one page. "vu": it unmaps that."""
        self.held_pages: set[str] = set()
        self.lowered: dict[str, str] = {}
        """VA -> right that an entry of it lost on the path: "write", "access", or "clean": to be written and not be seen to be."""

    # -- steps

    def emit(self, text: str, event: PathEvent | None = None, words: str = "") -> None:
        """One step. What the source calls it is what a reader sees."""
        if event is not None and not words:
            words = self._called(event, text)
        self.steps.append(Step(text, event, words))

    def _called(self, event: PathEvent, text: str) -> str:
        """What the source calls an event: the call; if it does several things, which."""
        if "assumed" in objects(event):
            return f"(assumed) {event.text}" if not event.text.isidentifier() else f"(assumed) {event.text}()"
        if not event.text.isidentifier():
            return ""
        alike = {e.kind for e in self.events if (e.path, e.pos, e.text) == (event.path, event.pos, event.text) and e.kind in STEPS}
        several = len(alike) > 1 or (event.kind == "ptl.acquire" and self.events.count(event) < sum(_same_call(e, event) for e in self.events))
        what = part(event.kind, text) if several else ""
        return f"{event.text}(): {what}" if what else f"{event.text}()"

    def takes_off(self, va: str) -> str:
        """The bit that a change takes away that is not known further: the one that was asked for, else the right to write."""
        return "D" if self.launders else self.asked.get(va, "W")

    def take_off(self, va: str) -> str:
        """The same, noted as an assumption."""
        bit = self.takes_off(va)
        self.assume(f"the change takes the {'dirty bit' if bit == 'D' else 'write permission'} away")
        return bit

    def loses(self, va: str, bit: str) -> None:
        """What is lost by an entry from which a bit was taken."""
        self.lowered[va] = "write" if bit == "W" else "" if self.launders else "clean"

    def assume(self, what: str) -> None:
        """Something is taken for granted that the path does not tell."""
        if what not in self.needs:
            self.needs.append(what)

    def unknown(self, what: str) -> None:
        """Something happens that has no translation."""
        if what not in self.unmodelled:
            self.unmodelled.append(what)

    def changed(self, text: str, va: str, event: PathEvent, lost: str) -> None:
        """A step that changes the entry of ``va``. ``lost``: an expression that is true if a translation may outlive that."""
        self.changes.append(len(self.steps))
        self.last_changed = va
        if self.origin >= 0 and event is self.events[self.origin]:
            self.about = va
        self.emit(f"{text}; g_{va} = g_{va} or {lost}; c_{va} = c_{va} or {lost}", event)

    def fresh(self, value: str, va: str) -> str:
        """A register for a value that is read or taken out now."""
        name = f"v{len(self.registers)}" if value not in self.registers else f"v{len(self.registers)}_{len(self.steps)}"
        self.registers[value] = name
        self.homes[value] = va
        return name

    def need_page(self, va: str) -> str:
        """The page that ``va`` maps at the start."""
        return str(1 + ("a", "b").index(va))

    def va_of(self, event: PathEvent, starts: bool = True) -> str | None:
        """The VA of an event's entry; notes its lock, and whether it maps something at the start."""
        va = self.subjects.of(event)
        if va is None:
            return None
        self.starts.setdefault(va, starts)
        guard = guard_of(event)
        if guard:
            self.guards[va] = self.lock(guard)
        return va

    def lock(self, text: str) -> str:
        """The lock that a PTL expression stands for."""
        if text not in self.locks:
            number = 0 if self.same else len(set(self.locks.values()))
            self.locks[text] = f"ptl{number if number else ''}"
        return self.locks[text]

    # -- what answers mean

    def skip_unless(self, condition: str, register: str = "", va: str = "") -> None:
        """The path goes on only if ``condition`` holds; otherwise the entry is left alone and what is open is settled properly."""
        for label, owed, asked, _ in self.skips:
            if owed == self.owed and asked == register:
                self.steps.append(Step(f"if not ({condition}) goto {label}"))
                return
        label = f"skip{len(self.skips)}"
        self.skips.append((label, self.owed.copy(), register, va))
        self.steps.append(Step(f"if not ({condition}) goto {label}"))

    def condition(self, event: PathEvent, value: str, truth: bool) -> str | None:
        """The condition on registers under which a question about ``value`` is answered so; None when the model has no answer."""
        register = self.registers.get(value)
        if register is None:
            return None
        test = event.kind[5:]
        if test == "needs_flush":
            needed = self.needs_flush(value)
            return needed if truth else f"not ({needed})"
        made = MODELLED_TESTS.get((test, truth))
        return made.format(r=register) if made else None

    def needs_flush(self, value: str) -> str:
        """Whether the change from ``value`` to what was stored in its place takes something away."""
        register = self.registers[value]
        new = self.stored.get(self.homes.get(value, "a"), f"{register} & ~D")
        return f"{register}.P and ({register} & ~({new}) & (P|W|D)) != 0"

    # -- the whole

    def prelude(self) -> None:
        """What was there before the path began: locks and modes it is entered with, a gather of its caller."""
        first = self.events[0] if self.events else None
        if self.shape.range_promise and not any(e.kind == "ptl.acquire" or (e.kind == "entered" and "ptl" in objects(e)) for e in self.events):
            self.walks = self.lock(next((guard_of(e) for e in self.events if e.kind.startswith("entry.") and guard_of(e)), "the walker's lock"))
        if first is not None and first.kind == "entered":
            found = dict(first.objects)
            for role, name in first.objects:
                if role in ("ptl", "rmap-ptl") and self.lock(name) not in self.owed.locks:
                    self.owed.locks.append(self.lock(name))
                    self.emit(f"lock({self.lock(name)})", None, "whoever calls takes the PTL")
            if "pending" in found:
                self.owed.pending += 1
                self.emit("pending_inc()", None, "whoever calls announces a flush")
            if "lazy" in found:
                self.owed.lazy += 1
                self.emit("lazy_enter()", None, "whoever calls enters lazy MMU mode")
        mine = {e.kind for e in self.events if e.kind.startswith("gather.") and e.kind in ("gather.begin", "gather.declare")}
        recorded = any(e.kind in ("flush.record", "flush.gather", "page.defer", "gather.end") for e in self.events)
        counted = any(e.kind == "pending.inc" or (e.kind == "entered" and "pending" in objects(e)) for e in self.events)
        if not mine and (recorded or (self.range_promise and not counted)):
            self.owed.gathers += 1
            if not recorded:
                self.given.append("whoever calls has begun an mmu_gather")
            self.emit("gather()", None, "whoever calls begins the mmu_gather")

    def arrive(self, event: PathEvent) -> None:
        """What happens unseen before an event: a page walk takes the PTL when it comes to the entries, behind all that comes before the walk."""
        if self.walks and (event.kind.startswith("entry.") or event.kind == "flush.batched"):
            self.owed.locks.append(self.walks)
            self.emit(f"lock({self.walks})", None, "the walk takes the PTL")
            self.walks = ""

    def program(self, tail: Sequence[Step]) -> Program:
        """The program with what the path goes on with behind the act."""
        if not self.subjects.vas:
            self.subjects.vas.append("a")
        if not self.locks:
            self.lock("the page table lock")
        default = next(iter(self.locks.values()))
        focus = self._focus()
        entries = [self._entry(va, default, va == focus) for va in self.subjects.vas]
        entries.sort(key=lambda entry: entry.va != focus)
        locks = tuple(dict.fromkeys(self.locks.values()))
        return Program(
            (*self.steps, *tail),
            tuple(entries),
            locks,
            frozenset(self.uses),
            tuple(self.changes),
            tuple(self.unmodelled),
            tuple(self.needs),
            tuple(sorted(self.counters)),
            tuple(sorted(self.variables)),
            self.moved,
            len(locks) > 1,
            tuple(self.given),
            tuple(self.known),
        )

    def _entry(self, va: str, lock: str, about: bool) -> Entry:
        """How an entry starts. Only of the one that the finding is about it is a question what it holds."""
        absent = self.absent.get(va) if not about else None
        mapped = self.starts.get(va, True) and absent is None
        return Entry(va, self.guards.get(va, lock), int(self.need_page(va)) if mapped else 0, absent or "0")

    def kinds_of_rule_ignore_dirty(self) -> bool:
        """Whether what becomes of the dirty bit is not what the rule is about."""
        return self.shape.kinds != LOST

    def _focus(self) -> str:
        """The VA that the finding is about: the entry that the finding stands at, else the one changed last."""
        return self.about or self.last_changed or self.subjects.vas[0]


STEPS = frozenset({
    "ptl.acquire", "ptl.release", "entry.clear", "entry.install", "flush.now", "flush.record", "flush.gather",
    "page.free", "rmap.drop", "gather.end", "table.free",
})  # fmt: skip
"""Kinds that are steps of their own."""


def _same_call(one: PathEvent, other: PathEvent) -> bool:
    return (one.path, one.pos, one.text, one.kind) == (other.path, other.pos, other.text, other.kind)


def guard_of(event: PathEvent) -> str:
    """The PTL that an event's entry is under, the first where several may be meant."""
    return objects(event).get("ptl", "").split(", ")[0]
