"""What the lowering of one function carries along."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tlblint.flow.graph import Graph
from tlblint.model.ir import Expr

DEPTH_LIMIT = 200


class NotLowered(Exception):
    """The function cannot be lowered; the message is one short clause for the reader of TLB902."""


class Switch(msgspec.Struct):
    """The cases met so far in the body of a switch: (value or None when it is a range, block, pos)."""

    cases: list[tuple[Expr | None, int, int]] = msgspec.field(default_factory=list)
    default: int | None = None
    truths: bool = False
    """A case is written ``true`` or ``false``: the subject is a truth value, whatever computes it."""


class Cleanup(NamedTuple):
    """What ends an object at the end of its scope: a call of ``call`` with ``args``, if the path ``flag`` is true where there is one.

    ``since`` and ``until`` bound the scope in the text.
    """

    since: int
    until: int
    call: str
    args: tuple[Expr, ...]
    flag: str


class Context(msgspec.Struct):
    """State of one lowering. ``text`` is the normalised source, ``raw`` the original one with the same offsets."""

    text: bytes
    raw: bytes
    graph: Graph = msgspec.field(default_factory=Graph)
    names: dict[bytes, Expr] = msgspec.field(default_factory=dict)
    locals: set[str] = msgspec.field(default_factory=set)
    calls: list[tuple[int, int]] = msgspec.field(default_factory=list)
    synthetic: int = 0
    depth: int = 0
    labels: dict[bytes, int] = msgspec.field(default_factory=dict)
    defined: set[bytes] = msgspec.field(default_factory=set)
    breaks: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """Where ``break`` goes, and how many of ``cleanups`` it leaves alone."""
    continues: list[tuple[int, int]] = msgspec.field(default_factory=list)
    cleanups: list[Cleanup] = msgspec.field(default_factory=list)
    """The objects in scope that end by themselves, the oldest first."""
    escaped: set[int] = msgspec.field(default_factory=set)
    """Calls, by temp, whose ways to labels are there already."""
    scope_end: int = 0
    extent: tuple[int, int] = (0, 0)
    """The function's first and last offset."""
    members: dict[str, list[str]] | None = None
    """The members of local objects that the function names, once that was asked."""
    indirect: bool = False
    """There is a call through a pointer."""
    marked: bool = False
    """Declarations of this function may say what cleans up after them."""
    switches: list[Switch] = msgspec.field(default_factory=list)
    doubts: list[str] = msgspec.field(default_factory=list)

    def deeper(self) -> None:
        """Count one more level of nesting."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise NotLowered("nested too deeply")

    def declare(self, name: str) -> None:
        """A parameter or local object: an ALL_CAPS name of that kind is a variable, a call of it an indirect one."""
        self.locals.add(name)
        self.names[name.encode()] = ("v", name)

    def fresh_path(self) -> str:
        """A synthetic path for a value that differs by the way control took."""
        self.synthetic += 1
        return f"${self.synthetic}"

    def label(self, name: bytes) -> int:
        """The block of a label, created at its first mention."""
        block = self.labels.get(name)
        if block is None:
            block = self.labels[name] = self.graph.fresh()
        return block

    def doubt(self, why: str) -> None:
        """Record that part of the function was not understood."""
        if why not in self.doubts:
            self.doubts.append(why)

    def squeezed(self, start: int, end: int) -> str:
        """Source text without any white space: the canonical form of what has no path of its own."""
        return b"".join(self.text[start:end].split()).decode(errors="replace")
