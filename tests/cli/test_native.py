"""The modules in C find what the same modules in Python find."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.installed import lay_out, translate, wheel

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None and shutil.which("cc") is None, reason="needs a C compiler")
TREE = Path(os.environ.get("TLBLINT_KERNELS", "none"), "linux-source-6.12")


def run(site: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-m", "tlblint", *arguments], cwd=place, env=env, capture_output=True, text=True, check=False)


def test_what_runs_as_c_finds_what_python_finds(tmp_path: Path) -> None:
    """One test, because whoever runs a part of it has to compile all of it first."""
    pytest.importorskip("setuptools")
    native, work = tmp_path / "native", tmp_path / "work"
    lay_out(native)
    assert translate(native) == ""
    modules = [path.removesuffix(".py").replace("/", ".") for path in wheel()["hooks"]["custom"]["modules"]]
    code = f"import importlib\nfor name in {modules!r}: assert importlib.import_module(name).__file__.endswith('.so'), name"
    env = {**os.environ, "PYTHONPATH": str(native)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "fixtures", work / "fixtures")
    assert "runs as C\n" in run(native, work, "config", "show", "--tree", ".").stdout
    assert "runs as Python\n" in run(ROOT, work, "config", "show", "--tree", ".").stdout
    asked = [("rule", "test"), ("check", "--tree", "fixtures", "--no-cache", "--no-sim", "--exit-zero", "-f", "json")]
    if TREE.is_dir():
        asked.append(("check", "--tree", str(TREE), "--no-cache", "--no-sim", "--exit-zero", "-f", "json"))
    for arguments in asked:
        ours, theirs = (run(site, work, *arguments) for site in (ROOT, native))
        assert theirs.stdout and (theirs.returncode, theirs.stdout, theirs.stderr) == (ours.returncode, ours.stdout, ours.stderr), arguments


def test_without_a_compiler_the_build_goes_on_without_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    hook = pytest.importorskip("tlblint.native")

    def fails(*given: object) -> None:
        raise SystemExit("error: command 'cc' failed: No such file or directory")

    monkeypatch.setattr(hook, "translated", fails)
    data: dict[str, object] = {"force_include": {}, "pure_python": True}
    made = hook.Native(str(ROOT), {"modules": []}, None, None, "", "wheel")
    made.initialize("standard", data)
    made.finalize("standard", data, "")
    assert data == {"force_include": {}, "pure_python": True} and "costs speed only: error: command 'cc'" in capsys.readouterr().err


@pytest.mark.parametrize(("version", "wish"), [("editable", ""), ("standard", "0")])
def test_where_it_is_not_wanted_nothing_is_translated(monkeypatch: pytest.MonkeyPatch, version: str, wish: str) -> None:
    hook = pytest.importorskip("tlblint.native")
    monkeypatch.setenv("TLBLINT_NATIVE", wish)
    monkeypatch.setattr(hook, "translated", lambda *given: pytest.fail("translated"))
    data: dict[str, object] = {"force_include": {}}
    hook.Native(str(ROOT), {"modules": []}, None, None, "", "wheel").initialize(version, data)
    assert data == {"force_include": {}}
