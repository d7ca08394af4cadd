"""The Markdown of rule files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.report.markdown import Block, Span, blocks, spans

RULES = sorted((Path(__file__).parents[2] / "rules").glob("TLB*.md"))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a `b` c", [("text", "a "), ("code", "b"), ("text", " c")]),
        ("**Known miss:** x", [("strong", "Known miss:"), ("text", " x")]),
        ("an *acquire of a PTL* and", [("text", "an "), ("em", "acquire of a PTL"), ("text", " and")]),
        ("`pte_t *pte` and `*p`", [("code", "pte_t *pte"), ("text", " and "), ("code", "*p")]),
        ("2 * 3 * 4", [("text", "2 * 3 * 4")]),
        ("a ` b", [("text", "a ` b")]),
        ("** a", [("text", "** a")]),
        ("see [the file](x.md)", [("text", "see "), ("text", "the file")]),
        ("<b>&amp;", [("text", "<b>&amp;")]),
        ("``a`b``", [("code", "a`b")]),
        ("", []),
    ],
)
def test_spans(text: str, kinds: list[tuple[str, str]]) -> None:
    assert [(span.kind, span.text) for span in spans(text)] == kinds


def test_blocks() -> None:
    text = "# one\ntwo\nthree\n\n- four\n  five\n- six\n\n1. seven\n2. eight\n```c kernel=6.12\n\tint a;\n\n# no heading\n```\nlast"
    assert blocks(text) == (
        Block("heading", 1, spans=(Span("text", "one"),)),
        Block("paragraph", spans=(Span("text", "two three"),)),
        Block("bullets", items=((Span("text", "four five"),), (Span("text", "six"),))),
        Block("numbers", items=((Span("text", "seven"),), (Span("text", "eight"),))),
        Block("code", text="        int a;\n\n# no heading", info="c kernel=6.12"),
        Block("paragraph", spans=(Span("text", "last"),)),
    )


def test_a_fence_without_end_takes_the_rest() -> None:
    assert blocks("```\na\n- b") == (Block("code", text="a\n- b"),)


def plain(block: Block) -> str:
    return block.text + "".join(span.text for row in (block.spans, *block.items) for span in row)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_shipped_rule_is_understood(path: Path) -> None:
    found = blocks(path.read_text())
    prose = "".join(plain(block) for block in found if block.kind != "code")
    assert "**" not in prose and "```" not in prose and "](" not in prose
    assert not [block for block in found if block.kind == "paragraph" and plain(block).startswith(("#", "- ", "|"))]
    assert {"heading", "paragraph", "code"} <= {block.kind for block in found}


@given(st.text(alphabet="ab `*-#1.\n[]()_|>~\\", max_size=200))
def test_no_letter_is_lost(text: str) -> None:
    said = "".join(plain(block) + block.info for block in blocks(text))
    links = text.count("](")
    if not links:
        assert [char for char in said if char in "ab"] == [char for char in text if char in "ab"]
