"""How a variant is judged: by the command line on an overlay tree, or in process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import msgspec

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from tlblint.cli.main import main; main()")


class Seen(msgspec.Struct, frozen=True):
    """One finding: ``key`` is what makes it the same finding in two versions of a file (never a line number)."""

    rule: str
    function: str
    severity: str
    key: str

    @property
    def loud(self) -> bool:
        return self.severity in {"error", "warning"}


class Judge(Protocol):
    """``base`` is asked once per file of the stock tree, ``judge`` once per variant of that file."""

    def base(self, kernel_root: Path, path: str) -> list[Seen]: ...

    def judge(self, kernel_root: Path, path: str, new_bytes: bytes) -> list[Seen]: ...


class CliJudge:
    """Runs ``tlblint check`` on a tree of symbolic links in which one file is replaced. Slow, but it is what a user runs."""

    def __init__(self, command: tuple[str, ...] = COMMAND, timeout: float = 600.0) -> None:
        self.command, self.timeout = command, timeout

    def base(self, kernel_root: Path, path: str) -> list[Seen]:
        return self._check(kernel_root, path)

    def judge(self, kernel_root: Path, path: str, new_bytes: bytes) -> list[Seen]:
        with tempfile.TemporaryDirectory(prefix="tlblint-mutate-") as tmp:
            overlay(kernel_root, Path(tmp), path, new_bytes)
            return self._check(Path(tmp), path)

    def _check(self, tree: Path, path: str) -> list[Seen]:
        argv = [*self.command, "check", "--tree", str(tree), path, "-f", "json", "--exit-zero"]
        done = subprocess.run(argv, capture_output=True, timeout=self.timeout, check=False, cwd=tree, env={**os.environ, "PYTHONPATH": str(PROJECT)})
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
        rows = json.loads(done.stdout)["findings"]
        return [Seen(r["rule"], r["function"], r["severity"], r.get("fingerprint") or r["message"]) for r in rows if r["path"].endswith(path)]


def overlay(root: Path, into: Path, path: str, new_bytes: bytes) -> None:
    """A tree of links to ``root`` in ``into``, with real directories only along ``path`` and ``new_bytes`` as that file."""
    here, there = root, into
    for part in Path(path).parts:
        for child in here.iterdir():
            if child.name != part:
                (there / child.name).symlink_to(child)
        here, there = here / part, there / part
        if here.is_dir():
            there.mkdir()
    there.write_bytes(new_bytes)


Api = Callable[[Path, str, bytes], Iterable[tuple[str, str, str] | tuple[str, str, str, str]]]


class ApiJudge:
    """Runs the engine in this process. ``run(kernel_root, path, bytes)`` returns (rule, function, severity[, key]) rows."""

    def __init__(self, run: Api) -> None:
        self.run = run

    def base(self, kernel_root: Path, path: str) -> list[Seen]:
        return self.judge(kernel_root, path, (kernel_root / path).read_bytes())

    def judge(self, kernel_root: Path, path: str, new_bytes: bytes) -> list[Seen]:
        return [Seen(r[0], r[1], r[2], r[3] if len(r) > 3 else f"{r[0]}:{r[1]}") for r in self.run(kernel_root, path, new_bytes)]


def load(spec: str) -> Judge:
    """``cli`` or ``module:function``; the function has the shape of Api. The in-process engine is plugged in here."""
    if spec == "cli":
        return CliJudge()
    module, _, name = spec.partition(":")
    return ApiJudge(getattr(__import__(module, fromlist=[name]), name))
