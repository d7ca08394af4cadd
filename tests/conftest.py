"""Fixtures that several layers share: small trees, and the command line with a stub analysis behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
Write = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No git or colour setting of the machine may change a result."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("GIT_") or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below a fresh directory; its path."""

    def make(files: Mapping[str, bytes]) -> Path:
        for name, raw in files.items():
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        return tmp_path / "tree"

    return make


def git(directory: Path, *arguments: str) -> str:
    """Run git with an identity of its own."""
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", "-C", str(directory), *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(write: Write) -> Write:
    """Like ``write``, committed to a git repository."""

    def make(files: Mapping[str, bytes]) -> Path:
        top = write(files)
        git(top, "init", "-q")
        git(top, "add", "-A")
        git(top, "commit", "-q", "-m", "one")
        return top

    return make


@pytest.fixture
def tlblint() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the command line with the stub analysis in a process of its own: ``tlblint(cwd, *arguments, **environment)``."""

    def run(cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        command = [sys.executable, "-m", "tests.app.run_stub", *arguments]
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL)

    return run
