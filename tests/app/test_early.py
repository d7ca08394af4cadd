"""What was edited is read and judged while the tree is walked: the same is found, whatever becomes of that, and nobody is left behind."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.engine.test_kept import edited
from tlblint.app import checking, early, reader
from tlblint.app import spine as spines
from tlblint.app.check import check
from tlblint.app.reader import Reader
from tlblint.app.request import Request
from tlblint.app.spine import Wanted
from tlblint.cli.main import main
from tlblint.io import aside, processors
from tlblint.model.ir import FileFacts
from tlblint.report.jsonout import render
from tlblint.report.view import Style

DEMO = ROOT / "fixtures" / "demo"


def report(top: Path, *paths: str, use: bool = True) -> bytes:
    flags = {"jobs": 2, "cache": use, "sim": False}
    return render(check(Request(str(top), paths, tree=str(top), flags=flags)).report, Style()).encode()


def sources(top: Path) -> list[Path]:
    return sorted(path for path in top.rglob("*.[ch]") if ".git" not in path.parts)


def change(top: Path, seed: int = 0) -> None:
    """Edit a file in which something is found."""
    path = max((path for path in sources(top) if path.suffix == ".c"), key=lambda path: path.stat().st_size)
    path.write_bytes(edited(path.read_bytes(), random.Random(seed)))


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    top = Path(shutil.copytree(DEMO, tmp_path / "demo"))
    report(top)
    return top


@pytest.fixture
def alone(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read or judged by the process that reports."""

    def never(*arguments: Any) -> list[FileFacts]:
        raise AssertionError("this was to be done by somebody else")

    monkeypatch.setattr(checking, "collect", never)


def nobody_is_left() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_any_edits(tmp_path: Path, seed: int) -> None:
    top = tmp_path / "demo"
    shutil.rmtree(top, ignore_errors=True)
    shutil.copytree(DEMO, top)
    chance = random.Random(seed)
    report(top)
    for _ in range(3):
        for path in chance.sample(sources(top), chance.randrange(1, 3)):
            kind = chance.randrange(5)
            if kind < 3:
                path.write_bytes(edited(path.read_bytes(), chance))
            elif kind == 3:
                path.rename(path.with_name("moved_" + path.name))
            else:
                path.write_bytes(b"int nothing;\n")
        assert report(top) == report(top, use=False)
        assert report(top) == report(top, use=False)


@pytest.mark.usefixtures("alone")
def test_what_was_edited_is_done_by_others(demo: Path) -> None:
    for seed in range(3):
        change(demo, seed)
        assert report(demo)
        assert nobody_is_left()


@pytest.mark.parametrize("seed", range(2))
def test_others_find_the_same(demo: Path, seed: int) -> None:
    change(demo, seed)
    assert report(demo) == report(demo, use=False)
    part = sources(demo)[0].parent.relative_to(demo)
    change(demo, seed + 10)
    assert report(demo, str(part)) == report(demo, str(part), use=False)


def test_more_than_an_edit_is_found(demo: Path) -> None:
    """What the walk finds besides the edits that are known counts."""
    change(demo)
    one = next(path for path in sources(demo) if path.suffix == ".c")
    shutil.copy(one, one.with_name("one_more.c"))
    assert report(demo) == report(demo, use=False)


@pytest.mark.parametrize("work", ["_worked", "_judged"])
@pytest.mark.parametrize("way", ["dies", "raises", "says nothing"])
def test_whatever_becomes_of_the_others(demo: Path, work: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def broken(*arguments: Any) -> bytes:
        if os.getpid() == here:
            return b""
        if way == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if way == "raises":
            raise ValueError
        return b""

    monkeypatch.setattr(reader if work == "_worked" else early, work, broken)
    change(demo)
    assert report(demo) == report(demo, use=False)
    assert nobody_is_left()


def test_much_to_judge_is_judged_where_it_can_be_seen(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "MANY", -1)
    change(demo)
    assert report(demo) == report(demo, use=False)


def test_several_lots_are_judged_by_several(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "FEW", -1)
    change(demo)
    assert report(demo) == report(demo, use=False)
    assert nobody_is_left()


def test_nothing_edited_nobody_started(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Callable[[], bytes]] = []
    begin = aside.Aside.__init__

    def counted(self: aside.Aside, work: Callable[[], bytes], several: bool) -> None:
        started.append(work)
        begin(self, work, several)

    monkeypatch.setattr(aside.Aside, "__init__", counted)
    report(demo)
    walkers = len(started)
    change(demo)
    report(demo)
    assert len(started) == 2 * walkers + 2


def no_facts(path: str, raw: bytes) -> FileFacts:
    raise AssertionError


def test_a_reader_that_is_not_told_what_to_read_ends() -> None:
    told, untold = Reader(), Reader()
    told.read("name", {}, no_facts)
    assert told.result() == untold.result() == {}
    for one in (told, untold):
        one.close()
    assert nobody_is_left()


@pytest.mark.parametrize("words", [["--no-cache"], ["mm", "--rev=HEAD"], ["--executor", "dask://somewhere:1"], ["--help"]])
def test_no_reader_where_nothing_will_be_read_ahead(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "count", lambda: 2)
    end = reader.begin(words)
    assert nobody_is_left()
    end()


def test_no_reader_on_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "count", lambda: 1)
    reader.begin([])()
    assert nobody_is_left()


@pytest.mark.parametrize("edits", [0, 1])
def test_the_reader_that_is_ready_is_taken_or_ended(demo: Path, edits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "count", lambda: 2)
    report(demo)
    end = reader.begin(["--tree", str(demo)])
    assert not nobody_is_left()

    def never() -> None:
        raise AssertionError("one was ready")

    monkeypatch.setattr(reader.Reader, "__init__", never)
    for _ in range(edits):
        change(demo)
    found = report(demo)
    end()
    assert nobody_is_left()
    assert found == report(demo, use=False)


def test_a_check_that_comes_to_nothing_ends_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "count", lambda: 2)
    monkeypatch.setattr("sys.argv", ["tlblint", "check", "--no-such-option"])
    begun = reader.begin
    asked: list[object] = []
    monkeypatch.setattr(reader, "begin", lambda words: asked.append(words) or begun(words))
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        gc.unfreeze()
        gc.enable()
    assert left.value.code == 2 and asked == [["--no-such-option"]]
    assert nobody_is_left()


def test_a_comment_moves_what_is_found(demo: Path) -> None:
    for path in sources(demo):
        path.write_bytes(b"/* one line more */\n" + path.read_bytes())
        assert report(demo) == report(demo, use=False)


def test_a_comment_where_nothing_is_found_is_not_judged(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always = sorted(spines.load(Wanted()).always)
    for name in always:  # read whatever it mentions
        (demo / name).parent.mkdir(parents=True, exist_ok=True)
        (demo / name).write_bytes(b"int nothing;\n")
    assert always
    found = report(demo)
    quiet = [path for path in sources(demo) if path.name.encode() not in found and b"pte" in path.read_bytes()]
    assert quiet
    for path in quiet:
        path.write_bytes(b"/* one line more */\n" + path.read_bytes())
    new = report(demo, use=False)

    def never(*arguments: Any) -> None:
        raise AssertionError("judged again")

    monkeypatch.setattr("tlblint.engine.analyse.analyse", never)
    assert report(demo) == new
