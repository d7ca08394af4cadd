"""Reports that cannot be written: one line, no half of a file, whatever the format. In processes of their own: tests/cli/test_report.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.pages import rich
from tlblint.app import emit, graph_out
from tlblint.app.graph import GraphOutcome
from tlblint.app.request import Outcome
from tlblint.app.targets import Target
from tlblint.io import config
from tlblint.io.errors import InputError
from tlblint.io.output import ReaderGone
from tlblint.report.formats import FORMATS
from tlblint.report.graph_formats import GRAPH_FORMATS
from tlblint.report.graph_view import GraphNode, GraphView

Write = Callable[[str, str | None], None]
NAMES = [*FORMATS, *(f"graph {name}" for name in GRAPH_FORMATS)]


def written(where: Path) -> Write:
    """Writes a format to a file of ``where``, or to standard output."""
    settings = config.load(None, str(where), {})

    def write(name: str, file: str | None) -> None:
        if name in FORMATS:
            emit.emit(Outcome(rich(), settings, str(where)), [Target(name, file)], str(where), 0)
        else:
            view = GraphView("0", "worktree", None, "6.12", (), 1, tuple(GraphNode(f"f{n}", "mm/a.c", n + 1) for n in range(9)), ())
            graph_out.emit(GraphOutcome(view, settings, str(where)), [(name.removeprefix("graph "), file)], str(where))

    return write


def refused(name: str, where: Path, file: str) -> str:
    """What is said when a format cannot go to a file; nothing else may lie there after that."""
    before = sorted(os.listdir(where))
    with pytest.raises(InputError) as caught:
        written(where)(name, file)
    assert sorted(os.listdir(where)) == before
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_on_a_full_disk(tmp_path: Path, name: str) -> None:
    assert "no space left on device" in refused(name, tmp_path, "/dev/full")


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Space for the name but not for the data: the write is flushed to the disk before the file gets its name."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    assert "no space left on device" in refused(name, tmp_path, "out")
    assert (tmp_path / "out").read_text() == "old"


@pytest.mark.parametrize("name", NAMES)
def test_a_directory_that_is_not_there_or_takes_nothing(tmp_path: Path, name: str) -> None:
    assert "no such file or directory" in refused(name, tmp_path, "no/out")
    assert "is a directory" in refused(name, tmp_path, ".")
    (tmp_path / "shut").mkdir(mode=0o500)
    if os.geteuid() != 0:  # who may do anything is not refused
        assert "permission denied" in refused(name, tmp_path, "shut/out")


@pytest.mark.parametrize("name", NAMES)
def test_standard_output_that_takes_nothing(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(InputError) as caught:
            written(tmp_path)(name, None)
        assert "standard output: cannot write: no space left on device" in str(caught.value)
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        with pytest.raises(ReaderGone):
            written(tmp_path)(name, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_whose_reader_is_gone(tmp_path: Path, name: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert "broken pipe" in refused(name, tmp_path, f"/dev/fd/{writing}")
    finally:
        os.close(writing)
