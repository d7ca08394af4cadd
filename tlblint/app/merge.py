"""``tlblint merge``: shards of one check back to the report that the check would have given in one piece."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import replace

from tlblint import __version__
from tlblint.app import baselines, shard
from tlblint.app.request import Outcome
from tlblint.app.shard import Part
from tlblint.findings import baseline
from tlblint.findings.refine import order
from tlblint.io import config, data
from tlblint.io.config import Setting
from tlblint.io.errors import InputError
from tlblint.io.tree import below
from tlblint.model.finding import Finding
from tlblint.report.predicates_view import together
from tlblint.report.text import plural
from tlblint.report.view import Health, Report, Stale

MOST = 1 << 28
"""Bytes of the largest file that is read."""


class Request(msgspec.Struct, frozen=True):
    """Which shards to put together. ``flags``: settings of the command line, which win over those of the shards. ``options``: the words of the
    command line that are no shards."""

    cwd: str
    files: tuple[str, ...]
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    update_baseline: bool = False
    verbose: bool = False
    options: tuple[str, ...] = ()


def merge(request: Request, raws: Sequence[bytes] | None = None) -> Outcome:
    """One outcome of all shards of a check. ``raws``: the bytes of the files, when they were read already. Raises InputError."""
    parts = _complete([(name, shard.load(raw, name)) for name, raw in zip(request.files, raws or read(request), strict=True)])
    first = parts[0]
    if request.verbose and not first.asked["verbose"]:
        raise InputError("-v", "the shards did not look at what contracts keep quiet", "run them with -v, too")
    settings = _settings(first, request.flags)
    report = _joined(parts)
    plain = order(chain.from_iterable(part.rest.plain or part.report.findings for part in parts))
    marked, stale = _known(plain, parts, settings, request)
    findings = [mark if mark.suppressed_by == "baseline" else found for mark, found in zip(marked, report.findings, strict=True)]
    report = replace(report, findings=tuple(findings), stale=stale)
    return Outcome(report, settings, request.cwd, place=lambda path: shard.placed(first, path), command=_command(first, request))


def _command(part: Part, request: Request) -> str:
    """The command line that gives the report in one piece."""
    words = shlex.split(part.command)
    return shlex.join([*words, *(word for word in request.options if word not in words)])


def read(request: Request) -> list[bytes]:
    """The bytes of the files. Raises InputError."""
    found = []
    for name in request.files:
        try:
            found.append(data.regular(os.path.join(request.cwd, name), MOST))
        except OSError as error:
            raise InputError(name, f"cannot be read: {(error.strerror or str(error)).lower()}", "") from None
    return found


def _complete(named: Sequence[tuple[str, Part]]) -> list[Part]:
    """The shards in their order, all of one check and each there once. Raises InputError."""
    names: dict[int, str] = {}
    first_name, first = named[0]
    for name, part in named:
        for what, one, other in _same(first, part):
            if one != other:
                raise InputError(name, f"of another check than {first_name}: {what}", "merge the shards of one check")
        if part.shard.number in names:
            raise InputError(name, f"shard {part.shard.number}/{part.shard.of}, as {names[part.shard.number]} is", "name each shard once")
        names[part.shard.number] = name
    missing = sorted(set(range(1, first.shard.of + 1)) - set(names))
    if missing:
        few = ", ".join(map(str, missing[:8])) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        raise InputError("merge", f"of {plural(first.shard.of, 'shard')} {few} {'is' if len(missing) == 1 else 'are'} missing", "name all of them")
    if first.report.version != __version__:
        raise InputError(first_name, f"made by tlblint {first.report.version}, this is {__version__}", "merge with the version that checked")
    return [part for _, part in sorted(named, key=lambda item: item[1].shard.number)]


def _same(one: Part, other: Part) -> list[tuple[str, object, object]]:
    """What shards of one check have in common: (what differs, here, there)."""
    pairs: list[tuple[str, Callable[[Part], object]]] = [
        ("another version of tlblint", lambda part: part.report.version),
        ("other rules", lambda part: part.report.ruleset),
        ("a check in other parts", lambda part: part.shard.of),
        ("another revision", lambda part: (part.report.kind, part.report.revision)),
        ("other PATHs", lambda part: part.rest.roots),
        ("another tree", lambda part: (part.rest.tree, part.report.generation, part.report.submodules, part.report.health.listed)),
        ("other rules or profiles chosen", lambda part: (part.asked, part.report.profiles)),
        ("another baseline", lambda part: part.baseline),
        ("other settings", lambda part: (part.settings, part.command)),
    ]
    return [(what, of(one), of(other)) for what, of in pairs]


def _settings(part: Part, flags: Mapping[str, Any]) -> dict[str, Setting]:
    """The settings of the shards below the flags of this command."""
    found = {name: Setting(tuple(value) if isinstance(value, list) else value, origin) for name, (value, origin) in part.settings.items()}
    given = {name: Setting(value, f"--{name}") for name, value in flags.items() if value is not None and value != ()}
    return {**{key.name: Setting(key.default, "default") for key in config.KEYS}, **found, **given}


def _joined(parts: Sequence[Part]) -> Report:
    """One report, without a baseline."""
    reports = [part.report for part in parts]
    states = [report.health for report in reports]
    functions, partial = sum(state.functions for state in states), sum(part.rest.partial for part in parts)
    whole = max(0, functions - partial - sum(part.rest.lost for part in parts))
    gaps = sorted(chain.from_iterable(state.not_analysed for state in states), key=lambda gap: gap.path)  # those of a file come from one shard, in order
    health = Health(states[0].listed, sum(state.files for state in states), functions, whole, partial, tuple(gaps))
    sources = {path: raw for report in reports for path, raw in report.sources.items()}
    return replace(
        reports[0],
        health=health,
        findings=tuple(order(chain.from_iterable(report.findings for report in reports))),
        sources={path: sources[path] for path in sorted(sources)},
        graphs={place: graph for part in parts for place, graph in part.graphs},
        executed=together(view for report in reports if report.executed for view in report.executed.predicates),
        excused=tuple(sorted(chain.from_iterable(report.excused for report in reports))),
    )


def _known(
    findings: list[Finding], parts: Sequence[Part], settings: Mapping[str, Setting], request: Request
) -> tuple[list[Finding], tuple[Stale, ...]]:
    """The baseline over the whole: that of the shards, or the file that --baseline names."""
    first, roots = parts[0], parts[0].rest.roots
    judged, unsure = frozenset(first.rest.judged), frozenset(chain.from_iterable(part.rest.unsure for part in parts))

    def sure(rule: str, path: str) -> bool:
        return rule in judged and path not in unsure and below(path, roots)

    if request.flags.get("baseline") or request.update_baseline:
        return baselines.apply(findings, settings["baseline"].value, sure, request)
    if first.baseline is None:
        return findings, ()
    marked, unmatched = baseline.apply(findings, baseline.parse(first.baseline))
    return marked, tuple(Stale(entry.fingerprint, entry.rule, entry.path, entry.function) for entry in unmatched if sure(entry.rule, entry.path))
