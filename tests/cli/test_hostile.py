"""What a hostile or merely strange tree, path, stream or setting gets: one line, exit status 2, and nothing passed over in silence."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Write, git
from tlblint.cli import main, run

Run = Callable[..., subprocess.CompletedProcess[bytes]]
LEAK = b"void f(void)\n{\n\tleak();\n}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--tree", ""), "--tree: no directory given; name a kernel source tree, or leave --tree out for the one above the current directory"),
        (("--select", "TLB003", "--select", ""), "--select: an empty value; name something, or leave the option out"),
        (("--ignore", " ,"), "--ignore: an empty value; name something, or leave the option out"),
        (("--profile", ""), "--profile: an empty value; name something, or leave the option out"),
        (("--rules", ""), "--rules: an empty value; name something, or leave the option out"),
        (("--baseline", ""), "--baseline: an empty value; name something, or leave the option out"),
        (("-f", ""), "--format: an empty value; name something, or leave the option out"),
        (("",), "PATH: an empty one; name a file or directory; '.' is the current directory"),
        (("mm", "out/x.c"), "out/x.c: no part of the tree: git ignores it; name its directory with --tree to check it as it is"),
        (("out/x.c",), "out/x.c: no part of the tree: git ignores it; name its directory with --tree to check it as it is"),
        (("mm", "vendor/x.c"), "vendor/x.c: in the submodule vendor, a repository of its own; name it with --tree vendor"),
        (("vendor",), "vendor: in the submodule vendor, a repository of its own; name it with --tree vendor"),
        (("--rev", "HEAD", "vendor"), "vendor: in the submodule vendor, a repository of its own; name it with --tree vendor"),
    ],
)
def test_what_is_not_checked_is_an_error_when_it_was_named(repository: Write, tlblint: Run, arguments: tuple[str, ...], line: str) -> None:
    top = repository({"mm/a.c": LEAK, "out/x.c": LEAK, ".gitignore": b"out/\n"})
    git(top, "update-index", "--add", "--cacheinfo", f"160000,{git(top, 'rev-parse', 'HEAD')},vendor")
    git(top, "commit", "-q", "-m", "a submodule")
    (top / "vendor").mkdir()
    (top / "vendor/x.c").write_bytes(LEAK)
    done = tlblint(top, "check", *arguments)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"tlblint: {line}\n")


def test_a_revision_does_not_ask_the_disk_what_a_path_is(repository: Write, tlblint: Run) -> None:
    top = repository({"s/a.c": LEAK, "other/b.c": b"int b;\n"})
    (top / "s/a.c").unlink()
    (top / "s").rmdir()
    (top / "s").symlink_to("other")
    done = tlblint(top, "check", "--rev", "HEAD", "s", "-f", "concise")
    assert done.returncode == 1 and done.stdout.startswith(b"s/a.c:3:")


class Slow:
    """Is interrupted while a class is made that it is in, which Python tells in words of its own."""

    def __set_name__(self, owner: type, name: str) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("late", [True, False], ids=["in a command", "while it is loaded"])
def test_an_interrupt_in_the_middle_of_a_class(late: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted(*arguments: object, **settings: object) -> None:
        type("Held", (), {"held": Slow()})

    if late:
        monkeypatch.setattr(run.root, "main", interrupted)
        assert run.run(["check"]) == 130
        assert capfd.readouterr().err == "tlblint: interrupted\n"
    else:
        monkeypatch.setattr(run, "run", interrupted)
        monkeypatch.setattr(sys, "argv", ["tlblint", "rules"])
        try:
            with pytest.raises(SystemExit) as left:
                main.main()
        finally:
            gc.unfreeze()
            gc.enable()
        assert left.value.code == 130


def test_few_descriptors(repository: Write) -> None:
    top = repository({"mm/a.c": LEAK})
    command = f"ulimit -n 8; exec {sys.executable} -m tlblint check"
    done = subprocess.run(["sh", "-c", command], cwd=top, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr == b"tlblint: too many open files: allow this process more of them, see 'ulimit -n'\n"


FULL = b"tlblint: standard output: cannot write: no space left on device\n"
GONE = b"tlblint: standard output: its reader went away before all was written\n"
CLOSED = b"tlblint: standard output: cannot write: it is closed\n"


@pytest.mark.parametrize("arguments", ["--help", "--version", "check", "check --help", "check -f json", "rules", "explain TLB003", "config show", "demo"])
def test_streams_that_take_nothing(repository: Write, arguments: str) -> None:
    top = repository({"mm/a.c": LEAK})

    def run(streams: str) -> tuple[int, bytes]:
        command = f"exec {sys.executable} -m tests.app.run_stub {arguments} {streams}"
        done = subprocess.run(["sh", "-c", command], cwd=top, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
        assert done.stdout == b""
        return done.returncode, done.stderr

    assert run(">/dev/full") == (2, FULL)
    assert run(">&-") == (2, CLOSED)
    assert run(">/dev/full 2>/dev/full") == run(">&- 2>&-") == (2, b"")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "tests.app.run_stub", *arguments.split()]
        done = subprocess.run(command, cwd=top, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (2, GONE)


def test_errors_without_a_standard_error(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m tests.app.run_stub check --zzz 2>/dev/full"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode == 2


@pytest.mark.parametrize("format_", ["full", "concise", "json", "jsonl"])
def test_twice_quiet_says_nothing_but_writes_files(repository: Write, tlblint: Run, format_: str) -> None:
    top = repository({"mm/a.c": LEAK})
    done = tlblint(top, "check", "-qq", "-f", format_)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    done = tlblint(top, "check", "-qq", "-f", f"{format_}=out")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert b"TLB003" in (top / "out").read_bytes()


def test_submodules_are_named_once(repository: Write, tlblint: Run) -> None:
    top = repository({"mm/a.c": b"int a;\n", "fs/b.c": b"int b;\n"})
    for number in range(12):
        git(top, "update-index", "--add", "--cacheinfo", f"160000,{git(top, 'rev-parse', 'HEAD')},mm/sub{number:02}")
    git(top, "commit", "-q", "-m", "submodules")
    for revision in ([], ["--rev", "HEAD"]):
        done = tlblint(top / "mm", "check", "..", *revision)
        few = ", ".join(f"sub{number:02}" for number in range(10))
        assert done.returncode == 0 and f"\nDid not enter 12 submodules: {few} and 2 more; -v names them all\n" in "\n" + done.stdout.decode()
        assert b"sub10, mm/sub11\n" in tlblint(top, "check", "-v", *revision, "mm").stdout
        assert b"submodule" not in tlblint(top, "check", *revision, "fs").stdout
    assert tlblint(top, "check", "--fail-on-incomplete").returncode == 0
