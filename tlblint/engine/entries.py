"""How a function is entered when no analysed caller says so: the walker's lock, the caller's lock, nothing."""

from __future__ import annotations

import msgspec

from tlblint.engine.automata import Automata
from tlblint.engine.events import Event
from tlblint.engine.state import SHIFT, START, Auto
from tlblint.model.ir import Function


class Entry(msgspec.Struct, frozen=True):
    """``ptl``: a lock held on entry, by the name the function uses for it, or "caller" for one it cannot name.
    ``lazy``: lazy MMU mode is on. ``walker``: the PTL belongs to a walk over a range, which this is called from for each
    entry. ``pending``: a tlb_flush_pending count is open. ``note`` says who does all that, for the trace. ``bind`` says which
    argument is what, by operand. ``given``: a condition, as it is written, that holds whenever anything is owed."""

    ptl: str = ""
    level: str = "pte"
    lazy: bool = False
    walker: bool = False
    pending: bool = False
    says: frozenset[str] = frozenset()
    note: str = ""
    bind: tuple[tuple[str, str], ...] = ()
    given: str = ""


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
