"""What happens on a path, and what a rule says of it."""

from __future__ import annotations

from tlblint.engine.values import Env

Instance = tuple[int, str, tuple, int]  # type: ignore[type-arg]
"""(rule, state, keys, origin): see automata."""


class Event:
    """One thing that happens on a path. ``objects`` maps object names to identities: locks and pointers by their path,
    entry values by number. ``site`` is the number of the place; ``lock`` the PTL(s) that guard the entry concerned."""

    __slots__ = (
        "attrs", "bits", "env", "held", "is_root", "kind", "lazy", "level", "moved", "name", "objects", "origin", "paused", "pending", "pointer_kept",
        "present", "says", "site", "truth", "user", "walked",
    )

    def __init__(
        self,
        kind: str, objects: dict[str, object], attrs: frozenset[str], level: str, site: int, truth: bool | None, name: str, env: Env,
        held: tuple[tuple[str, str, str], ...], lazy: int, paused: bool, pending: int, walked: bool, present: bool | None, bits: str, origin: str,
        pointer_kept: bool, moved: bool, user: bool, says: frozenset[str], is_root: bool,
    ) -> None:
        self.kind = kind
        self.objects = objects
        self.attrs = attrs
        self.level = level
        self.site = site
        self.truth = truth
        self.name = name
        self.env = env
        self.held = held
        self.lazy = lazy
        self.paused = paused
        self.pending = pending
        self.walked = walked
        self.present = present
        self.bits = bits
        self.origin = origin
        self.pointer_kept = pointer_kept
        self.moved = moved
        self.user = user
        self.says = says
        self.is_root = is_root


class Violation:
    """An ERROR transition taken: which instance (None when the event alone is the error), what to say, and what then counts as done, or ""."""

    __slots__ = ("instance", "mend", "rule", "say")

    def __init__(self, rule: int, instance: Instance | None, say: str, mend: str = "") -> None:
        self.rule = rule
        self.instance = instance
        self.say = say
        self.mend = mend
