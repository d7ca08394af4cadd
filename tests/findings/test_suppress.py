"""Suppression comments."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.findings.make import OWN, RULE, finding
from tlblint.findings.own import by_code
from tlblint.findings.suppress import apply, suppressions

RULES = by_code(OWN)
ACTIVE = frozenset({"TLB003", "TLB001"})


def known() -> dict[str, object]:
    return {**RULES, "TLB003": RULE, "TLB001": replace(RULE, code="TLB001", slug="batched-pending-not-flushed")}


def run(source: str, *places: tuple[int, str], active: frozenset[str] = ACTIVE, unsure: frozenset[str] = frozenset()) -> tuple[list[int], list[str]]:
    """(lines that stay unsuppressed, TLB901 messages)."""
    findings = [finding(line=line, rule=rule) for line, rule in places]
    marked, unused = apply(findings, suppressions("mm/a.c", source.encode()), known(), active, unsure)  # type: ignore[arg-type]
    return [f.line for f in marked if f.suppressed_by is None], [f.message for f in unused]


@pytest.mark.parametrize(
    "source",
    [
        "leak(); /* tlblint: allow TLB003 -- why */",
        "leak(); // tlblint: allow TLB003 -- why",
        "leak(); /* tlblint: allow TLB001, TLB003 -- why */",
        "leak(); /*tlblint:allow TLB003--why*/",
        "leak(); /* tlblint: allow lazy-mode-unpaired -- why */",
        "leak(); /* tlblint: allow batched-pending-not-flushed, tlb003 -- why */",
        "leak(/* tlblint: allow TLB003 -- why */);",
    ],
)
def test_on_the_line(source: str) -> None:
    stay, _ = run(source, (1, "TLB003"))
    assert stay == []


@pytest.mark.parametrize(
    "source",
    [
        "\t/* tlblint: allow TLB003 -- why */\n\tleak();",
        "\t// tlblint: allow TLB003 -- why\n\tleak();",
        "\t/* tlblint: allow TLB003 -- why\n\t * and more of it\n\t */\n\tleak();",
        "/* tlblint: allow TLB003 -- why */\n/* another remark */\nleak();",
        "/* x */ /* tlblint: allow TLB003 -- why */\nleak();",
    ],
)
def test_directly_above(source: str) -> None:
    line = source.count("\n") + 1
    assert run(source, (line, "TLB003")) == ([], [])


@pytest.mark.parametrize(
    "source",
    [
        "/* tlblint: allow TLB003 -- why */\n\nleak();",
        "other(); /* tlblint: allow TLB003 -- why */\nleak();",
        "leak();\n/* tlblint: allow TLB003 -- why */",
        "/* tlblint: allow TLB001 -- why */\nleak();",
    ],
)
def test_elsewhere_does_nothing_and_is_reported(source: str) -> None:
    line = source.split("\n").index("leak();") + 1
    stay, messages = run(source, (line, "TLB003"))
    assert stay == [line]
    assert len(messages) == 1 and messages[0].endswith("suppressed nothing.")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("allow TLB003", "it gives no reason after '--'"),
        ("allow TLB003 --  ", "it gives no reason after '--'"),
        ("allow -- why", "it names no rule"),
        ("allow lazy -- why", "'lazy' is neither the code nor the name of a rule"),
        ("ignore TLB003 -- why", "it does not say 'allow'"),
        ("allowed TLB003 -- why", "it does not say 'allow'"),
    ],
)
def test_what_cannot_be_obeyed_is_not_and_says_why(text: str, why: str) -> None:
    stay, messages = run(f"leak(); /* tlblint: {text} */", (1, "TLB003"))
    assert stay == [1]
    assert messages == [f"This suppression is not obeyed: {why}."]


def test_an_unknown_rule_is_named() -> None:
    said = "This suppression names lazy-mode-unpiared, which is no rule; did you mean lazy-mode-unpaired?"
    assert run("leak(); /* tlblint: allow lazy-mode-unpiared -- why */", (1, "TLB003")) == ([1], [said])
    assert run("leak(); /* tlblint: allow TLB003, TLB777 -- why */", (1, "TLB003")) == ([], ["This suppression names TLB777, which is no rule."])


def test_each_unused_code_is_reported_once() -> None:
    source = "leak(); /* tlblint: allow TLB001, TLB003, TLB003, lazy-mode-unpaired -- why */"
    assert run(source)[1] == ["This suppression of TLB001 suppressed nothing.", "This suppression of TLB003 suppressed nothing."]


def test_not_unused_when_the_rule_did_not_run_or_the_file_was_not_understood() -> None:
    source = "leak(); /* tlblint: allow TLB003 -- why */"
    assert run(source, active=frozenset({"TLB001"}))[1] == []
    assert run(source, unsure=frozenset({"mm/a.c"}))[1] == []


def test_one_comment_covers_two_findings() -> None:
    assert run("leak(); leak(); /* tlblint: allow TLB003 -- why */", (1, "TLB003"), (1, "TLB003")) == ([], [])


def test_strings_are_no_comments() -> None:
    assert suppressions("a.c", b'x = "/* tlblint: allow TLB003 -- why */"; c = \'"\'; // tlblint: allow TLB001 -- why') [0].codes == ("TLB001",)
    assert len(suppressions("a.c", b'x = "// tlblint: allow TLB003 -- why";')) == 0


def test_reason_is_kept_on_one_line() -> None:
    [found] = suppressions("a.c", b"/* tlblint: allow TLB003 -- the caller\n * flushes */\n")
    assert found.reason == "the caller flushes"


@pytest.mark.parametrize("raw", [b"/* tlblint: allow TLB003 -- no end", b"// tlblint:", b"/* tlblint: */", b"tlblint:", b"\"tlblint:\n\xff'\\"])
def test_broken_text_does_no_harm(raw: bytes) -> None:
    suppressions("a.c", raw)
