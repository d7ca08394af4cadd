"""Patches from the open internet: refused in one line, or applied as git applies them, and nothing in between."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tlblint.io.apply import apply_series
from tlblint.io.errors import InputError
from tlblint.io.series import read_series
from tlblint.io.series_diff import parse_diff
from tlblint.io.series_paths import objection, quoted, shown
from tlblint.io.tree import PlainDir
from tlblint.model.series import Series

SHAPES = ROOT / "fixtures" / "series"
BASE = SHAPES / "base"

REFUSED = {
    "absolute.patch": "absolute.patch:16: an absolute path is not touched: /etc/passwd",
    "backslash.patch": "backslash.patch:15: a path with a backslash is not touched: mm\\seal.c",
    "bad-gzip.gz": "bad-gzip.gz: a gzip file that is cut off",
    "bad-mode.patch": "bad-mode.patch:16: a file mode that cannot be read",
    "blank.patch": "blank.patch: empty",
    "combined.patch": "combined.patch:15: a combined diff of a merge",
    "create-and-delete.patch": "create-and-delete.patch:15: the header of a file disagrees with itself on /dev/null",
    "cut-header.patch": "cut-header.patch:15: ends in the middle of the header of a file",
    "cut-names.patch": "cut-names.patch:15: mm/seal.c is named but nothing is changed in it",
    "cut-off.patch": "cut-off.patch:19: hunk 1 (says 7 lines before, 9 after) is cut off: 3 and 4 are missing",
    "dotdot-inside.patch": "dotdot-inside.patch:15: a path with .. is not touched",
    "dotdot.patch": "dotdot.patch:15: a path with .. is not touched: ../../mm/seal.c",
    "dotgit-blank.patch": "dotgit-blank.patch:15: a path into .git is not touched",
    "dotgit-case.patch": "dotgit-case.patch:15: a path into .git is not touched: mm/.GiT/config",
    "dotgit-ntfs.patch": "dotgit-ntfs.patch:15: a path into .git is not touched",
    "dotgit-unseen.patch": "dotgit-unseen.patch:15: a path into .git is not touched",
    "dotgit.patch": "dotgit.patch:15: a path into .git is not touched",
    "double-slash.patch": "double-slash.patch:15: an absolute path is not touched: /etc/seal.c",
    "empty.patch": "empty.patch: empty",
    "headers-only.eml": "headers-only.eml: no patch in 1 mail",
    "huge-number.patch": "huge-number.patch:19: a hunk header that cannot be read",
    "long-hunk.patch": "long-hunk.patch:25: hunk 1 has more lines than its header says",
    "newline.patch": "newline.patch:15: a path with control characters is not touched: mm/se\\nal.c",
    "no-file.patch": "no-file.patch:16: a hunk without the name of its file",
    "nul.patch": "nul.patch:15: a path with control characters is not touched: mm/se\\x00al.c",
    "prose.txt": "prose.txt: holds no mail and no diff",
    "rename-out.patch": "rename-out.patch:15: a path with .. is not touched: ../../../tmp/seal.c",
    "short-hunk.patch": "short-hunk.patch:30: hunk 1 (says 10 lines before, 12 after) ends early: 2 and 3 are missing",
    "two-names.patch": "two-names.patch:15: the header of a file gives it two names",
    "uneven-hunk.patch": "uneven-hunk.patch:25: hunk 1 (says 9 lines before, 5 after) has other counts",
}


def test_every_hostile_file_is_in_the_table() -> None:
    assert sorted(REFUSED) == sorted(path.name for path in (SHAPES / "hostile").iterdir())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_it_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_series(str(SHAPES / "hostile"), [name])
    said = str(caught.value)
    assert said.startswith(REFUSED[name]) and said.isprintable()


@pytest.mark.parametrize("path", ["a", "a/b.c", "a b/c", "..a/b", "a/...", ".github/x", ".gitignore", "mm/.gitattributes", "gitx/.gi", "ä/ö", "a:b"])
def test_paths_that_are_fine(path: str) -> None:
    assert objection(path) is None


@pytest.mark.parametrize("path", ["", "/a", "a/../b", "..", "./a", "a//b", "a/", ".git", "a/.Git/b", ".git::$INDEX/x", "git~1", "a\\b", "a\x7f", "x" * 1025])
def test_paths_that_are_not(path: str) -> None:
    assert objection(path) is not None


def test_names_in_quotes() -> None:
    assert quoted(rb'"a/\303\244\t\"\\" rest') == (b"a/\xc3\xa4\t\"\\", b" rest")
    assert quoted(b'"a') is None and quoted(b"a") is None and quoted(rb'"\9"') is None
    assert shown("a\nb\udcff") == "a\\nb\\xff" and len(shown("x" * 5000)) == 200


def read(raw: bytes) -> Series:
    return read_series("/", ["-"], stdin=io.BytesIO(raw))


def refusal(raw: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(raw)
    return str(caught.value)


HEAD = b"From: A <a@example.org>\nSubject: [PATCH] x\n\nText.\n---\n"
FILE = b"diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (HEAD + FILE + b"@@ -0,0 +0,0 @@\n" * 100_001, "more than 100000 hunks"),
        (HEAD + b"".join(b"diff --git a/%d b/%d\nnew file mode 100644\n" % (i, i) for i in range(50_002)), "more than 50000 files"),
        (b"".join(b"From x Thu Jan  1 00:00:00 1970\n" + HEAD + FILE + b"@@ -1 +1 @@\n-a\n+b\n" for _ in range(2001)), "more than 2000 patches"),
        (b"\n" * 2_000_001, "more than 2000000 lines"),
        (b"x" * (65 << 20), "larger than 64 MB"),
        (b"From x Thu Jan  1 00:00:00 1970\n" * 20_001, "more than 20000 mails"),
        (b"* x\nFrom: a @ 2020-01-01  0:00\n\n" * 20_001, "more than 20000 mails"),
        (b"From x Thu Jan  1 00:00:00 1970\nSubject: x\n" + b" x\n" * 400_000, "headers of more than 1 MB"),
        (b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1000, "a mail of more than 200 parts"),
        (b"Subject: x\n" + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(150)), "no patch in 1 mail"),
        (HEAD + FILE.replace(b"x.c", b"x" * 5000), "a file name of more than 4096 bytes"),
        (HEAD + FILE + b"@@ -1,3 +1,3 @@\n a\n-b\n+", "is cut off"),
        (HEAD + b"diff --git a/x.c b/x.c\nindex 12345678..87654321 100644\n", "x.c is named but nothing is changed in it"),
        (HEAD + b"--- x.c\n+++ x.c\n@@ -1 +1 @@\n-a\n+b\n", "x.c has no directory to strip"),
    ],
)
def test_limits_and_cuts(raw: bytes, said: str) -> None:
    assert said in refusal(raw)


def test_a_line_of_megabytes_is_just_a_line() -> None:
    (patch,) = read(HEAD + FILE + b"@@ -1 +1 @@\n-" + b"a" * (8 << 20) + b"\n+b\n").patches
    assert len(patch.files[0].raw) > 8 << 20


def test_nothing_from_a_mail_moves_a_cursor() -> None:
    raw = HEAD.replace(b"[PATCH] x", b"[PATCH] \x1b[31mred\x07").replace(b"From: A", b"From: \x1b[2JA").replace(b"Text.\n", b"Subject: a\x1b\x9bb\n\nText.\n")
    (patch,) = read(raw + FILE + b"@@ -1 +1 @@\n-a\n+b\n").patches
    assert (patch.subject, patch.author) == ("a??b", "?[2JA <a@example.org>")
    assert "?[31mred?" in refusal(raw.replace(b"Subject: a\x1b\x9bb\n", b"").replace(b"Subject", b"Content-Type: text/plain; format=flowed\nSubject", 1) + FILE
                                  + b"@@ -1 +1 @@\n-a\n+b\n")  # fmt: skip


def test_what_a_reply_quotes_is_no_patch() -> None:
    (one,) = read(HEAD + FILE + b"@@ -1 +1 @@\n-a\n+b\n-- \n2.39\n\n> diff --git a/y.c b/y.c\n> @@ -1 +1 @@\n> -a\n> +b\n").patches
    assert [f.path for f in one.files] == ["x.c"]


def test_binary_changes_are_marked() -> None:
    data = b"GIT binary patch\nliteral 5\nMc$_OqPA*DP007qR1poj5\n\nliteral 0\nHcmV?d00001\n\n"
    (one,) = read(HEAD + b"diff --git a/x.png b/x.png\nindex 1234567..7654321 100644\n" + data + FILE + b"@@ -1 +1 @@\n-a\n+b\n").patches
    assert [(f.path, f.binary, len(f.hunks)) for f in one.files] == [("x.png", True, 0), ("x.c", False, 1)]
    (one,) = read(HEAD + b"diff --git a/x.png b/x.png\nindex 1234567..7654321 100644\nBinary files a/x.png and b/x.png differ\n").patches
    assert one.files[0].binary


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("new file mode 100644\nindex 0000000..1234567", ("create", None, "x.c", None, "1234567")),
        ("deleted file mode 100755\nindex 1234567..0000000", ("delete", "x.c", None, "1234567", None)),
        ("old mode 100644\nnew mode 100755", ("mode", "x.c", "x.c", None, None)),
        ("similarity index 100%\nrename from y d.c\nrename to x.c", ("rename", "y d.c", "x.c", None, None)),
        ('similarity index 100%\ncopy from "\\303\\244.c"\ncopy to x.c', ("copy", "ä.c", "x.c", None, None)),
    ],
)
def test_headers_without_hunks(header: str, expected: tuple[str | None, ...]) -> None:
    (one,) = parse_diff(b"diff --git a/x.c b/x.c\n" + header.encode() + b"\n", "x")
    assert (one.kind, one.old_path, one.new_path, one.old_blob, one.new_blob) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("diff --git a/m m/x y.c b/m m/x y.c\n--- a/m m/x y.c\t\n+++ b/m m/x y.c\t\n", "m m/x y.c"),
        ("diff --git i/mm/x.c w/mm/x.c\n--- i/mm/x.c\n+++ w/mm/x.c\n", "mm/x.c"),
        ("diff --git mm/x.c mm/x.c\n--- mm/x.c\n+++ mm/x.c\n", "mm/x.c"),
        ("diff -urN old/mm/x.c new/mm/x.c\n--- old/mm/x.c\tMon May  6 10:00:00 2024\n+++ new/mm/x.c\t2024-05-06 10:00:00.0 +0200\n", "mm/x.c"),
        ("--- linux/mm/x.c.orig\n+++ linux/mm/x.c\n", "mm/x.c"),
        ('diff --git "a/m\\tm/x.c" "b/m\\tm/x.c"\n--- "a/m\\tm/x.c"\n+++ "b/m\\tm/x.c"\n', ""),
    ],
)
def test_names_in_headers(text: str, path: str) -> None:
    raw = text.encode() + b"@@ -1 +1 @@\n-a\n+b\n"
    if not path:
        with pytest.raises(InputError, match="control characters"):
            parse_diff(raw, "x")
        return
    (one,) = parse_diff(raw, "x")
    assert (one.kind, one.path, one.old_path) == ("modify", path, path)


GOOD = [path.read_bytes() for path in sorted(SHAPES.iterdir()) if path.is_file() and path.suffix != ".md"]


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
def test_damaged_mails_are_read_or_refused(raw: bytes, damage: list[tuple[int, int, bytes]]) -> None:
    for place, length, instead in damage:
        place %= len(raw) + 1
        raw = raw[:place] + instead + raw[place + length :]
    _read_or_refused(raw)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    _read_or_refused(raw)


def _read_or_refused(raw: bytes) -> None:
    try:
        one = read(raw)
    except InputError as error:
        assert "\n" not in str(error) and error.what
        return
    assert one.patches and all(patch.files for patch in one.patches)
    for patch in one.patches:
        for change in patch.files:
            assert all(objection(path) is None for path in (change.old_path, change.new_path) if path is not None)


LINES = [
    b"", b" ", b"+", b"-", b"+int x;", b"-int x;", b" \treturn 0;", b"\\ No newline at end of file", b"-- ", b"---", b"@@ -1,2 +1,2 @@", b"@@ -0,0 +1 @@",
    b"diff --git a/mm/seal.h b/mm/seal.h", b"--- a/mm/seal.c", b"+++ b/mm/seal.c", b"new file mode 100644", b"deleted file mode 100644",
    b"old mode 100644", b"rename from mm/seal.c", b"rename to mm/other.c", b"index 1234567..7654321", b"--- /dev/null", b"+++ /dev/null",
    b"similarity index 90%", b"\r", b"text",
]  # fmt: skip
CHANGE, PLAIN = (SHAPES / "bare.diff").read_bytes(), (SHAPES / "traditional.patch").read_bytes()
HUNK = PLAIN[PLAIN.index(b"@@") : PLAIN.index(b"--- /dev/null")]
SEAL_H = (BASE / "mm" / "seal.h").read_bytes()
RENAME = b"diff --git a/mm/seal.h b/mm/o.h\nsimilarity index 80%\nrename from mm/seal.h\nrename to mm/o.h\n--- a/mm/seal.h\n+++ b/mm/o.h\n" + HUNK
DELETE = b"diff --git a/mm/seal.h b/mm/seal.h\ndeleted file mode 100644\n--- a/mm/seal.h\n+++ /dev/null\n@@ -1,%d +0,0 @@\n" % SEAL_H.count(b"\n")
DELETE += b"".join(b"-" + line + b"\n" for line in SEAL_H.splitlines())
CREATE = b"diff --git a/mm/n.c b/mm/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/mm/n.c\n@@ -0,0 +1,2 @@\n+int n;\n+int m;\n\\ No newline at end of file\n"
DIFFS = [CHANGE, PLAIN, RENAME, DELETE, CREATE, CREATE + CHANGE + RENAME, CHANGE + DELETE]
STRICTER = re.compile(
    r"disagrees with itself|more lines than its header says|no header behind it|nothing is changed in it|two names|created and deleted|is not touched|combined"
    r"|lacks its|a file says .* twice|half of a rename|holds no (?:mail|diff)|cut off"
    r"|no patch in|without the name|is binary|symbolic link|ends early|has other counts|no directory to strip|cannot be read"
)
"""What is refused although git may apply it, or pass it over without a word."""


def by_git(raw: bytes) -> dict[str, bytes] | None:
    """The files of the base with a diff applied by git; None when it refuses."""
    with tempfile.TemporaryDirectory() as place:
        for path in BASE.rglob("*.?"):
            target = Path(place) / "tree" / path.relative_to(BASE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        words = ["git", "apply", "-p1", "--whitespace=nowarn", "-"]
        done = subprocess.run(words, cwd=Path(place) / "tree", input=raw, capture_output=True, env={"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": place})
        files = {str(path.relative_to(Path(place) / "tree")): path.read_bytes() for path in (Path(place) / "tree").rglob("*") if path.is_file()}
        return files if done.returncode == 0 else None


@given(
    st.sampled_from(DIFFS),
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["cut", "twice", "put", "swap"]), st.sampled_from(LINES)), max_size=3),
)
@example(CHANGE, [])
@example(PLAIN, [])
@example(RENAME, [])
@example(DELETE, [])
@example(CREATE + CHANGE, [])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_diff_makes_what_git_makes_of_it(raw: bytes, damage: list[tuple[int, str, bytes]]) -> None:
    lines = raw.split(b"\n")
    for place, how, line in damage:
        place %= len(lines)
        if how == "cut":
            del lines[place]
        elif how == "twice":
            lines.insert(place, lines[place])
        elif how == "put":
            lines.insert(place, line)
        else:
            lines[place] = line
        lines = lines or [b""]
    raw = b"\n".join(lines)
    expected = by_git(raw)
    try:
        files: dict[str, bytes | None] = {str(path.relative_to(BASE)): path.read_bytes() for path in BASE.rglob("*.?")}
        for step in apply_series(PlainDir(str(BASE)), read(raw)):
            files.update(step.changed)
    except InputError as error:
        assert expected is None or STRICTER.search(str(error)), f"git applies it, but: {error}"
        return
    assert {path: data for path, data in files.items() if data is not None} == expected
