"""What the simulation must know of a rule that its events do not tell: what may go wrong, and what cannot be simulated at all."""

from __future__ import annotations

import msgspec

UAF = frozenset({"uaf-store", "uaf-load", "uaf-walk", "uaf-device"})
STALE = UAF | {"contract", "stable", "false-pending", "dup-hash", "unrecorded"}
"""What a translation that outlives its entry leads to."""
LOST = frozenset({"lost-dirty"})
UNEVEN = frozenset({"leak", "unbalanced", "deadlock"})

WRITABLE = ("P|W|D", "P|W")
"""Entries to start from: written to already, or not yet."""


class Shape(msgspec.Struct, frozen=True):
    """How findings of one rule are simulated.

    ``kinds``: violations that are the rule's subject; any other means that the program is not what the kernel does.
    ``starts``: entry values to begin with, without the page. ``dirty``: data that reaches no disk is looked for.
    ``range_promise``: what the walk returns with holds for entries it found absent, too.
    """

    kinds: frozenset[str]
    starts: tuple[str, ...] = ("P|W|D",)
    dirty: bool = False
    range_promise: bool = False


SHAPES = {
    "TLB001": Shape(STALE, range_promise=True),
    "TLB002": Shape(LOST, WRITABLE, dirty=True),
    "TLB003": Shape(STALE | UNEVEN),
    "TLB004": Shape(STALE),
    "TLB005": Shape(UNEVEN | STALE),
    "TLB006": Shape(UNEVEN | STALE),
    "TLB007": Shape(STALE | LOST, WRITABLE, dirty=True),
    "TLB008": Shape(STALE | LOST, WRITABLE, dirty=True),
    "TLB009": Shape(STALE, ("P|W|D", "P")),
    "TLB010": Shape(STALE),
    "TLB011": Shape(STALE),
    "TLB012": Shape(STALE),
    "TLB013": Shape(UNEVEN | STALE),
    "TLB014": Shape(UNEVEN | STALE),
}
"""By code. A rule that is not here is no subject of the simulation."""
