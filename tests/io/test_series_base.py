"""Which revision a series is applied to, and how well it fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import git
from tests.io.mini import Mini
from tlblint.io import series_blobs
from tlblint.io.errors import InputError
from tlblint.io.series import read_series
from tlblint.io.series_base import open_base
from tlblint.io.tree import PlainDir, Revision
from tlblint.model.series import Base, Series

PROTECT, ZAP = "mm/protect.c", "mm/zap.c"


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    return Mini(tmp_path / "linux")


def two_files(mini: Mini, *options: str) -> bytes:
    """Two patches on top of HEAD, which stays where it was."""
    start = git(mini.top, "rev-parse", "HEAD")
    git(mini.top, "checkout", "-q", "--detach")
    mini.commit({PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1;")}, "protect: one")
    last = mini.commit({ZAP: mini.edit(ZAP, b"#include", b"/* zap */\n#include"), PROTECT: mini.edit(PROTECT, b"-EAGAIN", b"-EBUSY")}, "zap: two")
    mails = mini.mails(f"{start}..{last}", *options)
    git(mini.top, "checkout", "-q", "main")
    return mails


def series_of(mails: bytes, tmp_path: Path) -> Series:
    (tmp_path / "box").write_bytes(mails)
    return read_series(str(tmp_path), ["box"])


def based(mini: Mini, series: Series, base: str | None = None, tree: str | None = None) -> Base:
    tree_, found = open_base(str(mini.top), tree, base, series)
    assert tree_.revision == found.revision
    tree_.close()
    return found


def test_head_fits_the_patches_that_were_made_on_it(mini: Mini, tmp_path: Path) -> None:
    base = based(mini, series_of(two_files(mini), tmp_path))
    assert (base.revision, base.how, base.equal, base.known) == (mini.first, "blobs", 2, 2)
    assert base.text == f"base: HEAD ({mini.first[:12]}), by the index lines of the patches; 2 of 2 files are the ones that the patches were made for"


def test_the_option_beats_all(mini: Mini, tmp_path: Path) -> None:
    series = series_of(two_files(mini, f"--base={mini.first}"), tmp_path)
    later = mini.commit({ZAP: b"int zap;\n"}, "zap: other")
    base = based(mini, series, base="HEAD")
    assert (base.revision, base.how, base.equal, base.known) == (later, "option", 1, 2)
    assert base.text.startswith(f"base: HEAD ({later[:12]}), as --base says; 1 of 2 files")


def test_the_trailer_beats_head(mini: Mini, tmp_path: Path) -> None:
    series = series_of(two_files(mini, f"--base={mini.first}"), tmp_path)
    mini.commit({ZAP: b"int zap;\n"}, "zap: other")
    assert series.base_commit == mini.first
    base = based(mini, series)
    assert (base.revision, base.how, base.equal) == (mini.first, "trailer", 2)


def test_a_trailer_from_elsewhere_is_named(mini: Mini, tmp_path: Path) -> None:
    mails = two_files(mini, f"--base={mini.first}").replace(mini.first.encode(), b"12" * 20)
    base = based(mini, series_of(mails, tmp_path))
    assert base.how == "blobs" and base.revision == mini.first
    assert base.text.endswith("; the base-commit 121212121212 that the series names is not in this repository")


def test_the_range_starts_where_it_says(mini: Mini) -> None:
    two_files(mini)
    mini.commit({PROTECT: b"int a;\n"}, "one")
    mini.commit({PROTECT: b"int b;\n"}, "two")
    base = based(mini, read_series(str(mini.top), ["HEAD~1..HEAD"]))
    assert (base.revision, base.how) == (git(mini.top, "rev-parse", "HEAD~1"), "range")


def test_a_branch_tip_that_fits_beats_a_head_that_does_not(mini: Mini, tmp_path: Path) -> None:
    git(mini.top, "checkout", "-q", "-b", "topic")
    topic = mini.commit({PROTECT: mini.edit(PROTECT, b"long pages = 0;", b"long pages = 1;"), ZAP: b"#include <linux/mm.h>\nint topic;\n"}, "topic")
    git(mini.top, "branch", "-f", "main")
    mails = two_files(mini)
    git(mini.top, "checkout", "-q", "-B", "main", mini.first)
    base = based(mini, series_of(mails, tmp_path))
    assert (base.revision, base.how, base.equal) == (topic, "blobs", 2)
    assert base.text.startswith(f"base: topic ({topic[:12]})")


def test_a_commit_in_the_history_is_found(mini: Mini, tmp_path: Path) -> None:
    middle = mini.commit({PROTECT: mini.edit(PROTECT, b"long pages = 0;", b"long pages = 1;"), ZAP: b"#include <linux/mm.h>\nint a;\n"}, "middle")
    mails = two_files(mini)
    mini.commit({PROTECT: b"int later;\n"}, "later")
    mini.commit({ZAP: b"int later;\n"}, "latest")
    base = based(mini, series_of(mails, tmp_path))
    assert (base.revision, base.how, base.equal) == (middle, "blobs", 2)


def test_a_history_that_takes_too_long_is_left(mini: Mini, tmp_path: Path) -> None:
    mails = two_files(mini)
    blobs = series_blobs.wanted(series_of(mails, tmp_path))
    assert series_blobs.history(str(mini.top), blobs) == [mini.first]
    assert set(series_blobs.history(str(mini.top), blobs, seconds=0)) <= {mini.first}


def test_head_when_nothing_fits(mini: Mini, tmp_path: Path) -> None:
    mails = two_files(mini, "--full-index").replace(b"index ", b"index 1234")
    base = based(mini, series_of(mails, tmp_path))
    assert (base.revision, base.how, base.equal, base.known) == (mini.first, "head", 0, 2)
    stripped = b"\n".join(line for line in mails.split(b"\n") if not line.startswith(b"index "))
    base = based(mini, series_of(stripped, tmp_path))
    assert (base.how, base.known) == ("head", 0) and base.text.endswith("the patches do not say which files they were made for")


def test_a_directory_without_git(mini: Mini, tmp_path: Path) -> None:
    series = series_of(two_files(mini), tmp_path)
    (mini.top / ".git").rename(tmp_path / "away")
    (mini.top / ZAP).write_bytes(b"int other;\n")
    tree, base = open_base(str(tmp_path), "linux", None, series)
    assert isinstance(tree, PlainDir) and (base.revision, base.how, base.equal, base.known) == (None, "directory", 1, 2)
    with pytest.raises(InputError, match="not in a git repository"):
        open_base(str(tmp_path), "linux", "HEAD", series)
    with pytest.raises(InputError, match="not in a git repository"):
        open_base(str(tmp_path), None, None, series)


def test_a_file_that_a_patch_made_itself_says_nothing_of_the_base(mini: Mini, tmp_path: Path) -> None:
    start = mini.first
    mini.commit({"mm/new.c": b"int a;\n"}, "one")
    git(mini.top, "mv", "mm/new.c", "mm/newer.c")
    mini.commit({}, "two")
    last = mini.commit({"mm/newer.c": b"int a;\nint b;\n"}, "three")
    assert series_blobs.wanted(series_of(mini.mails(f"{start}..{last}"), tmp_path)) == {}


def test_the_base_is_a_revision_of_the_repository(mini: Mini, tmp_path: Path) -> None:
    series = series_of(two_files(mini), tmp_path)
    tree, _ = open_base(str(mini.top / "mm"), None, None, series)
    assert isinstance(tree, Revision) and tree.top == str(mini.top) and "mm/zap.c" in tree.list().paths
    tree.close()
    with pytest.raises(InputError, match=r"--base nope: git knows no such revision"):
        open_base(str(mini.top), None, "nope", series)
    with pytest.raises(InputError, match=r"--tree nope: no such directory"):
        open_base(str(mini.top), "nope", None, series)


def test_a_repository_without_a_commit_says_what_to_do(mini: Mini, tmp_path: Path) -> None:
    series = series_of(two_files(mini), tmp_path)
    git(tmp_path, "init", "-q", "empty")
    with pytest.raises(InputError, match=r"HEAD names no commit, and the files .* are not there; commit the tree .* --base, .* --tree DIR"):
        open_base(str(tmp_path / "empty"), None, None, series)
    (tmp_path / "empty/mm").mkdir()
    (tmp_path / "empty" / PROTECT).write_bytes(b"int protect;\n")
    tree, base = open_base(str(tmp_path / "empty"), None, None, series)
    assert isinstance(tree, PlainDir) and base.how == "directory"
    tree.close()


def test_one_file_is_no_plural(mini: Mini, tmp_path: Path) -> None:
    git(mini.top, "checkout", "-q", "--detach")
    last = mini.commit({PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1;")}, "protect: one")
    git(mini.top, "checkout", "-q", "main")
    series = series_of(mini.mails(f"main..{last}"), tmp_path)
    assert based(mini, series).text.endswith("; the file is the one that the patches were made for")
    later = mini.commit({PROTECT: mini.edit(PROTECT, b"-EAGAIN", b"-EBUSY")}, "protect: other")
    assert based(mini, series, base=later).text.endswith("; the file is not the one that the patches were made for")
