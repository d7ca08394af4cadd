"""What is remembered of a tree changes nothing but the time: after any change the files of interest are those of a search."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Write, git
from tlblint.io import snapshot, walk
from tlblint.io.overlay import Overlay
from tlblint.io.prefilter import Where, survivors
from tlblint.io.snapshot import remembered
from tlblint.io.tree import PlainDir, Revision, Tree, Worktree, look_ahead
from tlblint.model.store import Held, Store

WORDS = frozenset({b"flush_tlb_page", b"pte_t"})
WHERE = Where((), ("tools/",))
TEXTS = (b"int a;\n", b"pte_t a;", b"int pte_tt", b"\npte_t", b"flush_tlb_page(x)\n", b"no flush_tlb_pag\n")  # of which some have one length
NAMES = ("a.c", "mm/a.c", "mm/b.h", "mm/sub/a.c", "tools/t.c", "drivers/d.c", "mm/notes.txt", "zz/y/x/w.c")


def search(tree: Tree, store: Store, places: Sequence[str] = ()) -> tuple[str, ...]:
    """As a check does it."""
    look_ahead(tree, places)
    try:
        return remembered(tree, tree.list(places).paths, WORDS, Where(tuple(places), WHERE.skipped), (), store)
    finally:
        tree.close()


def expected(tree: Tree, places: Sequence[str] = ()) -> tuple[str, ...]:
    try:
        return survivors(tree, tree.list(places).paths, WORDS, Where(tuple(places), WHERE.skipped))
    finally:
        tree.close()


class Searched:
    """Which files are really searched."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        monkeypatch.setattr(snapshot, "survivors", self)

    def __call__(self, tree: Tree, paths: Sequence[str], *rest: object) -> tuple[str, ...]:
        self.paths += paths
        return survivors(tree, paths, *rest)  # type: ignore[arg-type]


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if everything had happened long ago. Then each change must give a file a time of its own."""
    monkeypatch.setattr(walk, "MARGIN", -(10**15))


_ticks = iter(range(10**18, 10**19, 10**7))


def ticked(path: Path) -> None:
    at = next(_ticks)
    os.utime(path, ns=(at, at), follow_symlinks=False)


def change(top: Path, chance: random.Random) -> None:
    """One change to a tree, each with a time of its own."""
    path = top / chance.choice(NAMES)
    kind = chance.randrange(8)
    if kind < 4:
        if path.is_symlink() or not path.parent.is_dir():
            return
        path.write_bytes(chance.choice(TEXTS))
        ticked(path)
    elif kind == 4:
        path.unlink(missing_ok=True)
    elif kind == 5 and path.parent != top:
        shutil.rmtree(path.parent, ignore_errors=True)
    elif kind == 6:
        other = top / chance.choice(NAMES)
        if path.is_file() and other.parent.is_dir():
            path.replace(other)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(chance.choice(TEXTS))
            ticked(path)


OPENERS: list[Callable[[str], Tree]] = [PlainDir, Worktree]


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("opener", OPENERS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: Callable[[str], Tree], data: st.DataObject) -> None:
    top = tmp_path / "tree"
    shutil.rmtree(top, ignore_errors=True)
    for name in NAMES:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data.draw(st.sampled_from(TEXTS)))
        ticked(top / name)
    if opener is Worktree:
        git(top, "init", "-q")
        git(top, "add", "a.c", "mm")
    store = Held()
    monkeypatch.setattr(snapshot, "FEW", data.draw(st.sampled_from([0, 1, 32])))
    for _ in range(data.draw(st.integers(1, 4))):
        places = data.draw(st.sampled_from([(), (), ("mm",), ("drivers", "mm/sub")]))
        assert search(opener(str(top)), store, places) == expected(opener(str(top)), places)
        for _ in range(data.draw(st.integers(0, 3))):
            change(top, data.draw(st.randoms(use_true_random=False)))
        if opener is Worktree and data.draw(st.booleans()):
            (top / ".gitignore").write_text(data.draw(st.sampled_from(["", "*.h\n", "mm/\n", "/drivers\n"])))
    assert search(opener(str(top)), store) == expected(opener(str(top)))


def files(count: int = 6) -> dict[str, bytes]:
    return {f"mm/{n}.c": b"pte_t x;\n" if n % 2 else b"int xy;;\n" for n in range(count)}


@pytest.mark.usefixtures("late")
def test_only_what_changed_is_searched(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    top = write(files())
    store, seen = Held(), Searched(monkeypatch)
    assert search(PlainDir(str(top)), store) == ("mm/1.c", "mm/3.c", "mm/5.c")
    assert len(seen.paths) == 6
    seen.paths.clear()
    search(PlainDir(str(top)), store)
    assert seen.paths == []
    (top / "mm/2.c").write_bytes(b"pte_t x;\n")
    ticked(top / "mm/2.c")
    (top / "mm/new.c").write_bytes(b"")
    assert search(PlainDir(str(top)), store) == ("mm/1.c", "mm/2.c", "mm/3.c", "mm/5.c")
    assert seen.paths == ["mm/2.c", "mm/new.c"]


@pytest.mark.parametrize("opener", OPENERS)
def test_an_edit_that_leaves_size_and_time_alone(write: Write, opener: Callable[[str], Tree]) -> None:
    """Between two searches that follow at once: within one tick of the file system's clock."""
    top = write(files())
    if opener is Worktree:
        git(top, "init", "-q")
    store = Held()
    for turn in range(20):
        path = top / "mm/0.c"
        before = path.stat()
        path.write_bytes(b"pte_t x;\n" if turn % 2 else b"int xy;;\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert ("mm/0.c" in search(opener(str(top)), store)) == bool(turn % 2)


@pytest.mark.usefixtures("late")
def test_other_words_are_searched_for(write: Write) -> None:
    top = write({"a.c": b"other", "b.c": b"pte_t"})
    store = Held()
    assert search(PlainDir(str(top)), store) == ("b.c",)
    tree = PlainDir(str(top))
    look_ahead(tree, ())
    assert remembered(tree, tree.list().paths, {b"other"}, WHERE, (), store) == ("a.c",)


@pytest.mark.usefixtures("late")
def test_a_file_that_git_ignored_when_it_was_not_searched(repository: Write) -> None:
    top = repository({"a.c": b"pte_t", ".gitignore": b"gen.c\n", "gen.c": b"pte_t"})
    store = Held()
    assert search(Worktree(str(top)), store) == ("a.c",)
    (top / ".gitignore").write_bytes(b"")
    assert search(Worktree(str(top)), store) == ("a.c", "gen.c")


def test_revisions_share_what_is_known_of_objects(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repository(files())
    first = git(top, "rev-parse", "HEAD")
    store, seen = Held(), Searched(monkeypatch)
    assert search(Revision(str(top), str(top), first), store) == ("mm/1.c", "mm/3.c", "mm/5.c")
    assert len(seen.paths) == 6
    seen.paths.clear()
    (top / "mm/0.c").write_bytes(b"pte_t x;\n")  # the object of the others of interest
    (top / "mm/1.c").write_bytes(b"int no;\n")
    git(top, "mv", "mm/2.c", "moved.c")
    git(top, "commit", "-qam", "two")
    second = git(top, "rev-parse", "HEAD")
    assert search(Revision(str(top), str(top), second), store) == ("mm/0.c", "mm/3.c", "mm/5.c")
    assert seen.paths == ["mm/1.c"]
    assert search(Revision(str(top), str(top), first), store) == ("mm/1.c", "mm/3.c", "mm/5.c")
    assert seen.paths == ["mm/1.c"]


def test_a_series_on_a_revision(repository: Write) -> None:
    top = repository(files())
    store = Held()
    for _ in range(2):
        tree = Overlay(Revision(str(top), str(top), "HEAD"), {"mm/1.c": None, "mm/2.c": b"pte_t x;", "mm/new.c": b"pte_t"})
        assert search(tree, store) == expected(tree) == ("mm/2.c", "mm/3.c", "mm/5.c", "mm/new.c")


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("row", [b"", b"\x93\x80\xc4\x00\xc4\x00", b"\x93\x81\xc4\x02mm\xc4\x01x\xc4\x00\xc4\x00", b"nonsense"])
def test_rows_that_say_nothing(write: Write, row: bytes) -> None:
    top = write(files())
    store = Held()
    search(PlainDir(str(top)), store)
    store._rows.update(dict.fromkeys(store._rows, row))
    assert search(PlainDir(str(top)), store) == ("mm/1.c", "mm/3.c", "mm/5.c")
