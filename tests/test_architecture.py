"""The house rules that a program can check: who may import whom, where effects may live, nothing of one machine."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tlblint"

MAY_IMPORT = {
    "model": set(),
    "names": set(),
    "syntax": {"names"},
    "roles": {"names"},
    "flow": {"syntax", "roles"},
    "calls": {"flow"},
    "engine": {"calls"},
    "rulefile": {"engine"},
    "findings": {"engine"},
    "sim": set(),
    "crosscheck": {"findings", "sim"},
    "predicates": {"names", "syntax", "roles", "sim"},
    "hooks": {"names"},
    "report": set(),
    "io": set(),
    "app": {"syntax", "roles", "flow", "calls", "engine", "rulefile", "findings", "sim", "crosscheck", "names", "predicates", "hooks", "report", "io"},
    "cli": {"app"},
}
"""Layer -> layers it may import besides itself and model."""

EFFECT_LAYERS = {"io", "app", "cli"}
EFFECT_MODULES = {
    "asyncio", "click", "concurrent", "fcntl", "getpass", "glob", "http", "logging", "mmap", "multiprocessing", "os", "pathlib", "platform", "random",
    "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "webbrowser",
}  # fmt: skip
EFFECT_CALLS = {"open", "print", "input", "exit", "quit", "breakpoint", "exec", "eval", "compile", "__import__"}
ALLOWED = {("os", "path"), ("os", "posixpath"), ("sys", "intern")}
"""Pure parts of modules that have effects."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, those inside functions and under TYPE_CHECKING too."""
    package = ["tlblint", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and isinstance(node.args[0], ast.Constant):
            yield node.lineno, str(node.args[0].value)


def forbidden(path: Path) -> list[str]:
    """The imports of a module that its layer may not make."""
    own = layer(path)
    if not own:  # tlblint/__init__.py and __main__.py
        allowed = {"cli"}
    else:
        allowed = MAY_IMPORT[own] | {own, "model"}
    wrong = []
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "tlblint" and len(parts) > 1 and parts[1] in MAY_IMPORT and parts[1] not in allowed:
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {own or 'the top'} may not import {parts[1]}")
    return wrong


def test_every_layer_has_a_row() -> None:
    assert {layer(path) for path in modules()} - {""} <= set(MAY_IMPORT)


def test_the_table_has_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {name for name, needs in MAY_IMPORT.items() if name not in done and needs <= done}
        assert ready, f"a cycle among {sorted(set(MAY_IMPORT) - done)}"
        done |= ready


def test_imports_point_one_way() -> None:
    assert [wrong for path in modules() for wrong in forbidden(path)] == []


def test_no_cycle_between_modules() -> None:
    """Module by module, imports at the top only: a cycle there breaks on the order of imports."""
    known = {".".join(["tlblint", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): path for path in modules()}
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        tree = ast.parse(path.read_bytes())
        top = {node.lineno for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
        targets = {target for line, target in imports(path) if line in top}
        graph[name] = {t if t in known else t.rpartition(".")[0] for t in targets} & set(known) - {name}
    done: set[str] = set()
    while waiting := {name: needs - done for name, needs in graph.items() if name not in done}:
        ready = {name for name, needs in waiting.items() if not needs}
        assert ready, f"an import cycle among {sorted(waiting)}"
        done |= ready


def effects(path: Path) -> list[str]:
    """Uses of the outside world in a module."""
    found = []
    for line, name in imports(path):
        parts = tuple(name.split("."))
        if parts[0] in EFFECT_MODULES and parts[:2] not in ALLOWED:
            found.append(f"{path.relative_to(ROOT)}:{line}: imports {name}")
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EFFECT_CALLS:
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: calls {node.func.id}()")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("datetime.now", "datetime.today", "datetime.utcnow", "date.today"):
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: reads the clock")
    return found


def test_the_core_has_no_effects() -> None:
    assert [use for path in modules() if layer(path) not in {"", *EFFECT_LAYERS} for use in effects(path)] == []


def test_click_stays_in_cli() -> None:
    users = {layer(path) for path in modules() for _, name in imports(path) if name.split(".")[0] == "click"}
    assert users == {"cli"}


def test_only_io_starts_processes() -> None:
    users = {layer(path) for path in modules() for _, name in imports(path) if name.split(".")[0] in ("subprocess", "multiprocessing", "concurrent")}
    assert users == {"io"}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("from tlblint.io import git", "report may not import io"),
        ("def f():\n    from tlblint.findings.own import OWN", "report may not import findings"),
        ("import importlib\nimportlib.import_module('tlblint.engine')", "report may not import engine"),
        ("from ..app import check", "report may not import app"),
    ],
)
def test_the_import_check_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, problem: str) -> None:
    path = tmp_path / "tlblint" / "report" / "x.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path / "tlblint")
    assert [wrong.split(": ", 1)[1] for wrong in forbidden(path)] == [problem]


@pytest.mark.parametrize("source", ["import os", "from os import environ", "print(1)", "open('x')", "import time", "from sys import exit", "datetime.now()"])
def test_the_effect_check_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    path = tmp_path / "x.py"
    path.write_text(source)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert len(effects(path)) == 1


MACHINE = re.compile(rb"(?:^|[\s\"'`(=:])(/(?:home|root|Users|work|mnt|tmp/(?:k|venv|bash_jobs))(?:/[\w.-]+|\b))", re.MULTILINE)


def tracked() -> list[Path]:
    """Files that git tracks or would: ignored ones are nobody's business."""
    out = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "-c", "-o", "--exclude-standard"], capture_output=True, check=False)
    if out.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in out.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_paths_of_one_machine() -> None:
    found = [(str(path.relative_to(ROOT)), match[1].decode()) for path in tracked() for match in MACHINE.finditer(path.read_bytes())]
    assert [where for where in found if where[0] != "tests/test_architecture.py"] == []


def test_the_package_holds_only_python() -> None:
    assert [path for path in tracked() if path.is_relative_to(PACKAGE) and path.suffix != ".py"] == []


def test_every_module_says_what_it_is() -> None:
    assert [str(path.relative_to(ROOT)) for path in modules() if not ast.get_docstring(ast.parse(path.read_bytes()))] == []
