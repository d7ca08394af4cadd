"""Stored results: read back, refused, compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.report.make import HIDDEN, NOTE, finding, report
from tests.report.pages import executed, many, rich, series
from tlblint.model.finding import Finding
from tlblint.report import jsonout
from tlblint.report.compare import compare, compared
from tlblint.report.formats import FORMATS
from tlblint.report.health import health
from tlblint.report.jsonin import BadResult, decode
from tlblint.report.view import PatchView as Patch
from tlblint.report.view import Report, SeriesView, Style, place_of

MAKERS: list[Callable[[], Report]] = [
    rich, series, report, lambda: report(executed=replace(executed("y"), protocols=(), helpers=0, asked=0)), lambda: many(20), lambda: report(NOTE, HIDDEN),
    lambda: report(series=SeriesView("t", "b", (Patch(1, "s", 1, 2, 3, ("n",), "c" * 40),), ("note",)), kind="series"),
]  # fmt: skip


def stored(found: Report) -> Report:
    """What a report is after a way through JSON: without what the format does not hold."""
    found = replace(found, rules={}, sources={}, stale=(), excused=(), submodules=(), command="", sources_at={}, profiles=tuple(sorted(found.profiles)))
    return replace(found, health=replace(found.health, listed=0))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("form", [jsonout.render, jsonout.render_lines])
def test_what_was_written_is_read_back(make: Callable[[], Report], form: Callable[[Report, Style], str]) -> None:
    assert decode(form(make(), Style()).encode()) == stored(make())


def test_no_number_of_listed_files_is_made_up() -> None:
    assert health(decode(jsonout.render(report(), Style()).encode())).startswith("Analysed 6 functions in 5 C files: ")


def document() -> Any:
    return json.loads(jsonout.render(rich(), Style()))


def broken(*way: str | int, value: object) -> bytes:
    made = document()
    place = made
    for key in way[:-1]:
        place = place[key]
    if value is None:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    ("raw", "place", "what"),
    [
        (b"", "$", "expected JSON, the file is empty"),
        (b"# no JSON", "$", "expected JSON, invalid character"),
        (b"[]", "$", "expected `object`, got `array`"),
        (b"{}", "$", "missing required field `schema`"),
        (b'{"schema": "tlblint-findings/1"', "$", "expected JSON, input data was truncated"),
        (b'{"schema": "sarif"}', "$.schema", "invalid enum value 'sarif'"),
        (b"\xff\xfe", "$", "expected JSON"),
        (b"[" * 100_000, "$", "expected"),
        (broken("findings", 0, "line", value="3"), "$.findings[0].line", "expected `int`, got `str`"),
        (broken("findings", 1, "column", value=0), "$.findings[1].column", "expected `int` >= 1"),
        (broken("findings", 0, "fingerprint", value="xyz"), "$.findings[0].fingerprint", "regex"),
        (broken("findings", 0, "rule", value="../x"), "$.findings[0].rule", "regex"),
        (broken("findings", 0, "severity", value="fatal"), "$.findings[0].severity", "invalid enum value 'fatal'"),
        (broken("findings", 0, "trace", value=None), "$.findings[0]", "missing required field `trace`"),
        (broken("findings", 0, "extra", value=1), "$.findings[0]", "unknown field `extra`"),
        (broken("findings", 0, "witness", "steps", 2, "mark", value="odd"), "$.findings[0].witness.steps[2].mark", "invalid enum value 'odd'"),
        (broken("health", "files", value=-1), "$.health.files", "expected `int` >= 0"),
        (broken("findings", 0, "line", value=10**30), "$.findings[0].line", "<= 9007199254740991"),
        (broken("findings", 0, "witness", "steps", 2, "cpu", value=2**53), "$.findings[0].witness.steps[2].cpu", "<= 9007199254740991"),
        (broken("findings", value={}), "$.findings", "expected `array`, got `object`"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(raw: bytes, place: str, what: str) -> None:
    with pytest.raises(BadResult) as caught:
        decode(raw)
    assert (caught.value.place, what in caught.value.what) == (place, True), caught.value


TWICE = [("line", '"line": 7, "line": 3'), ("path", '"path": "a", "path": "b"'), ("findings", '"findings": [], "findings"')]


@pytest.mark.parametrize(("key", "text"), TWICE)
def test_a_key_that_stands_twice_is_refused(key: str, text: str) -> None:
    """Readers of JSON differ on which of two they take."""
    whole = jsonout.render(rich(), Style())
    plain = {"line": '"line": 3', "path": '"path": "mm/a.c"', "findings": '"findings"'}[key]
    assert plain in whole
    with pytest.raises(BadResult) as caught:
        decode(whole.replace(plain, text, 1).encode())
    assert (caught.value.place, caught.value.what) == ("$", f"key `{key}` stands twice in one object")
    if key != "findings":
        head, *lines = jsonout.render_lines(rich(), Style()).splitlines()
        lines[1] = lines[1].replace(plain, text, 1)
        with pytest.raises(BadResult) as caught:
            decode("\n".join([head, *lines]).encode())
        assert caught.value.place == "$.findings[1]"


def test_a_bad_line_of_json_lines_is_named_by_its_finding() -> None:
    lines = jsonout.render_lines(rich(), Style()).splitlines()
    lines[2] = lines[2].replace('"column": 9', '"column": []')
    with pytest.raises(BadResult) as caught:
        decode("\n".join(lines).encode())
    assert caught.value.place == "$.findings[1].column"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with pytest.raises(BadResult):
        decode(raw)


def test_results_before_a_key_was_added_can_be_read() -> None:
    made = document()
    del made["series"]
    for one in made["findings"]:
        del one["reason"]
    assert len(decode(json.dumps(made).encode()).findings) == len(rich().findings)


A, B, C = (finding(fingerprint=letter * 16, line=line) for letter, line in (("a", 1), ("b", 2), ("c", 3)))


def test_new_gone_and_the_same() -> None:
    result = compare([A, B], [B, C], "old")
    assert (result.fresh, result.gone, dict(result.moved), result.same) == ({place_of(C)}, (A,), {}, 1)


def test_a_finding_moves_with_its_lines_and_its_file() -> None:
    lower, elsewhere = replace(A, line=9), replace(B, path="mm/b.c")
    result = compare([A, B], [lower, elsewhere], "old")
    assert result.moved == {place_of(lower): ("mm/a.c", 1), place_of(elsewhere): ("mm/a.c", 2)}
    assert (result.fresh, result.gone, result.same) == (frozenset(), (), 0)


def test_one_at_the_same_path_is_preferred() -> None:
    other = replace(A, path="mm/z.c")
    result = compare([other, A], [A, other], "old")
    assert (result.same, dict(result.moved)) == (2, {})


def test_one_finding_stands_for_one_only() -> None:
    twin = replace(A, path="mm/z.c")
    assert compare([A], [A, twin], "old").fresh == {place_of(twin)}
    assert compare([A, twin], [A], "old").gone == (twin,)


def test_another_rule_is_another_finding() -> None:
    other = replace(A, rule="TLB009")
    result = compare([A], [other], "old")
    assert result.fresh == {place_of(other)} and result.gone == (A,)


one = st.builds(
    lambda name, path, line: replace(finding(), fingerprint=name * 16, path=path, line=line), st.sampled_from("ab"), st.sampled_from("xy"), st.integers(1, 3)
)
some = st.lists(one, max_size=6)


@given(some, some)
def test_nothing_is_counted_twice_or_lost(old: list[Finding], new: list[Finding]) -> None:
    new = list({place_of(one): one for one in new}.values())
    result = compare(old, new, "old")
    assert len(result.fresh) + len(result.moved) + result.same == len(new)
    assert len(result.gone) + len(result.moved) + result.same == len(old)


def test_the_comparison_in_text() -> None:
    moved = replace(B, line=9)
    made = report(moved, C, compared=compare([A, B], [moved, C], "old\x1b.json"))
    assert list(compared(made, Style())) == [
        "Compared with old\\x1b.json: 1 new, 1 gone, 1 moved, 0 as before.",
        "  new: mm/a.c:3 TLB003 lazy-mode-unpaired in f()",
        "  gone: mm/a.c:1 TLB003 lazy-mode-unpaired in f()",
        "  moved: mm/a.c:9 TLB003 lazy-mode-unpaired in f(), was mm/a.c:2",
    ]


def test_a_comparison_comes_first_and_shows_what_is_new() -> None:
    moved = replace(B, line=9)
    made = report(moved, C, compared=compare([A, B], [moved, C], "old.json"))
    text = FORMATS["full"].render(made, Style())
    assert text.startswith("Compared with old.json: 1 new, 1 gone, 1 moved, 0 as before.\n") and text.count("Compared with") == 1
    assert "What is new follows; -v shows the other one, too.\n\nmm/a.c:3:" in text and "\nmm/a.c:9:" not in text
    every = FORMATS["full"].render(made, Style(verbosity=1))
    assert every.startswith("Compared with") and "\nmm/a.c:3:" in every and "\nmm/a.c:9:" in every and "follows" not in every
    none = FORMATS["full"].render(report(moved, compared=compare([B], [moved], "old.json")), Style())
    assert "Nothing is new; -v shows what there is.\n\nFound 1 error" in none


def test_a_long_comparison_is_cut_and_says_so() -> None:
    new = [finding(line=n, fingerprint=f"{n:016x}") for n in range(1, 31)]
    made = report(*new, compared=compare([], new, "old"))
    assert list(compared(made, Style()))[-1] == "  new: 10 more; -v names them all"
    assert len(list(compared(made, Style(verbosity=1)))) == 31
