"""Files whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tlblint.io import output
from tlblint.io.errors import InputError


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old and longer")
    path.chmod(0o640)
    output.write_file(str(path), b"new", "-f x")
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out"]


def test_a_new_file_obeys_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        output.write_file(str(tmp_path / "out"), b"new", "-f x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_failing_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "fsync", full)
    with pytest.raises(InputError, match=r"-f x: cannot write .*: no space left on device"):
        output.write_file(str(path), b"new", "-f x")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["out"]


def test_a_link_keeps_pointing_at_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    output.write_file(str(tmp_path / "link"), b"new", "-f x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(("name", "what"), [("nope/out", "no such file or directory"), (".", "is a directory")])
def test_places_that_cannot_be_written(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        output.write_file(str(tmp_path / name), b"x", "-f x")


def test_stdout_takes_more_than_a_pipe_holds_without_buffering() -> None:
    script = "from tlblint.io.output import write_stdout; write_stdout(b'x' * 3_000_000)"
    done = subprocess.run([sys.executable, "-u", "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, check=True)
    assert len(done.stdout) == 3_000_000


def test_stdout_may_be_non_blocking() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    script = "from tlblint.io.output import write_stdout; write_stdout(b'x' * 1_000_000)"
    process = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=writer)
    os.close(writer)
    with open(reader, "rb") as file:
        assert len(file.read()) == 1_000_000
    assert process.wait(60) == 0
