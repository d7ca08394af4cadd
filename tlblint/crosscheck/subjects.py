"""Which page-table entries and locks a path is about, before it is translated."""

from __future__ import annotations

from collections.abc import Sequence

from tlblint.model.finding import PathEvent

CHANGES = frozenset({"entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "entry.install", "entry.young", "entry.promote"})
NAMES = ("a", "b")

SILENT = frozenset({
    "entered", "enter", "exit", "settle", "call", "branch", "sleep", "value.stale", "value.commit", "value.derive", "value.count", "value.build", "page.same",
    "gather.declare", "gather.leave", "gather.vma", "gather.touch", "gather.mark", "gather.read", "notifier.declare", "notifier.leave", "notifier.init",
    "test.pagedirty", "test.defer", "test.delay_rmap", "test.cleaned", "test.same", "ptl.lookup", "assume.held", "flush.kernel", "flush.rmaps",
    "section.open", "section.close", "pending.query", "rmap.unlock",
})  # fmt: skip
"""Kinds that do nothing to entries, translations, pages or locks, or of which a neighbour tells the same. Everything else is unmodelled."""


def objects(event: PathEvent) -> dict[str, str]:
    """The objects of an event by role; lists of words stay texts."""
    return dict(event.objects)


def attrs(event: PathEvent) -> frozenset[str]:
    """The words of the role table about this effect."""
    return frozenset(objects(event).get("attrs", "").split())


class Subjects:
    """VAs of entry pointers. A pointer that is read or changed again after its entry was changed has gone on to the next entry.

    ``too_many``: the path is about more entries than are simulated.
    """

    def __init__(self, events: Sequence[PathEvent]) -> None:
        self.too_many = False
        aged = {"entry.young"} if events and events[-1].kind != "entry.young" else set()
        self._changed = {objects(e)["pte"] for e in events if e.kind in CHANGES - aged and "pte" in objects(e) and "table" not in attrs(e)}
        if not self._changed:  # a path that only reads is about what it reads last
            self._changed = {objects(e)["pte"] for e in events if e.kind == "entry.read" and "pte" in objects(e)} and {
                [objects(e)["pte"] for e in events if e.kind == "entry.read" and "pte" in objects(e)][-1]
            }
        self._now: dict[str, str] = {}
        self._seen: dict[str, set[tuple[str, int, str]]] = {}
        self._touched: set[str] = set()
        self.vas: list[str] = []

    def of(self, event: PathEvent) -> str | None:
        """The VA of the entry that an event is about, None when that entry is no subject."""
        pointer = objects(event).get("pte", "")
        if pointer not in self._changed:
            return None
        place = (event.path, event.pos, event.kind)
        again = place in self._seen.setdefault(pointer, set())
        if pointer not in self._now or (again and self._now[pointer] in self._touched):
            self._seen[pointer] = set()
            self._now[pointer] = self._next()
        self._seen[pointer].add(place)
        if event.kind in CHANGES:
            self._touched.add(self._now[pointer])
        return self._now[pointer]

    def now(self, pointer: str) -> str:
        """The VA that a pointer is at, "" before its first use."""
        return self._now.get(pointer, "")

    def _next(self) -> str:
        if len(self.vas) == len(NAMES):
            self.too_many = True
            return self.vas[-1]
        self.vas.append(NAMES[len(self.vas)])
        return self.vas[-1]
