"""What a step line says, before it is known what its names are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    value: int


@dataclass(frozen=True, slots=True)
class Name:
    """A register, variable or constant; with ``args`` an element (``tlb[0, a]``)."""

    text: str
    column: int
    args: tuple[Raw, ...] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """``x.P``, ``x.pfn``; ``thread.reg`` when ``x`` is the name of a thread."""

    x: Raw
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Apply:
    """``pfn(1)``, ``rw(1)``, ``ro(1)``."""

    name: str
    args: tuple[Raw, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Unary:
    """``op`` is "not" or "~"."""

    op: str
    x: Raw


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    x: Raw
    y: Raw


Raw = Number | Name | Part | Apply | Unary | Binary


@dataclass(frozen=True, slots=True)
class Call:
    """``into = name(args, key=value)``. ``words`` are the arguments that came with a key."""

    name: str
    args: tuple[Raw, ...]
    words: tuple[tuple[str, Raw], ...]
    into: Name | None
    column: int


@dataclass(frozen=True, slots=True)
class Assign:
    target: Name
    value: Raw


@dataclass(frozen=True, slots=True)
class Await:
    cond: Raw
    column: int = 0


@dataclass(frozen=True, slots=True)
class Goto:
    label: str
    column: int


@dataclass(frozen=True, slots=True)
class If:
    """``if cond goto label`` when ``goto``, else ``if cond: body``."""

    cond: Raw
    body: tuple[Statement, ...]
    goto: Goto | None
    column: int


Statement = Call | Assign | Await | Goto | If


@dataclass(frozen=True, slots=True)
class Way:
    """One alternative of a step: what it does, the words that the witness prints, the source it stands for."""

    body: tuple[Statement, ...]
    text: str
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A step as written. ``ways`` are one, or those of either/or. ``number`` is its line, 0 when it comes from no text."""

    ways: tuple[Way, ...]
    label: str = ""
    number: int = 0
    label_column: int = 0
