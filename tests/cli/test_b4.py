"""Hooks and b4's commands with the real analysis: a series whose first patch mends what its second one brings back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, git
from tlblint.app import b4
from tlblint.app.judging import judge_series

LEAVE = "\t\tif (young >= enough) {\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with branches main and work, and the mails of the series beside it."""
    top = tmp_path_factory.mktemp("b4") / "tree"
    shutil.copytree(ROOT / "fixtures/demo", top)
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "base")
    git(top, "branch", "-M", "main")
    git(top, "checkout", "-qb", "work")
    path = top / "mm/reclaim.c"
    text = path.read_text()
    path.write_text(text.replace(LEAVE, f"{LEAVE}\t\t\tarch_leave_lazy_mmu_mode();\n"))
    git(top, "commit", "-qam", "mm: leave lazy MMU mode on every way out")
    path.write_text(text)
    git(top, "commit", "-qam", "mm: leave it to the caller \x1b[31m")
    git(top, "format-patch", "-q", "--cover-letter", "--thread", "-o", str(top.parent / "out"), "main..work")
    git(top, "update-ref", "refs/heads/b4/review/change-1", git(top, "commit-tree", "-p", "work", "-m", "t", "work^{tree}"))
    return top


@pytest.fixture
def mails(made: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((made.parent / "out").iterdir())]


def ident(mail: bytes) -> str:
    return next(line.split(b": ")[1].strip(b"<>\r ").decode() for line in mail.splitlines() if line.lower().startswith(b"message-id: "))


def tracking(made: Path, mails: list[bytes], **series: Any) -> str:
    known = {"first-patch-commit": git(made, "rev-parse", "work~1"), "change-id": "change-1", **series}
    path = made.parent / "tracking.json"
    path.write_text(json.dumps({"series": known, "patches": [{"header-info": {"msgid": ident(mail)}} for mail in mails[1:]]}))
    return str(path)


def entry(made: Path, name: str, mail: bytes, path: str | None = None) -> dict[str, str]:
    [found] = json.loads(b4.answer(str(made), name, mail, path))
    assert set(found) == {"tool", "status", "summary", "url", "details"} and "\x1b" not in found["details"] + found["summary"]
    return dict(found)


def test_patches_of_a_review(made: Path, mails: list[bytes]) -> None:
    for path in (None, tracking(made, mails)):
        first, second = (entry(made, "b4-patch", mail, path) for mail in mails[1:])
        assert (first["tool"], first["status"], first["summary"]) == ("tlblint", "pass", "nothing found")
        assert (second["tool"], second["status"]) == ("tlblint", "fail") and second["summary"].startswith("TLB003 mm/reclaim.c:73: ")
        assert "\n  Introduced by patch 1, " in second["details"]


def test_a_series_of_a_review(made: Path, mails: list[bytes]) -> None:
    path = tracking(made, mails)
    for mail in mails[:2]:  # b4 gives the cover letter or, without one, the first patch
        found = entry(made, "b4-series", mail, path)
        assert (found["tool"], found["status"]) == ("tlblint-series", "fail")
        assert "  1/2 mm: leave lazy MMU mode on every way out  1 fixed\n" in found["details"]
    assert entry(made, "b4-series", mails[0])["summary"] == "a message without a patch"


@pytest.mark.parametrize(
    ("series", "why"),
    [
        ({"change-id": "no-such"}, "not judged: "),
        ({"change-id": "../x --output=y"}, "names no series"),
        ({"first-patch-commit": "-n1"}, "names no series"),
        ({"first-patch-commit": None}, "names no series"),
        ({"first-patch-commit": "main~5"}, "names no series"),
        ({"first-patch-commit": "ab" * 20}, "git rev-list failed"),
    ],
)
def test_a_review_that_cannot_be_judged_is_a_warning(made: Path, mails: list[bytes], series: dict[str, Any], why: str) -> None:
    found = entry(made, "b4-series", mails[0], tracking(made, mails, **series))
    assert found["status"] == "warn" and why in found["summary"]


def test_a_branch_of_other_length_is_not_the_series(made: Path, mails: list[bytes]) -> None:
    found = entry(made, "b4-series", mails[0], tracking(made, mails, **{"first-patch-commit": git(made, "rev-parse", "work")}))
    assert found["status"] == "warn" and "holds 1 commits for 2 patches" in found["summary"]


def test_a_file_that_is_none_of_b4(made: Path, mails: list[bytes], tmp_path: Path) -> None:
    for raw in (b"", b"[]", b'{"series": 1}', b"\xff", b"[" * 100_000):
        (tmp_path / "x").write_bytes(raw)
        assert "B4_TRACKING_FILE: cannot be used" in entry(made, "b4-series", mails[0], str(tmp_path / "x"))["summary"]
    assert "cannot be used" in entry(made, "b4-patch", mails[1], str(tmp_path / "none"))["summary"]
    assert "no patch of the series" in entry(made, "b4-patch", b"Subject: x\n\nbody\n", tracking(made, mails))["summary"]


def test_what_hooks_ask(made: Path) -> None:
    paths = [str(path) for path in sorted((made.parent / "out").iterdir())]
    whole = judge_series(str(made), paths, None)
    assert (whole.errors, whole.patches) == (1, 2) and "introduced by patch 2/2" in whole.text and "\x1b" not in whole.text
    good = judge_series(str(made), ["main..work~1"], None)
    assert (good.errors, good.patches) == (0, 1) and good.text.startswith("Introduces nothing; fixes 1.\n")


def run(made: Path, *arguments: str, mail: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tlblint", *arguments]
    return subprocess.run(command, cwd=made, env={**os.environ, "PYTHONPATH": str(ROOT)}, input=mail, capture_output=True, check=False)


def test_prep_check_gets_lines_or_silence(made: Path, mails: list[bytes]) -> None:
    good = run(made, "series", "-", "-f", "b4", mail=mails[1])
    assert (good.returncode, good.stdout, good.stderr) == (0, b"", b"")
    bad = run(made, "series", "-", "-f", "b4", mail=mails[2])
    assert (bad.returncode, bad.stderr) == (1, b"") and bad.stdout.startswith(b"mm/reclaim.c:73: ERROR: TLB003 lazy-mode-unpaired: Page table lock ptl")
    assert bad.stdout.count(b"\n") == 1 and b"(patch" not in bad.stdout


def test_a_command_of_b4_reads_standard_input(made: Path, mails: list[bytes]) -> None:
    done = run(made, "hook", "run", "b4-patch", mail=mails[2])
    assert (done.returncode, done.stderr, json.loads(done.stdout)[0]["status"]) == (0, b"", "fail")
