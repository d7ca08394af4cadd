"""What contracts keep quiet: the findings that the same run would have without them.

Contracts are trusted, not checked. Who is asked to rely on a run can see here what it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tlblint.app.spine import Contracts, Result
from tlblint.engine.asked import Over
from tlblint.findings.lines import Lines
from tlblint.model.finding import RawFinding
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store
from tlblint.report.view import Excused

Key = tuple[str, str, str]


def excused(
    contracts: Contracts,
    facts: Sequence[FileFacts],
    only: Callable[[str], bool] | None,
    over: Over,
    told: Result,
    active: frozenset[str],
    lines: Mapping[str, Lines],
    store: Store = NOTHING,
) -> tuple[Excused, ...]:
    """Functions in which a contract silences something, with the rules that are silent and the contract's reason. Sorted.

    Judges the facts a second time, so it costs what the first time cost. ``told`` is what that found.
    """
    known = {_place(finding) for finding in told.findings}
    silent = [f for f in contracts.bare(facts, only, over, store).findings if f.rule in active and _place(f) not in known]
    rules: dict[Key, set[str]] = {}
    first: dict[Key, int] = {}
    for finding in silent:
        key = (finding.path, finding.function, _promise(finding, contracts))
        rules.setdefault(key, set()).add(finding.rule)
        first[key] = min(finding.pos, first.get(key, finding.pos))
    return tuple(sorted(Excused(key[0], lines[key[0]].locate(first[key])[0], key[1], tuple(sorted(rules[key])), key[2]) for key in rules))


def _place(finding: RawFinding) -> tuple[str, str, str, int]:
    return finding.rule, finding.path, finding.function, finding.pos


def _promise(finding: RawFinding, contracts: Contracts) -> str:
    """The reason of the contract of the function, or of the first on the path that has one."""
    candidates = [(finding.path, finding.function), *((step.path, step.function) for step in finding.trace)]
    for path, function in dict.fromkeys(candidates):
        reason = contracts.reason(path, function)
        if reason:
            return reason if function == finding.function else f"{reason} (contract of {function}())"
    return "the contract of a caller"
