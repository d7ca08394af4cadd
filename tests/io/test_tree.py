"""Trees: what is listed, what is read, and what a hostile tree cannot do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Write, git
from tlblint.io import pool
from tlblint.io import tree as trees
from tlblint.io.errors import InputError, Unreadable
from tlblint.io.tree import PlainDir, Revision, Tree, Worktree, below, open_tree, read_all

FILES = {"mm/a.c": b"a", "mm/a-b.c": b"ab", "mm/sub/b.h": b"b", "mm/x.S": b"s", "README": b"r", "top.c": b"t", "mm2/c.c": b"c"}
C = ("mm/a-b.c", "mm/a.c", "mm/sub/b.h", "mm2/c.c", "top.c")


def three(top: Path) -> list[Tree]:
    return [Worktree(str(top)), PlainDir(str(top)), Revision(str(top), str(top), "HEAD")]


def test_all_trees_list_and_read_the_same(repository: Write) -> None:
    for tree in three(repository(FILES)):
        assert tree.list().paths == C
        assert tree.list(("mm",)).paths == ("mm/a-b.c", "mm/a.c", "mm/sub/b.h")
        assert tree.list(("mm/sub", "top.c")).paths == ("mm/sub/b.h", "top.c")
        assert read_all(tree, C) == ({path: FILES[path] for path in C}, ())
        assert [tree.holds(path) for path in ("", "mm", "mm/a.c", "mm/nope", "README")] == ["directory", "directory", "file", None, "file"]
        tree.close()


@pytest.mark.parametrize("paths", [("mm", "top.c"), ("mm/sub", "mm2/c.c", "top.c"), ("mm", "link.c"), ("top.c",), ("README", "mm"), ("aside/c.c", "mm")])
def test_a_part_of_a_directory_is_what_the_whole_says_of_it(write: Write, paths: tuple[str, ...]) -> None:
    top = write(FILES)
    (top / "link.c").symlink_to("top.c")
    (top / "aside").symlink_to("mm2")
    whole = PlainDir(str(top))
    assert whole.list().paths == C
    assert PlainDir(str(top)).list(paths) == whole.list(paths)


def test_a_worktree_has_untracked_files_but_no_ignored_or_deleted_ones(repository: Write, write: Write) -> None:
    top = repository({"a.c": b"", "gone.c": b"", ".gitignore": b"ignored.c\n"})
    write({"new.c": b"", "ignored.c": b""})
    (top / "gone.c").unlink()
    contents, refused = read_all(Worktree(str(top)), ["a.c", "new.c"])
    assert "ignored.c" not in Worktree(str(top)).list().paths
    assert set(contents) == {"a.c", "new.c"} and refused == ()
    assert "new.c" in Worktree(str(top)).list().paths


def test_a_revision_is_not_the_worktree(repository: Write, write: Write) -> None:
    top = repository({"a.c": b"old"})
    write({"a.c": b"new", "b.c": b""})
    tree = Revision(str(top), str(top), "HEAD")
    assert tree.list().paths == ("a.c",) and tree.read("a.c") == b"old"
    assert tree.revision == git(top, "rev-parse", "HEAD")
    tree.close()


def test_nothing_in_the_repository_changes(repository: Write) -> None:
    top = repository(FILES)
    os.utime(top / "mm/a.c", (1, 1))  # makes the index stale: git would like to refresh it

    def state() -> list[tuple[str, bytes]]:
        return sorted((str(path), path.read_bytes()) for path in top.rglob("*") if path.is_file())

    before = state()
    for tree in three(top):
        tree.list()
        tree.read("mm/a.c")
        tree.close()
    assert state() == before


def links(top: Path) -> None:
    (top / "out.c").symlink_to(top.parent / "secret.c")
    (top / "in.c").symlink_to("mm/a.c")
    (top / "loop.c").symlink_to("loop.c")
    (top / "away").symlink_to(top.parent)
    (top / "mm" / "up").symlink_to("..")


def test_symbolic_links_neither_leave_the_tree_nor_loop(write: Write) -> None:
    top = write(FILES)
    (top.parent / "secret.c").write_bytes(b"secret")
    links(top)
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "links")
    for tree in three(top):
        assert tree.list().paths == C
        refused = dict(tree.list().refused)
        assert set(refused) == {"out.c", "loop.c"}
        assert refused["out.c"] == "a symbolic link that leaves the tree"
        for path in ("out.c", "away/secret.c"):
            try:
                got = tree.read(path)
            except Unreadable:
                continue
            assert got != b"secret", f"{tree.kind} read {path} through a link"
        tree.close()


def test_a_directory_that_became_a_link_is_not_followed(repository: Write) -> None:
    top = repository(FILES)
    outside = top.parent / "outside"
    outside.mkdir()
    (outside / "a.c").write_bytes(b"secret")
    for path in sorted((top / "mm").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (top / "mm").rmdir()
    (top / "mm").symlink_to(outside)
    with pytest.raises(Unreadable, match="leaves the tree"):
        Worktree(str(top)).read("mm/a.c")


def test_a_fifo_does_not_hang(write: Write) -> None:
    top = write({"a.c": b""})
    os.mkfifo(top / "pipe.c")
    tree = PlainDir(str(top))
    assert tree.list().refused == (("pipe.c", "not a regular file"),)
    with pytest.raises(Unreadable, match="not a regular file"):
        tree.read("pipe.c")


def test_a_file_over_the_limit_is_named(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repository({"small.c": b"x" * 2_000_000, "big.c": b"y" * 2_000_001, "after.c": b"z"})
    monkeypatch.setattr(trees, "LIMIT", 2_000_000)
    for tree in three(top):
        contents, refused = read_all(tree, ["big.c", "small.c", "after.c"])
        assert [len(raw) for raw in contents.values()] == [2_000_000, 1] and [path for path, _ in refused] == ["big.c"]
        tree.close()


def test_names_that_are_not_utf8(write: Write) -> None:
    top = write({})
    top.mkdir()
    name = b"mm \xff\n.c"
    with open(os.path.join(os.fsencode(top), name), "wb") as file:
        file.write(b"odd")
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "odd")
    for tree in three(top):
        [path] = tree.list().paths
        assert os.fsencode(path) == name and tree.read(path) == b"odd"
        tree.close()


def test_what_open_tree_makes_of_the_options(repository: Write, tmp_path: Path) -> None:
    top = repository(FILES)
    assert isinstance(open_tree(str(top / "mm"), None, None), Worktree)
    assert open_tree(str(top / "mm"), None, None).top == str(top)
    assert isinstance(open_tree("/", str(top), None), Worktree)
    assert isinstance(open_tree(str(top), "mm", None), PlainDir)
    assert open_tree(str(top), "mm", None).list().paths == ("a-b.c", "a.c", "sub/b.h")
    assert open_tree(str(top / "mm"), None, "HEAD").kind == "revision"


@pytest.mark.parametrize(
    ("tree", "rev", "message"),
    [
        (None, None, "not in a git work tree; name a source tree with --tree DIR"),
        ("nope", None, "--tree nope: no such directory"),
        ("file", None, "--tree file: not a directory"),
        (None, "HEAD", "--rev HEAD: .* is not in a git repository"),
    ],
)
def test_open_tree_complains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: str | None, rev: str | None, message: str) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=message):
        open_tree(str(tmp_path), tree, rev)


@pytest.mark.parametrize("rev", ["nope", "--help", "-x", "HEAD:a.c", "HEAD\nHEAD", "", "--output=x"])
def test_a_strange_revision_is_refused(repository: Write, rev: str) -> None:
    top = repository({"a.c": b""})
    with pytest.raises(InputError, match="git knows no such revision"):
        open_tree(str(top), None, rev)


def test_a_repository_cannot_make_git_run_programs(repository: Write, tmp_path: Path) -> None:
    top = repository(FILES)
    mark = tmp_path / "ran"
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    keys = "core.fsmonitor core.pager pager.ls-files pager.grep core.editor diff.external diff.x.textconv filter.x.clean core.sshCommand"
    for key in keys.split():
        git(top, "config", key, str(script))
    (top / ".gitattributes").write_text("*.c diff=x filter=x\n")
    for hook in ("post-index-change", "post-checkout", "reference-transaction"):
        path = top / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(script.read_bytes())
        path.chmod(0o755)
    from tlblint.io import config, prefilter
    from tlblint.io.words import Words

    for tree in (open_tree(str(top), None, None), open_tree(str(top), None, "HEAD")):
        prefilter.git_grep(tree, tree.list().paths, Words([b"a"]))
        read_all(tree, tree.list().paths)
        config.load(tree, tree.top, {})
        tree.close()
    assert not mark.exists()


def test_below() -> None:
    assert below("mm/a.c", ("mm",)) and below("mm", ("mm",)) and below("x", ()) and below("x", ("",))
    assert not below("mm2/a.c", ("mm",)) and not below("a.c", ("mm", "fs"))


def test_a_top_whose_name_ends_in_newlines(tmp_path: Path) -> None:
    top = tmp_path / "odd\n\n"
    (top / "mm").mkdir(parents=True)
    (top / "mm/a.c").write_bytes(b"x")
    git(top, "init", "-q")
    for start in (top, top / "mm"):
        tree = open_tree(str(start), None, None)
        assert (tree.top, tree.list().paths) == (str(top), ("mm/a.c",))


def test_an_empty_tree_option_is_not_the_current_directory(repository: Write) -> None:
    with pytest.raises(InputError, match=r"^--tree: no directory given; "):
        open_tree(str(repository(FILES)), "", None)


def with_submodules(repository: Write) -> Path:
    top = repository(FILES)
    head = git(top, "rev-parse", "HEAD")
    for path in ("drivers/vendor", "sub.c"):
        git(top, "update-index", "--add", "--cacheinfo", f"160000,{head},{path}")
    git(top, "commit", "-q", "-m", "two repositories in it")
    (top / "drivers/vendor").mkdir(parents=True)
    return top


def test_submodules_are_told_apart_from_files(repository: Write) -> None:
    top = with_submodules(repository)
    for tree in (Worktree(str(top)), Revision(str(top), str(top), "HEAD")):
        listing = tree.list()
        assert (listing.paths, listing.refused, listing.submodules) == (C, (), ("drivers/vendor", "sub.c"))
        assert tree.list(("drivers", "mm")).submodules == ("drivers/vendor",)
        assert tree.list(("mm",)).submodules == ()
        tree.close()


def test_links_of_a_revision_are_its_own(repository: Write) -> None:
    """What the disk holds now at a path says nothing of a revision."""
    top = repository(FILES)
    (top / "now").mkdir()
    (top / "now/x.c").write_bytes(b"")
    (top / "was").symlink_to("mm")
    (top / "was.c").symlink_to("mm/a.c")
    (top / "round").symlink_to("round")
    (top / "away").symlink_to("..")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "links")
    for name in ("was", "was.c", "round", "away", "now/x.c"):
        (top / name).unlink()
    (top / "now").rmdir()
    (top / "now").symlink_to("mm")
    (top / "untracked").symlink_to("mm")
    tree = Revision(str(top), str(top), "HEAD")
    expected = {"now": "now", "now/x.c": "now/x.c", "was": "mm", "was/a.c": "mm/a.c", "was.c": "mm/a.c", "untracked/a.c": "mm/a.c", "": "", "..": None}
    assert {name: tree.place(os.path.join(top, name)) for name in expected} == expected
    assert [tree.place(str(top / name)) for name in ("round", "away")] == ["round", "away"]
    with pytest.raises(Unreadable, match="a symbolic link"):
        tree.read("was.c")
    tree.close()


def test_a_link_of_a_revision_longer_than_any_path(repository: Write) -> None:
    top = repository({**FILES, "target": b"x/" * 4000})
    blob = git(top, "hash-object", "-w", "target")
    git(top, "update-index", "--add", "--cacheinfo", f"120000,{blob},long.c")
    git(top, "commit", "-q", "-m", "long")
    tree = Revision(str(top), str(top), "HEAD")
    assert dict(tree.list().refused) == {"long.c": "a symbolic link without a target: longer than 4096 bytes"}
    assert tree.place(str(top / "long.c")) == "long.c"
    tree.close()


def test_a_forked_process_reads_a_revision_for_itself(tmp_path: Path) -> None:
    """Two that ask one git process get each other's answers."""
    for number in range(40):
        (tmp_path / f"{number}.c").write_text(f"int x{number};\n" * (number * 50 + 1))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "all")
    tree = open_tree(str(tmp_path), None, "HEAD")
    try:
        paths = tree.list().paths
        here = tree.read(paths[0])
        there = pool.map_ordered(tree.read, paths, 4, lambda path: b"died", most=1)
        assert there == [(tmp_path / path).read_bytes() for path in paths] and there[0] == here
    finally:
        tree.close()
