"""One table from one run: what a search must take, other pattern matchers, tlblint with nothing known, with all known, and with little changed.

Nothing is asserted. Wall clock times are of this machine at this moment; ratios and processor times say something about tlblint. Runs of all kinds take
turns, so that a busy minute hits each of them. The tree is copied first, because files in it are edited.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench import growth, others, work
from tests.bench.measure import Clock, Row, clock, once
from tests.bench.measure import others as elsewhere
from tests.installed import lay_out, translate
from tlblint import __version__

BUSY = 0.3
"""Processors that others may use before the numbers are called bad."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--tree", required=True, help="a kernel source tree")
    parser.add_argument("--second", help="another one, for the cost of two")
    parser.add_argument("--times", type=int, default=3, help="runs of each command (default 3)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (default: one for each processor)")
    parser.add_argument("--with", dest="more", default="", metavar="NAMES", help="fetch from PyPI and measure: semgrep,ast-grep")
    parser.add_argument("--limit", type=float, default=180, help="seconds for each of the other matchers (default 180)")
    parser.add_argument("--python", action="store_true", help="measure the modules in Python that an installed copy has in C")
    parser.add_argument("--no-cocci", action="store_true", help="leave Coccinelle out")
    parser.add_argument("--no-growth", action="store_true", help="leave the cost against size out")
    options = parser.parse_args()
    names = [name for name in options.more.split(",") if name]
    if wrong := set(names) - set(others.PACKAGES):
        parser.error(f"--with {', '.join(sorted(wrong))}: known are {', '.join(others.PACKAGES)}")
    with tempfile.TemporaryDirectory(prefix="tlblint-bench-") as place:
        programs = others.fetched(names, Path(place, "tools"))
        form = installed(Path(place, "site"), not options.python)
        load, before = os.getloadavg()[0], clock()
        rows, stages, points = measure(Path(options.tree).resolve(), Path(place), programs, options)
        print(machine(load, before, options.jobs, form), table(rows), growth.line(points), profile(stages), sep="\n\n")


def installed(site: Path, native: bool) -> str:
    """Lay out what users install below ``site``; which form of the interpreter it has."""
    lay_out(site)
    if native and (why := translate(site)):
        print(f"not translated to C: {why}", file=sys.stderr)
    return "interpreter in C" if native and not why else "interpreter in Python"


def measure(tree: Path, place: Path, programs: dict[str, str], options: argparse.Namespace) -> tuple[list[Row], list[Row], list[growth.Point]]:
    """(all rows, those with stages, points of growth)."""
    print("copying", file=sys.stderr)
    size = work.copy(tree, place / "tree")
    bench = Bench(place / "tree", place, options.jobs)
    for number in range(options.times + 1):
        print(f"round {number} of {options.times}" + ("" if number else ", which does not count"), file=sys.stderr)
        bench.round(number)
    bench.rows["read"].note = f"{size / 1e6:,.0f} MB"
    for name in ("comment", "body"):
        bench.rows[name].note = against(bench.rows[name], bench.rows["warm"])
    slow = [others.matcher(name, program, str(bench.tree), options.jobs, options.limit) for name, program in programs.items()]
    if not options.no_cocci and (row := others.coccinelle(str(bench.tree), options.jobs, options.limit)) is not None:
        slow.append(row)
    rows = [row for row in bench.rows.values() if row.wall]
    points: list[growth.Point] = []
    if not options.no_growth:
        print("growth", file=sys.stderr)
        grown, points = growth.grow(bench.tree, options.second and os.path.abspath(options.second), place / "parts", bench.command, max(1, options.times - 1))
        rows += grown
    return [*rows[:2], *slow, *rows[2:]], [bench.rows[name] for name in ("cold", "warm", "body") if bench.rows[name].wall], points


NAMES = {
    "read": "read all .c and .h",
    "ripgrep": "ripgrep, same identifiers",
    "start": "tlblint --version",
    "none": "tlblint, whole tree, no cache",
    "four": "tlblint, whole tree, no cache, TLB001-TLB004",
    "cold": "tlblint, whole tree, cold",
    "warm": "tlblint, whole tree, warm",
    "comment": "tlblint, whole tree, a comment edited",
    "body": "tlblint, whole tree, a function edited",
    "part": "tlblint mm fs/proc, no cache",
    "part4": "tlblint mm fs/proc, no cache, TLB001-TLB004",
    "series": "tlblint series, 20 patches, cold",
    "again": "tlblint series, 20 patches, warm",
    "patch": "tlblint series, 1 patch, cold",
    "next": "tlblint series, 1 patch, the tree known",
}


FOUR = ("--select", "TLB001,TLB002,TLB003,TLB004", "--no-sim")
"""What the rules written for the other matchers ask, and nothing more: the comparison of like with like."""


