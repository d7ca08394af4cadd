"""The file format of the committed records, and what counts as a difference. Needs no kernel."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.real.record import Entry, Missed, Record, carry, differences, head_of, parse, render, unanalysed
from tests.real.summary import HERE, SCOPE, update

ONE = Entry("mm/a.c", 43, "f", "TLB001", "ptep_get() changes entries", "true", "the lock is taken twice")
TWO = Entry("mm/a.c", 90, "g", "TLB003", "lazy MMU mode is left", "debatable", "boot only")
RECORD = Record("6.12.117", (ONE, TWO), (Missed("mm/b.c", "h", 3, "more than 6000 block visits"),))


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.name)
def test_committed_files_are_as_the_program_writes_them(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text()
    record = parse(text)
    assert record.kernel.rsplit(".", 1)[0] == path.stem
    assert render(record, SCOPE) == text


def test_render_and_parse_are_inverse() -> None:
    assert parse(render(RECORD, SCOPE)) == RECORD
    blank = replace(RECORD, entries=(replace(ONE, verdict="?", reason=""),), missed=())
    assert parse(render(blank, SCOPE)) == blank


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# kernel 6.12\n", 1),
        ("# kernel 6.12.1\nmm/a.c:f (3) head\n", 2),
        ("# kernel 6.12.1\n    verdict: true\n", 2),
        ("# kernel 6.12.1\nmm/a.c:f TLB001 (3) head\n    verdict: yes\n", 3),
        ("# kernel 6.12.1\nmm/a.c:f TLB001 (3) head\n    because: true\n", 3),
        ("# kernel 6.12.1\nnot analysed:\nmm/a.c:f\n", 3),
    ],
)
def test_a_mistake_names_its_line(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=f"^line {line}:"):
        parse(text)


def test_heads_have_no_lines_and_end_at_a_word() -> None:
    assert head_of("f() on line 12 changes x since line 9.") == "f() changes x since."
    long = head_of("word " * 40)
    assert long == "word " * 18 + "..." and len(long) < 95


def test_a_moved_line_counts_on_the_same_kernel_only() -> None:
    moved = replace(RECORD, entries=(replace(ONE, line=44), TWO))
    assert differences(RECORD, RECORD) == []
    assert differences(RECORD, moved) == [f"- {ONE.text}", f"+ {moved.entries[0].text}"]
    assert differences(RECORD, replace(moved, kernel="6.12.118")) == []
    assert differences(RECORD, replace(moved, kernel="6.12.118", entries=(TWO,))) == ["- mm/a.c:f TLB001"]
    assert differences(RECORD, replace(RECORD, entries=(ONE, TWO, replace(TWO, line=95)), kernel="6.12.118")) == ["+ mm/a.c:g TLB003"]


def test_what_is_not_analysed_may_shrink_but_not_grow() -> None:
    other = Missed("mm/b.c", "i", 9, "nested too deeply")
    assert unanalysed(RECORD, replace(RECORD, missed=())) == []
    assert unanalysed(RECORD, replace(RECORD, missed=(*RECORD.missed, other))) == ["mm/b.c:i (9) nested too deeply"]


def test_verdicts_follow_their_findings() -> None:
    def bare(entry: Entry, **more: object) -> Entry:
        return replace(entry, verdict="?", reason="", **more)  # type: ignore[arg-type]

    assert carry((ONE, TWO), (bare(ONE), bare(TWO))) == (ONE, TWO)
    assert carry((ONE,), (bare(ONE, line=50),)) == (replace(ONE, line=50),)
    assert carry((ONE,), (bare(ONE, line=50, head="other words"),)) == (replace(ONE, line=50, head="other words"),)
    assert carry((ONE,), (bare(ONE, rule="TLB002"),))[0].verdict == "?"
    again = replace(ONE, line=60, reason="another")
    assert carry((ONE, again), (bare(ONE, line=61), bare(again, line=62))) == (bare(ONE, line=61), bare(again, line=62)), "which is which is a guess"
    assert carry((ONE, again), (bare(ONE), bare(again, line=62))) == (ONE, replace(again, line=62)), "one is certain, so the other is"
    assert carry((ONE, ONE), (bare(ONE), bare(ONE))) == (ONE, ONE), "two findings that read the same"
    moved = (replace(ONE, line=61), replace(ONE, line=62))
    assert carry((ONE, replace(ONE, line=60)), map(bare, moved)) == moved, "both are judged alike"
    assert [entry.verdict for entry in carry((ONE,), (bare(ONE), bare(ONE)))] == ["?", "?"], "one of them is new"


def test_update_keeps_verdicts(tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "6.12.txt"
    target.write_text(render(RECORD, SCOPE))
    third = Entry("mm/z.c", 1, "z", "TLB002", "new")
    said = update(target, Record("6.12.118", (replace(ONE, line=50, verdict="?", reason=""), third), ()))
    assert parse(target.read_text()) == Record("6.12.118", (replace(ONE, line=50), third), ())
    assert said == "6.12.txt: 2 findings, 1 without a verdict, 0 functions not analysed"
