"""Cost against size: the same check on parts of a kernel, the whole, and two of them. Costs are of one process and without a cache."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.measure import Row, once
from tests.bench.work import part

BASE = ("include/", "arch/x86/include/")
PARTS = (("a subsystem, fs/", ("fs/",)), ("mm/", ("mm/",)), ("mm/ fs/ arch/x86/", ("mm/", "fs/", "arch/x86/")), ("mm/ fs/ arch/", ("mm/", "fs/", "arch/")))


class Point(msgspec.Struct, frozen=True):
    """A tree of so many functions of interest took so many seconds of processor time."""

    name: str
    functions: int
    cpu: float


def grow(whole: Path, second: str | None, place: Path, command: Sequence[str], times: int) -> tuple[list[Row], list[Point]]:
    """Rows and points, small trees first. ``whole``: a copy to take parts of; ``second``: another tree; ``command``: check, without --tree."""
    trees = []
    for number, (name, starts) in enumerate(PARTS):
        part(whole, place / str(number), (*BASE, *starts))
        trees.append((f"only {name}", place / str(number)))
    trees.append(("the whole tree", whole))
    rows, points = [], []
    for name, top in trees:
        row = Row(f"tlblint, one process, {name}")
        functions = [_run(row, command, str(top)) for _ in range(times)][-1]
        rows.append(row)
        points.append(Point(name, functions, min(row.cpu)))
    if second is not None:
        more = Row("")
        functions = points[-1].functions + [_run(more, command, second) for _ in range(times)][-1]
        sums = [[one + other for one, other in zip(*pair, strict=True)] for pair in ((rows[-1].wall, more.wall), (rows[-1].cpu, more.cpu))]
        rows.append(Row("tlblint, one process, two trees", *sums, max(rows[-1].peak, more.peak), more.note))
        points.append(Point("two trees", functions, min(sums[1])))
    for row, point in zip(rows, points, strict=True):
        row.note = row.note or f"{point.functions:,} functions of interest, {1000 * point.cpu / max(1, point.functions):.2f} ms each"
    return rows, points


def _run(row: Row, command: Sequence[str], top: str) -> int:
    """One check; the functions of interest in that tree."""
    out = once(row, [*command, "--no-cache", "--jobs", "1", "--exit-zero", "-f", "json", "--tree", top], top)
    try:
        return int(json.loads(out)["health"]["functions"])
    except (ValueError, KeyError):
        print(f"{top}: {row.said.strip()}", file=sys.stderr)
        return 0


def line(points: Sequence[Point]) -> str:
    """The straight line through the points, and how far the farthest lies off it."""
    if len({point.functions for point in points}) < 3:
        return ""
    count = len(points)
    x, y = sum(p.functions for p in points) / count, sum(p.cpu for p in points) / count
    slope = sum((p.functions - x) * (p.cpu - y) for p in points) / sum((p.functions - x) ** 2 for p in points)
    base = y - slope * x
    far = max(points, key=lambda p: abs(p.cpu - base - slope * p.functions))
    off = far.cpu - base - slope * far.functions
    says = f"Processor time is {base:.1f} s and {1000 * slope:.2f} ms for each function of interest"
    return f"{says}; the farthest from that is {far.name}, by {off:+.1f} s of {far.cpu:.1f}."
