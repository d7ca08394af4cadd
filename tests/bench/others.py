"""Other programs over the same tree: what a search must take at least, and pattern matchers with rules in the spirit of four of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Row, once
from tlblint.app import generation
from tlblint.app.spine import Wanted, load
from tlblint.io.tree import PlainDir
from tlblint.io.words import Words

HERE = Path(__file__).resolve().parent
PACKAGES = {"semgrep": "semgrep", "ast-grep": "ast-grep-cli"}
"""Programs that are fetched when asked for -> their package on PyPI."""
READ = """import os
total = 0
for folder, _, names in os.walk("."):
    for name in names:
        if name.endswith((".c", ".h")):
            with open(os.path.join(folder, name), "rb", buffering=0) as file:
                total += len(file.read())
print(total)
"""


def reading() -> list[str]:
    """Reads every byte, and that is all."""
    return [sys.executable, "-S", "-c", READ]


def ripgrep(tree: str, jobs: int) -> tuple[list[str], int] | None:
    """ripgrep for the identifiers that make a file interesting, and how many these are: alone, what any tool that looks at all files must take."""
    program = shutil.which("rg")
    if program is None:
        return None
    words = load(Wanted(headers=generation.headers(PlainDir(tree)))).words
    fixed = ["--no-config", "-l", "-j", str(jobs), "--no-ignore", "--hidden", "--text", "-g", "*.c", "-g", "*.h"]
    return [program, *fixed, "-e", Words(words).rust().decode(), "./"], len(words)


def coccinelle(tree: str, jobs: int, limit: float) -> Row | None:
    """All SmPL rules over the tree, once; together they get ``limit`` seconds."""
    program = shutil.which("spatch")
    if program is None:
        return None
    row, total, hits, done = Row("Coccinelle, six SmPL rules, once"), Row(""), 0, 0
    rules = sorted((HERE / "cocci").glob("*.cocci"))
    for rule in rules:
        left = limit - sum(total.wall)
        if left < 1 or total.stopped:
            break
        command = [program, "--very-quiet", "--no-includes", "-D", "report", "-j", str(jobs), "--sp-file", str(rule), "--dir", "."]
        hits += once(total, command, tree, left).count(b"\n")
        done += not total.stopped
    row.wall, row.cpu, row.peak = [sum(total.wall)], [sum(total.cpu)], total.peak
    row.note = f"{hits:,} lines" if done == len(rules) else f"stopped after {limit:.0f} s, {done} of {len(rules)} rules done"
    row.stopped = done < len(rules)
    return row


def matcher(name: str, program: str, tree: str, jobs: int, limit: float) -> Row:
    """semgrep or ast-grep with its six rules over the tree, once, in at most ``limit`` seconds."""
    row = Row(f"{name}, the same six rules, once")
    if name == "semgrep":
        fixed = ["--metrics", "off", "--disable-version-check", "--no-git-ignore", "--include", "*.c", "--include", "*.h", "--emacs", "--quiet"]
        command = [program, "scan", "--config", str(HERE / "others" / "semgrep.yml"), *fixed, "--jobs", str(jobs), "."]
    else:
        fixed = ["--no-ignore", "hidden", "--no-ignore", "vcs", "--report-style", "short"]
        command = [program, "scan", "--rule", str(HERE / "others" / "ast-grep.yml"), *fixed, "-j", str(jobs), "."]
    out = once(row, command, tree, limit)
    row.note = row.note or f"{sum(b'error' in line and b':' in line for line in out.splitlines()):,} lines"
    return row


def fetched(names: Sequence[str], place: Path) -> dict[str, str]:
    """Programs from PyPI in an environment of their own below ``place``: name -> path. Raises CalledProcessError."""
    if not names:
        return {}
    print(f"fetching {', '.join(names)}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *(PACKAGES[name] for name in names)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {name: str(place / "bin" / name) for name in names}
