"""Judged states of a tree, remembered: the same series again, a new version of it, or another one that changes the same functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from tlblint.app.remembered import OURS, facts_key
from tlblint.app.series_moved import NOWHERE, Moved
from tlblint.app.spine import Again, Result, Spine
from tlblint.app.states import Name, State
from tlblint.engine.asked import EngineResult
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store, key

KIND = "state"
_Row = tuple[EngineResult, tuple[Name, ...], tuple[str, ...]]


def names_of(spine: Spine, found: Sequence[State]) -> list[bytes]:
    """A name for each state by all that is read of it; b"" where that may be read otherwise another time."""
    known: dict[tuple[str, int], bytes] = {}
    out = []
    for state in found:
        parts = []
        for path in sorted(state.facts):
            raw = state.read.get(path, state.contents[path])
            part = known.get((path, id(raw)))
            if part is None:
                part = known[path, id(raw)] = facts_key(spine, path, raw)
            parts.append(part)
        lasting = not any(gap.why.startswith(OURS) for fact in state.facts.values() for gap in fact.not_analysed)
        out.append(key(*parts) if spine.judging and lasting else b"")
    return out


class Kept:
    """An analysis that asks a store first. A state that the store knows is not looked at. ``moved``: what the analysis was begun with."""

    def __init__(self, spine: Spine, again: Again, store: Store, moved: Moved = NOWHERE) -> None:
        self._spine, self._again, self._store = spine, again, store
        self._code = key(spine.judging, repr((sorted(moved.names.items()), sorted(moved.whole))))
        self.near: frozenset[Name] = frozenset()
        self.flags: frozenset[str] = frozenset()
        """Both of the last state, as Again has them."""

    def judge(self, facts: Callable[[], Sequence[FileFacts]], part: frozenset[Name], name: bytes) -> Result:
        """Like Again.judge(), of the state called ``name``, whose facts are made whole only when they are needed."""
        if not name or self._store is NOTHING:
            return self._anew(facts(), part)
        row = key(self._code, name, *(word for pair in sorted(part) for word in pair))
        held = self._store.get(KIND, [row]).get(row)
        if held is not None:
            with suppress(msgspec.DecodeError, ValueError):
                row_of: _Row = msgspec.msgpack.decode(held, type=_Row)
                self.near, self.flags = frozenset(row_of[1]), frozenset(row_of[2])
                return row_of[0]
        made = self._anew(facts(), part)
        if isinstance(made, EngineResult) and not any(gap.why.startswith(OURS) for gap in made.not_analysed):
            with suppress(UnicodeEncodeError):  # a file name that is not UTF-8
                self._store.put(KIND, {row: msgspec.msgpack.encode((made, sorted(self.near), sorted(self.flags)))})
        return made

    def _anew(self, facts: Sequence[FileFacts], part: frozenset[Name]) -> Result:
        result = self._again.judge(facts, part)
        self.near, self.flags = self._again.near, self._again.flags
        return result
