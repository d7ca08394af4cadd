"""The samples in reports/samples: made of fixtures by the real analysis. ``python -m tests.report.samples`` writes them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from tests.report.pages import STYLE
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.app.series import Request as SeriesRequest
from tlblint.app.series import series
from tlblint.report import html, jsonout
from tlblint.report.view import Report

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "reports" / "samples"
FIXTURES = ROOT / "fixtures"
NAMES = {
    "protect.c": "mm/<script>alert(1)</script>.c",  # two directories and a file, of which the page makes one text
    "move.c": "mm/{{ 7*7 }} & \"quoted\" 'file' \u202ec.evom.c",
    "zap.c": "mm/\x1b[31mred\x1b[0m.c",
}
"""Files of the demo under names that try something."""
HOSTILE = b" /* </script><script>alert(2)</script> {{ 7*7 }} <!-- --> \xe2\x80\xae \x1b]0;title\x07 \xff */"


def settled(report: Report, command: str) -> Report:
    """Without what changes with every edit of a rule, and with a base that lies anywhere."""
    told = replace(report.series, base=report.series.base.replace(str(FIXTURES), "fixtures")) if report.series is not None else None
    return replace(report, ruleset="of this tree", command=command, series=told)


def tree() -> Report:
    """The demo."""
    top = str(FIXTURES / "demo")
    return settled(check(Request(cwd=top, tree=top)).report, "tlblint check --tree fixtures/demo -f html=tree.html")


def patches() -> Report:
    """A series on the demo."""
    base = str(FIXTURES / "demo")
    outcome = series(SeriesRequest(cwd=str(SAMPLES), words=(str(SAMPLES / "series.mbox"),), tree=base))
    return settled(outcome.report, "tlblint series reports/samples/series.mbox --tree fixtures/demo -f html=series.html")


def empty() -> Report:
    """A tree with nothing to find."""
    with _tree({"mm/plain.c": b"int plain(int a)\n{\n\treturn a;\n}\n"}) as top:
        return settled(check(Request(cwd=top, tree=top)).report, "tlblint check mm -f html=empty.html")


def hostile() -> Report:
    """Parts of the demo under names, and with comments, that try to be something else."""
    demo = FIXTURES / "demo"
    files = {new: (demo / "mm" / old).read_bytes().replace(b"&ptl);", b"&ptl);" + HOSTILE) for old, new in NAMES.items()}
    with _tree(files) as top:
        return settled(check(Request(cwd=top, tree=top)).report, "tlblint check -f html=hostile.html '</script>'")


@contextlib.contextmanager
def _tree(files: dict[str, bytes]) -> Iterator[str]:
    """Files in a directory of their own, with the headers of the demo."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(os.path.realpath(name))
        shutil.copytree(FIXTURES / "demo" / "include", top / "include")
        shutil.copy(FIXTURES / "demo" / "Makefile", top / "Makefile")
        shutil.copytree(FIXTURES / "demo" / "mm", top / "mm", ignore=lambda _, names: [one for one in names if not one.endswith(".h")])
        for path, raw in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_bytes(raw)
        yield str(top)


def made() -> dict[str, bytes]:
    """The samples by name."""
    reports = {"tree": tree(), "series": patches(), "empty": empty(), "hostile": hostile()}
    found = {f"{name}.html": html.render(report, STYLE).encode("utf-8", "backslashreplace") for name, report in reports.items()}
    found["tree.json"] = jsonout.render(reports["tree"], STYLE).encode()
    found["series.json"] = jsonout.render(reports["series"], STYLE).encode()
    return found


if __name__ == "__main__":
    for name, raw in made().items():
        (SAMPLES / name).write_bytes(raw)
        print(f"{SAMPLES / name}: {len(raw):,} bytes")
