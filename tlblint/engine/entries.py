"""How a function is entered when no analysed caller says so: the walker's lock, the caller's lock, nothing."""

from __future__ import annotations

from tlblint.engine.asked import Entry
from tlblint.engine.automata import Automata
from tlblint.engine.events import Event
from tlblint.engine.state import SHIFT, START, Auto
from tlblint.model.ir import Function


def entered(automata: Automata, user: bool, says: frozenset[str], index: int, fn: Function, entry: Entry, auto: Auto = START) -> Auto:
    """The state at the first block of ``fn`` when it is entered that way from ``auto``. ``user``: its tables are user space's."""
    if entry.pending and not auto.pending:
        auto = auto._replace(pending=1)
    if entry.ptl:
        auto = auto._replace(held=tuple(sorted({*auto.held, (entry.ptl, entry.level, "entry")})))
    if entry.walker and entry.ptl:
        site = (index << SHIFT) + fn.start + 1
        event = Event("ptl.acquire", {"ptl": entry.ptl}, frozenset({"walker"}), entry.level, site, None, entry.note, {}, auto.held, 0, False,
                      auto.pending, True, None, "", "", False, False, user, says, True)
        instances, _, _ = automata.apply(auto.instances, event)
        auto = auto._replace(instances=instances)
    if entry.lazy:
        auto = auto._replace(lazy=1)
    return auto
