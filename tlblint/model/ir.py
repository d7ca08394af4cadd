"""The intermediate representation that the engine runs on.

Everything is tuples, strings and ints so that it pickles small and compares fast.

Expressions (``Expr``) are tagged tuples::

    ("v", path)          an lvalue path in canonical text: "pte", "vmf->ptl", "pvmw.pte", "*ptlp", "a[i]"
    ("n", int)           an integer; NULL and false are 0, true is 1
    ("k", NAME)          an ALL_CAPS identifier: an enum or macro constant; ("k", NAME, int) where its number is known
    ("t", int)           the value of the call with that temp number
    ("&", path)          the address of an lvalue path
    ("op", o, a, b)      a binary operator, o as in C: "==", "&", "+" ...
    ("!", a) ("~", a) ("-", a)
    ("?",)               anything else

Instructions (``Instr``) are tagged tuples, ``pos`` is a byte offset into the original file::

    ("call", temp, name, args, pos)     direct call or function-like macro
    ("icall", temp, path, args, pos)    call through the pointer held in ``path``
    ("set", path, expr, pos)            assignment to an lvalue path
    ("havoc", path, pos)                path gets an unknown value (asm output, loop-macro variable)
    ("decl", name, type, pos)           a local object of that type comes to life, value unknown
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import msgspec

Expr = tuple[Any, ...]
Instr = tuple[Any, ...]


class Block(msgspec.Struct, frozen=True):
    """A straight run of instructions and how it ends.

    ``kind`` is one of
      "jump"    succs = (next,)
      "branch"  succs = (if_true, if_false), ``cond`` an Expr without && || ?: and without calls (calls are temps)
      "return"  succs = (), ``cond`` the returned Expr or None
      "stop"    succs = (): control does not come back (BUG, panic, unreachable)
    ``pos`` is the byte offset of the condition, the return or the jump.
    """

    instrs: tuple[Instr, ...]
    kind: str
    cond: Expr | None
    succs: tuple[int, ...]
    pos: int


class Blocks(Sequence[Block]):
    """The blocks of a function that are made when somebody asks for one: of most functions nobody does. Equal to the tuple that ``make`` makes of
    ``raw``, and pickled as that. ``size``: blocks and instructions together."""

    __slots__ = ("_count", "_make", "_raw", "size")

    def __init__(self, make: Callable[[bytes], tuple[Block, ...]], raw: bytes, count: int, size: int) -> None:
        self._make = make
        self._raw: bytes | tuple[Block, ...] = raw
        self._count = count
        self.size = size

    def raw(self) -> bytes:
        """What they are made of, as long as nobody has asked for one; then b""."""
        return self._raw if isinstance(self._raw, bytes) else b""

    def made(self) -> tuple[Block, ...]:
        """The blocks. Raises what ``make`` raises."""
        if isinstance(self._raw, bytes):
            self._raw = self._make(self._raw)
        return self._raw

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Block]:
        return iter(self.made())

    @overload
    def __getitem__(self, at: int) -> Block: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Block, ...]: ...
    def __getitem__(self, at: int | slice) -> Block | tuple[Block, ...]:
        return self.made()[at]

    def __eq__(self, other: object) -> bool:
        return self.made() == (other.made() if isinstance(other, Blocks) else other)

    def __hash__(self) -> int:
        return hash(self.made())

    def __repr__(self) -> str:
        return repr(self.made())

    def __reduce__(self) -> tuple[type, tuple[tuple[Block, ...]]]:
        return tuple, (self.made(),)


class Function(msgspec.Struct, frozen=True):
    """One function definition, lowered. Block 0 is the entry.

    ``variant`` is 0 for the default choice of in-body #if groups, 1 for the complementary one; ``assumed`` names
    the choice ("CONFIG_X", "!CONFIG_Y"). ``advanced`` holds the lvalue paths that are stepped inside a loop
    (p++, p += n): the mark of a walk over entries.
    """

    name: str
    path: str
    start: int
    end: int
    params: tuple[tuple[str, str], ...]
    returns: str
    static: bool
    blocks: Sequence[Block]
    """A tuple, or Blocks."""
    advanced: frozenset[str]
    variant: int = 0
    assumed: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    """Sparse lock annotations as written: "releases(vmf->ptl)", "acquires(ptl)", "must_hold(ptl)"; and "assume(word)" from a
    comment above the function."""


class OpsTable(msgspec.Struct, frozen=True):
    """A designated initialiser that names functions: ``const struct mm_walk_ops x = { .pte_entry = f }``.

    ``owner`` is the function it is local to, or "" at file scope.
    """

    path: str
    name: str
    type: str
    slots: tuple[tuple[str, str], ...]
    owner: str
    pos: int


class NotAnalysed(msgspec.Struct, frozen=True):
    """A function in scope that was not understood: TLB902. ``why`` is one short clause."""

    path: str
    function: str
    pos: int
    why: str


class FileFacts(msgspec.Struct, frozen=True, eq=False):
    """What the front end knows of one file. The process-pool boundary and the unit of a cache.

    ``functions`` counts functions in scope; ``whole`` those lowered without doubt.
    """

    path: str
    functions: tuple[Function, ...]
    tables: tuple[OpsTable, ...]
    not_analysed: tuple[NotAnalysed, ...]
    total: int
    partial: int
    newlines: Sequence[int]
    """Byte offsets of the newlines of the file, for turning offsets into lines."""
    shapes: tuple[bytes, ...] = ()
    """A digest of each function that does not say where it stands; () where nobody has asked."""
    said: bytes = b""
    """What the engine found that the functions say by their text alone; b"" where it was not asked."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileFacts) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[object, ...]:
        return (self.path, self.functions, self.tables, self.not_analysed, self.total, self.partial, tuple(self.newlines))
