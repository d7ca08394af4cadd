"""What becomes of a heap of mails, a directory, or a range: which patches, in which order, and what the user is told."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from tests.conftest import git
from tests.io.mini import Mini
from tlblint.io.errors import InputError
from tlblint.io.series import read_series
from tlblint.io.series_range import is_range
from tlblint.model.series import Series

PROTECT, ZAP = "mm/protect.c", "mm/zap.c"


def mail(subject: str, change: str = "", number: str = "", parent: str = "", author: str = "Ada <a@example.org>", text: str = "Text.\n") -> str:
    """A mail of a mailbox; ``change`` is the new value of one line, "" for no diff."""
    head = f"From x Thu Jan  1 00:00:00 1970\nFrom: {author}\nSubject: {subject}\nDate: Mon, 6 May 2024 10:00:00 +0200\n"
    head += (f"Message-ID: <{number}@x>\n" if number else "") + (f"In-Reply-To: <{parent}@x>\n" if parent else "")
    diff = f"---\ndiff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-int a;\n+int a = {change};\n-- \n2.39\n" if change else ""
    return f"{head}\n{text}{diff}\n"


def read(*mails: str) -> Series:
    return read_series("/", ["-"], stdin=io.BytesIO("".join(mails).encode()))


def changes(one: Series) -> list[str]:
    return [next(line[9:-1] for line in patch.raw.decode().split("\n") if line.startswith("+int")) for patch in one.patches]


def test_numbers_order_the_patches() -> None:
    one = read(mail("[PATCH 3/3] c", "3"), mail("[PATCH 1/3] a", "1"), mail("[PATCH 2/3] b", "2"))
    assert changes(one) == ["1", "2", "3"] and one.title == "a" and one.notes == ()


def test_what_is_missing_is_named() -> None:
    one = read(mail("[PATCH 2/9] b", "2"), mail("[PATCH 5/9] e", "5"), mail("[PATCH 6/9] f"))
    assert [patch.index for patch in one.patches] == [2, 5]
    assert one.notes == ("patches 1, 3-4, 6-9 of 9 are missing", "the mail of patch 6 holds no diff")
    assert read(mail("[PATCH 2/2] b", "2")).notes == ("patch 1 of 2 is missing",)
    assert read(mail("[PATCH 3/2] b", "2")).notes == ("patches 1-2 of 2 are missing", "patch 3 of 2: numbered beyond the end")


def test_patches_without_numbers_keep_their_order() -> None:
    one = read(mail("[PATCH] z", "1"), mail("[PATCH] a", "2"))
    assert changes(one) == ["1", "2"] and one.notes == ("2 patches without numbers, taken in the order given",)
    assert [(patch.index, patch.total) for patch in one.patches] == [(1, None), (2, None)]


def test_a_single_patch_sent_again_counts_once() -> None:
    one = read(mail("[PATCH] z", "1"), mail("[PATCH v2] z", "2"), mail("Re: [PATCH] z", "3"))
    assert changes(one) == ["2"] and one.version == 2


def test_a_number_that_comes_twice() -> None:
    assert read(mail("[PATCH 1/1] z", "1", "m1"), mail("[PATCH 1/1] z", "1", "m1")).notes == ()
    one = read(mail("[PATCH 1/2] z", "1", "m1"), mail("[PATCH 2/2] y", "2", "m2", "m1"), mail("[PATCH 2/2] y", "3", "m3", "m1"))
    assert changes(one) == ["1", "3"] and one.notes == ("patch 2 was sent twice: the later one counts",)


def test_two_series_of_one_version_are_kept_apart_by_their_threads() -> None:
    first = [mail("[PATCH 0/2] first", "", "a0"), mail("[PATCH 1/2] a", "1", "a1", "a0"), mail("[PATCH 2/2] b", "2", "a2", "a0")]
    second = [mail("[PATCH 0/2] second", "", "b0"), mail("[PATCH 1/2] c", "3", "b1", "b0"), mail("[PATCH 2/2] d", "4", "b2", "b0")]
    one = read(*(part for pair in zip(first, second, strict=True) for part in pair))
    assert changes(one) == ["3", "4"] and one.title == "second"
    assert one.notes == ('chosen: v1 of "second" (2 patches); passed over: v1 of "first" (2 patches)',)
    # Even where the cover letters that would tie them together are not in the box.
    one = read(first[1], second[1], second[2], first[2])
    assert changes(one) in (["1", "2"], ["3", "4"])


def test_two_authors_share_a_series_when_nothing_speaks_against_it() -> None:
    assert changes(read(mail("[PATCH 1/2] a", "1"), mail("[PATCH 2/2] b", "2", author="Ben <b@example.org>"))) == ["1", "2"]


def test_a_newer_version_that_is_incomplete_is_told() -> None:
    one = read(mail("[PATCH 1/2] a", "1"), mail("[PATCH 2/2] b", "2"), mail("[PATCH v2 1/2] a", "3"))
    assert changes(one) == ["3"]
    assert one.notes == ('chosen: v2 of "a" (1 patch); passed over: v1 of "a" (2 patches)', "patch 2 of 2 is missing")


def test_a_numbered_series_beats_a_loose_patch() -> None:
    one = read(mail("[PATCH 1/1] a", "1"), mail("[PATCH] on top", "2"))
    assert changes(one) == ["1"] and 'passed over: v1 of "on top" (1 patch)' in one.notes[0]


def test_a_diff_in_a_discussion_is_none_of_the_patches() -> None:
    one = read(mail("[PATCH] a", "1", "m1"), mail("something to try", "2", "m2", "m1"))
    assert changes(one) == ["1"] and one.notes == ('passed over: "something to try" answers another mail and does not say PATCH',)
    assert changes(read(mail("a", "1", "m1"), mail("b", "2", "m2", "m1"))) == ["1", "2"]


def test_the_text_of_a_mail_may_name_author_and_subject() -> None:
    one = read(mail("[PATCH 1/1] wrong", "1", text="From: Ben <b@example.org>\nSubject: right\n of two lines\n\nText.\n"))
    assert (one.patches[0].author, one.patches[0].subject, one.patches[0].body) == ("Ben <b@example.org>", "right of two lines", "Text.")


@pytest.mark.parametrize(
    ("mails", "said"),
    [
        ([mail("[PATCH 0/2] cover")], "no patch in 1 mail (1 cover letter)"),
        ([mail("hello"), mail("Re: hello")], "no patch in 2 mails (1 reply)"),
        ([mail("[PATCH 0/2] cover with an example", "7")], "no patch in 1 mail (1 cover letter)"),
    ],
)
def test_no_patch_at_all(mails: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(*mails)
    assert caught.value.what == said


def test_a_count_of_files_that_is_wrong() -> None:
    text = mail("[PATCH] a", "1").replace("---\ndiff", "---\n mm/a.c | 2 +-\n mm/b.c | 2 +-\n 2 files changed, 2 insertions(+), 2 deletions(-)\n\ndiff")
    assert read(text).notes == ("patch 1 says that it changes 2 files, but holds 1",)


def test_what_a_series_needs_first() -> None:
    trailer = "base-commit: 0123456789abcdef0123456789abcdef01234567\nprerequisite-patch-id: 1123456789abcdef0123456789abcdef01234567\n"
    one = read(mail("[PATCH] a", "1").replace("-- \n", trailer + "-- \n"))
    assert one.base_commit == "0123456789abcdef0123456789abcdef01234567"
    assert one.notes == ("the series says that it needs 1 other patch first",)


def test_a_directory_as_format_patch_writes_it(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0002-b.patch").write_text(mail("[PATCH 2/2] b", "2"))
    (tmp_path / "out" / "0001-a.patch").write_text(mail("[PATCH 1/2] a", "1"))
    (tmp_path / "out" / "0000-cover-letter.patch").write_text(mail("[PATCH 0/2] cover"))
    (tmp_path / "out" / "notes").write_text("not a patch")
    one = read_series(str(tmp_path), ["out"])
    assert changes(one) == ["1", "2"] and one.title == "cover"
    assert [patch.source for patch in one.patches] == ["out/0001-a.patch:1", "out/0002-b.patch:1"]
    assert changes(read_series(str(tmp_path / "out"), ["0002-b.patch", "0001-a.patch"])) == ["1", "2"]


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words, said in [
        (["nope"], "nope: no such file, and no range a..b either"),
        (["empty"], "empty: no patch files in this directory"),
        (["/dev/null"], "/dev/null: not a file"),
        ([], "series: nothing to read"),
        (["a..b", "nope"], "a..b nope: a range and something else"),
        (["a..b"], "a..b: a range, but"),
    ]:
        with pytest.raises(InputError) as caught:
            read_series(str(tmp_path), words)
        assert str(caught.value).startswith(said)


def test_pipes_are_read_and_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="fifo: empty"):
        read_series(str(tmp_path), ["fifo"])
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file, os.fdopen(reading, "rb"):
        file.write(mail("[PATCH] a", "1").encode())
        file.close()
        assert changes(read_series(str(tmp_path), [f"/proc/self/fd/{reading}"])) == ["1"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("a..b", True), ("v6.1..HEAD~2", True), ("..b", True), ("a..", True), ("a...b", True), ("../x.patch", False), ("x/../y.patch", False), ("..", False)],
)
def test_what_looks_like_a_range(word: str, expected: bool) -> None:
    assert is_range(word) is expected


def test_a_range_goes_along_first_parents(tmp_path: Path) -> None:
    mini = Mini(tmp_path / "linux")
    git(mini.top, "checkout", "-q", "-b", "topic")
    mini.commit({ZAP: mini.edit(ZAP, b"#include", b"/* one */\n#include")}, "zap: one")
    mini.commit({"mm/new.c": b"int new;\n"}, "new: two\n\nText.\n\nSigned-off-by: A <a@b>")
    git(mini.top, "checkout", "-q", "main")
    own = mini.commit({PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1;")}, "protect: three")
    git(mini.top, "merge", "-q", "--no-ff", "-m", "Merge topic", "topic")
    merge = git(mini.top, "rev-parse", "HEAD")
    one = read_series(str(mini.top / "mm"), [f"{mini.first}..main"])
    assert [(patch.subject, patch.commit, [f.path for f in patch.files]) for patch in one.patches] == [
        ("protect: three", own, [PROTECT]),
        ("Merge topic", merge, ["mm/new.c", ZAP]),
    ]
    assert one.notes == (f"merge {merge[:12]} counts as one patch: its difference to its first parent",)
    assert (one.base_commit, one.title) == (mini.first, f"{mini.first[:12]}..main")
    topic = read_series(str(tmp_path), ["main~1..topic"], tree="linux")
    assert [(patch.subject, patch.trailers) for patch in topic.patches] == [("zap: one", ()), ("new: two", (("Signed-off-by", "A <a@b>"),))]
    assert topic.base_commit == mini.first and "where the branches part" in topic.notes[0]


def test_ranges_that_are_none(tmp_path: Path) -> None:
    mini = Mini(tmp_path / "linux")
    for word, said in [
        ("HEAD..HEAD", "an empty range"),
        ("nope..HEAD", "git knows no commit nope"),
        ("HEAD...HEAD", "a symmetric difference"),
        ("--output=x..HEAD", "git knows no commit --output=x"),
    ]:
        with pytest.raises(InputError) as caught:
            read_series(str(mini.top), [word])
        assert caught.value.what.startswith(said)
    assert not list(mini.top.glob("x*"))


def test_one_revision_is_no_range_and_what_would_be_one_is_said(tmp_path: Path) -> None:
    mini = Mini(tmp_path / "linux")
    with pytest.raises(InputError) as caught:
        read_series(str(mini.top), ["HEAD"])
    assert (caught.value.what, caught.value.todo) == ("one revision, and no range a..b", "what came after it is HEAD.., that commit alone HEAD~..HEAD")
    (mini.top / "main").write_text(mail("zap: one", "one"))  # a file wins over a branch of that name
    assert read_series(str(mini.top), ["main"]).patches[0].subject == "zap: one"


def test_whole_ids_are_cut_in_the_title_of_a_range(tmp_path: Path) -> None:
    mini = Mini(tmp_path / "linux")
    tips = [mini.commit({"mm/new.c": text}, "new") for text in (b"int a;\n", b"int b;\n")]
    assert read_series(str(mini.top), [f"{mini.first}..{tips[1]}"]).title == f"{mini.first[:12]}..{tips[1][:12]}"


def test_a_closed_standard_input_matters_only_to_who_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.patch").write_text(mail("zap: one", "one"))
    monkeypatch.setattr("sys.stdin", None)
    assert read_series(str(tmp_path), ["a.patch"]).title == "zap: one"
    with pytest.raises(InputError, match="standard input: closed"):
        read_series(str(tmp_path), ["-"])
