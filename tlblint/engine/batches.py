"""Judged batches as a store has them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, TypeAlias

import msgspec

from tlblint.engine.automata import Place
from tlblint.model.store import Store

KIND = "judged"

_Atom: TypeAlias = str | int | None
_Value: TypeAlias = _Atom | tuple[_Atom | tuple[_Atom | tuple[_Atom, ...], ...], ...]
Pair: TypeAlias = tuple[str, str]
_Event: TypeAlias = tuple[int, str, str, str, tuple[Pair, ...]]
_Row: TypeAlias = tuple[
    int, str, int, tuple[_Value, ...], int, str, str, str, tuple[tuple[str, _Value], ...], tuple[tuple[int, str, str, str], ...], tuple[_Event, ...]
]
DECODER = msgspec.msgpack.Decoder(tuple[tuple[_Row, ...], tuple[tuple[int, str], ...], tuple[int, ...], int, bytes])
"""(hits, why functions were stopped, functions seen, entry states, what Cutoff.asked() kept); functions by their ranks among those that it can reach."""


class Batch(NamedTuple):
    """``name``: its key; ``starts``: functions from which it is judged; ``members``: those that it can reach, sorted; ``able``: of each start the
    states of rules that count."""

    name: bytes
    starts: list[int]
    members: list[int]
    able: list[frozenset[Place]]


class Quiet(NamedTuple):
    """A batch in which nothing was found or stopped. ``visited``: ranks of the functions seen; ``contexts``: entry states; ``asked``: see Cutoff."""

    visited: tuple[int, ...]
    contexts: int
    asked: bytes


def quiet(store: Store, names: Sequence[bytes]) -> dict[bytes, Quiet]:
    """By name those batches of which it is known that nothing was found in them."""
    out = {}
    for name, raw in store.get(KIND, names).items():
        with suppress(msgspec.DecodeError, ValueError):
            hits, stopped, visited, contexts, asked = DECODER.decode(raw)
            if asked and not hits and not stopped:
                out[name] = Quiet(visited, contexts, asked)
    return out
