"""What a step line says, before it is known what its names are."""

from __future__ import annotations

import msgspec


class Number(msgspec.Struct, frozen=True):
    value: int


class Name(msgspec.Struct, frozen=True):
    """A register, variable or constant; with ``args`` an element (``tlb[0, a]``)."""

    text: str
    column: int
    args: tuple[Raw, ...] | None = None


class Part(msgspec.Struct, frozen=True):
    """``x.P``, ``x.pfn``; ``thread.reg`` when ``x`` is the name of a thread."""

    x: Raw
    name: str
    column: int


class Apply(msgspec.Struct, frozen=True):
    """``pfn(1)``, ``rw(1)``, ``ro(1)``."""

    name: str
    args: tuple[Raw, ...]
    column: int


class Unary(msgspec.Struct, frozen=True):
    """``op`` is "not" or "~"."""

    op: str
    x: Raw


class Binary(msgspec.Struct, frozen=True):
    op: str
    x: Raw
    y: Raw


Raw = Number | Name | Part | Apply | Unary | Binary


class Call(msgspec.Struct, frozen=True):
    """``into = name(args, key=value)``. ``words`` are the arguments that came with a key."""

    name: str
    args: tuple[Raw, ...]
    words: tuple[tuple[str, Raw], ...]
    into: Name | None
    column: int


class Assign(msgspec.Struct, frozen=True):
    target: Name
    value: Raw


class Await(msgspec.Struct, frozen=True):
    cond: Raw
    column: int = 0


class Goto(msgspec.Struct, frozen=True):
    label: str
    column: int


class If(msgspec.Struct, frozen=True):
    """``if cond goto label`` when ``goto``, else ``if cond: body``."""

    cond: Raw
    body: tuple[Statement, ...]
    goto: Goto | None
    column: int


Statement = Call | Assign | Await | Goto | If


class Way(msgspec.Struct, frozen=True):
    """One alternative of a step: what it does, the words that the witness prints, the source it stands for."""

    body: tuple[Statement, ...]
    text: str
    path: str | None = None
    line: int | None = None


class Line(msgspec.Struct, frozen=True):
    """A step as written. ``ways`` are one, or those of either/or. ``number`` is its line, 0 when it comes from no text."""

    ways: tuple[Way, ...]
    label: str = ""
    number: int = 0
    label_column: int = 0
