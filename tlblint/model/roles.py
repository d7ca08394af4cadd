"""What a kernel name means: roles and their argument binding."""

from __future__ import annotations

import msgspec


class Effect(msgspec.Struct, frozen=True):
    """One thing a call does.

    ``kind`` is from the closed list in rules/api/README.md ("ptl.acquire", "entry.clear", "flush.now" ...).
    ``bind`` maps an object name ("ptl", "pte", "value", "mm", "tlb", "page") to an operand:
    "0" the argument itself, "*3" what argument 3 points to, "0.ptl" field ptl of what argument 0 points to,
    "ret" the returned value.
    ``attrs`` are words from the same README ("atomic", "plain", "nonpresent", "rmap" ...).
    ``when`` says on which outcome it happens: "always", "ret!=0", "ret==0".
    """

    kind: str
    bind: tuple[tuple[str, str], ...]
    attrs: frozenset[str]
    when: str


class Role(msgspec.Struct, frozen=True):
    """All effects of one call, in the order in which they happen. ``level``: "pte", "pmd", "pud", "huge" or ""."""

    name: str
    arity: int | None
    level: str
    effects: tuple[Effect, ...]
    note: str


class Contract(msgspec.Struct, frozen=True):
    """A promise of the world around a function, with its reason. See rules/api/contracts.toml."""

    function: str
    path: str
    says: tuple[str, ...]
    entry: tuple[tuple[str, str], ...]
    reason: str


class Profile(msgspec.Struct, frozen=True):
    """A flush model: an architecture and the configuration that matters for it.

    ``features`` are words such as "batched-unmap", "lazy-effective", "flush-real".
    """

    name: str
    arch: str
    features: frozenset[str]
    note: str
