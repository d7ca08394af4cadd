"""What functions say by their text alone, remembered file by file: asking all of a kernel takes longer than judging what one edit reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from tlblint.calls.program import Program
from tlblint.calls.record import VALUE, shapes
from tlblint.model.ir import FileFacts
from tlblint.model.store import Store, key

KIND = "said"
_Words: TypeAlias = frozenset[str]
_Scan: TypeAlias = tuple[bool, bool, _Words, tuple[str, ...], tuple[VALUE, ...]]
_DECODER = msgspec.msgpack.Decoder(tuple[str, tuple[tuple[_Scan, tuple[_Words, _Words, bool, _Words], _Words, bool], ...]])
WALKING = ("slots", "handed")
"""What few functions have anything to say of, and then with positions: only that they have not is remembered."""


class Said:
    """The answers of Program.once() that a store has of the functions of ``facts``, by the shapes of these. ``digest``: what else they rest on."""

    def __init__(self, store: Store, digest: bytes, facts: Sequence[FileFacts]) -> None:
        self._store = store
        at = 0
        self._files: dict[bytes, range] = {}
        """Key -> the indexes of the functions of a file."""
        for item in sorted(facts, key=lambda item: item.path):
            self._files[key(digest, item.path, *shapes(item))] = range(at, at + len(item.functions))
            at += len(item.functions)
        self._known: dict[bytes, str] = {}

    def tell(self, program: Program) -> None:
        """Give a program the answers that are known."""
        for name, row in self._store.get(KIND, list(self._files)).items():
            try:
                seen, functions = _DECODER.decode(row)
            except msgspec.DecodeError:
                continue
            if len(functions) == len(self._files[name]):
                self._known[name] = seen
                for index, (scan, flags, kinds, still) in zip(self._files[name], functions, strict=True):
                    program.tell("scan", index, scan)
                    program.tell("flags", index, flags)
                    program.tell(seen, index, kinds)
                    for what in WALKING if still else ():
                        program.tell(what, index, ())

    def keep(self, program: Program, seen: str) -> None:
        """Remember what was asked. ``seen`` is the name under which the events of functions were."""
        rows = {}
        for name, indexes in self._files.items():
            if self._known.get(name) == seen:
                continue
            told = [(*(program.told(what, index) for what in ("scan", "flags", seen)), not any(program.told(what, index) for what in WALKING))
                    for index in indexes]  # fmt: skip
            if all(None not in answers for answers in told):
                rows[name] = msgspec.msgpack.encode((seen, told))
        if rows:
            self._store.put(KIND, rows)
