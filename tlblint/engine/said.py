"""What functions say by their text alone, kept with the facts of their file: asking all of a kernel takes longer than judging what one edit reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from tlblint.calls.program import Program
from tlblint.calls.record import VALUE
from tlblint.model.ir import FileFacts, Function

_Words: TypeAlias = frozenset[str]
_Instrs: TypeAlias = tuple[VALUE, ...]


class Flags(msgspec.Struct, frozen=True, array_like=True):
    """What a function says of flags and ranges. ``sure``: events that it raises whatever others say. ``reads``, ``raised``, ``cleared``: flags of
    address spaces, which are events where somebody takes the flag back; ``kept``: "name/operand" of what it flushes, one where somebody widens it."""

    sure: _Words
    reads: _Words
    raised: _Words
    cleared: _Words
    kept: _Words


class Text(msgspec.Struct, frozen=True, array_like=True):
    """The answers of one function. ``carries``, ``matters``: effects for which it is run, or followed into; ``kinds``: its events; ``names``: what it
    calls that has no role; ``walking``: calls that start walks, ``handing`` those of them that are given a function; ``tables``: what it puts into
    tables of its own, see calls.walks.assigned(). ``answers``: whether it returns something or stores through a parameter; ``role``: whether it
    has one. ``taken``: flags that it takes back, ``clears`` by a call; ``widened``: ranges that it widens; ``words``: those of members, announced
    flags and marks; ``flags``: None where there are none."""

    carries: bool
    matters: bool
    kinds: _Words
    names: tuple[str, ...]
    walking: _Instrs
    handing: _Instrs
    tables: tuple[tuple[str, str, int, str, str], ...]
    answers: bool
    role: bool
    taken: _Words
    widened: _Words
    clears: bool
    words: _Words
    flags: Flags | None

    @property
    def learned(self) -> tuple[_Words, _Words, bool, _Words]:
        """What others may be told otherwise by."""
        return self.taken, self.widened, self.clears, self.words


_encode = msgspec.msgpack.Encoder(order="deterministic").encode

TEXT = "text"
"""The name under which a program is asked for the Text of a function."""


def told(of: Callable[[Function], Text], name: str, facts: FileFacts) -> FileFacts:
    """Facts with the answers of their functions. ``name``: what these rest on besides the functions."""
    return replace(facts, said=_encode((name, [of(fn) for fn in facts.functions])))


def tell(program: Program, facts: Sequence[FileFacts], name: str) -> None:
    """Give a program the answers that come with the facts it was made of."""
    at = 0
    for item in sorted(facts, key=lambda item: item.path):
        texts = _known(item, name)
        if len(texts) == len(item.functions):
            program.tell(TEXT, at, texts)
        at += len(item.functions)


@cache
def _decoder() -> msgspec.msgpack.Decoder[tuple[str, tuple[Text, ...]]]:
    """Takes long to make, and who judges a few functions needs none."""
    return msgspec.msgpack.Decoder(tuple[str, tuple[Text, ...]])


def _known(facts: FileFacts, name: str) -> Sequence[Text]:
    try:
        found, texts = _decoder().decode(facts.said) if facts.said else ("", ())
    except msgspec.DecodeError:
        return ()
    return texts if found == name else ()
