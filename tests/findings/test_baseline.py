"""The baseline file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.findings.make import finding
from tlblint.findings.baseline import NO_REASON, BaselineError, Entry, apply, dump, parse, updated

A, B = "aa" * 8, "bb" * 8
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


def entry(fingerprint: str = A, path: str = "mm/a.c", function: str = "f", reason: str = "old") -> Entry:
    return Entry(fingerprint, "TLB003", path, function, reason)


paths, functions = names.filter(lambda text: text not in ("", "-")), names.filter(lambda text: text != "-")


@given(st.lists(st.builds(Entry, st.sampled_from([A, B]), st.just("TLB003"), paths, functions, names)))
def test_what_is_written_is_read_back(entries: list[Entry]) -> None:
    back = parse(dump(entries))
    assert {(e.fingerprint, e.path, e.function) for e in back} == {(e.fingerprint, e.path, e.function) for e in entries}
    assert dump(back) == dump(entries)


def test_the_file_is_sorted_and_has_no_doubles() -> None:
    lines = dump([entry(B), entry(A), entry(A)]).decode().splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == [f"{A} TLB003 mm/a.c f old", f"{B} TLB003 mm/a.c f old"]


def test_comments_blank_lines_crlf_and_missing_reasons_are_fine() -> None:
    [found] = parse(f"# hello\r\n\r\n  {A}  TLB003\tmm/a.c  f\r\n".encode())
    assert found == entry(reason="")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("zz TLB003 a.c f why", 1, "not 'fingerprint rule path function reason'"),
        (f"{A} TLB003 a.c", 1, "not 'fingerprint rule path function reason'"),
        (f"# x\n{A} TLB3 a.c f", 2, "not 'fingerprint rule path function reason'"),
        ("\n<<<<<<< HEAD\n", 2, "a merge conflict is not resolved"),
    ],
)
def test_a_malformed_line_is_named(text: str, line: int, what: str) -> None:
    with pytest.raises(BaselineError) as caught:
        parse(text.encode())
    assert (caught.value.line, caught.value.what) == (line, what)


def test_known_findings_are_marked_with_the_reason_and_others_are_not() -> None:
    marked, stale = apply([finding(fingerprint=A), finding(fingerprint=B)], [entry(A)])
    assert [(f.suppressed_by, f.suppressed_reason) for f in marked] == [("baseline", "old"), (None, None)]
    assert stale == ()


def test_an_entry_follows_its_function_to_another_file() -> None:
    marked, stale = apply([finding(fingerprint=A, path="mm/new.c")], [entry(A)])
    assert marked[0].suppressed_by == "baseline" and stale == ()


def test_a_function_of_the_same_name_in_a_second_file_is_new() -> None:
    marked, _ = apply([finding(fingerprint=A, path="arch/a.c"), finding(fingerprint=A, path="mm/a.c")], [entry(A)])
    assert [f.suppressed_by for f in marked] == [None, "baseline"]
    marked, _ = apply([finding(fingerprint=A, path="arch/a.c"), finding(fingerprint=A, path="arch/b.c")], [entry(A)])
    assert [f.suppressed_by for f in marked] == ["baseline", None]


def test_a_finding_suppressed_in_source_keeps_its_entry_from_moving() -> None:
    here = finding(fingerprint=A, suppressed_by="comment", suppressed_reason="x")
    marked, stale = apply([here, finding(fingerprint=A, path="mm/new.c")], [entry(A)])
    assert [f.suppressed_by for f in marked] == ["comment", None] and stale == ()


def test_what_is_gone_is_stale() -> None:
    assert apply([], [entry(A)])[1] == (entry(A),)


def test_a_refreshed_baseline_keeps_reasons_and_what_the_run_could_not_see() -> None:
    entries = [entry(A), entry(B, path="fs/b.c")]
    marked, stale = apply([finding(fingerprint=A, path="mm/new.c"), finding(fingerprint="cc" * 8)], entries)
    fresh = updated(marked, entries, stale, in_scope=lambda e: e.path.startswith("mm/"))
    assert fresh == (entry(A, path="mm/new.c"), entry(B, path="fs/b.c"), entry("cc" * 8, reason=NO_REASON))
    assert entry(B, path="fs/b.c") not in updated(marked, entries, stale, in_scope=lambda e: True)


def test_what_is_suppressed_in_source_needs_no_entry() -> None:
    assert updated([finding(suppressed_by="comment")], [], [], lambda e: True) == ()
