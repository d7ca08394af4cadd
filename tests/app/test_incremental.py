"""With a cache a check says what it says without one: cold, warm, after any edit, for any kind of tree, whatever became of the cache."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.conftest import ROOT, git
from tests.engine.test_kept import edited
from tlblint.app import simulated as verdicts
from tlblint.app import spine as spines
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.app.spine import Loader, Result, Spine, Wanted
from tlblint.findings.lines import Lines
from tlblint.io import cache, walk
from tlblint.model.ir import FileFacts
from tlblint.report.jsonout import render
from tlblint.report.view import Style

Run = Callable[..., subprocess.CompletedProcess[bytes]]
DEMO = ROOT / "fixtures" / "demo"


def report(top: Path, *paths: str, use: bool = True, revision: str | None = None, work: Loader | None = None, **more: Any) -> bytes:
    flags = {"jobs": 1, "cache": use, "sim": False}
    request = Request(str(top), paths, tree=str(top), revision=revision, flags=flags)
    return render(check(replace(request, **more), work).report, Style()).encode()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The demo tree, changed long ago as far as anybody knows."""
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MARGIN", -(10**15))


class Work:
    """An analysis that counts the files whose facts are made and the judgings that are run."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.judged = 0

    def __call__(self, wanted: Wanted) -> Spine:
        spine = spines.load(wanted)

        def facts(path: str, raw: bytes) -> FileFacts:
            self.read.append(path)
            return spine.facts(path, raw)

        def analyse(*arguments: Any) -> Result:
            self.judged += 1
            return spine.analyse(*arguments)

        return replace(spine, facts=facts, analyse=analyse)

    def done(self) -> tuple[list[str], int]:
        """What was done since this was asked last."""
        out = (sorted(self.read), self.judged)
        self.read, self.judged = [], 0
        return out


def sources(top: Path) -> list[Path]:
    return sorted(path for path in top.rglob("*.[ch]") if ".git" not in path.parts)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_any_edits(tmp_path: Path, seed: int) -> None:
    top = tmp_path / "demo"
    shutil.rmtree(top, ignore_errors=True)
    shutil.copytree(DEMO, top)
    chance = random.Random(seed)
    assert report(top) == report(top, use=False)
    for _ in range(3):
        path = chance.choice(sources(top))
        raw = path.read_bytes()
        kind = chance.randrange(4)
        if kind < 2:
            path.write_bytes(edited(raw, chance))
        elif kind == 2:
            at = chance.randrange(len(raw))
            path.write_bytes(raw[:at] + b"_" + raw[at + 1 :])  # of the same size, and perhaps within the same tick
        else:
            path.rename(path.with_name("moved_" + path.name))
        assert report(top) == report(top, use=False)
    part = chance.choice(sources(top)).parent.relative_to(top)
    assert report(top, str(part)) == report(top, str(part), use=False)


@pytest.mark.usefixtures("late")
def test_nothing_is_done_twice(demo: Path) -> None:
    work = Work()
    first = report(demo, work=work)
    everything, judged = work.done()
    assert len(everything) > 1 and judged == 1
    assert report(demo, work=work) == first
    assert work.done() == ([], 0)
    path = demo / everything[0]
    path.write_bytes(b"/* one line more */\n" + path.read_bytes())
    second = report(demo, work=work)
    assert work.done() == (everything[:1], 0)  # nothing is found there
    assert second == report(demo, use=False)


def test_a_file_whose_name_is_no_text(demo: Path) -> None:
    """Nothing of it can be named, so nothing is remembered of a run over it; the run goes on."""
    one = demo / "mm" / "reclaim.c"
    odd = os.path.join(os.fsencode(one.parent), b"odd\xff.c")
    shutil.copy(one, odd)
    for _ in range(2):
        assert report(demo) == report(demo, use=False)
        one.write_bytes(b"/* one line more */\n" + one.read_bytes())
    with open(odd, "ab") as file:
        file.write(b"\nint more;\n")
    assert report(demo) == report(demo, use=False)


def test_trees_and_revisions_share_what_is_known_of_a_file(demo: Path) -> None:
    git(demo, "init", "-q")
    git(demo, "add", "-A")
    git(demo, "commit", "-q", "-m", "one")
    work = Work()
    report(demo, work=work)
    everything, _ = work.done()
    clone = demo.parent / "clone"
    git(demo.parent, "clone", "-q", str(demo), str(clone))
    for top, revision in ((demo, "HEAD"), (clone, None), (clone, "HEAD")):
        assert report(top, revision=revision, work=work)
        assert work.done() == ([], 0), (top, revision)
        assert report(top, revision=revision, work=work) == report(top, revision=revision, use=False)
        work.done()
    path = clone / everything[0]
    path.write_bytes(path.read_bytes() + b"/* more */\n")
    git(clone, "commit", "-qam", "two")
    assert report(clone, revision="HEAD", work=work) == report(clone, revision="HEAD", use=False)
    work.done()
    report(clone, work=work)
    report(clone, revision="HEAD~1", work=work)
    assert work.done() == ([], 0)


def test_verdicts_are_remembered(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = report(demo, flags={"jobs": 1})
    assert first == report(demo, flags={"jobs": 1, "cache": False})
    assert first != report(demo)
    made: list[object] = []
    judge = verdicts._judge

    def listen(lines: Mapping[str, Lines]) -> object:
        made.append(lines)
        return judge(lines)

    monkeypatch.setattr(verdicts, "_judge", listen)
    assert report(demo, flags={"jobs": 1}) == first
    assert made == []
    assert report(demo, flags={"jobs": 1, "sim-budget": 1}) == report(demo, flags={"jobs": 1, "sim-budget": 1, "cache": False})
    assert len(made) == 2
    path = demo / "mm/zap.c"
    path.write_bytes(b"/* moved */\n" + path.read_bytes())
    assert report(demo, flags={"jobs": 1}) == report(demo, flags={"jobs": 1, "cache": False})


def test_a_part_and_the_whole_keep_apart(demo: Path) -> None:
    folders = sorted({str(path.parent.relative_to(demo)) for path in sources(demo)})
    for _ in range(2):
        for paths in ((), *((folder,) for folder in folders)):
            assert report(demo, *paths) == report(demo, *paths, use=False)


def file() -> Path:
    place = cache.directory()
    assert place is not None
    return Path(place) / cache.NAME


@pytest.mark.parametrize("damage", ["cut", "noise", "nothing", "directory", "rows"])
def test_whatever_became_of_the_cache(demo: Path, damage: str) -> None:
    expected = report(demo, use=False)
    assert report(demo) == expected
    raw = file().read_bytes()
    if damage == "cut":
        file().write_bytes(raw[: len(raw) // 2])
    elif damage == "noise":
        chance = random.Random(3)
        file().write_bytes(bytes(byte if chance.random() < 0.99 else chance.randrange(256) for byte in raw))
    elif damage == "nothing":
        file().write_bytes(b"")
    elif damage == "directory":
        file().unlink()
        file().mkdir()
    else:  # well-formed, but what an older and careless version would leave
        store = cache.Cache(str(file()))
        assert store._link is not None
        rows = [(str(kind), bytes(key)) for kind, key in store._link.execute("SELECT kind, key FROM rows")]
        for kind, key in rows:
            store.put(kind, {key: b"\x93\x01\x02\x03"})
        store.close()
    said: list[str] = []
    assert report(demo, note=said.append) == expected
    assert len(said) <= 1
    assert report(demo) == expected


def test_the_switch_leaves_nothing_behind(demo: Path, tlblint: Run) -> None:
    done = tlblint(demo, "check", "--tree", ".", "--no-cache", "-f", "concise")
    assert done.returncode in (0, 1), done.stderr
    assert not file().exists()
    tlblint(demo, "check", "--tree", ".", "-f", "concise")
    assert file().exists()
    shown = tlblint(demo, "config", "show", "--tree", ".").stdout.decode()
    assert [line.split() for line in shown.splitlines() if line.startswith("cache")] == [["cache", "=", "true", "#", "default"]]


def test_git_config_turns_it_off(demo: Path, tlblint: Run) -> None:
    git(demo, "init", "-q")
    git(demo, "config", "tlblint.cache", "false")
    tlblint(demo, "check", "-f", "concise")
    assert not file().exists()


def test_no_cache_is_told_once_and_only_on_demand(demo: Path, tlblint: Run) -> None:
    file().parent.parent.mkdir(parents=True, exist_ok=True)
    file().parent.write_bytes(b"in the way")
    quiet = tlblint(demo, "check", "--tree", ".", "-f", "concise")
    assert b"no cache" not in quiet.stderr
    told = tlblint(demo, "check", "--tree", ".", "-f", "concise", "-v")
    assert told.stderr.count(b"no cache") == 1
    assert told.returncode == quiet.returncode


def test_timings(demo: Path, tlblint: Run) -> None:
    done = tlblint(demo, "check", "--tree", ".", "-f", "concise", "--timings")
    names = [line.split()[0] for line in done.stderr.decode().splitlines() if line.endswith(" s")]
    assert names[0] == "starting" and names[-1] == "together" and "judging" in names


def test_two_checks_at_once(demo: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = [subprocess.Popen([sys.executable, "-m", "tlblint", "check", "--tree", ".", "--no-sim", "-f", "json"], cwd=demo, env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]  # fmt: skip
    answers = {run.communicate(timeout=200)[0] for run in runs}
    assert len(answers) == 1
    assert report(demo, use=False).strip() and len(next(iter(answers))) > 100
