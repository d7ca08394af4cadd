"""rules/README.md against the grammar: the words it lists are those there are, and its example is a rule that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tlblint.app import ruletest
from tlblint.engine.grammar import ARG_GUARDS, EVENT_KINDS, OBJECTS, PLAIN_GUARDS
from tlblint.rulefile import parse_rule
from tlblint.rulefile.parse import _KEYS, HEADINGS

README = (Path(__file__).resolve().parents[2] / "rules" / "README.md").read_text()


def words(heading: str) -> list[str]:
    """The first cells of the tables below a heading, up to the next heading."""
    text = README.split(f"{heading}\n", 1)[1]
    return re.findall(r"^\| `([^`]+)` \|", re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE)


def example() -> str:
    return README.split("````markdown\n", 1)[1].split("\n````", 1)[0] + "\n"


@pytest.mark.parametrize(
    ("heading", "known"),
    [("### Events", EVENT_KINDS), ("### Objects", OBJECTS), ("### Guards", PLAIN_GUARDS | {f"{word}:WORD" for word in ARG_GUARDS})],
)
def test_the_tables_hold_exactly_the_words_of_the_grammar(heading: str, known: frozenset[str]) -> None:
    listed = words(heading)
    assert sorted(listed) == sorted(known)


def test_every_key_and_heading_is_named() -> None:
    assert sorted(word.strip("[]") for word in words("## The file")) == sorted(_KEYS)
    assert [heading for heading in HEADINGS if f"`## {heading}`" not in README] == []


def test_the_example_is_a_rule_that_does_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "TLB150.md"
    path.write_text(example())
    assert parse_rule(str(path), example()).code == "TLB150"
    (result,) = ruletest.run(["TLB150"], [str(path)])
    assert (result.examples, result.problems) == (2, ())
