"""A walk sees what a listing sees, and a state changes whenever a file may have changed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.conftest import Write
from tlblint.io import processors
from tlblint.io import walk as walking
from tlblint.io.aside import Aside
from tlblint.io.mounts import tells_of_changes
from tlblint.io.tree import PlainDir
from tlblint.io.walk import MARGIN, Ahead, Paths, Seen, Walked, parts, walk

FILES = {"a.c": b"a", "mm/b.c": b"b", "mm/sub/c.h": b"c", "mm/d.txt": b"d", ".git/x.c": b"", "drivers/\u00ff.c": b""}


def states(made: Walked) -> dict[str, bytes]:
    return {path: state for folder, raw in made.whole().items() for path, state in parts(os.fsdecode(folder), raw)}


@pytest.fixture
def top(write: Write) -> Path:
    place = write(FILES)
    (place / os.fsdecode(b"odd\xff.c")).write_bytes(b"")
    (place / "link.c").symlink_to("a.c")
    (place / "far").symlink_to("mm")
    os.mkfifo(place / "pipe.c")
    (place / "dir.c").mkdir()
    (place / "dir.c" / "in.c").write_bytes(b"")
    return place


@pytest.mark.parametrize("places", [("",), ("mm",), ("mm/sub", "dir.c"), ("gone",)])
def test_a_walk_ahead_is_a_walk(top: Path, places: tuple[str, ...]) -> None:
    here = walk(str(top), places)
    ahead = Ahead(str(top), places)
    there = ahead.result()
    assert ahead.result() is there
    assert (sorted(here.files), sorted(here.links), sorted(here.refused), here.states, sorted(here.recent), here.places) == (
        there.files, sorted(there.links), sorted(there.refused), there.states, sorted(there.recent), there.places)  # fmt: skip
    assert states(here).keys() == set(here.files)
    names = walk(str(top), places, states=False)
    assert (names.files, names.links, names.refused) == (here.files, here.links, here.refused)


def test_a_walk_tells_what_is_not_as_it_was(top: Path) -> None:
    """Whatever has changed since the last one, the walk as a whole is what it would be without."""
    last = Seen(walk(str(top), ("",)).whole())
    (top / "mm" / "b.c").write_bytes(b"other")
    (top / "mm" / "sub" / "c.h").unlink()
    (top / "new").mkdir()
    (top / "new" / "x.c").write_bytes(b"")
    ahead, here = Ahead(str(top), ("",), last=last), walk(str(top), ("",))
    there = ahead.result()
    assert set(there.states) == {b"mm", b"new"} and b"drivers" in there.same
    assert (there.whole(), there.files) == (here.whole(), here.files)
    assert sorted(there.recent) == sorted(here.recent)


FOLDERS = ("write", "new", "gone", "renamed", "link", "folder", "folder gone", "kind", "moved in")


@pytest.mark.parametrize("change", FOLDERS)
def test_a_directory_that_is_as_it_was_is_not_listed(top: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes or goes is seen all the same."""
    monkeypatch.setattr(walking, "MARGIN", -(10**15))
    monkeypatch.setattr(walking, "tells_of_changes", lambda path: True)
    first = Ahead(str(top), ("",)).result()
    listed = first.folders
    assert {os.fsdecode(folder) for folder in listed} == {"mm", "mm/sub", "drivers", "dir.c"}  # what is odd at the top may be otherwise any time
    last = Seen(first.whole(), folders=listed)
    assert not Ahead(str(top), ("",), last=last).result().folders.keys() & listed.keys()
    sub, file = top / "mm" / "sub", top / "mm" / "b.c"
    if change == "write":
        file.write_bytes(b"something else")
    elif change == "new":
        (sub / "new.c").write_bytes(b"")
    elif change == "gone":
        file.unlink()
    elif change == "renamed":
        file.rename(file.with_name("z.c"))
    elif change == "link":
        (sub / "link.h").symlink_to("c.h")
    elif change == "folder":
        (sub / "in").mkdir()
        (sub / "in" / "x.c").write_bytes(b"")
    elif change == "folder gone":
        shutil.rmtree(sub)
    elif change == "kind":
        file.unlink()
        file.mkdir()
    else:
        sub.rename(top / "drivers" / "sub")
    there, here = Ahead(str(top), ("",), last=last).result(), walk(str(top), ("",))
    assert (there.whole(), there.files, sorted(there.links), sorted(there.refused)) == (here.whole(), here.files, sorted(here.links), sorted(here.refused))


