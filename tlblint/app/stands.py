"""What a run has found stands where nothing but places has changed since, in files that no finding speaks of: a comment, a blank line.

Findings name lines in their texts, so a file that one of them mentions is judged again.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

import msgspec

from tlblint.calls.record import shapes
from tlblint.engine.asked import EngineResult
from tlblint.model.ir import FileFacts


def only_moved(was: FileFacts, now: FileFacts) -> bool:
    """Whether a file has the same functions, tables and gaps in the same order, wherever they stand."""
    tables = [[(table.path, table.owner, table.name, table.type, table.slots) for table in facts.tables] for facts in (was, now)]
    gaps = [[(gap.function, gap.why) for gap in facts.not_analysed] for facts in (was, now)]
    return tables[0] == tables[1] and gaps[0] == gaps[1] and shapes(was) == shapes(now)


def silent(row: bytes, paths: Collection[str]) -> bool:
    """Whether a result, as the store holds it, mentions none of ``paths``."""
    with suppress(msgspec.DecodeError, ValueError):
        result = msgspec.msgpack.decode(row, type=EngineResult)
        texts = [text for finding in result.findings for text in (finding.path, finding.message)]
        texts += [text for finding in result.findings for step in finding.trace for text in (step.path, step.note, step.event, step.state)]
        texts += [text for finding in result.findings for event in finding.events for text in (event.path, event.text, event.note)]
        texts += [text for gap in result.not_analysed for text in (gap.path, gap.why)]
        return not any(path in text for path in paths for text in texts)
    return False
