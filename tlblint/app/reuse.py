"""What a run takes over from earlier ones: the facts of files that are the same, and what was found where all facts are.

The store answers with bytes that other runs gave it; whatever does not fit is made anew. Results of a defect of ours are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from tlblint.app.spine import Result, Spine
from tlblint.calls import record
from tlblint.engine import EngineResult
from tlblint.engine.roots import Over
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store, key

FACTS, RUN = "facts", "run"
PASSING = ("internal error", "the analysis of", "nested too deeply")
"""How reasons of gaps start that may not be met again."""

Compute = Callable[[Mapping[str, bytes]], list[FileFacts]]
"""Facts of files by path, in the order of the paths."""


class Facts(msgspec.Struct):
    """The facts of some files. ``rows`` are those that the store had, ``brief`` them without their functions, ``made`` those that are new.
    ``digest`` names them all, b"" when it cannot. ``again`` makes the facts of files anew."""

    made: dict[str, FileFacts]
    rows: dict[str, bytes]
    known: dict[str, FileFacts]
    digest: bytes
    again: Callable[[list[str]], list[FileFacts]]

    def brief(self) -> list[FileFacts]:
        """All files in path order; of those that the store had, without their functions."""
        return [fact for _, fact in sorted({**self.known, **self.made}.items())]

    def full(self) -> list[FileFacts]:
        """All files in path order."""
        lost = []
        for path, row in self.rows.items():
            try:
                self.made[path] = record.decode(row)
            except ValueError:
                lost.append(path)
        self.made.update({fact.path: fact for fact in self.again(lost)} if lost else {})
        self.rows.clear()
        return [fact for _, fact in sorted(self.made.items())]


def read(spine: Spine, contents: Mapping[str, bytes], store: Store, compute: Compute) -> Facts:
    """The facts of all files, those that the store does not have from ``compute``."""

    def again(paths: list[str]) -> list[FileFacts]:
        return compute({path: contents[path] for path in paths}) if paths else []

    if not spine.key or store is NOTHING:
        return Facts({fact.path: fact for fact in compute(contents)}, {}, {}, b"", again)
    keys = {path: key(spine.key, path, raw) for path, raw in contents.items()}
    held = store.get(FACTS, list(keys.values()))
    known = {path: fact for path, name in keys.items() if name in held and (fact := _brief(held[name], path)) is not None}
    made = {fact.path: replace(fact, shapes=record.shapes(fact)) for fact in again([path for path in contents if path not in known])}
    fresh = {keys[path]: row for path, fact in made.items() if (row := _row(fact)) is not None}
    if fresh:
        store.put(FACTS, fresh)
    lasting = all(keys[path] in fresh for path in made)
    return Facts(made, {path: held[keys[path]] for path in known}, known, key(*(keys[path] for path in sorted(keys))) if lasting else b"", again)


def _brief(row: bytes, path: str) -> FileFacts | None:
    try:
        fact = record.brief(row)
    except ValueError:
        return None
    return fact if fact.path == path else None


def _row(fact: FileFacts) -> bytes | None:
    """The bytes of facts that another run may use."""
    if any(gap.why.startswith(PASSING) for gap in fact.not_analysed):
        return None
    try:
        return record.encode(fact)
    except ValueError:
        return None


def judge(spine: Spine, facts: Facts, only: Callable[[str], bool] | None, over: Over, store: Store, part: str) -> Result:
    """What the engine finds in ``facts``. ``part`` says in words what ``only`` is."""
    if not spine.judging or store is NOTHING:
        return spine.analyse(facts.full(), only, over)
    name = key(spine.judging, facts.digest, part)
    row = store.get(RUN, [name]).get(name) if facts.digest else None
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            return msgspec.msgpack.decode(row, type=EngineResult)
    result = spine.analyse(facts.full(), only, over, store)
    if facts.digest and isinstance(result, EngineResult) and not any(gap.why.startswith(PASSING) for gap in result.not_analysed):
        store.put(RUN, {name: msgspec.msgpack.encode(result)})
    return result


