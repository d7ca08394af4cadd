"""Rule files: what comes out of a good one, and where each mistake in a bad one is."""

from __future__ import annotations

import pytest

from tlblint.rulefile import RuleFileError, examples_of, parse_rule

GOOD = """# TLB150 sleep-under-ptl
```toml
title = "a call that may sleep is made under a page table lock"
severity = "warning"
confidence = "medium"
status = "stable"
track = ["ptl"]
needs = ["flush-real"]
transitions = [
  "start -> held : ptl.acquire when not contract:young-only|kernel-tables and user-space",
  "held -> gone : ptl.release(ptl), test.present(value)=false",
  "held -> ERROR : sleep say 'It's {act} under {ptl}.'",
]
[where]
held = ["lazy-effective"]
[states]
held = "page table lock held"
```

## What it finds
## Why it matters
## When this rule is wrong
## Examples
## References
"""


def place(text: str) -> tuple[int, int, str]:
    with pytest.raises(RuleFileError) as caught:
        parse_rule("rules/TLB150.md", text)
    error = caught.value
    assert str(error) == f"rules/TLB150.md:{error.line}:{error.column}: {error.what}"
    return error.line, error.column, error.what


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_good_file() -> None:
    rule = parse_rule("rules/TLB150.md", GOOD)
    assert (rule.code, rule.slug, rule.severity, rule.confidence, rule.status) == ("TLB150", "sleep-under-ptl", "warning", "medium", "stable")
    assert (rule.track, rule.needs, rule.where) == (("ptl",), ("flush-real",), (("held", ("lazy-effective",)),))
    assert rule.states == (("held", "page table lock held"),)
    first, second, third = rule.transitions
    assert [(g.word, g.argument, g.negated) for g in first.guards] == [("contract", "young-only|kernel-tables", True), ("user-space", "", False)]
    assert [(e.kind, e.object, e.truth) for e in second.events] == [("ptl.release", "ptl", None), ("test.present", "value", False)]
    assert (third.sources, third.target, third.say) == (("held",), "ERROR", "It's {act} under {ptl}.")


def test_a_rule_may_do_without_an_automaton() -> None:
    start, end = GOOD.index("track ="), GOOD.index("```\n\n")
    assert parse_rule("x.md", GOOD[:start] + GOOD[end:]).transitions == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "what"),
    [
        ("# TLB150 sleep-under-ptl", "# TLB15 sleep-under-ptl", 1, 1, "the first line must read '# TLBnnn slug'"),
        ("# TLB150 sleep-under-ptl", "# TLB150 Sleep", 1, 1, "the first line must read '# TLBnnn slug'"),
        ("```toml", "```", 1, 1, "no ```toml block"),
        ('status = "stable"', 'status = "stable', 6, 17, "Illegal character '\\n'"),
        ('status = "stable"\n', "", 2, 1, "missing key 'status'"),
        ('severity = "warning"', 'severity = "grave"', 4, 1, "severity must be one of error, warning, note"),
        ('status = "stable"', 'status = "stable"\ncolour = "red"', 7, 1, "unknown key 'colour'"),
        ('track = ["ptl"]', 'track = "ptl"', 7, 1, "track must be a list of strings"),
        ('track = ["ptl"]', 'track = ["ptl", "pte", "value", "page"]', 7, 1, "track names at most three objects"),
        ('held = ["lazy-effective"]', 'lost = ["lazy-effective"]', 14, 1, "where names an unknown state 'lost'"),
        ("held -> gone", "hold -> gone", 11, 4, "unknown state 'hold'"),
        ("held -> gone", "held -> over", 11, 12, "unknown state 'over'"),
        ("held -> gone", "gone -> held", 11, 4, "'start' stands only on the left, 'gone' and 'ERROR' only on the right"),
        ("held -> gone : ", "held : ", 11, 4, "expected 'STATE -> STATE : EVENT'"),
        ("ptl.release(ptl)", "ptl.relaese(ptl)", 11, 19, "unknown event 'ptl.relaese'"),
        ("ptl.release(ptl)", "ptl.release(lock)", 11, 31, "unknown object 'lock'"),
        ("and user-space", "and userspace", 10, 79, "unknown guard 'userspace'"),
        ("and user-space", "and user-space:x", 10, 79, "unknown guard 'user-space'"),
        ("and user-space", "or user-space", 10, 75, "cannot read 'or user-space'"),
        (" say 'It's {act} under {ptl}.'", "", 12, 25, "a transition to ERROR needs say '...'"),
        ("'It's {act} under {ptl}.'", "It is.", 12, 26, "say needs a sentence in single quotes"),
        ("## Why it matters\n", "", 23, 1, "missing heading '## Why it matters'"),
    ],
)
def test_mistakes_and_their_places(old: str, new: str, line: int, column: int, what: str) -> None:
    found_line, found_column, found = place(changed(old, new))
    assert (found_line, found_column) == (line, column)
    assert found.startswith(what)


def test_an_empty_file() -> None:
    assert place("") == (1, 1, "the first line must read '# TLBnnn slug'")


def test_examples_have_the_heading_above_the_kernel_of_their_fence_and_a_line() -> None:
    text = "## Examples\n### Bad\nWhy.\n```c kernel=7.3\nf(); /* expect: TLB150 */ /* ok: TLB003 it is left */\n```\n"
    text += "### Good\n```c\n\ng(); /* todo-expect: TLB150 */\n```\n"
    bad, good = examples_of(text)
    assert (bad.title, bad.kernel, bad.line, bad.source) == ("Bad", "7.3", 5, "f(); /* expect: TLB150 */ /* ok: TLB003 it is left */\n")
    assert [(e.kind, e.code, e.line, e.note) for e in bad.expectations] == [("expect", "TLB150", 1, ""), ("ok", "TLB003", 1, "it is left")]
    assert (good.title, good.kernel, good.line) == ("Good", "6.12", 9)
    assert [(e.kind, e.line) for e in good.expectations] == [("todo-expect", 2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (changed('needs = ["flush-real"]', "needs = " + "[" * 5000), (2, 1, "lists or tables are nested too deeply")),
        (changed('needs = ["flush-real"]', "needs = " + "{a=" * 5000), (2, 1, "lists or tables are nested too deeply")),
        (changed('needs = ["flush-real"]', "needs = " + "1" * 5000), (8, 1, "a number is too long")),
        (changed('held = ["lazy-effective"]', 'held = [["lazy-effective"]]'), (14, 1, "where must map states to lists of profile features")),
        (changed('title = "a call that may sleep is made under a page table lock"', "title = 3"), (3, 1, "title must be a sentence in quotes")),
    ],
)
def test_toml_that_is_made_to_break_the_reader(text: str, expected: tuple[int, int, str]) -> None:
    assert place(text) == expected


def test_blanks_before_a_transition_cost_nothing_and_count() -> None:
    good = '"start -> held : ptl.acquire when'
    assert parse_rule("r.md", changed(good, good.replace("start", " " * 1900 + "start"))).transitions[0].sources == ("start",)
    text = changed(good, good.replace("start -> held : ptl", "   start -> held : ptm"))
    assert place(text) == (10, 23, "unknown event 'ptm.acquire'")
    assert place(changed(good, good.replace("start", " " * 2000 + "start")))[2] == "a transition is at most 2000 characters"
