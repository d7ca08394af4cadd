"""What is said of a predicate that was executed."""

from __future__ import annotations

from collections.abc import Sequence

from tlblint.predicates.repair import Edit
from tlblint.predicates.survey import Row
from tlblint.predicates.truth import Verdict
from tlblint.report.predicates_view import Judged, PredicateView


def view_of(row: Row) -> PredicateView:
    """A predicate."""
    judged = tuple(Judged(v.oracle, v.kind, v.missed, v.redundant, changed(v), tuple(f"{c.words} ({c.count})" for c in v.changes)) for v in row.verdicts)
    code, does = (row.edit.code, worth(row.edit)) if row.edit is not None else ((), "")
    return PredicateView(row.profile, row.name, row.path, row.line, judged, code, does, f"{row.blocker}{f' at {row.at}' if row.at else ''}")


def changed(verdict: Verdict) -> str:
    """The smallest change that a predicate is wrong about; "" when it is about none."""
    if verdict.kind == "exact":
        return ""
    return f"{_entry(verdict.old)} -> {_entry(verdict.new)}" if verdict.changes or verdict.new else _entry(verdict.old)


def worth(edit: Edit) -> str:
    """What an edit of a predicate does."""
    return f"adds {edit.mended} flushes" if edit.mended else f"saves {edit.spared} redundant flushes and keeps each needed one"


def _entry(bits: Sequence[str]) -> str:
    return "|".join(bits) or "0"
