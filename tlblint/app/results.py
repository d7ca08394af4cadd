"""``tlblint merge`` of whole results: what a queue of series, or a check under many settings, gave, in one list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tlblint.app.emit import status
from tlblint.app.report import stored
from tlblint.io import config
from tlblint.io.config import Setting
from tlblint.io.errors import InputError
from tlblint.report import jsonout
from tlblint.report.health import summary
from tlblint.report.text import clean, plural
from tlblint.report.view import Report, Style

SCHEMA = "tlblint-results/1"


class Result(msgspec.Struct, frozen=True):
    """A stored result and the file that it came from."""

    file: str
    report: Report


def are_results(raw: bytes) -> bool:
    """Whether a file looks like a result of -f json or -f jsonl and not like a shard."""
    return b'"tlblint-findings/' in raw[:400]


def load(cwd: str, files: Sequence[str]) -> list[Result]:
    """The results, in the order of their files' names. Raises InputError for doubles and for those of other rules."""
    results = [Result(name, stored(cwd, name)) for name in sorted(files)]
    seen: dict[object, str] = {}
    first = results[0]
    for result in results:
        one = result.report
        if (one.version, one.ruleset) != (first.report.version, first.report.ruleset):
            raise InputError(result.file, f"by other rules than {first.file}", "check both with one version of tlblint")
        name = jsonout.render(one, Style())
        if name in seen:
            raise InputError(result.file, f"the same result as {seen[name]}", "name each once")
        seen[name] = result.file
    return results


def text(results: Sequence[Result]) -> str:
    """One line a result, and a last one with the sums."""
    width = max(len(clean(result.file)) for result in results)
    lines = [f"{clean(result.file):<{width}}  {_named(result.report)}: {summary(result.report)}" for result in results]
    bad = sum(bool(status(result.report, _settings({}))) for result in results)
    return "".join(f"{line}\n" for line in [*lines, f"{plural(len(results), 'result')}, {bad} with errors."])


def _named(report: Report) -> str:
    if report.series is not None:
        return f'{len(report.series.patches)} {"patch" if len(report.series.patches) == 1 else "patches"} "{clean(report.series.title)}"'
    return f"{report.revision[:12] if report.revision else 'work tree'} on {plural(len(report.profiles), 'profile')}"


def as_json(results: Sequence[Result]) -> str:
    """All of them in one document: ``results`` are ``{file, result}``, each result of schema tlblint-findings/1."""
    rows: list[dict[str, Any]] = [{"file": clean(result.file), "result": json.loads(jsonout.render(result.report, Style()))} for result in results]
    return json.dumps({"schema": SCHEMA, "results": rows}, indent=2) + "\n"


def worst(results: Sequence[Result], flags: Mapping[str, Any], exit_zero: bool) -> int:
    """The exit status over all results, as for a check."""
    found = {status(result.report, _settings(flags), exit_zero) for result in results}
    return 1 if 1 in found else max(found)


def _settings(flags: Mapping[str, Any]) -> dict[str, Setting]:
    return {key.name: Setting(flags.get(key.name) or key.default, "") for key in config.KEYS}
