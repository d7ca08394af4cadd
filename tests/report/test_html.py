"""The page as text: sound, closed to the outside, safe with anything in it, and small."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from html import unescape

import pytest
from msgspec.structs import replace

from tests.report.make import HIDDEN, NOTE, finding, report
from tests.report.page_parser import Page
from tests.report.pages import CALLED, EVIL, STYLE, executed, hostile, long_witness, many, rich, series, witness
from tlblint.report import html, mail
from tlblint.report.html_page import verdict_line
from tlblint.report.view import Compared, Report, SeriesView, Style, place_of

MAKERS: list[Callable[[], Report]] = [rich, series, hostile, report, lambda: many(50), lambda: report(executed=executed(alone=True))]


@pytest.mark.parametrize("make", MAKERS)
def test_the_page_is_sound(make: Callable[[], Report]) -> None:
    page = Page(html.render(make(), STYLE))
    assert page.problems == []
    ids = Counter(page.values("id"))
    assert [name for name, count in ids.items() if count > 1 or not re.fullmatch(r"[A-Za-z][\w-]*", name)] == []
    targets = list(page.values("href"))
    assert [target for target in targets if not target.startswith("#") or target[1:] not in ids] == []
    named = [name for key in ("aria-labelledby", "for") for value in page.values(key) for name in value.split()]
    assert [name for name in named if name not in ids] == []


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_leaves_the_page_and_nothing_foreign_runs(make: Callable[[], Report]) -> None:
    text = html.render(make(), STYLE)
    page = Page(text)
    assert page.elements["script"] == page.elements["style"] == 1
    assert not {"src", "srcset", "style", "action", "data", "poster", "xlink:href"} & {name for _, name, _ in page.attributes}
    assert [name for _, name, _ in page.attributes if name.startswith("on")] == []
    assert not {"iframe", "object", "embed", "link", "base", "form", "img", "image", "use", "foreignobject"} & set(page.elements)
    [policy] = [value for value in page.values("content") if "default-src" in value]
    for kind in ("script", "style"):
        digest = base64.b64encode(sha256(page.inside[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "*" not in policy
    assert page.comments == []
    assert "http:" not in text and "https:" not in text


def test_hostile_text_stays_text() -> None:
    text = html.render(hostile(), STYLE)
    page = Page(text)
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text) == []
    assert "<script>alert" not in text and "<img src" not in text
    said = "".join(page.text)
    assert said.count("{{ 7*7 }}") > 20 and "49" not in re.sub(r"\d*49\d+|\d+49\d*", "", said)  # a template that ran would leave the product
    shown = EVIL.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b").replace("\x00", "\\x00").replace("\x07", "\\x07").replace("\udcff", "\\xff")
    assert shown in said
    assert [value for value in page.values("href") if not value.startswith("#")] == []


@pytest.mark.parametrize("make", [rich, series, hostile, report])
def test_the_bytes_depend_on_the_report_alone(make: Callable[[], Report]) -> None:
    style = replace(STYLE, color=True, width=40, unicode=True, verbosity=-1, place=lambda path: f"/elsewhere/{path}")
    assert html.render(make(), STYLE) == html.render(make(), style)


def test_predicates_have_a_table_with_verdict_count_and_edit() -> None:
    text = html.render(report(executed=executed("pte_needs_flush", alone=True)), STYLE)
    page = Page(text)
    assert page.elements["table"] == 2 and "No finding to show" not in text
    said = " ".join(" ".join(page.text).split())
    assert "2 predicates judged, 1 unsafe; 1 protocol run, 1 refuted." in said and "Helpers executed: 3 of 4." in said
    rows = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)]
    assert "✕ unsafe : pte_needs_flush, 9 missing, the smallest pte_needs_flush" in rows[1] and " 8: pte_needs_flush" in rows[1]
    assert "conservative: pte_needs_flush 1234: pte_needs_flush, pte_needs_flush" in rows[2]
    assert "not judged: pte_needs_flush" in rows[3] and "contract in 21 steps" in rows[5]


def test_what_was_executed_does_not_change_the_verdict_on_findings() -> None:
    assert verdict_line(report(executed=executed())) == "Nothing found."
    assert 'id="predicates"' in html.render(report(executed=executed()), STYLE) and 'id="predicates"' not in html.render(report(), STYLE)


def test_the_shell_is_small() -> None:
    empty = html.render(report(), STYLE)
    assert len(empty.encode()) <= 60_000
    assert len(STYLE.templates["page.css"].encode()) <= 12_000 and len(STYLE.templates["page.js"].encode()) <= 20_000


def articles(text: str) -> list[str]:
    return re.findall(r"<article.*?</article>", text, re.DOTALL)


def test_a_finding_is_small() -> None:
    full = finding(rule="TLB001", trace=CALLED * 2, witness=witness(), verdict="confirmed")
    [one] = articles(html.render(report(full), STYLE))
    assert 5_000 < len(one.encode()) <= html.FINDING
    assert "class=lanes" in one and "<svg class=calls" in one and "data-tab=mail" in one


@pytest.mark.parametrize(("path", "steps"), [(12, 60), (15, 200), (60, 60)])
def test_a_long_finding_gives_up_graph_and_mail_before_its_path(path: int, steps: int) -> None:
    text = html.render(report(finding(trace=CALLED * path, witness=long_witness(steps))), STYLE)
    [one] = articles(text)
    assert "<svg class=calls" not in one and len(re.findall(r'class=(?:s\b|"s )', one)) == min(60, 4 * path)
    assert len(one.encode()) <= html.FINDING and "to keep the page small" in text


def test_a_mail_on_the_page_is_the_mail() -> None:
    made = report(finding(rule="TLB001", trace=CALLED, witness=witness(), verdict="confirmed"))
    [text] = re.findall(r"<pre class=scroll>(.*?)</pre>", html.render(made, STYLE), re.DOTALL)
    assert "\n\t" in text and unescape(text).expandtabs(8) == mail.render(made, Style())


@pytest.mark.parametrize(("count", "deferred"), [(html.MANY, False), (html.MANY + 1, True)])
def test_what_is_behind_many_findings_is_text_for_scripts_and_markup_without(count: int, deferred: bool) -> None:
    text = html.render(many(count), STYLE)
    assert text.count("<noscript>") == text.count("</noscript>") == (count if deferred else 0)
    assert Page(text).problems == [] and text.count("data-tab=source") == count


def test_a_large_result_keeps_within_its_limits_and_says_so() -> None:
    text = html.render(many(4000), STYLE)
    notices = [said for said in Page(text).text if "keep the page small" in said or "too large" in said]
    assert len(notices) >= 2 and 0.9 * html.HARD < len(text.encode()) <= html.HARD
    left = 4000 - len(articles(text))
    assert left > 0 and any(said.startswith(f"{left:,} more findings") for said in notices)
    kept = Counter(re.findall(r'data-sev="(\w+)"', "".join(articles(text))))
    assert kept["error"] == 1334 and kept["note"] < 1333  # the gravest are kept


def test_findings_of_one_fingerprint_have_links_of_their_own() -> None:
    page = Page(html.render(report(finding(), finding(path="mm/b.c"), finding(path="mm/c.c")), STYLE))
    assert [name for name in page.values("id") if name.startswith("f-")] == [f"f-{'0123456789abcdef'}{more}" for more in ("", "-2", "-3")]


def test_an_empty_run_says_so_and_has_no_controls() -> None:
    page = Page(html.render(report(), STYLE))
    assert "Nothing found." in page.text and "q" not in page.values("id") and not page.elements["nav"]


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (report(), "Nothing found."),
        (report(finding(), NOTE), "1 error, 1 note."),
        (report(finding(), finding(verdict="confirmed")), "2 errors; 1 confirmed by simulation."),
        (report(finding(verdict="conditional"), HIDDEN), "1 new, 1 suppressed in source; 1 confirmed by simulation under assumptions."),
        (rich(), "4 new, 1 known, 1 suppressed in source; 1 confirmed by simulation, 1 under assumptions."),
        (series(), "2 new, 1 fixed by this series, 1 there before this series; 1 confirmed by simulation."),
        (report(finding(), compared=Compared("o", frozenset(), (finding(line=9),), {}, 1)), "0 new, 1 as before, 1 gone."),
        (report(finding(), compared=Compared("o", frozenset({place_of(finding())}), (), {}, 0)), "1 new, 0 gone."),
    ],
)
def test_the_verdict_line(made: Report, line: str) -> None:
    assert verdict_line(made) == line


def test_no_source_at_hand_is_said_and_places_are_kept() -> None:
    [one] = articles(html.render(report(finding(), sources={}), STYLE))
    assert "The sources are not at hand" in one and "mm/a.c:3</code>" in one


@pytest.mark.parametrize(("index", "lines"), [(2, ["+2", "-"]), (3, ["+", "-2"])])
def test_what_a_patch_changes_is_marked(index: int, lines: list[str]) -> None:
    old, new = b"int a;\nint b;\nint old;\nint c;\n", b"int a;\nint new;\nint b;\nint c;\n"
    mark = next(one.patch for one in series().findings if one.patch and one.patch.index == index)
    before, after = (old, new) if index == 2 else (old, b"int a;\nint b2;\nint old;\nint c;\n")
    sides = {index - 1: {"mm/a.c": before}, index: {"mm/a.c": after}}
    [one] = articles(html.render(report(finding(patch=mark, line=3), series=SeriesView("t", "b", ()), sources_at=sides), STYLE))
    assert re.findall(r'<p class="(?:add|del)[^"]*"><i>([+-]\d*)</i>', one) == lines
    assert ("int old;" in one) and ('<p class="add' in one) and ('<p class="del' in one)


def test_a_rule_whose_manual_is_not_there_has_no_dead_link() -> None:
    text = html.render(report(finding(rule="TLB999")), STYLE)
    assert "#rule-TLB999" not in text and "does not hold the manual of TLB999" in text
