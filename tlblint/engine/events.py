"""What happens on a path, and what a rule says of it."""

from __future__ import annotations

import msgspec

from tlblint.engine.values import Env

Instance = tuple[int, str, tuple, int]  # type: ignore[type-arg]
"""(rule, state, keys, origin): see automata."""


class Event(msgspec.Struct):
    """One thing that happens on a path. ``objects`` maps object names to identities: locks and pointers by their path,
    entry values by number. ``site`` is the number of the place; ``lock`` the PTL(s) that guard the entry concerned."""

    kind: str
    objects: dict[str, object]
    attrs: frozenset[str]
    level: str
    site: int
    truth: bool | None
    name: str
    env: Env
    held: tuple[tuple[str, str, str], ...]
    lazy: int
    paused: bool
    pending: int
    walked: bool
    present: bool | None
    bits: str
    origin: str
    pointer_kept: bool
    moved: bool
    user: bool
    says: frozenset[str]
    is_root: bool


class Violation(msgspec.Struct):
    """An ERROR transition taken: which instance (None when the event alone is the error), what to say, and what then counts as done, or ""."""

    rule: int
    instance: Instance | None
    say: str
    mend: str = ""
