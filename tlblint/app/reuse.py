"""What a run takes over from earlier ones: the facts of files that are the same.

The store answers with bytes that other runs gave it; whatever does not fit is made anew. Results of a defect of ours are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from tlblint.app.spine import Spine
from tlblint.calls import record
from tlblint.model.ir import FileFacts, NotAnalysed
from tlblint.model.store import NOTHING, Store, key

if TYPE_CHECKING:
    from tlblint.engine.last import Before

FACTS = "facts"
PASSING = ("internal error", "the analysis of", "nested too deeply")
"""How reasons of gaps start that may not be met again."""

Compute = Callable[[Mapping[str, bytes]], list[FileFacts]]
"""Facts of files by path, in the order of the paths."""


class Facts(msgspec.Struct):
    """The facts of some files. ``rows`` gives those that the store had, ``known`` has them without their functions, ``made`` those that are new.
    ``digest`` names them all, b"" when it cannot. ``again`` makes the facts of files anew."""

    made: dict[str, FileFacts]
    rows: Callable[[], dict[str, bytes]]
    known: dict[str, FileFacts]
    digest: bytes
    again: Callable[[list[str]], list[FileFacts]]
    names: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    """Those of the rows of all files, where all have one."""
    before: Before | None = None
    """The run before this one."""

    def brief(self) -> list[FileFacts]:
        """All files in path order; of those that the store had, without their functions."""
        return [fact for _, fact in sorted({**self.known, **self.made}.items())]

    def full(self) -> list[FileFacts]:
        """All files in path order."""
        lost = []
        for path, row in self.rows().items():
            try:
                self.made[path] = record.decode(row)
            except ValueError:
                lost.append(path)
        self.made.update({fact.path: fact for fact in self.again(lost)} if lost else {})
        self.rows = dict
        return [fact for _, fact in sorted(self.made.items())]


class Ready(NamedTuple):
    """A file that was read before anybody knew that it is of interest: what it holds, and the name and the row of its facts."""

    raw: bytes
    name: bytes
    row: bytes


def ready(spine: Spine, contents: Mapping[str, bytes], store: Store) -> dict[str, Ready]:
    """What is known of files, by path; those that the store does not have are missing."""
    names = {path: name_of(spine, path, raw) for path, raw in contents.items()}
    rows = store.get(FACTS, list(names.values()))
    return {path: Ready(contents[path], name, rows[name]) for path, name in names.items() if name in rows}


def read(spine: Spine, contents: Mapping[str, bytes], store: Store, compute: Compute, early: Mapping[str, Ready] | None = None) -> Facts:
    """The facts of all files, those that the store does not have from ``compute``. ``early``: what ``ready`` said of some."""

    def again(paths: list[str]) -> list[FileFacts]:
        return compute({path: contents[path] for path in paths}) if paths else []

    if not spine.key or store is NOTHING:
        return Facts({fact.path: fact for fact in compute(contents)}, dict, {}, b"", again)
    at_hand = {path: one for path, one in (early or {}).items() if contents.get(path) is one.raw}
    keys = {path: at_hand[path].name if path in at_hand else name_of(spine, path, raw) for path, raw in contents.items()}
    held = {one.name: one.row for one in at_hand.values()} | store.get(FACTS, [name for path, name in keys.items() if path not in at_hand])
    known = {path: fact for path, name in keys.items() if name in held and (fact := _brief(held[name], path)) is not None}
    made = {fact.path: replace(fact, shapes=record.shapes(fact)) for fact in again([path for path in contents if path not in known])}
    fresh = {keys[path]: row for path, fact in made.items() if (row := _row(fact)) is not None}
    if fresh:
        store.put(FACTS, fresh)
    lasting = all(keys[path] in fresh for path in made)
    rows = {path: held[keys[path]] for path in known}
    return Facts(made, lambda: rows, known, digest(keys), again, keys) if lasting else Facts(made, lambda: rows, known, b"", again)


def name_of(spine: Spine, path: str, raw: bytes) -> bytes:
    """Under which name the facts of a file are held."""
    return key(spine.key, path, raw)


def digest(names: Mapping[str, bytes]) -> bytes:
    """A name for the facts of files, by those of each."""
    return key(*(names[path] for path in sorted(names)))


def known_or(spine: Spine, contents: Mapping[str, bytes], store: Store, compute: Compute) -> list[FileFacts]:
    """The facts of files in path order, from the store where it has them."""
    keys = {path: name_of(spine, path, raw) for path, raw in contents.items()}
    held = store.get(FACTS, list(keys.values()))
    found: dict[str, FileFacts] = {}
    for path, name in keys.items():
        with suppress(ValueError, KeyError):
            found[path] = record.decode(held[name])
    lost = {path: raw for path, raw in contents.items() if path not in found or found[path].path != path}
    found.update({fact.path: fact for fact in compute(lost)} if lost else {})
    return [fact for _, fact in sorted(found.items())]


def _brief(row: bytes, path: str) -> FileFacts | None:
    try:
        fact = record.brief(row)
    except ValueError:
        return None
    return fact if fact.path == path else None


def passing(gaps: Sequence[NotAnalysed]) -> bool:
    """Whether another run may have more luck."""
    return any(gap.why.startswith(PASSING) for gap in gaps)


def _row(fact: FileFacts) -> bytes | None:
    """The bytes of facts that another run may use."""
    if passing(fact.not_analysed):
        return None
    try:
        return record.encode(fact)
    except ValueError:
        return None
