"""The shipped rule files: they parse, are complete, and their examples are true."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.says import make_visible, unnamed
from tlblint.app import spine as spines
from tlblint.app.generation import stand_in
from tlblint.app.ruletest import judge, run
from tlblint.app.spine import Spine, Wanted
from tlblint.engine.grammar import RuleSpec
from tlblint.findings.expect import compare
from tlblint.rulefile import Example, RuleFileError, examples_of, parse_rule
from tlblint.rulefile.parse import HEADINGS

RULES = Path(__file__).resolve().parent.parent / "rules"
FILES = sorted(RULES.glob("TLB*.md"))
CODES = [path.stem for path in FILES]
JUDGED = [path.stem for path in FILES if "transitions = [" in path.read_text()]
EXAMPLES = [pytest.param(path, case, id=f"{path.stem}-line{case.line}") for path in FILES for case in examples_of(path.read_text())]


@cache
def spine(kernel: str) -> Spine:
    return spines.load(Wanted(headers=stand_in(kernel), preview=True))


def rule(code: str) -> RuleSpec:
    return parse_rule(f"rules/{code}.md", (RULES / f"{code}.md").read_text())


def test_there_are_rules() -> None:
    assert len(JUDGED) >= 4


@pytest.mark.parametrize("code", CODES)
def test_a_rule_file_parses_and_is_named_after_its_rule(code: str) -> None:
    held = rule(code)
    assert held.code == code
    assert held.title and not held.title.endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_headings_are_there_in_order_and_not_empty(code: str) -> None:
    lines = (RULES / f"{code}.md").read_text().splitlines()
    assert [line[3:].strip() for line in lines if line.startswith("## ")] == list(HEADINGS)
    for heading in HEADINGS:
        start = lines.index(f"## {heading}") + 1
        rest = next((n for n in range(start, len(lines)) if lines[n].startswith("## ")), len(lines))
        assert any(line.strip() for line in lines[start:rest]), f"nothing under '{heading}'"


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_missing_heading_is_a_mistake(heading: str) -> None:
    text = FILES[0].read_text().replace(f"## {heading}\n", "")
    with pytest.raises(RuleFileError, match=heading):
        parse_rule("rules/x.md", text)


@pytest.mark.parametrize("code", JUDGED)
def test_states_are_all_used_and_all_reached(code: str) -> None:
    held = rule(code)
    named = {name for name, _ in held.states}
    reached = {t.target for t in held.transitions} - {"gone", "ERROR"}
    left = {source for t in held.transitions for source in t.sources} - {"start"}
    assert reached == named, "states that no transition reaches"
    assert left == named, "states that no transition leaves: an instance would stay for ever"
    assert any(t.target == "ERROR" for t in held.transitions)


@pytest.mark.parametrize("code", JUDGED)
def test_there_is_as_much_right_code_as_wrong_code(code: str) -> None:
    """Over all examples of a rule: at least one defect, and at least as many ``ok`` lines as defects."""
    kinds = [item.kind for case in examples_of((RULES / f"{code}.md").read_text()) for item in case.expectations if item.code == code]
    assert kinds.count("expect") > 0
    assert kinds.count("ok") >= kinds.count("expect")


@pytest.mark.parametrize("code", CODES)
def test_the_command_agrees_that_the_examples_are_right(code: str) -> None:
    """What ``tlblint rule test`` says."""
    (outcome,) = run([code])
    assert outcome.problems == ()


@pytest.mark.parametrize(("path", "case"), EXAMPLES)
def test_an_example_finds_what_it_expects(path: Path, case: Example) -> None:
    found = judge(spine(case.kernel), f"{path.stem.lower()}.c", case.source.encode())
    wrong = [f"rules/{path.name}:{case.line + problem.line - 1}: {problem.text}" for problem in compare(case.expectations, found)]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize(("path", "case"), EXAMPLES)
def test_the_messages_of_an_example_name_everything(path: Path, case: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """No placeholder of ``say`` is left open or falls back to a generic name, and the lines it speaks of exist."""
    make_visible(monkeypatch)
    wrong = unnamed(judge(spine(case.kernel), f"{path.stem.lower()}.c", case.source.encode()), case.source.count("\n"))
    assert not wrong, "\n".join(wrong)
