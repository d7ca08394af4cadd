"""All predicates and helpers of a tree as one profile has them: what each says, or what stops it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tlblint.names.index import Read
from tlblint.names.unit import Shelf, Unit, build
from tlblint.predicates import helpers, repair, truth
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Names
from tlblint.predicates.profile import Profile
from tlblint.predicates.repair import Edit
from tlblint.predicates.truth import Table, Verdict

PAIRS = (("pte_needs_flush", "pte"), ("pte_may_need_flush", "pte"), ("huge_pmd_needs_flush", "pmd"))
"""Predicates of an old and a new entry, and the level they are asked about."""
ACCESSIBLE = "pte_accessible"


class Row(msgspec.Struct, frozen=True):
    """A predicate or helper of one profile. ``blocker`` is empty when it was executed, ``at`` is where it stopped."""

    profile: str
    name: str
    kind: str
    path: str
    line: int
    blocker: str = ""
    at: str = ""
    verdicts: tuple[Verdict, ...] = ()
    edit: Edit | None = None
    events: tuple[str, ...] = ()

    @property
    def refuted(self) -> Verdict | None:
        """The verdict that proves it wrong on the profile's machine: unsafe by the first oracle, which asks for least."""
        return self.verdicts[0] if self.verdicts and self.verdicts[0].kind == "unsafe" else None


class Reader(msgspec.Struct, frozen=True):
    """A tree seen by one profile."""

    profile: Profile
    unit: Unit
    names: Names
    modelled: Models
    base: Setting


def reader(shelf: Shelf, read: Read, profile: Profile, modelled: Models, sizes: Mapping[str, int]) -> Reader:
    """Read the headers of a tree as the profile's compiler would."""
    unit = build(shelf, profile.roots, profile.macros(read), profile.places())
    names = Names(unit, modelled, profile.long_bits)
    base = Setting(truth.no_start, profile.constants, frozenset(profile.features), {**sizes, **profile.sizes}, False)
    return Reader(profile, unit, names, modelled, base)


def defined(seen: Reader, name: str) -> tuple[str, int] | None:
    """(path, line) of a function with a body or a function-like macro; None when the tree has neither."""
    try:
        function = seen.names.function(name)
    except Inconclusive:
        function = None
    if function is not None:
        return seen.unit.where(function.at)
    macro = seen.unit.last(name)
    return (macro.path, macro.line) if macro is not None and macro.params is not None else None


def predicates(seen: Reader) -> tuple[Row, ...]:
    """The predicates that the tree has, executed for all entries and judged by the profile's oracles."""
    rows = []
    for name, level in PAIRS:
        if (place := defined(seen, name)) is not None:
            rows.append(_pair(seen, name, level, place))
    if (place := defined(seen, ACCESSIBLE)) is not None:
        rows.append(_accessible(seen, place))
    return tuple(rows)


def _pair(seen: Reader, name: str, level: str, place: tuple[str, int]) -> Row:
    profile = seen.profile
    if not profile.bit:
        return Row(profile.name, name, "predicate", *place, "no oracle for this machine")
    try:
        table = truth.run_pair(seen.names, seen.modelled, seen.base, profile.bits(), name, level, profile.fixed)
    except Inconclusive as stopped:
        return Row(profile.name, name, "predicate", *place, stopped.blocker, stopped.where)
    oracles = [o for o in profile.oracles() if level in o.levels]
    verdicts = tuple(truth.judge(table, oracle.name, oracle.needed) for oracle in oracles)
    return Row(profile.name, name, "predicate", *place, verdicts=verdicts, edit=_edit(seen, name, table, verdicts))


def _edit(seen: Reader, name: str, table: Table, verdicts: Sequence[Verdict]) -> Edit | None:
    function = seen.names.function(name)
    params = tuple(n for _, n in function.params[:2]) if function is not None else ()
    names = (params[0], params[1]) if len(params) == 2 else ("oldpte", "newpte")
    oracles = {oracle.name: oracle for oracle in seen.profile.oracles()}
    first = verdicts[0]
    if first.kind == "unsafe":
        return repair.wider(table, oracles[first.oracle], names)
    return repair.narrower(table, [oracles[v.oracle] for v in verdicts if v.kind != "unsafe"], names)


def _accessible(seen: Reader, place: tuple[str, int]) -> Row:
    profile = seen.profile
    if not profile.accessible:
        return Row(profile.name, ACCESSIBLE, "predicate", *place, "no oracle for this machine")
    try:
        table = truth.run_accessible(seen.names, seen.modelled, seen.base, profile.accessible_bits())
    except Inconclusive as stopped:
        return Row(profile.name, ACCESSIBLE, "predicate", *place, stopped.blocker, stopped.where)
    return Row(profile.name, ACCESSIBLE, "predicate", *place, verdicts=(truth.judge(table, "may be in a TLB", profile.accessible),))


def covered(seen: Reader, wanted: Sequence[str]) -> tuple[Row, ...]:
    """The helpers of a list that the tree has, each run from several start states."""
    rows = []
    for ran in helpers.run_all(seen.names, seen.modelled, seen.base, wanted):
        path, _, line = ran.where.rpartition(":")
        rows.append(Row(seen.profile.name, ran.name, "helper", path, int(line or 0), ran.blocker, ran.at, events=ran.events))
    return tuple(rows)
