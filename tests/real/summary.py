"""What is found on a real kernel, as stable text: ``python -m tests.real.summary KERNEL_DIR VERSION [--update]``.

KERNEL_DIR holds linux-source-VERSION trees. Without ``--update`` the findings are printed; with it tests/real/VERSION.txt
is rewritten, verdicts and reasons kept.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from msgspec.structs import replace

from tests.real.record import Entry, Missed, Record, carry, head_of, parse, render
from tlblint.app.check import check
from tlblint.app.request import Request

HERE = Path(__file__).resolve().parent
SCOPE = "mm fs/proc kernel/events kernel/fork.c arch/*/mm arch/powerpc/lib arch/x86/kernel/vm86_32.c include/asm-generic"
"""Everything of the core, and whatever else has a finding in a run on the whole tree."""
NOT_ANALYSED = "TLB902"


def kernel_version(tree: Path) -> str:
    """VERSION.PATCHLEVEL.SUBLEVEL of a tree's Makefile."""
    text = (tree / "Makefile").read_text()
    values = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)$", text, re.M))
    return ".".join(values[name] for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def scope(tree: Path) -> tuple[str, ...]:
    """The paths of SCOPE that the tree has."""
    return tuple(path.relative_to(tree).as_posix() for word in SCOPE.split() for path in sorted(tree.glob(word)))


def survey(tree: Path) -> tuple[Record, frozenset[str]]:
    """What is found now, no verdicts; and the rules whose findings are errors."""
    report = check(Request(cwd=str(tree), paths=scope(tree), tree=str(tree), flags={"jobs": 1})).report
    shown = (f for f in report.findings if f.rule != NOT_ANALYSED and f.suppressed_by is None)
    entries = tuple(Entry(f.path, f.line, f.function, f.rule, head_of(f.message)) for f in shown)
    missed = tuple(Missed(gap.path, gap.function, gap.line, gap.why) for gap in report.health.not_analysed)
    errors = frozenset(code for code, rule in report.rules.items() if rule.severity == "error")
    return Record(kernel_version(tree), tuple(sorted(entries)), tuple(sorted(missed))), errors


def tree_of(kernels: Path, version: str) -> Path:
    """The tree of a version: below ``kernels``, or ``kernels`` itself."""
    below = kernels / f"linux-source-{version}"
    return below if below.is_dir() else kernels


def update(target: Path, found: Record) -> str:
    """Rewrite a committed file; what happened in words."""
    old = parse(target.read_text()).entries if target.exists() else ()
    entries = carry(old, found.entries)
    target.write_text(render(replace(found, entries=entries), SCOPE))
    open_ = sum(entry.verdict == "?" for entry in entries)
    return f"{target.name}: {len(entries)} findings, {open_} without a verdict, {len(found.missed)} functions not analysed"


def main() -> None:
    """Print or update."""
    parser = argparse.ArgumentParser(description="Findings on a real kernel as stable text.")
    parser.add_argument("kernels", type=Path, metavar="KERNEL_DIR", help="directory with linux-source-VERSION trees")
    parser.add_argument("version", help="such as 6.12")
    parser.add_argument("--update", action="store_true", help="rewrite tests/real/VERSION.txt, verdicts kept")
    options = parser.parse_args()
    tree = tree_of(options.kernels, options.version)
    if not (tree / "Makefile").is_file():
        sys.exit(f"{tree}: no kernel tree")
    found, _ = survey(tree)
    if options.update:
        print(update(HERE / f"{options.version}.txt", found))
    else:
        print(f"# kernel {found.kernel}")
        print("\n".join(entry.text for entry in found.entries))


if __name__ == "__main__":
    main()
