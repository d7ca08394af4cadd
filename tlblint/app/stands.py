"""What a run has found may stand where nothing but places has changed since, or functions that still do the same, in files that no finding speaks of.

Findings name lines in their texts, so a file that one of them mentions is judged again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

import msgspec

from tlblint.app.reuse import Facts
from tlblint.calls.record import shapes
from tlblint.engine.asked import EngineResult
from tlblint.engine.last import Edit, Remembered, remembered
from tlblint.model.ir import FileFacts
from tlblint.model.store import Store

FEW = 4
"""Files that may have changed: of more, something will be other than it was."""


class Edits(NamedTuple):
    """``last``: the last judging; ``changed``: facts that are others now, by path."""

    last: Remembered
    changed: Mapping[str, Edit]


def edits(facts: Facts, store: Store) -> Edits | None:
    """What has changed since the last judging; None where that is more than what some functions do, and where they stand."""
    last = remembered(store, facts.before) if facts.before is not None else None
    if last is None or facts.before is None or last.files.keys() != facts.names.keys():
        return None
    paths = [path for path, name in facts.names.items() if name != last.files[path]]
    changed = {}
    for path in paths if len(paths) <= FEW else ():
        was, now = facts.before.facts(last.files[path]), facts.made.get(path) or facts.before.facts(facts.names[path])
        if was is not None and now is not None and _same_parts(was, now):
            changed[path] = Edit(was, now)
    return Edits(last, changed) if changed and len(changed) == len(paths) else None


def _same_parts(was: FileFacts, now: FileFacts) -> bool:
    """Whether a file has as many functions as before, and the same tables and gaps in the same order, wherever they stand."""
    tables = [[(table.path, table.owner, table.name, table.type, table.slots) for table in facts.tables] for facts in (was, now)]
    gaps = [[(gap.function, gap.why) for gap in facts.not_analysed] for facts in (was, now)]
    return tables[0] == tables[1] and gaps[0] == gaps[1] and len(was.functions) == len(now.functions)


def only_moved(was: FileFacts, now: FileFacts) -> bool:
    """Whether the functions of a file do the same, wherever they stand."""
    return shapes(was) == shapes(now)


def silent(row: bytes, paths: Collection[str]) -> EngineResult | None:
    """A result, as the store holds it, if it mentions none of ``paths``."""
    with suppress(msgspec.DecodeError, ValueError):
        result = msgspec.msgpack.decode(row, type=EngineResult)
        texts = [text for finding in result.findings for text in (finding.path, finding.message)]
        texts += [text for finding in result.findings for step in finding.trace for text in (step.path, step.note, step.event, step.state)]
        texts += [text for finding in result.findings for event in finding.events for text in (event.path, event.text, event.note)]
        texts += [text for gap in result.not_analysed for text in (gap.path, gap.why)]
        return result if not any(path in text for path in paths for text in texts) else None
    return None
