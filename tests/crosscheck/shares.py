"""What simulation makes of the findings on real kernels, beside what people say of them: ``python -m tests.crosscheck.shares KERNEL_DIR [--update]``.

Also how much CPU time it adds to a check (``--time``). KERNEL_DIR holds linux-source-VERSION trees. ``--update`` rewrites
tests/crosscheck/shares.txt.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.real import record
from tests.real.summary import HERE as RECORDS
from tests.real.summary import scope
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.crosscheck.rules import SHAPES
from tlblint.model.finding import Finding

LIST = Path(__file__).with_name("shares.txt")
HEAD = """# Findings of TLB001 to TLB014 on real kernels: what people say of them (tests/real), what simulation says, how many; if nothing is shown, why.
# Written by: python -m tests.crosscheck.shares KERNEL_DIR --update
"""
SHOWN = ("confirmed", "conditional")
TIMED = ("mm", "fs/proc")


def versions(kernels: Path) -> list[str]:
    """The kernels on record that are there, oldest first."""
    known = sorted((path.stem for path in RECORDS.glob("*.txt")), key=lambda name: tuple(map(int, name.split("."))))
    return [version for version in known if (kernels / f"linux-source-{version}" / "Makefile").is_file()]


def judged(tree: Path, version: str) -> list[tuple[str, Finding]]:
    """(verdict on record, finding) of all that simulation is asked about."""
    entries = record.parse((RECORDS / f"{version}.txt").read_text()).entries
    found = check(Request(cwd=str(tree), paths=scope(tree), tree=str(tree), flags={"jobs": 1, "cache": False})).report.findings
    left = list(entries)
    out = []
    for finding in found:
        if finding.rule not in SHAPES or finding.suppressed_by is not None:
            continue
        key = (finding.path, finding.function, finding.rule)
        # Of the same line if there is one, else of the same function: a tree of another patch level is not the one on record.
        same = [entry for entry in left if (entry.path, entry.function, entry.rule) == key]
        entry = next((one for one in same if one.line == finding.line), same[0] if same else None)
        if entry is not None:
            left.remove(entry)
        out.append((entry.verdict if entry is not None else "?", finding))
    return out


def lines(tree: Path, version: str) -> Iterator[str]:
    """The part of the list that is about one kernel."""
    rows = judged(tree, version)
    counts = Counter((said, finding.verdict) for said, finding in rows)
    for (said, verdict), count in sorted(counts.items()):
        yield f"{version} {said}: {verdict} {count}"
    for said, finding in rows:
        if finding.verdict not in SHOWN:
            yield f"    {said} {finding.rule} {finding.path} {finding.function}(): {finding.verdict}: {finding.reason}"


def added(tree: Path, rounds: int) -> tuple[float, float]:
    """CPU seconds of a check without and with simulation, the least of ``rounds``. What Python compiles is left out: a first one warms it up."""
    best = {False: 1e9, True: 1e9}
    for turn in range(rounds + 1):
        for sim in (False, True):
            start = time.process_time()
            check(Request(cwd=str(tree), paths=TIMED, tree=str(tree), flags={"jobs": 1, "cache": False, "sim": sim}))
            best[sim] = min(best[sim], time.process_time() - start) if turn else best[sim]
    return best[False], best[True]


def main() -> None:
    """Print or update."""
    parser = argparse.ArgumentParser(description="What simulation makes of the findings on real kernels.")
    parser.add_argument("kernels", type=Path, metavar="KERNEL_DIR", help="directory with linux-source-VERSION trees")
    parser.add_argument("--update", action="store_true", help=f"rewrite tests/crosscheck/{LIST.name}")
    parser.add_argument("--time", type=int, default=0, metavar="N", help="also measure, the best of N")
    options = parser.parse_args()
    trees = [(version, options.kernels / f"linux-source-{version}") for version in versions(options.kernels)]
    text = HEAD + "".join(f"{line}\n" for version, tree in trees for line in ("", *lines(tree, version)))
    if options.update:
        LIST.write_text(text)
    print(text, end="")
    for version, tree in trees if options.time else []:
        without, with_ = added(tree, options.time)
        print(f"{version}: {without:.2f} s of CPU without simulation, {with_:.2f} s with it: {100 * (with_ / without - 1):+.0f} % ({' '.join(TIMED)})")


if __name__ == "__main__":
    main()
