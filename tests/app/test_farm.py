"""A Dask cluster of real processes reads the files: the report is that of this machine, and what cannot work ends with one line."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.conftest import ROOT, Write
from tlblint import __version__
from tlblint.app import farm
from tlblint.app.check import check
from tlblint.app.collecting import nothing
from tlblint.app.farm import Order, Reader
from tlblint.app.request import Request
from tlblint.app.spine import Wanted, load
from tlblint.calls import record
from tlblint.io import farm as cluster
from tlblint.io.errors import InputError
from tlblint.report.jsonout import render
from tlblint.report.view import Style

SOURCES = sorted(path for folder in ("rules", "traps") for path in (ROOT / "fixtures" / folder).glob("*.c"))
needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is not installed")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def tree(write: Write) -> Path:
    """The fixtures, each in a directory of its own, so that no two share a function."""
    return write({f"mm/{path.stem}/x.c": path.read_bytes() for path in SOURCES})


def report(tree: Path, executor: str = "", **more: Any) -> bytes:
    request = Request(str(tree), tree=str(tree), flags={"jobs": 1, "cache": False, "sim": False}, executor=executor)
    return render(check(replace(request, **more)).report, Style()).encode()


@contextmanager
def started(place: Path, said: str, *words: str, path: Path = ROOT, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has said something, and the line with it; killed at the end."""
    env = {**os.environ, "PYTHONPATH": str(path), "DASK_DISTRIBUTED__WORKER__DAEMON": "false", **environment}
    with subprocess.Popen([sys.executable, "-m", *words], cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, next(line for line in process.stderr if said in line)
        finally:
            process.kill()


@pytest.fixture
def scheduler(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A scheduler and its address."""
    words = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    failures = getattr(request, "param", "3")
    with started(tmp_path, "Scheduler at:", *words, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=failures) as (process, line):
        yield process, "dask://" + line.rpartition("//")[2].strip()


@contextmanager
def worker(place: Path, address: str, path: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    """A worker in one process that has found its scheduler. ``path``: where it finds tlblint."""
    words = ("distributed.cli.dask_worker", address.replace("dask", "tcp"), "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1", "--no-dashboard")
    with started(place, "Registered to", *words, path=path) as (process, _):
        yield process


@needs_dask
def test_two_workers_say_what_this_machine_says(tree: Path, tmp_path: Path, scheduler: tuple[Any, str]) -> None:
    address = scheduler[1]
    told: list[int] = []
    with worker(tmp_path, address), worker(tmp_path, address):
        far = report(tree, address, progress=lambda what, done, total: told.append(done) if what == "reading" else None)
        assert far == report(tree) and far.count(b'"fingerprint"') > 10
    assert told == sorted(told) and told[-1] == sum(path.stat().st_size for path in SOURCES) and len(told) > 3


@needs_dask
@pytest.mark.parametrize("scheduler", ["3", "0"], indirect=True)
def test_a_worker_is_killed_in_mid_run(tree: Path, tmp_path: Path, scheduler: tuple[Any, str]) -> None:
    """With no failure allowed Dask gives the worker's tasks up, and they come back one file at a time."""
    address = scheduler[1]
    with worker(tmp_path, address) as one, worker(tmp_path, address):
        left: list[int] = []

        def kill(what: str, done: int, total: int) -> None:
            if what == "reading" and done and not left:
                one.send_signal(signal.SIGKILL)
                left.append(total - done)

        assert report(tree, address, progress=kill) == report(tree)
        assert one.wait() == -signal.SIGKILL and left[0] > 8 * farm.FILES


@needs_dask
@pytest.mark.parametrize("who", ["scheduler", "workers"])
def test_a_cluster_that_goes_away(tree: Path, tmp_path: Path, scheduler: tuple[Any, str], monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    boss, address = scheduler
    monkeypatch.setattr(cluster, "PATIENCE", 3)
    monkeypatch.setattr(cluster, "ANSWER", 4)
    monkeypatch.setattr(farm, "FILES", 1)
    with worker(tmp_path, address) as only:

        def kill(what: str, done: int, total: int) -> None:
            if what == "reading" and done:
                (boss if who == "scheduler" else only).kill()

        with pytest.raises(InputError) as error:
            report(tree, address, progress=kill)
    wanted = "the scheduler does not answer any more" if who == "scheduler" else "no worker is left"
    assert (error.value.where, error.value.what) == (f"--executor {address}", wanted)


@needs_dask
def test_an_interrupted_run_does_not_wait_for_the_cluster(
    tree: Path, tmp_path: Path, scheduler: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    boss, address = scheduler
    monkeypatch.setattr(cluster, "ANSWER", 2)

    def stop(what: str, done: int, total: int) -> None:
        if what == "reading" and done:
            boss.send_signal(signal.SIGSTOP)  # it takes connections and does not answer
            raise KeyboardInterrupt

    with worker(tmp_path, address), pytest.raises(KeyboardInterrupt):
        report(tree, address, progress=stop)


@needs_dask
def test_no_workers(tree: Path, scheduler: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 1)
    with pytest.raises(InputError, match="the scheduler has no workers"):
        report(tree, scheduler[1])


def copy(place: Path) -> Path:
    """Another installation of tlblint."""
    for name in ("tlblint", "rules"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


@needs_dask
@pytest.mark.parametrize("kind", ["missing", "old", "edited", "other rules"])
def test_a_worker_of_another_kind(tree: Path, tmp_path: Path, scheduler: tuple[Any, str], kind: str) -> None:
    address = scheduler[1]
    place = tmp_path / "other"
    place.mkdir()
    if kind == "missing":
        (place / "tlblint.py").write_text("raise ImportError('not for you')\n")
        wanted = f"a worker has no tlblint {__version__}: not for you"
    elif kind == "old":
        (copy(place) / "tlblint/__init__.py").write_text('"""Old."""\n\n__version__ = "0.0.1"\n')
        wanted = f"a worker has tlblint 0.0.1, this is {__version__}"
    else:
        file = copy(place) / ("tlblint/flow/lower.py" if kind == "edited" else "rules/api/pure.toml")
        file.write_text(file.read_text() + "\n# another line\n")
        wanted = f"a worker's tlblint {__version__} has other code, data or parser ("
    with worker(tmp_path, address), worker(tmp_path, address, place), pytest.raises(InputError) as error:
        report(tree, address)
    assert error.value.what.startswith(wanted)


@needs_dask
def test_the_command_ends_with_a_line(tree: Path) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"dask://127.0.0.1:{taken.getsockname()[1]}"
        done = command(tree, "--executor", address)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"tlblint: --executor {address}: no Dask scheduler answers there; start one with 'dask scheduler'\n"


@needs_dask
def test_a_server_that_speaks_something_else(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(InputError, match="no Dask scheduler answers there"):
        report(tree, f"dask://127.0.0.1:{mute.getsockname()[1]}")


def command(tree: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-m", "tlblint", "check", "--tree", str(tree), *words], env=env, capture_output=True, text=True, check=False)


def test_without_the_extra(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow/distributed.py").write_text("raise ImportError\n")
    done = command(tree, "--executor", "dask://127.0.0.1:8786", PYTHONPATH=f"{tmp_path / 'shadow'}:{ROOT}")
    wanted = "tlblint: --executor dask://127.0.0.1:8786: the Dask client is not installed; pip install 'tlblint[dask]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", wanted)


@pytest.mark.parametrize("text", ["", "localhost:8786", "dask://", "dask://host", "dask://host:0", "dask://host:65536", "dask://a b:1", "tcp://host:1", "dask://[::1:1"])
def test_no_address(tree: Path, text: str) -> None:
    with pytest.raises(InputError, match="not the address of a scheduler"):
        cluster.address(text)


def test_an_empty_address(tree: Path) -> None:
    done = command(tree, "--executor", "")
    assert (done.returncode, done.stderr) == (2, "tlblint: --executor '': not the address of a scheduler; write --executor dask://HOST:PORT\n")


@needs_dask
@pytest.mark.parametrize(("text", "wanted"), [("dask://farm-1.example.org:8786", "tcp://farm-1.example.org:8786"), ("dask://[::1]:80", "tcp://[::1]:80")])
def test_addresses(text: str, wanted: str) -> None:
    assert cluster.address(text) == wanted


def order(*files: tuple[bytes, bytes], who: str = "") -> bytes:
    return msgspec.msgpack.encode(Order(who or farm.identity(), ("x86-64",), (), files))


def test_the_work_is_a_function_of_bytes() -> None:
    raw = SOURCES[0].read_bytes()
    what, rows = farm.work(order((b"mm/a.c", raw), (b"mm/\xff.c", raw)))
    spine = load(Wanted(("x86-64",)))
    assert what == "done" and rows[0] is not None and rows[1] is None  # a name that is no text is read at home
    assert record.decode(rows[0]) == record.decode(record.encode(spine.facts("mm/a.c", raw)))
    assert farm.work(order()) == ("done", [])
    assert farm.work(order(who="0.0.1 0123456789abcdef")) == ("other", [farm.identity().encode()])


class Odd:
    """A cluster on which some files go wrong."""

    def ask(self, argument: bytes) -> dict[str, cluster.Reply]:
        return {"one": farm.work(argument)}

    def map(self, orders: Sequence[bytes]) -> Iterator[cluster.Reply | None]:
        [foreign] = farm.work(order((b"elsewhere", b"")))[1]
        for raw in orders:
            files = msgspec.msgpack.decode(raw, type=Order).files
            what, rows = farm.work(raw)
            changes = {b"cannot": None, b"broken": b"\0", b"other": foreign}
            yield None if any(b"killer" in path for path, _ in files) else (what, [changes.get(f[0], row) for f, row in zip(files, rows, strict=True)])


def test_what_goes_wrong_with_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect(name: str, function: str) -> Iterator[Odd]:
        yield Odd()

    monkeypatch.setattr(cluster, "connect", connect)
    monkeypatch.setattr(cluster, "address", lambda text: text)
    contents = dict.fromkeys(("a", "broken", "cannot", "killer", "other", "z"), b"\n")
    told: list[int] = []
    read = Reader("dask://x:1", (), {})
    facts = read(contents, lambda path: nothing(path, b"", "here"), lambda path: nothing(path, b"", "died"), told.append)
    assert [(fact.path, *(gap.why for gap in fact.not_analysed)) for fact in facts] == [
        ("a",), ("broken", "here"), ("cannot", "here"), ("killer", "died"), ("other", "here"), ("z",)
    ]  # fmt: skip
    assert told == [6] and read({}, None, None, told.append) == []  # type: ignore[arg-type]


def test_orders_hold_a_few_files_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farm, "FILES", 3)
    monkeypatch.setattr(farm, "BYTES", 10)
    sizes = {"a": 1, "b": 1, "c": 1, "d": 1, "e": 20, "f": 9, "g": 1, "h": 1}
    assert farm._chunks({name: b"x" * size for name, size in sizes.items()}) == [["a", "b", "c"], ["d"], ["e"], ["f", "g"], ["h"]]
    assert farm._chunks({}) == []
