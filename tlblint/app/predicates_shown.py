"""What the predicates of a tree are found to be, as reports show it."""

from __future__ import annotations

from collections.abc import Sequence

from tlblint import __version__
from tlblint.app.predicates import Surveyed
from tlblint.app.predicates_said import view_of
from tlblint.predicates.protocol import Explored
from tlblint.report.predicates_view import Executed, ProtocolView
from tlblint.report.view import Health, Report


def protocol_of(profile: str, run: Explored) -> ProtocolView:
    """A protocol; the steps of variants are left out."""
    steps = run.witness.steps if run.witness is not None and not run.variant else ()
    told = tuple((step.number, step.actor, step.text, f"{step.path}:{step.line}" if step.path else "") for step in steps)
    return ProtocolView(profile, run.name, run.start, run.variant, run.verdict, run.length, run.states, run.blocker, told)


def report_of(found: Sequence[Surveyed], kind: str, revision: str | None, command: str) -> Report:
    """A report of a run that did nothing else."""
    rows = [row for one in found for row in one.rows]
    helpers = [row for row in rows if row.kind == "helper"]
    executed = Executed(
        tuple(view_of(row) for row in rows if row.kind == "predicate"),
        tuple(protocol_of(one.profile, run) for one in found for run in one.explored),
        sum(not row.blocker for row in helpers),
        len(helpers),
        alone=True,
    )
    profiles = tuple(one.profile for one in found)
    health = Health(0, 0, 0, 0, 0, ())
    return Report(__version__, "", kind, revision, None, profiles, health, (), {}, {}, command=command, executed=executed)