def test_where_nobody_knows_whether_directories_tell_they_are_listed(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MARGIN", -(10**15))
    monkeypatch.setattr(walking, "tells_of_changes", lambda path: False)
    assert not Ahead(str(top), ("",)).result().folders


def test_what_was_changed_just_now_is_listed_again(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "tells_of_changes", lambda path: True)
    assert not Ahead(str(top), ("",)).result().folders


def test_kinds_of_file_systems(tmp_path: Path) -> None:
    device = os.stat(tmp_path).st_dev
    table = tmp_path / "mountinfo"
    line = "36 35 {} / /a rw,noatime master:1 - {} root rw\n"
    ours, other = f"{os.major(device)}:{os.minor(device)}", "9999:1"
    for kind, tells in (("ext4", True), ("xfs", True), ("9p", False), ("fuse.sshfs", False), ("vboxsf", False)):
        table.write_text(line.format(other, "ext4") + line.format(ours, kind))
        assert tells_of_changes(str(tmp_path), str(table)) is tells
    table.write_text(line.format(other, "ext4"))
    assert not tells_of_changes(str(tmp_path), str(table))
    table.write_text("nonsense\n")
    assert not tells_of_changes(str(tmp_path), str(table)) and not tells_of_changes(str(tmp_path), str(tmp_path / "none"))


def test_what_a_walk_says_is_the_same_is_known(top: Path) -> None:
    """A process that speaks of a directory that nobody has seen is not believed."""
    ahead = Ahead(str(top), ("",), last=Seen(walk(str(top), ("",)).whole()))
    ahead.last = Seen()
    assert ahead.result().files == walk(str(top), ("",)).files


def test_paths_are_a_sequence() -> None:
    raw = b"b.c\0a-b.c\0\0"
    paths = Paths([{b"x/y": raw, b"z": raw}, {b"": b"t.c\0\0"}], [b"x/y"], ["lost.c"])
    assert paths == ("lost.c", "t.c", "x/y/a-b.c", "x/y/b.c") and len(paths) == 4
    assert hash(paths) == hash(tuple(paths)) and paths[0] == "lost.c" and paths[1:3] == ("t.c", "x/y/a-b.c")
    assert all(path in paths for path in paths)
    assert not any(path in paths for path in ("z/b.c", "x/b.c", "b.c", "x/y", "a.c", 1))
    assert len(Paths([{}, {}])) == 0 and not Paths([{}, {}])


def test_it_sees_what_a_listing_sees(top: Path) -> None:
    alone, early = PlainDir(str(top)), PlainDir(str(top))
    early.ahead = Ahead(str(top), ("",))
    assert early.list() == alone.list()
    assert early.list(("mm",)) == alone.list(("mm",))
    early.close()


def test_a_walk_that_nobody_waits_for_ends(top: Path) -> None:
    ahead = Ahead(str(top), ("",))
    processes = [walker._process for walker in ahead._walkers]
    ahead.close()
    assert processes
    for process in processes:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, 0)
    assert sorted(ahead.result().files) == sorted(walk(str(top), ("",)).files)


@pytest.mark.parametrize("part", [b"", b"\x93\x01", b"\x93\x01\x01"])
def test_a_walk_whose_process_dies_is_made_here(top: Path, part: bytes) -> None:
    ahead = Ahead(str(top), ("",))
    last = ahead._walkers[-1]
    os.close(last._pipe)
    reader, writer = os.pipe()
    os.write(writer, part)
    os.close(writer)
    last._pipe = reader
    assert sorted(ahead.result().files) == sorted(walk(str(top), ("",)).files)


def test_a_process_that_was_forked_meanwhile_walks_for_itself(top: Path) -> None:
    """It takes nothing from the one that waits for the walkers."""
    ahead = Ahead(str(top), ("",))
    pipes = [walker._pipe for walker in ahead._walkers]
    aside = Aside(lambda: "\n".join(map(ascii, ahead.result().files)).encode(), True)
    there = aside.result().decode().split("\n")
    assert [walker._pipe for walker in ahead._walkers] == pipes
    assert there == [*map(ascii, walk(str(top), ("",)).files)] == [*map(ascii, ahead.result().files)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_several_walk_what_one_would(top: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x/y/z/deep.c", "x/y/two.h", "x/w/three.c"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"")
    monkeypatch.setattr(processors, "count", lambda: count)
    ahead, here = Ahead(str(top), ("",)), walk(str(top), ("",))
    there = ahead.result()
    assert len(ahead._walkers) == count
    assert (there.files, there.states) == (sorted(here.files), here.states)
    assert (sorted(there.refused), sorted(there.links)) == (sorted(here.refused), sorted(here.links))


@pytest.mark.parametrize("tasks", [0, 1, 4, 1000])
def test_the_parts_of_a_walk_are_the_walk(top: Path, tasks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "TASKS", tasks)
    parts = walking._walked(str(top), ("",), walking._tasks(str(top), ("",)))
    here = walk(str(top), ("",))
    assert (sorted(parts.files), parts.states, sorted(parts.refused)) == (sorted(here.files), here.states, sorted(here.refused))


def test_more_parts_than_can_be_handed_out_are_walked_here(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST", 0)
    ahead = Ahead(str(top), ("",))
    assert not ahead._walkers and sorted(ahead.result().files) == sorted(walk(str(top), ("",)).files)
    ahead.close()


def aged(path: Path) -> None:
    old = time.time_ns() - 10 * MARGIN
    os.utime(path, ns=(old, old))


@pytest.mark.parametrize("change", ["write", "touch", "replace", "mode"])
def test_a_change_shows(top: Path, change: str) -> None:
    path = top / "a.c"
    aged(path)
    before = states(walk(str(top), ("",)))
    if change == "write":
        path.write_bytes(b"z")
    elif change == "touch":
        path.touch()
    elif change == "replace":
        (top / "new.c").write_bytes(b"a")
        aged(top / "new.c")
        (top / "new.c").rename(path)
    else:
        path.chmod(0o600)
    after = states(walk(str(top), ("",)))
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {"a.c"}


def test_what_was_changed_just_now_is_recent(top: Path) -> None:
    aged(top / "a.c")
    made = walk(str(top), ("",))
    assert set(made.recent) == set(made.files)  # the change of the inode cannot be dated back
