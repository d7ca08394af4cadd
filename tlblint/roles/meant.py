"""What a tree means by a name otherwise than the tables of roles have it."""

from __future__ import annotations

import msgspec


class Meant(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Calls of ``name`` with ``arity`` arguments (None: any) are calls of ``like`` with ``given``: each an operand of the call ("2", "0.vm_mm"), or ""
    for what is not one; None: the same arguments. ``like`` is "" for what has no role. ``arch``: only in its code, "": everywhere."""

    name: str
    arity: int | None
    like: str
    given: tuple[str, ...] | None = None
    arch: str = ""
