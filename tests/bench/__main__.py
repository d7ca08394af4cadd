"""One table from one run: reading all bytes, ripgrep, Coccinelle, tlblint.

Nothing is asserted: times are of this machine at this moment, and only the ratios say something about tlblint.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Row, once, repeat
from tlblint import __version__
from tlblint.app import generation
from tlblint.app.spine import Wanted, load
from tlblint.io.tree import PlainDir
from tlblint.io.words import Words

COCCI = Path(__file__).resolve().parent / "cocci"
READ = """import os, sys
total = 0
for folder, _, names in os.walk("."):
    for name in names:
        if name.endswith((".c", ".h")):
            with open(os.path.join(folder, name), "rb", buffering=0) as file:
                total += len(file.read())
print(total)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--tree", required=True, help="a kernel source tree")
    parser.add_argument("--times", type=int, default=3, help="runs of each command (default 3)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (default: one for each processor)")
    parser.add_argument("--cocci-timeout", type=float, default=300, help="seconds for all SmPL rules together (default 300)")
    parser.add_argument("--no-cocci", action="store_true", help="leave Coccinelle out")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    rows = measure(os.path.abspath(options.tree), options.times, options.jobs, None if options.no_cocci else options.cocci_timeout)
    print(machine(before, options.jobs))
    print(table(rows))


def measure(tree: str, times: int, jobs: int, cocci: float | None) -> list[Row]:
    """A row for each command, the floor first."""
    rows = []
    row, out = repeat("read all .c and .h", [sys.executable, "-S", "-c", READ], tree, times)
    row.note = f"{int(out) / 1e6:,.0f} MB"
    rows.append(row)
    rows.extend(_ripgrep(tree, times, jobs))
    if cocci is not None and shutil.which("spatch"):
        rows.append(_coccinelle(tree, jobs, cocci))
    whole: tuple[str, ...] = ()
    for name, paths in (("tlblint, whole tree", whole), ("tlblint mm fs/proc", ("mm", "fs/proc")), ("tlblint mm/mremap.c", ("mm/mremap.c",))):
        command = [sys.executable, "-m", "tlblint", "check", "--tree", tree, "--jobs", str(jobs), "--no-cache", "--exit-zero", "-f", "concise", *paths]
        row, out = repeat(name, command, str(Path(__file__).resolve().parents[2]), times)
        row.note = row.note or f"{out.count(b'TLB'):,} lines"
        rows.append(row)
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = place
        command = [sys.executable, "-m", "tlblint", "check", "--tree", tree, "--jobs", str(jobs), "--exit-zero", "-f", "concise"]
        row, out = repeat("tlblint, whole tree, again", command, str(Path(__file__).resolve().parents[2]), times)
        row.note = row.note or f"{out.count(b'TLB'):,} lines"
        rows.append(row)
    return rows


def _ripgrep(tree: str, times: int, jobs: int) -> list[Row]:
    """ripgrep for the identifiers that make a file interesting: alone, what any tool that looks at all files must take."""
    program = shutil.which("rg")
    if program is None:
        return []
    words = load(Wanted(headers=generation.headers(PlainDir(tree)))).words
    pattern = Words(words).rust().decode()
    command = [program, "--no-config", "-l", "-j", str(jobs), "--no-ignore", "--hidden", "--text", "-g", "*.c", "-g", "*.h", "-e", pattern, "./"]
    row, out = repeat("ripgrep, same identifiers", command, tree, times)
    row.note = f"{out.count(bytes([10])):,} files for {len(words)} identifiers"
    return [row]


def _coccinelle(tree: str, jobs: int, limit: float) -> Row:
    """All SmPL rules over the tree, once; together they get ``limit`` seconds."""
    row = Row("Coccinelle, SmPL rules")
    total = Row("")
    hits = 0
    rules = sorted(COCCI.glob("*.cocci"))
    done = 0
    for rule in rules:
        left = limit - sum(total.wall)
        if left < 1 or total.stopped:
            break
        out = once(total, ["spatch", "--very-quiet", "--no-includes", "-D", "report", "-j", str(jobs), "--sp-file", str(rule), "--dir", "."], tree, left)
        hits += out.count(b"\n")
        done += not total.stopped
    row.wall, row.cpu, row.peak = [sum(total.wall)], [sum(total.cpu)], total.peak
    row.note = f"{hits:,} lines from {len(rules)} rules" if done == len(rules) else f"stopped after {limit:.0f} s, {done} of {len(rules)} rules done"
    row.stopped = done < len(rules)
    return row


def machine(before: float, jobs: int) -> str:
    """Two lines on where the numbers come from."""
    model = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load_ = f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    versions = [f"tlblint {__version__}", f"Python {platform.python_version()}", *(_version(name) for name in ("rg", "spatch") if shutil.which(name))]
    return f"{len(os.sched_getaffinity(0))} processors ({model}), {memory} GB, {load_}, {jobs} processes, files in the page cache\n{', '.join(versions)}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if os.path.exists(path) else []


def _version(program: str) -> str:
    out = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return " ".join(out[0].split()[:3]) if out else program


def table(rows: list[Row]) -> str:
    """A Markdown table. Ratios are of medians to ripgrep's."""
    base = next((row.median for row in rows if row.name.startswith("ripgrep")), None)
    lines = ["| run | wall min | wall median | CPU | peak MB | x ripgrep | |", "|---|---:|---:|---:|---:|---:|---|"]
    for row in rows:
        more = "> " if row.stopped else ""
        ratio = f"{more}{row.median / base:.1f}" if base else "-"
        cpu = sorted(row.cpu)[len(row.cpu) // 2]
        lines.append(f"| {row.name} | {more}{row.best:.2f} | {more}{row.median:.2f} | {more}{cpu:.2f} | {row.peak:.0f} | {ratio} | {row.note} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
