"""``tlblint rule test``: run the examples in a rule's own file against the expectations on their lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlblint.app import hooks, refuted
from tlblint.app import spine as spines
from tlblint.app.generation import stand_in
from tlblint.app.named import find
from tlblint.app.spine import Loader, Spine, Wanted
from tlblint.findings import own, suppress
from tlblint.findings.expect import compare
from tlblint.findings.lines import Lines
from tlblint.findings.refine import Files, refine
from tlblint.model.finding import Finding
from tlblint.rulefile import Example, examples_of


class Tested(msgspec.Struct, frozen=True):
    """The outcome for one rule. ``problems``: (line in the rule file, what is wrong there)."""

    code: str
    path: str
    examples: int
    problems: tuple[tuple[int, str], ...]


def run(codes: Sequence[str] = (), rule_files: Sequence[str] = (), loader: Loader | None = None) -> tuple[Tested, ...]:
    """Test the rules with these codes, or all that have a file. Every rule runs on every example: a finding nobody expects is a problem."""
    built: dict[str | None, Spine] = {}

    def spine(kernel: str | None) -> Spine:
        if kernel not in built:
            built[kernel] = (loader or spines.load)(Wanted(rule_files=tuple(rule_files), headers=stand_in(kernel or ""), preview=True))
        return built[kernel]

    known = own.by_code(spine(None).rules)
    wanted = [find(known, code) for code in codes] if codes else [rule for rule in known.values() if rule.path]
    results = []
    for rule in wanted:
        cases = examples_of(rule.text)
        problems = [problem for number, case in enumerate(cases, 1) for problem in _problems(spine(case.kernel), rule.code, number, case)]
        if not cases and rule.path:
            problems.append((1, "the rule has no example"))
        results.append(Tested(rule.code, rule.path, len(cases), tuple(sorted(problems))))
    return tuple(results)


def _problems(spine: Spine, code: str, number: int, case: Example) -> list[tuple[int, str]]:
    found = judge(spine, f"{code.lower()}-example-{number}.c", case.source.encode())
    return [(case.line + problem.line - 1, problem.text) for problem in compare(case.expectations, found)]


def judge(spine: Spine, path: str, raw: bytes) -> list[Finding]:
    """All findings in one file that stands alone, suppressions applied, gaps and unused suppressions among them."""
    rules = own.by_code(spine.rules)
    fact = spine.facts(path, raw)
    result = spine.analyse([fact], None)
    lines = {path: Lines(fact.newlines)}
    files = Files(lines, {path: raw}, fact.tables)
    found = [*refine(result.findings, files, rules), *own.not_analysed([*fact.not_analysed, *result.not_analysed], lines, rules)]
    found += refuted.in_file(path, raw, rules)
    found += hooks.in_file(path, raw, rules)
    marked, unused = suppress.apply(found, suppress.suppressions(path, raw), rules, spine.active, frozenset())
    return [*marked, *unused]
