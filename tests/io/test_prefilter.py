"""The same survivors from every search."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Write
from tlblint.io import prefilter
from tlblint.io.tree import PlainDir, Revision, Tree, Worktree

FILES = {
    "mm/word.c": b"x = ptep_clear(y);",
    "mm/inside.c": b"xptep_clear_flushy",
    "mm/none.c": b"PTEP_CLEAR ptep clear",
    "mm/nul.c": b"\0\0\0ptep_clear",
    "mm/late.h": b"\0" * 3_000_000 + b"ptep_clear",
    "mm/edge.h": b"-" * ((1 << 20) - 4) + b"ptep_clear",
    "mm/utf16.c": "ptep_clear".encode("utf-16"),
    "mm/latin.c": b"\xff\xfe ptep_clear",
    "mm/cr.c": b"a\rptep_clear\r\n",
    "mm/dash.c": b"--files",
    ".hidden/h.c": b"ptep_clear",
    "mm/not.S": b"ptep_clear",
    "mm/empty.c": b"",
    "mm/sp ace.c": b"ptep_clear",
}
WORDS = [b"ptep_clear", b"ptep_clear_flush", b"--files"]
EXPECTED = {".hidden/h.c", "mm/word.c", "mm/inside.c", "mm/nul.c", "mm/late.h", "mm/edge.h", "mm/latin.c", "mm/cr.c", "mm/dash.c", "mm/sp ace.c"}


def trees(repository: Write) -> list[Tree]:
    top = str(repository({**FILES, ".ignore": b"mm/word.c\n", ".rgignore": b"mm/nul.c\n"}))
    return [Worktree(top), PlainDir(top), Revision(top, top, "HEAD")]


def found(search: prefilter.Searcher, tree: Tree) -> set[str]:
    result = search(tree, tree.list().paths, prefilter.minimal(WORDS))
    assert result is not None
    return result & set(tree.list().paths)


def test_python_scan(repository: Write) -> None:
    for tree in trees(repository):
        assert found(prefilter.scan, tree) == EXPECTED
        tree.close()


def test_git_grep(repository: Write) -> None:
    worktree, _, revision = trees(repository)
    for tree in (worktree, revision):
        assert found(prefilter.git_grep, tree) == EXPECTED
        tree.close()


def test_git_grep_from_a_subdirectory(repository: Write) -> None:
    top = str(repository(FILES))
    tree = Revision(os.path.join(top, "mm"), top, "HEAD")
    assert found(prefilter.git_grep, tree) == EXPECTED
    tree.close()


@pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")
def test_ripgrep(repository: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    worktree, plain, _ = trees(repository)
    config = os.path.join(worktree.top, "..", "rc")
    with open(config, "w") as file:
        file.write("--max-count=0\n--invert-match\n")
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", config)
    assert found(prefilter.ripgrep, worktree) == found(prefilter.ripgrep, plain) == EXPECTED


def test_survivors_do_not_depend_on_the_search(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for tree in trees(repository):
        paths = tree.list().paths
        for few in (0, 10_000):
            monkeypatch.setattr(prefilter, "FEW", few)
            assert prefilter.survivors(tree, paths, WORDS) == tuple(path for path in paths if path in EXPECTED)
        tree.close()


def test_without_ripgrep(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefilter, "FEW", 0)
    monkeypatch.setattr(prefilter.shutil, "which", lambda name: None)
    for tree in trees(repository):
        assert set(prefilter.survivors(tree, tree.list().paths, WORDS)) == EXPECTED
        tree.close()


def test_only_asked_paths_survive(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefilter, "FEW", 0)
    for tree in trees(repository):
        assert prefilter.survivors(tree, ("mm/none.c", "mm/word.c"), WORDS) == ("mm/word.c",)
        assert prefilter.survivors(tree, (), WORDS) == prefilter.survivors(tree, ("mm/word.c",), []) == ()
        tree.close()


def test_what_cannot_be_searched_survives(write: Write) -> None:
    top = write({"a.c": b""})
    (top / "b.c").symlink_to("a.c")
    (top / "d.c").mkdir()
    assert prefilter.scan(PlainDir(str(top)), ["a.c", "b.c", "gone.c"], [b"x"]) == {"b.c"}


@given(st.lists(st.text("ab", max_size=3).map(str.encode)), st.text("abc", max_size=8).map(str.encode))
def test_minimal_needles_find_the_same(words: list[bytes], text: bytes) -> None:
    kept = prefilter.minimal(words)
    assert any(word in text for word in words if word) == any(word in text for word in kept)
    assert set(kept) <= set(words)
