"""``tlblint report``: a stored result in any format, and against an older one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tlblint.app import rules
from tlblint.app.request import Outcome
from tlblint.app.spine import Loader
from tlblint.app.targets import targets
from tlblint.io import config, data
from tlblint.io.errors import InputError
from tlblint.io.tree import open_tree, read_all
from tlblint.report.compare import compare
from tlblint.report.jsonin import BadResult, decode
from tlblint.report.view import Report, RuleView

MOST = 256 << 20
"""Bytes of the largest result that is read."""
ELSEWHERE = "Excerpts are those of the tree that was named: where a patch moves lines they do not fit."


class ReportRequest(msgspec.Struct, frozen=True):
    """What to render. ``file`` and ``against`` are results of -f json or -f jsonl; ``tree``, ``revision``: where the sources are, if anywhere."""

    cwd: str
    file: str
    against: str | None = None
    tree: str | None = None
    revision: str | None = None
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    rules: Sequence[str] = ()


def report(request: ReportRequest, loader: Loader | None = None) -> Outcome:
    """Read a stored result. Raises InputError."""
    settings = config.load(None, request.cwd, request.flags)
    targets(settings["format"].value)
    found = stored(request.cwd, request.file)
    if request.against is not None:
        older = stored(request.cwd, request.against)
        found = replace(found, compared=compare(older.findings, found.findings, request.against))
    manuals = rules.catalogue(tuple(os.path.abspath(path) for path in request.rules), loader)
    used = {finding.rule for finding in found.findings}
    views = {code: RuleView(r.code, r.slug, r.severity, r.confidence, r.title, r.text, r.path) for code, r in manuals.items() if code in used}
    found = replace(found, rules=views)
    if request.tree is None and request.revision is None:
        return Outcome(found, settings, request.cwd)
    return _with_sources(found, settings, request)


def stored(cwd: str, name: str) -> Report:
    """The result in a file. Raises InputError that names the place in the JSON and what was expected there."""
    try:
        return decode(data.regular(os.path.join(cwd, name), MOST))
    except FileNotFoundError:
        raise InputError(name, "no such file", "write one with tlblint check -f json=FILE") from None
    except (OSError, ValueError) as error:
        raise InputError(name, f"cannot be read: {(getattr(error, 'strerror', None) or str(error)).lower()}") from None
    except BadResult as error:
        raise InputError(f"{name}: {error.place}", error.what, "this command reads what -f json or -f jsonl wrote") from None


def _with_sources(found: Report, settings: config.Settings, request: ReportRequest) -> Outcome:
    """With the files that findings name, as far as the tree has them: names in a stored result may lead anywhere."""
    tree = open_tree(request.cwd, request.tree, request.revision)
    try:
        known = frozenset(tree.list().paths)
        named = {path for finding in found.findings for path in (finding.path, *(step.path for step in finding.trace))}
        sources, _ = read_all(tree, sorted(named & known))
        if found.series is not None:
            found = replace(found, series=replace(found.series, notes=(*found.series.notes, ELSEWHERE)))
        return Outcome(replace(found, sources=sources), settings, tree.top)
    finally:
        tree.close()
