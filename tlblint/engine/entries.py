"""How a function is entered when no analysed caller says so: the walker's lock, the caller's lock, nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tlblint.engine.automata import Event
from tlblint.engine.interp import SHIFT, World
from tlblint.engine.state import START, Auto
from tlblint.engine.values import Env
from tlblint.model.ir import Function


@dataclass(frozen=True, slots=True)
class Entry:
    """``ptl``: a lock held on entry, by the name the function uses for it, or "caller" for one it cannot name.
    ``lazy``: lazy MMU mode is on. ``walker``: the PTL belongs to a walk over a range, which this is called from for each
    entry. ``pending``: a tlb_flush_pending count is open. ``note`` says who does all that, for the trace."""

    ptl: str = ""
    level: str = "pte"
    lazy: bool = False
    walker: bool = False
    pending: bool = False
    says: frozenset[str] = frozenset()
    note: str = ""


def entry_state(world: World, index: int, fn: Function, entry: Entry | None) -> tuple[Auto, Env, bool]:
    """The state and environment at the function's first block, and whether it is called once per entry of a walk."""
    if entry is None:
        return START, {}, False
    env: Env = {}
    auto = START
    if entry.pending:
        auto = auto._replace(pending=1)
    if entry.ptl:
        auto = auto._replace(held=((entry.ptl, entry.level, "entry"),))
    site = (index << SHIFT) + fn.start + 1
    if entry.walker and entry.ptl:
        event = Event("ptl.acquire", {"ptl": entry.ptl}, frozenset({"walker"}), entry.level, site, None, entry.note, env, auto.held, 0, False, auto.pending,
                      True, None, "", "", False, False, world.scope(index), world.says.get(index, frozenset()), True)
        instances, _, _ = world.automata.apply((), event)
        auto = auto._replace(instances=instances)
    if entry.lazy:
        auto = auto._replace(lazy=1)
    return auto, env, entry.walker
