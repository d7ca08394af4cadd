"""Lines, fingerprints and order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.findings.make import RULE, raw
from tlblint.findings.fingerprint import digest, fingerprints
from tlblint.findings.lines import Lines
from tlblint.findings.refine import Files, refine
from tlblint.model.finding import Step


@given(st.binary(max_size=60).map(lambda b: b.replace(b"x", b"\n")), st.integers(0, 60))
def test_lines_agree_with_counting(text: bytes, pos: int) -> None:
    pos = min(pos, len(text))
    line, column = Lines.of(text).locate(pos)
    assert line == text[:pos].count(b"\n") + 1
    assert column == pos - (text[:pos].rfind(b"\n") + 1) + 1


def test_newlines_of_facts_and_of_bytes_agree() -> None:
    text = b"a\n\nbc\n"
    assert [Lines((1, 2, 5)).locate(pos) for pos in range(7)] == [Lines.of(text).locate(pos) for pos in range(7)]


def test_a_fingerprint_survives_moved_lines_and_renamed_files() -> None:
    [before] = fingerprints([raw(pos=10)])
    [after] = fingerprints([raw(path="mm/renamed.c", pos=999, message="Line 7 differs.")])
    assert before == after
    assert len(before) == 16 and int(before, 16) >= 0


def test_a_fingerprint_tells_rule_function_and_shape_apart() -> None:
    names = fingerprints([raw(), raw(rule="TLB001"), raw(function="g"), raw(shape=("ptl.acquire",)), raw(shape=("lazy.enter", "lazy.enter"))])
    assert len(set(names)) == 5


def test_equal_findings_are_numbered_in_file_order_whatever_their_order_in_the_list() -> None:
    first, second = raw(pos=10), raw(pos=20)
    assert fingerprints([first, second]) == fingerprints([second, first])[::-1]
    assert len(set(fingerprints([first, second]))) == 2


def test_a_finding_in_another_file_does_not_renumber() -> None:
    [alone] = fingerprints([raw(path="mm/z.c")])
    assert fingerprints([raw(path="arch/x86/a.c"), raw(path="mm/z.c")])[1] == alone


def test_digest_keeps_parts_apart() -> None:
    assert digest("a", "bc") != digest("ab", "c") != digest("abc")


def test_digest_takes_names_that_are_not_utf8() -> None:
    assert len(digest("mm/\udcff.c")) == 16


def test_refine_is_total_and_drops_doubles() -> None:
    trace = (Step("mm/a.c", 4, "f", "lazy.enter", "on", ""), Step("mm/gone.c", 4, "f", "return", "", ""))
    items = [raw(pos=p, function=fn, shape=(s,), trace=t) for p in (0, 3, 5) for fn in "fg" for s in "xy" for t in ((), trace)]
    lines = {"mm/a.c": Lines((2, 4))}
    straight = refine(items, Files(lines), {"TLB003": RULE})
    mixed = list(items) + items[:5]
    random.Random(3).shuffle(mixed)
    assert refine(mixed, Files(lines), {"TLB003": RULE}) == straight
    assert len(straight) == len(items)
    assert [(f.line, f.column) for f in straight] == sorted((f.line, f.column) for f in straight)
    assert [step.line for step in next(f for f in straight if f.trace).trace] == [1, 2, 1]
