"""Mails read: every shape gives the patches that git sees in it."""

from __future__ import annotations

import gzip
import io
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tlblint.io.errors import InputError
from tlblint.io.mail_box import Box, read_box
from tlblint.io.mail_subject import Prefix, read_subject
from tlblint.io.mail_text import read_text, trailers
from tlblint.io.series import read_series
from tlblint.model.series import Series

SHAPES = ROOT / "fixtures" / "series"
SUBJECTS = ["mm/seal: queue the entries of a run", "mm/seal: skip what is not present", "mm/seal: flush with the lock dropped"]


def box(name: str) -> Box:
    return read_box((SHAPES / name).read_bytes(), name)


def series(name: str) -> Series:
    return read_series(str(SHAPES), [name])


def hunks(one: Series) -> list[list[tuple[str, list[bytes]]]]:
    """The changed lines of each file of each patch: what stays the same in all shapes."""
    return [[(f.path, [line for line in f.raw.split(b"\n") if line[:1] in b"+- "]) for f in patch.files] for patch in one.patches]


@pytest.mark.parametrize("name", ["two-versions.mbox", "thread.txt", "thread.html", "encodings.mbox", "attached-mails.eml", "reroll.mbox"])
def test_the_three_patches_are_the_same_in_every_shape(name: str) -> None:
    one = series(name)
    assert [patch.subject for patch in one.patches] == SUBJECTS
    assert [(patch.index, patch.total) for patch in one.patches] == [(1, 3), (2, 3), (3, 3)]
    assert [[f.path for f in patch.files] for patch in one.patches] == [["mm/seal.c"], ["mm/seal.c", "mm/seal.h"], ["mm/seal.c"]]
    assert hunks(one) == hunks(series("two-versions.mbox"))


@pytest.mark.parametrize("name", ["attached.eml", "scissors.eml", "bare.diff"])
def test_one_patch_is_the_first_of_the_three(name: str) -> None:
    assert hunks(series(name)) == hunks(series("two-versions.mbox"))[:1]


def test_git_show_is_a_mail() -> None:
    (patch,) = series("shown.txt").patches
    assert (patch.subject, patch.author, len(patch.files)) == (SUBJECTS[1], "Ada Example <ada@example.org>", 2)
    assert patch.body.startswith("Swap entries") and "    diff --git a/mm/seal.c" in patch.body
    assert patch.trailers == (("Signed-off-by", "Ada Example <ada@example.org>"),)


