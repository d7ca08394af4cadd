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
KERNELS = os.environ.get("TLBLINT_KERNELS", "")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed copy with all of them."""
    pytest.importorskip("setuptools")
    pytest.importorskip("hatchling")
    site = tmp_path_factory.mktemp("native")
    lay_out(site)
    assert translate(site) == ""
    return site


def run(site: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-m", "tlblint", *arguments], cwd=place, env=env, capture_output=True, text=True, check=False)


def test_all_that_is_listed_is_there_and_is_what_runs(native: Path, tmp_path: Path) -> None:
    modules = [path.removesuffix(".py").replace("/", ".") for path in wheel()["hooks"]["custom"]["modules"]]
    code = f"import importlib\nfor name in {modules!r}: assert importlib.import_module(name).__file__.endswith('.so'), name"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(native)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "runs as C\n" in run(native, tmp_path, "config", "show", "--tree", ".").stdout
    assert "runs as Python\n" in run(ROOT, tmp_path, "config", "show", "--tree", ".").stdout


def test_every_rule_s_examples_and_every_fixture_are_judged_alike(native: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    for arguments in (("rule", "test"), ("check", "--tree", "fixtures", "--no-cache", "--exit-zero", "-f", "json")):
        ours, theirs = (run(site, tmp_path, *arguments) for site in (ROOT, native))
        assert theirs.stdout and (theirs.returncode, theirs.stdout, theirs.stderr) == (ours.returncode, ours.stdout, ours.stderr)


@pytest.mark.parametrize("version", ["6.1", "6.12", "7.3"])
def test_a_real_tree_is_judged_alike(native: Path, tmp_path: Path, version: str) -> None:
    tree = Path(KERNELS) / f"linux-source-{version}"
    if not KERNELS or not tree.is_dir():
        pytest.skip("TLBLINT_KERNELS names no such tree")
    ours, theirs = (run(site, tmp_path, "check", "--tree", str(tree), "--no-cache", "--no-sim", "--exit-zero", "-f", "json") for site in (ROOT, native))
    assert '"findings"' in theirs.stdout and theirs.stdout == ours.stdout


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