class Bench:
    """The runs that take turns."""

    def __init__(self, tree: Path, place: Path, jobs: int) -> None:
        self.tree, self.place = tree, place
        self.rows = {key: Row(name) for key, name in NAMES.items()}
        self.command = [sys.executable, "-m", "tlblint", "check"]
        self._jobs = str(jobs)
        self._ripgrep = others.ripgrep(str(tree), jobs)
        self._file = work.edited(tree)
        self._raw = (tree / self._file).read_bytes()
        (place / "20.mbox").write_bytes(work.series(tree, 20))
        (place / "1.mbox").write_bytes(work.series(tree, 1))
        os.environ |= {"PYTHONPATH": str(place / "site"), "XDG_CACHE_HOME": str(place / "cache"), "PYTHONPYCACHEPREFIX": str(place / "byte-code")}
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its byte code

    def round(self, number: int) -> None:
        """Every run once; round 0 only brings files into the page cache and byte code onto the disk."""
        rows = self.rows if number else {key: Row("") for key in self.rows}
        once(rows["read"], others.reading(), str(self.tree))
        if self._ripgrep is not None:
            out = once(rows["ripgrep"], self._ripgrep[0], str(self.tree))
            rows["ripgrep"].note = f"{out.count(bytes([10])):,} files for {self._ripgrep[1]} identifiers"
        once(rows["start"], [sys.executable, "-m", "tlblint", "--version"], str(self.tree))
        self._check(rows["none"], "--no-cache")
        self._check(rows["four"], "--no-cache", *FOUR)
        self._check(rows["part"], "--no-cache", "mm", "fs/proc")
        self._check(rows["part4"], "--no-cache", *FOUR, "mm", "fs/proc")
        self._forget()
        self._check(rows["cold"])
        self._check(rows["warm"])
        raw = work.commented(self._raw, number)
        (self.tree / self._file).write_bytes(raw)
        self._check(rows["comment"])
        (self.tree / self._file).write_bytes(work.changed(raw, number))
        self._check(rows["body"])
        (self.tree / self._file).write_bytes(self._raw)
        self._forget()
        self._series(rows["patch"], "1.mbox")
        self._forget()
        self._series(rows["series"], "20.mbox")
        self._series(rows["again"], "20.mbox")
        self._series(rows["next"], "1.mbox")

    def _forget(self) -> None:
        shutil.rmtree(self.place / "cache", ignore_errors=True)

    def _check(self, row: Row, *words: str) -> None:
        out = once(row, [*self.command, "--tree", str(self.tree), "--jobs", self._jobs, "--exit-zero", "-f", "concise", "--timings", *words], str(self.tree))
        row.note = row.note or f"{out.count(b': TLB'):,} findings"

    def _series(self, row: Row, name: str) -> None:
        command = [*self.command[:-1], "series", str(self.place / name), "--tree", str(self.tree), "--jobs", self._jobs, "-f", "concise"]
        out = once(row, command, str(self.tree))
        row.note = row.note or f"{out.count(b': TLB'):,} findings"


def against(edited: Row, warm: Row) -> str:
    """What an edit costs beside the run with nothing changed of the same round, which a busy minute hits as well: the median of all rounds, and the
    ratio of minima."""
    if not edited.wall or not warm.wall:
        return edited.note
    ratios = [one / other for one, other in zip(edited.wall, warm.wall, strict=False)]
    return f"{statistics.median(ratios):.2f} x the warm run before it (minima {edited.best / warm.best:.2f}); {edited.note}"


def machine(load: float, before: Clock, jobs: int, form: str) -> str:
    """Where the numbers come from, and whether they are any good."""
    model = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    busy = elsewhere(before, clock())
    versions = [f"tlblint {__version__} ({form})", f"Python {platform.python_version()}", *(_version(name) for name in ("rg", "spatch") if shutil.which(name))]
    said = [
        f"{len(os.sched_getaffinity(0))} processors ({model}), {memory} GB, {jobs} processes, files in the page cache; load {load:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after, {busy:.1f} processors busy with something else meanwhile",
        ", ".join(versions),
    ]
    if busy > BUSY or load > BUSY * len(os.sched_getaffinity(0)) + 0.7:
        said.append("WARNING: the machine was not quiet; wall clock times and their ratios are worth little, processor times something")
    return "\n".join(said)


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if os.path.exists(path) else []


def _version(program: str) -> str:
    out = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return " ".join(out[0].split()[:3]) if out else program


def table(rows: Sequence[Row]) -> str:
    """A Markdown table. Ratios of minima and of medians to ripgrep's; the last one is how many times as long Coccinelle takes."""
    base = next((row for row in rows if row.name.startswith("ripgrep")), None)
    cocci = next((row for row in rows if row.name.startswith("Coccinelle")), None)
    lines = ["| run | wall min | median | CPU min | peak MB | x ripgrep min | median | Coccinelle takes | |", "|---|---:|---:|---:|---:|---:|---:|---:|---|"]
    for row in rows:
        more = "> " if row.stopped else ""
        ratios = [f"{more}{ours / floor:.2f}" for ours, floor in ((row.best, base.best), (row.median, base.median))] if base else ["-", "-"]
        faster = f"{'> ' if cocci.stopped else ''}{cocci.best / row.best:.1f} x" if cocci else "-"
        cells = [row.name, f"{more}{row.best:.2f}", f"{more}{row.median:.2f}", f"{more}{min(row.cpu):.2f}", f"{row.peak:.0f}", *ratios, faster, row.note]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def profile(rows: Sequence[Row]) -> str:
    """Seconds of each stage in the last run of each row, as --timings tells."""
    found = [{words[0]: words[1] for line in row.said.splitlines() if len(words := line.split()) == 3 and words[2] == "s"} for row in rows]
    lines = ["| stage | " + " | ".join(row.name.removeprefix("tlblint, ") for row in rows) + " |", "|---|" + "---:|" * len(rows)]
    lines += [f"| {stage} | " + " | ".join(times.get(stage, "-") for times in found) + " |" for stage in (found[0] if found else ())]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
