"""``tlblint cache``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tlblint.io.cache import NAME, Cache

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def file() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"]) / "tlblint" / NAME


def test_nothing_yet(tmp_path: Path, tlblint: Run) -> None:
    done = tlblint(tmp_path, "cache", "info")
    assert (done.returncode, done.stdout.decode()) == (0, f"{file()}: nothing yet\n")
    done = tlblint(tmp_path, "cache", "clear")
    assert (done.returncode, done.stdout.decode()) == (0, f"{file().parent}: nothing to remove\n")


def test_what_is_in_it_and_that_it_goes(tmp_path: Path, tlblint: Run) -> None:
    file().parent.mkdir(parents=True)
    (file().parent / "rows-0.sqlite").write_bytes(b"of an older version")
    (file().parent / "mine.txt").write_bytes(b"")
    store = Cache(str(file()))
    store.put("facts", {b"%d" % n: b"x" * 1000 for n in range(1234)})
    store.put("judged", {b"1": b"x"})
    store.close()
    done = tlblint(tmp_path, "cache", "info")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert lines[0].startswith(f"{file()}: 1,235 rows in ")
    assert [line.split()[:3] for line in lines[1:]] == [["facts", "1,234", "rows"], ["judged", "1", "rows"]]
    done = tlblint(tmp_path, "cache", "clear")
    assert done.returncode == 0 and b"removed 1." in done.stdout
    assert [path.name for path in file().parent.iterdir()] == ["mine.txt"]


def test_a_damaged_one(tmp_path: Path, tlblint: Run) -> None:
    file().parent.mkdir(parents=True)
    file().write_bytes(b"no database\n" * 100)
    done = tlblint(tmp_path, "cache", "info")
    assert done.returncode == 2
    assert b"cannot be read" in done.stderr and b"tlblint cache clear" in done.stderr
    assert tlblint(tmp_path, "cache", "clear").returncode == 0
    assert not file().exists()


def test_no_home(tmp_path: Path, tlblint: Run) -> None:
    done = tlblint(tmp_path, "cache", "info", HOME="relative", XDG_CACHE_HOME="")
    assert done.returncode == 2
    assert b"set XDG_CACHE_HOME" in done.stderr
