"""The annotated C of fixtures/: every expectation on its line, nothing else found. See fixtures/README.md for the words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.says import OPEN, make_visible, unnamed
from tlblint.app import spine as spines
from tlblint.app.generation import stand_in
from tlblint.app.ruletest import judge
from tlblint.app.spine import Spine, Wanted
from tlblint.engine import report
from tlblint.findings.expect import compare
from tlblint.model.finding import Finding
from tlblint.rulefile.examples import Expectation, expectations_of

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
FILES = sorted([*(FIXTURES / "traps").glob("*.c"), *(FIXTURES / "rules").glob("*.c")])
NAMES = [path.relative_to(FIXTURES).as_posix() for path in FILES]
KERNEL = re.compile(r"/\* tlblint-fixture: kernel=(\S+) \S.*\*/$")
MARKER = re.compile(r"/\*\s*(?:todo-expect|expect|ok)\b")


def kernel_of(text: str) -> str:
    """The generation named in the first line."""
    found = KERNEL.match(text.splitlines()[0])
    assert found, "the first line must read /* tlblint-fixture: kernel=VERSION what it is about */"
    return found[1]


@cache
def spine(kernel: str) -> Spine:
    return spines.load(Wanted(headers=stand_in(kernel), preview=True))


def differences(text: str, expected: tuple[Expectation, ...], found: list[Finding]) -> list[str]:
    """One readable entry per difference: the place, the source line, what is wrong."""
    lines = text.splitlines()
    return [f"line {problem.line}: {lines[problem.line - 1].strip()}\n    {problem.text}" for problem in compare(expected, found)]


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_the_expected_ones(name: str) -> None:
    text = (FIXTURES / name).read_text()
    wrong = differences(text, expectations_of(text), judge(spine(kernel_of(text)), name, text.encode()))
    if wrong:
        pytest.fail("\n".join([f"fixtures/{name}", *wrong]), pytrace=False)


@pytest.mark.parametrize("name", NAMES)
def test_expectations_are_written_so_that_they_are_read(name: str) -> None:
    """A comment with a typing mistake would expect nothing and hide."""
    text = (FIXTURES / name).read_text()
    read = expectations_of(text)
    assert len(read) == len(MARKER.findall(text))
    assert read, "a fixture without any expectation shows nothing"


@pytest.mark.parametrize("name", NAMES)
def test_messages_name_everything(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No placeholder of a rule's ``say`` is left open or falls back to a generic name."""
    make_visible(monkeypatch)
    text = (FIXTURES / name).read_text()
    wrong = unnamed(judge(spine(kernel_of(text)), name, text.encode()), text.count("\n"))
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_an_open_placeholder_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    make_visible(monkeypatch)
    assert "{x} {ptl}".format_map(report._Names({"ptl": "ptl"})) == f"{OPEN}x>> ptl"
    found = judge(spine("6.12"), "x.c", (FIXTURES / "rules" / "tlb003-order.c").read_bytes())
    assert unnamed(found, 10_000) == []
    assert len(unnamed([replace(f, message=f"changed on line 99 under {OPEN}ptl>>") for f in found], 50)) == 2 * len(found) > 0


def test_every_expectation_is_needed() -> None:
    """Both sides of the comparison are alive: no finding at all leaves each ``expect`` open, and each finding needs its ``expect``."""
    text = (FIXTURES / "rules" / "tlb003-order.c").read_text()
    wanted = expectations_of(text)
    hard = [item for item in wanted if item.kind == "expect"]
    found = judge(spine(kernel_of(text)), "x.c", text.encode())
    assert len(hard) == 2
    assert len(differences(text, wanted, [])) == 2
    assert len(differences(text, (), found)) == len(found) == 2
    hoped = tuple(Expectation("todo-expect", item.code, item.line, item.note) for item in hard)
    assert [entry.split("TLB003 ")[-1] for entry in differences(text, hoped, found)] == ["is found now: turn todo-expect into expect"] * 2
    assert differences(text, hoped, []) == []


def test_namesakes_do_not_mix() -> None:
    """Two files that define a function of the same name, judged in one run as well as each alone."""
    names = ["traps/d34-same-name-a.c", "traps/d34-same-name-b.c"]
    raws = {name: (FIXTURES / name).read_bytes() for name in names}
    held = spine("6.12")
    together = held.analyse([held.facts(name, raws[name]) for name in names], None).findings
    apart = [finding for name in names for finding in held.analyse([held.facts(name, raws[name])], None).findings]
    assert [(f.path, f.pos, f.rule, f.message) for f in together] == [(f.path, f.pos, f.rule, f.message) for f in apart]
    assert [(f.path, f.rule) for f in together] == [(names[1], "TLB001")]


def test_the_list_in_the_readme_is_true() -> None:
    """Each file is listed with its kernel and what it expects."""
    readme = (FIXTURES / "README.md").read_text()
    listed = {name: (kernel, wants) for name, kernel, wants in re.findall(r"^- `(\S+\.c)` \((\S+)\)\s+.*?Expects ([^.]*)\.", readme, re.M | re.S)}
    for name in NAMES:
        text = (FIXTURES / name).read_text()
        counts = Counter(item.code for item in expectations_of(text) if item.kind == "expect")
        words = ", ".join(code if counts[code] == 1 else f"{code} x{counts[code]}" for code in sorted(counts)) or "nothing"
        kernel, wants = listed.pop(Path(name).name)
        assert (kernel, wants.split(" (")[0]) == (kernel_of(text), words), name
    assert not listed, "listed and not there"


def test_the_demo_tree_has_the_planted_defects() -> None:
    """Through the command line: each line of EXPECTED.txt, and nothing else."""
    expected = [line for line in (FIXTURES / "demo" / "EXPECTED.txt").read_text().splitlines() if line and not line.startswith("#")]
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(FIXTURES / "demo"), "-f", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr.decode()
    printed = json.loads(done.stdout)
    found = [f"{f['path']}:{f['function']} {f['rule']}" + (" suppressed" if f["suppressed"] else "") for f in printed["findings"]]
    assert sorted(found) == sorted(expected)
    assert all(f["suppressed"]["reason"] for f in printed["findings"] if f["suppressed"])
    assert printed["health"]["not_analysed"] == []