def legible(raw: bytes) -> str:
    """What git writes where it was built without iconv is not always UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def mailinfo(raw: bytes, place: Path, *options: str) -> tuple[dict[str, str], bytes, bytes]:
    """(fields, message, patch) as git mailinfo has them."""
    words = ["git", "mailinfo", *options, "--encoding=UTF-8", str(place / "msg"), str(place / "patch")]
    done = subprocess.run(words, input=raw, capture_output=True, check=True, cwd=place)
    rows = [line.partition(": ")[::2] for line in legible(done.stdout).splitlines() if line]
    return dict(rows), (place / "msg").read_bytes(), (place / "patch").read_bytes()


@pytest.mark.parametrize("name", ["two-versions.mbox", "encodings.mbox", "reroll.mbox"])
def test_git_mailinfo_agrees(name: str, tmp_path: Path) -> None:
    (tmp_path / "split").mkdir()
    subprocess.run(["git", "mailsplit", "--mboxrd", f"-o{tmp_path / 'split'}", str(SHAPES / name)], check=True, capture_output=True)
    letters = box(name).letters
    files = sorted((tmp_path / "split").iterdir())
    assert len(files) == len(letters) > 2
    for file, letter in zip(files, letters, strict=True):
        fields, message, patch = mailinfo(file.read_bytes(), tmp_path)
        sheet = read_text(letter.text)
        assert fields["Subject"] == read_subject(letter.subject).subject.removeprefix("Re: ")
        assert f"{fields['Author']} <{fields['Email']}>" == (sheet.author or letter.author)
        assert legible(sheet.message).split() == legible(message).split()
        assert sheet.diff in (b"", patch.replace(b"\r\n", b"\n"))
        assert bool(sheet.diff) == (b"diff --git" in patch)


def test_git_mailinfo_agrees_on_scissors(tmp_path: Path) -> None:
    fields, message, patch = mailinfo((SHAPES / "scissors.eml").read_bytes(), tmp_path, "--scissors")
    (one,) = series("scissors.eml").patches
    assert (one.subject, one.author) == (fields["Subject"], f"{fields['Author']} <{fields['Email']}>") == (SUBJECTS[0], "Cem Third <cem@example.org>")
    assert one.body.split() == message.decode().split() and one.raw == patch


def test_the_newest_version_is_chosen_and_told() -> None:
    one = series("two-versions.mbox")
    assert (one.title, one.version, one.origin) == ("mm/seal: faster sealing", 2, "mail")
    assert one.cover is not None and one.cover.message_id == "v2-0@example.org" and "\nFrom what was measured" in one.cover.body
    assert one.base_commit == "0123456789abcdef0123456789abcdef01234567"
    assert one.notes == ('chosen: v2 of "mm/seal: faster sealing" (3 patches); passed over: v1 of "mm/seal: faster sealing" (2 patches)',)
    assert [patch.prefixes for patch in one.patches] == [("mm-next",)] * 3


def test_a_patch_that_replaces_one_is_laid_over_the_others() -> None:
    one = series("reroll.mbox")
    assert one.notes == ("v2 replaces only 2 of 3: the others are of v1",)
    assert [patch.version for patch in one.patches] == [1, 2, 1] and b"+void seal_stats" in one.patches[1].raw


def test_a_page_says_which_line_a_patch_is_on() -> None:
    one = series("thread.txt")
    lines = (SHAPES / "thread.txt").read_text().split("\n")
    for patch in one.patches:
        assert patch.rfc and lines[int(patch.source.rpartition(":")[2]) - 1] == f"* [RFC {patch.index}/3] {patch.subject}"
    assert one.origin == "page" and one.cover is not None and one.notes == ()
    assert [patch.source for patch in series("thread.html").patches] == [f"thread.html (mail {number})" for number in (2, 3, 4)]


def test_encodings_of_headers_and_bodies() -> None:
    one, two, three = series("encodings.mbox").patches
    assert one.author == two.author == "Zoë Schön <zoe@example.org>"
    assert "Reviewed-by: Zoë Schön" in one.body and "Zoë says" in three.body
    assert not any(b"\r" in patch.raw for patch in (one, two, three))


def test_flowed_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"flowed.eml:1: .* was sent as format=flowed"):
        series("flowed.eml")


def test_a_mailbox_may_be_packed_and_come_from_standard_input() -> None:
    raw = (SHAPES / "two-versions.mbox").read_bytes()
    packed = gzip.compress(raw[:1000]) + gzip.compress(raw[1000:])
    one = read_series("/", ["-"], stdin=io.BytesIO(packed))
    assert hunks(one) == hunks(series("two-versions.mbox"))
    assert one.patches[0].source.startswith("standard input:")


def test_a_packed_bomb_is_bounded() -> None:
    with pytest.raises(InputError, match=r"more than 64 MB when unpacked"):
        read_series("/", ["-"], stdin=io.BytesIO(gzip.compress(b"\n" * (65 << 20))))


def test_a_line_that_only_looks_like_the_start_of_a_mail() -> None:
    raw = (SHAPES / "two-versions.mbox").read_bytes().replace(b"Nothing needs the lock", b"From here on nothing needs the lock")
    assert len(read_box(raw, "box").letters) == len(box("two-versions.mbox").letters)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[PATCH] a: b", Prefix("a: b", patch=True)),
        ("[RFC 03/20] a: b", Prefix("a: b", 3, 20, rfc=True, patch=True)),
        ("[PATCH net-next v3 1/2] a: b", Prefix("a: b", 1, 2, 3, patch=True, words=("net-next",))),
        ("[RFC][PATCH V2 0/7] a", Prefix("a", 0, 7, 2, rfc=True, patch=True)),
        ("[RFC PATCH RESEND v10 12/345] a", Prefix("a", 12, 345, 10, rfc=True, patch=True, words=("RESEND",))),
        ("[PATCHv4 2/3] a [b] c", Prefix("a [b] c", 2, 3, 4, patch=True)),
        ("[linux-mm] [PATCH,v2,1/2] a", Prefix("a", 1, 2, 2, patch=True, words=("linux-mm",))),
        ("Re: [PATCH v2 1/2] a", Prefix("a", 1, 2, 2, patch=True, reply=True)),
        ("AW: Fwd: [PATCH] a", Prefix("a", patch=True, reply=True)),
        ("a: b", Prefix("a: b")),
        ("[PATCH 5.10 1/2] a:  \n b", Prefix("a: b", 1, 2, patch=True, words=("5.10",))),
        ("", Prefix("")),
    ],
)
def test_subjects(text: str, expected: Prefix) -> None:
    assert read_subject(text) == expected


def test_trailers_are_those_of_the_last_paragraph() -> None:
    assert trailers("a\n\nNote: not one\n\nLink: https://example.org/1\n[ada: two words]\nSigned-off-by:  A <a@b>\n") == (
        ("Link", "https://example.org/1"),
        ("Signed-off-by", "A <a@b>"),
    )
    assert trailers("") == () and trailers("only text") == ()


@pytest.mark.parametrize(
    ("text", "message", "starts"),
    [
        (b"m\n---\n stat\n\ndiff --git a/x b/x\nindex 1..2\n", b"m\n", b"---\n"),
        (b"m\ndiff --git a/x b/x\n", b"m\n", b"diff --git"),
        (b"m\n    diff --git a/x b/x\nn\n---\ndiff --git a/y b/y\n", b"m\n    diff --git a/x b/x\nn\n", b"---\n"),
        (b"m\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n", b"m\n", b"--- a/x"),
        (b"m\n----\n-- \n--- \ndiff --git a/x b/x\n", b"m\n----\n-- \n", b"--- \n"),
        (b"m\nIndex: x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n", b"m\n", b"Index: x"),
        (b"From: A <a@b>\nSubject: s\n t\n\nm\n---\nno diff\n", b"m\n", b""),
    ],
)
def test_where_a_message_ends(text: bytes, message: bytes, starts: bytes, tmp_path: Path) -> None:
    sheet = read_text(text)
    assert sheet.message == message and sheet.diff.startswith(starts) and bool(sheet.diff) == bool(starts)
    _, _, patch = mailinfo(b"From: A <a@b>\nSubject: s\n\n" + text, tmp_path)
    assert sheet.diff in (b"", patch)
    assert text.split(b"\n")[sheet.skipped :] == patch.split(b"\n")


def test_a_page_with_one_mail_whose_headers_lost_their_shape() -> None:
    raw = (SHAPES / "thread.txt").read_bytes()
    body = raw[raw.index(b"One hypercall") : raw.index(b"2.39.5")]
    head = b'archive mirror\n help / Atom feed\nFrom: "Ada Example" <ada@example.org>\nTo: "Ben Reader" <ben@example.org>,\nlinux-mm <linux-mm@example.org>\n'
    head += b"Subject: [PATCH v4 2/7] mm/seal: queue the entries of a run\nDate: Mon, 6 May 2024 10:00:00 +0200 [thread overview]\n"
    head += b"Message-ID: <x@example.org> (raw)\n"
    for blank in (b"", b"\n"):
        (letter,) = read_box(head + blank + body, "page").letters
        assert letter.subject == "[PATCH v4 2/7] mm/seal: queue the entries of a run"
        assert (letter.message_id, letter.date) == ("x@example.org", "Mon, 6 May 2024 10:00:00 +0200")
        assert letter.author == '"Ada Example" <ada@example.org>' and letter.text.lstrip() == body
        one = read_series("/", ["-"], stdin=io.BytesIO(head + blank + body))
        assert hunks(one) == hunks(series("two-versions.mbox"))[:1] and one.origin == "page" and one.patches[0].index == 2
    page = b"<html><pre>" + (head + body).replace(b"<", b"&lt;").replace(b">", b"&gt;") + b"</pre></html>"
    assert hunks(read_series("/", ["-"], stdin=io.BytesIO(page))) == hunks(series("two-versions.mbox"))[:1]


def test_a_page_that_starts_with_its_subject() -> None:
    raw = (SHAPES / "thread.txt").read_bytes()
    body = raw[raw.index(b"One hypercall") : raw.index(b"2.39.5")]
    one = read_series("/", ["-"], stdin=io.BytesIO(b"[PATCH] mm/seal: queue\n\nFrom: Ada Example\nDate: Mon May 06 2024 - 10:00:00 EST\n\n\n" + body))
    assert (one.title, one.patches[0].author) == ("mm/seal: queue", "Ada Example") and hunks(one) == hunks(series("two-versions.mbox"))[:1]
