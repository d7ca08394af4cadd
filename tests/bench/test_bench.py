"""The benchmark measures what it says: its edits and patches fit, its rules find the same with each tool, its numbers are what was measured."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import growth, others, work
from tests.bench.measure import Clock, Row, once
from tests.bench.measure import others as elsewhere
from tests.conftest import ROOT, Write, git

SAMPLE = Path(__file__).parent / "others" / "sample.c"
HITS = {"batched_pending", "dirty_lost", "flush_late", "lazy_sleep", "lazy_unlock", "lazy_unpaired"}


def test_a_copy_holds_all_of_a_tree_and_counts_its_c(write: Write, tmp_path: Path) -> None:
    top = write({"Makefile": b"VERSION", "mm/a.c": b"12345", "mm/a.h": b"", "mm/Makefile": b"", "mm/a.S": b"not C", "Kconfig": b"config A", ".git/a.c": b""})
    (top / "mm/link.c").symlink_to("a.c")
    assert work.copy(top, tmp_path / "copy") == 5  # bytes of C
    assert list(work.files(tmp_path / "copy")) == ["Kconfig", "Makefile", "mm/Makefile", "mm/a.S", "mm/a.c", "mm/a.h"] == list(work.files(top))
    work.part(tmp_path / "copy", tmp_path / "part", ("mm/a.h",))
    assert list(work.files(tmp_path / "part")) == ["Makefile", "mm/a.h"]


def test_patches_apply_one_after_the_other(tmp_path: Path) -> None:
    top = tmp_path / "tree"
    work.copy(ROOT / "fixtures" / "demo", top)
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "one")
    (tmp_path / "all.mbox").write_bytes(work.series(top, 20))
    git(top, "am", "-q", str(tmp_path / "all.mbox"))
    assert git(top, "rev-list", "--count", "HEAD") == "21"
    assert work.series(ROOT / "fixtures" / "demo", 1).count(b"\ndiff --git") == 1


def test_edits_are_new_each_time() -> None:
    raw = (ROOT / "fixtures" / "demo" / "mm" / "reclaim.c").read_bytes()
    for edit in (work.commented, work.changed):
        made = [edit(raw, number) for number in range(4)]
        assert len({*made, raw}) == 5 and all(len(new.splitlines()) > len(raw.splitlines()) for new in made)
    assert re.search(rb"[;}]\n\tcpu_relax\(\);\n\t\w", work.changed(raw, 0))


def found(out: bytes) -> set[str]:
    """The functions of the sample in which a tool has found something."""
    starts = {number: line.split("(")[0].split()[-1] for number, line in enumerate(SAMPLE.read_text().splitlines(), 1) if re.match(r"\w.*\)$", line)}
    lines = [int(number) for number in re.findall(rb"sample\.c:(\d+)", out)]
    return {starts[max(start for start in starts if start <= line)] for line in lines}


@pytest.mark.skipif(shutil.which("spatch") is None, reason="Coccinelle is not installed")
def test_the_rules_of_coccinelle(tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path)
    row = others.coccinelle(str(tmp_path), 1, 100)
    assert row is not None and row.note == "6 lines" and not row.stopped
    for rule in (ROOT / "tests/bench/cocci").glob("*.cocci"):
        command = ["spatch", "--very-quiet", "--no-includes", "-D", "report", "--sp-file", str(rule), "--dir", str(tmp_path)]
        assert found(subprocess.run(command, capture_output=True, check=True).stdout) == {rule.stem}


@pytest.mark.parametrize("name", ["semgrep", "ast-grep"])
def test_the_rules_of_other_matchers(tmp_path: Path, name: str) -> None:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    shutil.copy(SAMPLE, tmp_path)
    assert others.matcher(name, program, str(tmp_path), 1, 100).note == "6 lines"


def test_the_sample_has_a_hit_for_each_rule() -> None:
    marked = [number for number, line in enumerate(SAMPLE.read_text().splitlines(), 1) if "/* hit */" in line]
    assert found(b"".join(b"sample.c:%d\n" % number for number in marked)) == HITS == {path.stem for path in (ROOT / "tests/bench/cocci").iterdir()}
    for file in ("semgrep.yml", "ast-grep.yml"):
        text = (SAMPLE.parent / file).read_text()
        assert {name.replace("-", "_") for name in re.findall(r"^(?:  - )?id: (.*)$", text, re.M)} == HITS


def test_what_a_command_takes(tmp_path: Path) -> None:
    row = Row("x")
    script = "import sys; list(range(10**6)); print('out'); print('err', file=sys.stderr); sys.exit(%d)"
    assert once(row, [sys.executable, "-c", script % 1], str(tmp_path)) == b"out\n"
    assert (row.said, row.note, len(row.wall), row.stopped) == ("err\n", "", 1, False) and row.cpu[0] > 0 and row.peak > 20
    once(row, [sys.executable, "-c", script % 2], str(tmp_path))
    assert row.note == "failed with status 2: err" and len(row.cpu) == 2
    endless = Row("y")
    once(endless, [sys.executable, "-c", "while True: pass"], str(tmp_path), 0.2)
    assert endless.stopped and endless.note == "stopped after 0 s"


def test_the_table() -> None:
    rows = [Row("ripgrep, x", [1, 2, 6], [2, 1, 3], 10), Row("Coccinelle, x", [30], [31], 5, "n")]
    rows += [Row("tlblint", [3, 4, 4], [5, 6, 7], 8), Row("z", [9], [9], 1, "w", True)]
    assert bench.table(rows).splitlines()[2:] == [
        "| ripgrep, x | 1.00 | 2.00 | 1.00 | 10 | 1.00 | 1.00 | 30.0 x |  |",
        "| Coccinelle, x | 30.00 | 30.00 | 31.00 | 5 | 30.00 | 15.00 | 1.0 x | n |",
        "| tlblint | 3.00 | 4.00 | 5.00 | 8 | 3.00 | 2.00 | 10.0 x |  |",
        "| z | > 9.00 | > 9.00 | > 9.00 | 1 | > 9.00 | > 4.50 | 3.3 x | w |",
    ]
    assert bench.table(rows[2:]).splitlines()[2] == "| tlblint | 3.00 | 4.00 | 5.00 | 8 | - | - | - |  |"
    cold, warm = Row("tlblint, cold", said="reading  0.5 s\nnoise\njudging 1.0 s\n"), Row("tlblint, warm", said="reading 0.1 s\n")
    assert bench.profile([cold, warm]).splitlines()[2:] == ["| reading | 0.5 | 0.1 |", "| judging | 1.0 | - |"]


def test_the_line_through_sizes() -> None:
    points = [growth.Point(str(n), n, 0.5 + 0.002 * n) for n in (100, 300, 1000)]
    assert growth.line(points).startswith("Processor time is 0.5 s and 2.00 ms for each function of interest; the farthest")
    assert "by +0.0 s" in growth.line(points)
    assert "four, by +" in growth.line([*points, growth.Point("four", 400, 9.0)])
    assert growth.line(points[:2]) == ""


def test_what_others_do_meanwhile() -> None:
    assert elsewhere(Clock(100, 10, 0), Clock(118, 20, 4)) == 2.0
    assert elsewhere(Clock(0, 10, 0), Clock(0, 20, 4)) == 0.0


def test_the_machine_is_not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "elsewhere", lambda before, after: 0.0)
    monkeypatch.setattr(bench.os, "sched_getaffinity", lambda process: {0, 1})
    assert "WARNING" in bench.machine(1.4, Clock(0, 0, 0), 2, "") and "WARNING" not in bench.machine(1.2, Clock(0, 0, 0), 2, "")
    monkeypatch.setattr(bench, "elsewhere", lambda before, after: 0.4)
    assert "WARNING" in bench.machine(0.0, Clock(0, 0, 0), 2, "")


def test_an_edit_is_compared_with_a_warm_run() -> None:
    warm, edited = Row("warm", wall=[0.2, 0.4, 0.9]), Row("edited", wall=[0.6, 0.3, 0.5], note="13 findings")
    assert bench.against(edited, warm) == "0.75 x the warm run before it (minima 1.50); 13 findings"
    assert bench.against(Row("edited", note="none"), warm) == "none"
