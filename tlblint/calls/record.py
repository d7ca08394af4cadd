"""FileFacts as bytes and back: what a cache keeps of a file.

Nothing but records, tuples, strings and numbers is ever made from the bytes, whoever wrote them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from tlblint.calls.program import size
from tlblint.model.digest import blake2b
from tlblint.model.ir import Block, Blocks, FileFacts, Function, NotAnalysed, OpsTable

NESTED = 48
"""So deep expressions go at most; a file with a deeper one is not kept."""

_Atom: TypeAlias = str | int | bool | None


def _nested(depth: int) -> Any:
    shape: Any = tuple[_Atom, ...]
    for _ in range(depth):
        shape = tuple[_Atom | shape, ...]
    return shape


VALUE = _nested(NESTED)
"""The type of an instruction or expression."""
_Block: TypeAlias = tuple[tuple[VALUE, ...], str, VALUE | None, tuple[int, ...], int]  # type: ignore[valid-type]
_Pairs: TypeAlias = tuple[tuple[str, str], ...]
_Texts: TypeAlias = tuple[str, ...]
_Function: TypeAlias = tuple[str, int, int, _Pairs, str, bool, bytes, int, int, frozenset[str], int, _Texts, _Texts]
"""Its blocks stand in it as bytes, with their number and size beside them."""
_Table: TypeAlias = tuple[str, str, str, _Pairs, str, int]
_Gap: TypeAlias = tuple[str, str, int, str]
_FILE = msgspec.msgpack.Decoder(tuple[str, bytes, tuple[_Table, ...], tuple[_Gap, ...], int, int, bytes, tuple[bytes, ...], bytes])
_HEADS = msgspec.msgpack.Decoder(tuple[_Function, ...])
_BODY = msgspec.msgpack.Decoder(tuple[_Block, ...])
_NESTING = (b"\xa2op", b"\xa1!", b"\xa1~", b"\xa1-")
"""How an expression that holds others starts, in bytes."""
_SWAPPED = array("H", [1]).tobytes() == b"\0\1"
"""Whether this machine has the large part of a number first."""
_encode = msgspec.msgpack.Encoder().encode


def encode(facts: FileFacts) -> bytes:
    """The bytes of a file's facts, ``shapes`` filled in. Raises ValueError for what cannot be written that way."""
    tables = [(t.path, t.name, t.type, t.slots, t.owner, t.pos) for t in facts.tables]
    gaps = [(gap.path, gap.function, gap.pos, gap.why) for gap in facts.not_analysed]
    try:
        heads = _encode([_head(fn) for fn in facts.functions])
        return _encode((facts.path, heads, tables, gaps, facts.total, facts.partial, _packed(facts.newlines), shapes(facts), facts.said))
    except (TypeError, OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _head(f: Function) -> tuple[object, ...]:
    body = f.blocks.raw() if isinstance(f.blocks, Blocks) else b""
    if not body:
        body = _encode([(b.instrs, b.kind, b.cond, b.succs, b.pos) for b in f.blocks])
        if sum(map(body.count, _NESTING)) > NESTED - 4:
            _blocks(body)  # refuses what is nested too deeply
    return (f.name, f.start, f.end, f.params, f.returns, f.static, body, len(f.blocks), size(f), sorted(f.advanced), f.variant, f.assumed, f.annotations)


def decode(raw: bytes) -> FileFacts:
    """The facts that ``encode`` made these bytes of, with Blocks, which raise ValueError when they are no blocks. Raises ValueError for other bytes."""
    try:
        path, heads, tables, gaps, total, partial, packed, digests, said = _FILE.decode(raw)
        functions = _HEADS.decode(heads)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    made = tuple(
        Function(name, path, start, end, params, returns, static, Blocks(_blocks, body, count, size), advanced, variant, assumed, annotations)
        for name, start, end, params, returns, static, body, count, size, advanced, variant, assumed, annotations in functions
    )
    return FileFacts(path, made, tuple(OpsTable(*t) for t in tables), tuple(NotAnalysed(*gap) for gap in gaps), total, partial, _lines(packed), digests, said)


def _blocks(body: bytes) -> tuple[Block, ...]:
    try:
        return tuple(Block(*block) for block in _BODY.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def brief(raw: bytes) -> FileFacts:
    """The same without functions, in a fraction of the time. Raises ValueError like ``decode``."""
    try:
        path, _, tables, gaps, total, partial, packed, digests, said = _FILE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return FileFacts(path, (), tuple(OpsTable(*t) for t in tables), tuple(NotAnalysed(*gap) for gap in gaps), total, partial, _lines(packed), digests, said)


def checked(raw: bytes) -> FileFacts:
    """What ``decode`` gives, of bytes whose maker nobody vouches for: no block raises later. Raises ValueError like ``decode``."""
    facts = decode(raw)
    for fn in facts.functions:
        if len(fn.blocks[:]) != len(fn.blocks):
            raise ValueError("another number of blocks")
    return facts


def _packed(newlines: Sequence[int]) -> bytes:
    lines = array("I", newlines)
    if _SWAPPED:
        lines.byteswap()
    return lines.tobytes()


def _lines(packed: bytes) -> Sequence[int]:
    """An array: the lines of a kernel are half a million numbers, and few of them are asked for."""
    lines = array("I", packed[: len(packed) // 4 * 4])
    if _SWAPPED:
        lines.byteswap()
    return lines


def shapes(facts: FileFacts) -> tuple[bytes, ...]:
    """The shape of each function of a file."""
    return facts.shapes if len(facts.shapes) == len(facts.functions) else tuple(shape(fn) for fn in facts.functions)


def shape(fn: Function) -> bytes:
    """16 bytes that are equal for functions that differ in nothing but the file that they stand in and where in it."""
    start = fn.start
    head = (fn.name, fn.end - start, fn.params, fn.returns, fn.static, sorted(fn.advanced), fn.variant, fn.assumed, fn.annotations)
    body = [([(*instr[:-1], instr[-1] - start) for instr in b.instrs], b.kind, b.cond, b.succs, b.pos - start) for b in fn.blocks]
    return blake2b(_encode((head, body)), digest_size=16).digest()
