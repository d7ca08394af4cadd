"""Findings with the simulator's verdict: what it confirms, what it refutes, what it cannot say, and mends that it has tried."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tlblint.findings.fingerprint import fingerprints
from tlblint.findings.lines import Lines
from tlblint.io import data, pool
from tlblint.io.stamp import stamp
from tlblint.model.finding import Finding, PathEvent, RawFinding
from tlblint.model.store import NOTHING, Store, key
from tlblint.model.witness import Fix

if TYPE_CHECKING:
    from tlblint.crosscheck.verdict import Judge, Judgement

VERDICT = "verdict"
PLACE = "fixtures/scenarios"

RATE = 150
"""States that are counted as a millisecond: a budget must not depend on how busy the machine is."""
SEVERAL = 4
"""Findings that take longer than it takes to start processes for them."""
LOWER = {"error": "warning", "warning": "note", "note": "note"}


def simulated(
    findings: Sequence[Finding], raw: Sequence[RawFinding], contents: Mapping[str, bytes], lines: Mapping[str, Lines], budget: int, store: Store = NOTHING,
    jobs: int = 1,
) -> list[Finding]:  # fmt: skip
    """Every finding that is not suppressed, judged within ``budget`` milliseconds' worth of states each. ``raw`` holds what they were made of,
    ``store`` remembers what was said of equal ones. On ``jobs`` processes, where there is enough for several.

    Raises InputError when the simulator's machines are missing.
    """
    # Two static functions of one name in two files may share a fingerprint.
    paths = {(one.path, name): one for name, one in zip(fingerprints(list(dict.fromkeys(raw))), dict.fromkeys(raw), strict=True)}
    live = [(at, (finding.path, finding.fingerprint)) for at, finding in enumerate(findings) if finding.suppressed_by is None]
    asked = [(at, paths[name]) for at, name in live if name in paths]
    out = list(findings)
    if not asked:
        return out
    under = _under(budget) if store is not NOTHING else b""
    names = {at: _name(under, findings[at], path, contents) for at, path in asked} if under else {}
    held = {name: finding for name, row in store.get(VERDICT, list(names.values())).items() if (finding := _back(row)) is not None}
    waiting = [(at, path) for at, path in asked if names.get(at, b"") not in held]
    fresh = dict(zip((at for at, _ in waiting), _judged(findings, waiting, contents, lines, budget, jobs), strict=True)) if waiting else {}
    for at, _ in asked:
        out[at] = fresh[at] if at in fresh else held[names[at]]
    rows = {}
    for at, finding in fresh.items() if names else ():
        with suppress(UnicodeEncodeError):  # a file name that is not UTF-8: not worth a memory
            rows[names[at]] = msgspec.msgpack.encode(finding)
    if rows:
        store.put(VERDICT, rows)
    return out


def _judged(
    findings: Sequence[Finding], waiting: Sequence[tuple[int, RawFinding]], contents: Mapping[str, bytes], lines: Mapping[str, Lines], budget: int, jobs: int
) -> list[Finding]:
    judge = _judge(lines)

    def one(number: int) -> Finding:
        at, path = waiting[number]
        return told(findings[at], judge.judge(path, budget * RATE), contents)

    return pool.map_ordered(one, range(len(waiting)), jobs if len(waiting) >= SEVERAL else 1, one, most=1)


def _judge(lines: Mapping[str, Lines]) -> Judge:
    from tlblint.app.simulate import machines
    from tlblint.crosscheck.verdict import Judge

    return Judge(machines(), _places(lines))


def _under(budget: int) -> bytes:
    """What all verdicts rest on: the simulator, its machines and the budget."""
    return key(stamp(), repr(data.files(os.path.join(data.root(PLACE), "profiles"), ".toml")), str(budget))


def _name(under: bytes, finding: Finding, path: RawFinding, contents: Mapping[str, bytes]) -> bytes:
    """What one verdict rests on besides: the finding, its path, and the files that these speak of."""
    files = sorted({path.path, *(event.path for event in path.events)})
    return key(under, repr((finding, path)), *(contents.get(name, b"") for name in files))


def _back(row: bytes) -> Finding | None:
    try:
        return msgspec.msgpack.decode(row, type=Finding)
    except (msgspec.DecodeError, ValueError):
        return None


def _places(lines: Mapping[str, Lines]) -> Callable[[PathEvent], tuple[str, int]]:
    return lambda event: (event.path, lines[event.path].locate(event.pos)[0] if event.path in lines else 1)


def told(finding: Finding, judgement: Judgement, contents: Mapping[str, bytes]) -> Finding:
    """The finding with a judgement. One that is refuted is reported one level lower, never hidden."""
    severity = LOWER.get(finding.severity, finding.severity) if judgement.verdict == "refuted" else finding.severity
    return replace(
        finding,
        verdict=judgement.verdict,
        assumptions=judgement.assumptions,
        reason=judgement.reason,
        witness=judgement.witness,
        fix=_fix(judgement, contents),
        severity=severity,
    )


def _fix(judgement: Judgement, contents: Mapping[str, bytes]) -> Fix | None:
    from tlblint.crosscheck.fix import diff

    mended = judgement.mended
    if mended is None:
        return None
    edit = mended.edit
    text = diff(edit.at.path, contents[edit.at.path], edit) if edit is not None and edit.at.path in contents else ""
    return Fix(mended.note, text, True, judgement.added, judgement.useful, judgement.visited)
