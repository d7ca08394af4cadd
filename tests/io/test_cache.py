"""The cache on disk never answers with anything that was not put there, and whatever happens to its file, a run goes on."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tlblint.io import cache, data, stamp
from tlblint.io.cache import NAME, Cache, directory, kinds, open_cache, remove
from tlblint.model.store import NOTHING, Store

NOBODY = 65534
WRITER = """
import sys
from tlblint.io.cache import Cache
store = Cache(sys.argv[1], print)
for turn in range(int(sys.argv[3])):
    rows = {b"%s-%d-%d" % (sys.argv[2].encode(), turn, n): b"value of %s-%d-%d" % (sys.argv[2].encode(), turn, n) * 50 for n in range(200)}
    store.put("k", rows)
    store.flush()
    print(turn, flush=True)
    assert store.get("k", list(rows)) == rows
store.close()
"""


def run(*arguments: str, **more: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **more)  # type: ignore[call-overload, no-any-return]


def filled(path: Path, count: int = 300, size: int = 500) -> dict[bytes, bytes]:
    rows = {b"key%d" % n: b"%d" % n * size for n in range(count)}
    store = Cache(str(path))
    store.put("k", rows)
    store.close()
    return rows


def read(path: Path, rows: dict[bytes, bytes], say: list[str] | None = None) -> dict[bytes, bytes]:
    store = Cache(str(path), (say if say is not None else []).append)
    try:
        return store.get("k", list(rows))
    finally:
        store.close()


def test_what_one_run_puts_the_next_one_gets(tmp_path: Path) -> None:
    rows = filled(tmp_path / NAME, 1200)
    assert read(tmp_path / NAME, rows) == rows
    assert kinds(str(tmp_path / NAME))[0].rows == 1200
    store = Cache(str(tmp_path / NAME))
    assert store.get("other", list(rows)) == {}
    store.put("other", {b"key1": b"x"})
    assert store.get("other", [b"key1", b"key2"]) == {b"key1": b"x"}  # before it is written, too
    store.close()


def test_two_runs_at_once(tmp_path: Path) -> None:
    runs = [run(WRITER, str(tmp_path / NAME), name, "15") for name in ("a", "b")]
    for each in runs:
        out, err = each.communicate(timeout=100)
        assert (each.returncode, err) == (0, b""), err
        assert b"no cache" not in out
    rows = {b"%s-%d-%d" % (name, turn, n): b"value of %s-%d-%d" % (name, turn, n) * 50 for name in (b"a", b"b") for turn in range(15) for n in range(200)}
    assert read(tmp_path / NAME, rows) == rows


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed(tmp_path: Path, seed: int) -> None:
    before = filled(tmp_path / NAME)
    child = run(WRITER, str(tmp_path / NAME), "c", "100000")
    assert child.stdout is not None
    for _ in range(random.Random(seed).randrange(1, 6)):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    said: list[str] = []
    assert read(tmp_path / NAME, before, said) == before
    first = {b"c-0-%d" % n: b"value of c-0-%d" % n * 50 for n in range(200)}
    assert read(tmp_path / NAME, first, said) == first
    assert said == []


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file(tmp_path: Path, seed: int) -> None:
    path = tmp_path / NAME
    rows = filled(path, size=40)
    chance = random.Random(seed)
    raw = bytearray(path.read_bytes())
    if seed % 3 == 0:
        raw = raw[: chance.randrange(len(raw))]
    elif seed % 3 == 1:
        raw[: chance.randrange(1, 200)] = bytes(chance.randrange(256) for _ in range(50))
    else:
        for _ in range(300):
            raw[chance.randrange(100, len(raw))] = chance.randrange(256)
    path.write_bytes(raw)
    said: list[str] = []
    for _ in range(2):
        got = read(path, rows, said)
        assert all(rows[key] == value for key, value in got.items())
        store = Cache(str(path), said.append)
        store.put("k", rows)
        store.close()
    assert len(said) <= 3
    assert read(path, rows) == rows or said  # mended by now, or said to be of no use


def test_a_file_of_something_else_gives_way(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"this is no database at all\n" * 100)
    said: list[str] = []
    assert read(path, {b"k": b""}, said) == {}
    assert len(said) == 1
    assert filled(path) == read(path, filled(path), said)
    assert len(said) == 1


def test_a_row_that_somebody_changed_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / NAME
    rows = filled(path, 3)
    with closing(sqlite3.connect(path)) as link, link:
        link.execute("UPDATE rows SET value = ? WHERE key = ?", (b"other", b"key0"))
        link.execute("UPDATE rows SET key = ? WHERE key = ?", (b"key9", b"key1"))
        link.execute("INSERT INTO rows VALUES ('k', 'text', 'x', 'y', 'z')")
    assert read(path, {**rows, b"key9": b"", b"text": b""}) == {b"key2": rows[b"key2"]}


FULL = """
import resource, sys
from tlblint.io.cache import Cache
resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
store = Cache(sys.argv[1], lambda text: print(text.count("no cache")))
store.put("k", {b"%d" % n: b"x" * 10000 for n in range(100)})
store.flush()
print(store.get("k", [b"key1", b"1"]))
store.put("k", {b"more": b"x"})
store.close()
print("on")
"""


def test_a_full_disk(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    rows = filled(tmp_path / NAME, 5, 30)
    child = run(FULL, str(tmp_path / NAME))
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")
    assert out.split() == [b"1", b"{}", b"on"]
    assert read(tmp_path / NAME, rows) == rows


@contextmanager
def somebody(path: Path) -> Iterator[None]:
    """As a user to whom file modes mean something."""
    if os.geteuid() != 0:
        yield
        return
    for place in (path, *path.parents):
        if place.is_relative_to("/tmp") and place != Path("/tmp"):
            place.chmod(0o755)
    os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "tlblint"
    place.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[str] = []
    with somebody(place):
        place.chmod(0o500)
        store = open_cache(say=said.append)
        store.put("k", {b"a": b"b"})
        cache.close(store)
        place.chmod(0o700)
    assert len(said) == 1
    assert "no cache" in said[0]
    assert list(place.iterdir()) == []


def test_a_file_that_can_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "tlblint"
    place.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[str] = []
    with somebody(place):
        rows = filled(place / NAME)
        (place / NAME).chmod(0o400)
        place.chmod(0o500)
        store = open_cache(say=said.append)
        assert (store.get("k", list(rows)), said) == (rows, [])
        store.put("k", {b"new": b"x"})
        cache.close(store)
        place.chmod(0o700)
    assert len(said) == 1


def test_a_directory_where_others_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "tlblint").mkdir()
    (tmp_path / "tlblint").chmod(0o777)
    said: list[str] = []
    assert open_cache(say=said.append) is NOTHING
    assert "others can write there" in said[0]


def test_a_directory_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "tlblint").write_bytes(b"")
    said: list[str] = []
    assert open_cache(say=said.append) is NOTHING
    assert len(said) == 1


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value, expected in (("/x", "/x/tlblint"), ("", f"{tmp_path}/.cache/tlblint"), ("relative", f"{tmp_path}/.cache/tlblint")):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert directory() == expected
    assert open_cache(wanted=False) is NOTHING
    assert not (tmp_path / ".cache").exists()


def aged(path: Path, day: int, limit: int = 1 << 40) -> Cache:
    store = Cache(str(path), limit=limit)
    store._now = day * cache.DAY * 2
    return store


def test_the_rows_that_nobody_asked_for_go_first(tmp_path: Path) -> None:
    path = tmp_path / NAME
    for day in range(10):
        store = aged(path, day)
        store.put("k", {b"%d" % day: os.urandom(80000)})
        if day == 8:
            assert store.get("k", [b"0"])  # asked for again
        store.close()
    size = path.stat().st_size
    store = aged(path, 11, limit=size * 2 // 3)
    store.put("k", {b"11": os.urandom(80000)})
    store.close()
    assert path.stat().st_size <= size * 2 // 3
    left = {int(key) for key in Cache(str(path)).get("k", [b"%d" % day for day in range(12)])}
    assert {11, 0, 9} <= left
    assert not left & {1, 2, 3, 4}


def test_a_forked_process_leaves_it_alone(tmp_path: Path) -> None:
    store: Store = Cache(str(tmp_path / NAME))
    store.put("k", {b"a": b"1"})
    child = os.fork()
    if child == 0:
        store.put("k", {b"b": b"2"})
        cache.close(store)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    cache.close(store)
    assert read(tmp_path / NAME, {b"a": b"", b"b": b""}) == {b"a": b"1"}


def test_removing(tmp_path: Path) -> None:
    filled(tmp_path / NAME)
    size = (tmp_path / NAME).stat().st_size
    assert remove(str(tmp_path / NAME)) == size
    assert list(tmp_path.iterdir()) == []
    assert kinds(str(tmp_path / NAME)) == ()


def test_results_are_named_by_all_code_that_makes_them() -> None:
    package = Path(data.package())
    layers = {path.parent.name for path in package.glob("*/__init__.py")}
    assert layers - set(stamp.LAYERS) == {"cli", "io", "report"}
