"""The samples that are shipped are what comes out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.report import samples
from tests.report.page_parser import Page
from tlblint.report.html import FINDING

NAMES = ("tree.html", "series.html", "empty.html", "hostile.html", "tree.json", "series.json")


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return samples.made()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_up_to_date(made: dict[str, bytes], name: str) -> None:
    assert sorted(made) == sorted(NAMES)
    same = (samples.SAMPLES / name).read_bytes() == made[name]
    assert same, f"reports/samples/{name} is not what comes out: look at the change, then run python -m tests.report.samples"


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".html")])
def test_a_sample_is_sound(name: str) -> None:
    page = Page((samples.SAMPLES / name).read_text())
    assert page.problems == [] and page.elements["script"] == 1
    assert b"\x1b" not in (samples.SAMPLES / name).read_bytes() and "\u202e" not in (samples.SAMPLES / name).read_text()


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".html")])
def test_a_sample_keeps_the_sizes(name: str) -> None:
    """Findings with interleavings, shown in full."""
    text = (samples.SAMPLES / name).read_text()
    sizes = [len(one.encode()) for one in re.findall(r"<article.*?</article>", text, re.DOTALL)]
    assert max(sizes, default=0) <= FINDING and "to keep the page small" not in text
    manuals = re.search(r'<section id="rules".*?\n</section>\n', text, re.DOTALL)
    assert len(text.encode()) - sum(sizes) - len(manuals[0].encode() if manuals else b"") <= 60_000


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".json")])
def test_a_sample_follows_the_schema(name: str) -> None:
    schema = json.loads((Path(samples.ROOT) / "reports/templates/tlblint-findings-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads((samples.SAMPLES / name).read_bytes()))


def test_the_samples_show_what_they_are_for() -> None:
    text = {name: (samples.SAMPLES / name).read_text() for name in NAMES}
    assert "<h1>Nothing found.</h1>" in text["empty.html"]
    assert 'class="strip"' in text["series.html"] and "Patch 3 mends it." in text["series.html"] and '<p class="del' in text["series.html"]
    assert "mm/&lt;script&gt;alert(1)&lt;/script&gt;.c" in text["hostile.html"] and "{{ 7*7 }}" in text["hostile.html"] and "\\x1b[31m" in text["hostile.html"]
    assert text["tree.html"].count('class="finding"') >= 6
