"""The simulator beside SPIN on the same programs: ``python -m tests.bench.spin [NAME...]``. Needs spin and gcc.

Each line is the best of some runs. SPIN's time is told in three parts, because most of it is gcc's; ours in process and as a command, because
most of that is Python's start. States differ by the start and the judgement of ends, which are steps of their own in Promela.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.sim.catalogue import scenario
from tests.sim.promela import Emitter
from tlblint.sim.explore import Explorer
from tlblint.sim.lower import lower
from tlblint.sim.model import Model

NAMES = ("ttu_vs_mprotect", "batched_clear_after_flush", "mremap_ptl_before_flush", "rmap_removed_before_flush", "uffd_wp_vs_cow_copy")
COMMAND = "from tlblint.cli.main import main; main()"
COMPILER = ("gcc", "-O0", "-w", "-DSAFETY", "-DBFS", "-DNOREDUCE", "-DNOCLAIM", "-o", "pan", "pan.c")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.spin", description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help="scenarios")
    parser.add_argument("--times", type=int, default=3, help="runs of each (default 3)")
    options = parser.parse_args()
    if shutil.which("spin") is None or shutil.which("gcc") is None:
        sys.exit("spin and gcc are needed: install them")
    print("| scenario | states | search ms | command ms | spin -a ms | gcc ms | pan ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in options.names:
        for variant in scenario(name).variants:
            print(_line(name, variant.name, variant.model, options.times))


def _line(name: str, variant: str, model: Model, times: int) -> str:
    states = Explorer(lower(model)).run(200_000).states
    search = _best(times, lambda: Explorer(lower(model)).run(200_000))
    command = _best(times, lambda: _run([sys.executable, "-c", COMMAND, "simulate", name, "--variant", variant], None))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "m.pml").write_text(Emitter(lower(model)).text(True))
        made = _best(times, lambda: _run(["spin", "-a", "m.pml"], place))
        built = _best(times, lambda: _run(COMPILER, place))
        found = _best(times, lambda: _run(["./pan", "-w16", "-m100000", "-E"], place))
    return f"| {name} {variant} | {states} | {search:.1f} | {command:.0f} | {made:.0f} | {built:.0f} | {found:.0f} |"


def _run(command: list[str] | tuple[str, ...], place: Path | None) -> None:
    subprocess.run(command, cwd=place, capture_output=True, check=False)


def _best(times: int, work: Callable[[], object]) -> float:
    """Milliseconds of the shortest of some runs."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took) * 1000


if __name__ == "__main__":
    main()
