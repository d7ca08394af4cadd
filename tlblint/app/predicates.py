"""``tlblint predicates``: execute the flush predicates and helpers of a tree, and say what they are worth."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Sequence

import msgspec

from tlblint.app.predicates_data import Data, chosen, place, shipped
from tlblint.app.predicates_said import changed, worth
from tlblint.app.reading import Reading
from tlblint.app.simulate import machines
from tlblint.io import data
from tlblint.io.errors import InputError
from tlblint.io.tree import open_tree
from tlblint.names.index import Read
from tlblint.names.unit import Shelf
from tlblint.predicates import protocol, survey
from tlblint.predicates.errors import DataError
from tlblint.predicates.profile import Profile
from tlblint.predicates.protocol import Explored, Protocol
from tlblint.predicates.survey import Row
from tlblint.report.text import clean


class Surveyed(msgspec.Struct, frozen=True):
    """What came of one profile. ``files`` were read; ``seconds``: reading them, executing predicates, executing helpers."""

    profile: str
    rows: tuple[Row, ...]
    files: int
    seconds: tuple[float, float, float]
    explored: tuple[Explored, ...] = ()


def protocols() -> tuple[tuple[Protocol, str], ...]:
    """The protocols that ship, each with its shell. Raises InputError."""
    try:
        shells = data.files(place(), ".shell")
        return tuple((one, shells[one.shell].decode()) for one in protocol.load(data.read(os.path.join(place(), "protocols.toml"))))
    except (OSError, DataError, KeyError, ValueError) as error:
        raise InputError(place(), str(error)) from None


def predicates(cwd: str, directory: str | None, revision: str | None, wanted: Sequence[str], with_helpers: bool = True) -> tuple[Surveyed, ...]:
    """Execute what a tree has, for each profile. Raises InputError."""
    ships = shipped()
    threads = protocols() if with_helpers else ()
    picked = chosen(wanted, ships.profiles)
    tree = open_tree(cwd, directory, revision)
    try:
        read = Reading(tree)
        if read("include/linux/mm.h") is None:
            raise InputError(directory or cwd, "no kernel source tree: include/linux/mm.h is missing", "name one with --tree DIR")
        shelf = Shelf(read)
        return tuple(_surveyed(shelf, read, profile, ships, with_helpers, threads) for profile in picked if read(f"arch/{profile.arch}/Kconfig") is not None)
    finally:
        tree.close()


def _surveyed(shelf: Shelf, read: Read, profile: Profile, ships: Data, with_helpers: bool, threads: Sequence[tuple[Protocol, str]]) -> Surveyed:
    times = [time.perf_counter()]
    seen = survey.reader(shelf, read, profile, ships.modelled, ships.sizes)
    times.append(time.perf_counter())
    try:
        rows = survey.predicates(seen)
    except DataError as error:
        raise InputError(f"rules/predicates/{profile.name}.toml", str(error)) from None
    times.append(time.perf_counter())
    explored: tuple[Explored, ...] = ()
    if with_helpers:
        rows += survey.covered(seen, ships.helpers)
        explored = tuple(e for one, shell in threads if one.profile == profile.name for e in protocol.run(seen, one, shell, machines()))
    times.append(time.perf_counter())
    spent = [b - a for a, b in itertools.pairwise(times)]
    return Surveyed(profile.name, rows, len(seen.unit.files), (spent[0], spent[1], spent[2]), explored)


def as_json(found: Sequence[Surveyed]) -> str:
    """``{"schema": "tlblint-predicates/1", "rows": [...], "profiles": [...]}``, a row for each predicate and helper of a profile."""
    rows = [{**msgspec.to_builtins(row), "executed": not row.blocker} for one in found for row in one.rows]
    parts = ("read", "predicates", "helpers")
    spent = [{"profile": one.profile, "files": one.files, **{part: round(s, 3) for part, s in zip(parts, one.seconds, strict=True)}} for one in found]
    helpers = [row for one in found for row in one.rows if row.kind == "helper"]
    covered = {"helpers": len(helpers), "executed": sum(not row.blocker for row in helpers)}
    explored = [msgspec.to_builtins(run) for one in found for run in one.explored]
    document = {"schema": "tlblint-predicates/1", "coverage": covered, "rows": rows, "protocols": explored, "profiles": spent}
    return json.dumps(document, indent=2) + "\n"


def as_text(found: Sequence[Surveyed], in_full: bool) -> str:
    """Tables: predicates with their verdicts, helpers with their blockers; ``in_full`` names executed helpers, too."""
    lines: list[str] = []
    for one in found:
        lines += [f"{one.profile}  ({one.files} files, {sum(one.seconds):.1f} s)"]
        for row in one.rows:
            if row.kind == "predicate":
                lines += _predicate(row)
        helpers = [row for row in one.rows if row.kind == "helper"]
        if helpers:
            executed = sum(not row.blocker for row in helpers)
            lines.append(f"  helpers executed: {executed} of {len(helpers)}")
            told = [row for row in helpers if in_full or row.blocker]
            lines += [f"    {row.name}  {row.path}:{row.line}  {row.blocker or 'executed'}{f' at {row.at}' if row.at else ''}" for row in told]
        for run in one.explored:
            lines += _protocol(run)
        lines.append("")
    rows = [row for one in found for row in one.rows]
    helpers = [row for row in rows if row.kind == "helper"]
    unsafe = sum(row.refuted is not None for row in rows)
    judged = sum(bool(row.verdicts) for row in rows)
    runs = [run for one in found for run in one.explored]
    if runs:
        own = [run for run in runs if not run.variant]
        lines.append(f"{len(own)} protocol run{'s' * (len(own) != 1)}, {sum(run.refuted for run in own)} refuted; {len(runs) - len(own)} with a difference.")
    lines.append(f"{judged} predicate{'s' * (judged != 1)} judged, {unsafe} unsafe; {sum(not r.blocker for r in helpers)} of {len(helpers)} helpers executed.")
    return "".join("\t".join(map(clean, line.split("\t"))) + "\n" for line in lines)  # names, paths and code are the tree's


def _predicate(row: Row) -> list[str]:
    lines = [f"  {row.name}  {row.path}:{row.line}"]
    if row.blocker:
        lines.append(f"    not judged: {row.blocker}{f' at {row.at}' if row.at else ''}")
    for verdict in row.verdicts:
        if verdict.kind == "exact":
            lines.append(f"    exact: {verdict.oracle}")
            continue
        what = "flushes missing" if verdict.kind == "unsafe" else "redundant flushes"
        lines.append(f"    {verdict.kind}: {verdict.oracle}: {verdict.count} {what}, the smallest {changed(verdict)}")
        if verdict.changes:
            lines.append("      single bits: " + ", ".join(f"{change.words} ({change.count})" for change in verdict.changes))
    if row.edit is not None:
        lines.append(f"    an edit that {worth(row.edit)}:")
        lines += [f"      {code}" for code in row.edit.code]
    return lines


def _protocol(run: Explored) -> list[str]:
    lines = [f"  protocol {run.name} from {run.start:#x}: {run.verdict}{f' in {run.length} steps' if run.length else ''}"]
    lines[0] += f"  ({run.nodes} states of the functions, {run.states} of the system)" if run.states else f"  ({run.blocker})"
    if run.variant:
        told = f"{run.verdict}{f' in {run.length} steps' if run.length else ''}{f'  ({run.blocker})' if run.blocker else ''}"
        lines = [f"    with a difference: {run.variant}: {told}"]
    elif run.witness is not None:
        for step in run.witness.steps:
            place = f"  {step.path}:{step.line}" if step.path else ""
            lines.append(f"    {step.number:3} {step.actor}: {step.text}{f'  ({step.note})' if step.note else ''}{place}")
    return lines
