"""``tlblint report``, and what becomes of a report that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Write

Run = Callable[..., subprocess.CompletedProcess[bytes]]
FILES = {"Makefile": b"VERSION = 6\nPATCHLEVEL = 12\n", "mm/a.c": b"int f(void)\n{\n\tleak(); /* seen */\n}\n"}


@pytest.fixture
def top(write: Write, tlblint: Run) -> Path:
    """A small tree with a.json beside its sources."""
    where = write(FILES)
    done = tlblint(where, "check", "--tree", ".", "-f", "json=a.json", "-f", "jsonl=a.jsonl", "-q")
    assert (where / "a.json").is_file(), done.stderr
    return where


def findings(path: Path) -> int:
    return len(json.loads(path.read_bytes())["findings"])


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_every_format_can_be_made_of_a_stored_result(top: Path, tlblint: Run, name: str) -> None:
    forms = ["full", "concise=c", "json=again.json", "jsonl=l", "sarif=s", "html=h.html", "mail=m", "github=g", "checkpatch=k", "b4=b"]
    done = tlblint(top, "report", name, *(word for form in forms for word in ("-f", form)))
    assert done.returncode == 0 and not done.stderr
    assert (top / "again.json").read_bytes() == (top / "a.json").read_bytes()
    assert b"<!doctype html>" in (top / "h.html").read_bytes()


@pytest.mark.parametrize(("tree", "inside"), [(".", "mm/a.c"), ("part", "part/mm/a.c")])
def test_github_is_told_places_in_the_repository(write: Write, tlblint: Run, tree: str, inside: str) -> None:
    """Wherever it is called from, and where the tree is a part of the repository."""
    where = write({f"{tree}/{path}": text for path, text in FILES.items()})
    subprocess.run(["git", "init", "-q", "."], cwd=where, check=True)
    done = tlblint(where / tree / "mm", "check", "--tree", "..", "-f", "github=../out", "-f", "concise", "--exit-zero")
    told = (where / tree / "out").read_text()
    assert done.stdout.startswith(b"a.c:3:") and f" file={inside},line=3," in told and f"%0A1. {inside}:3: " in told, done.stderr


def test_sources_come_from_the_tree_when_it_is_named(top: Path, tlblint: Run) -> None:
    assert findings(top / "a.json") > 0
    tlblint(top, "report", "a.json", "-f", "html=without.html")
    tlblint(top, "report", "a.json", "--tree", ".", "-f", "html=with.html")
    assert b"/* seen */" not in (top / "without.html").read_bytes() and b"not at hand" in (top / "without.html").read_bytes()
    assert b"/* seen */" in (top / "with.html").read_bytes() and b"not at hand" not in (top / "with.html").read_bytes()


@pytest.mark.parametrize("path", ["../secret.c", "/etc/passwd", "secret", "link.c", "mm/../../secret.c", "a\0b.c"])
def test_a_stored_path_reads_nothing_outside_the_tree(top: Path, tlblint: Run, path: str) -> None:
    (top.parent / "secret.c").write_text("hidden words\n")
    (top / "secret").write_text("hidden words\n")
    (top / "link.c").symlink_to(top.parent / "secret.c")
    made = json.loads((top / "a.json").read_bytes())
    made["findings"][0]["path"] = path
    made["findings"][0]["trace"] = [{"path": path, "line": 1, "function": "f", "event": "e", "state": None, "note": None}]
    (top / "b.json").write_text(json.dumps(made))
    done = tlblint(top, "report", "b.json", "--tree", ".", "-f", "html=h.html", "-f", "full")
    assert done.returncode == 0 and b"hidden words" not in (top / "h.html").read_bytes() + done.stdout
    assert b"root:x:" not in (top / "h.html").read_bytes()


def test_two_results_are_compared(top: Path, tlblint: Run) -> None:
    (top / "mm/a.c").write_bytes(b"int f(void)\n{\n\n\tleak();\n}\nint g(void)\n{\n\tleak();\n}\n")
    tlblint(top, "check", "--tree", ".", "-f", "json=new.json", "-q")
    done = tlblint(top, "report", "new.json", "--against", "a.json", "-f", "concise", "-f", "html=h.html", "-f", "sarif=s.json")
    assert b"Compared with a.json: 1 new, 0 gone, 1 moved, 0 as before.\n" in done.stderr
    assert b"1 new, 1 moved, 0 gone." in (top / "h.html").read_bytes()
    assert [result["baselineState"] for result in json.loads((top / "s.json").read_bytes())["runs"][0]["results"]] == ["updated", "new"]
    done = tlblint(top, "report", "a.json", "--against", "new.json")
    assert done.stdout.startswith(b"Compared with new.json: 0 new, 1 gone, 1 moved, 0 as before.\n") and b"mm/a.c:4:" not in done.stdout
    assert b"Nothing is new; -v shows what there is.\n" in done.stdout


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "bad.json: $: expected JSON, the file is empty"),
        (b"{}", "bad.json: $: object missing required field `schema`"),
        (b'{"schema": "tlblint-findings/1", "schema": "x"}', "bad.json: $.schema: invalid enum value 'x'"),
        (b"\x1b[31m", "bad.json: $: expected JSON, invalid character (byte 0)"),
    ],
)
def test_a_wrong_file_gives_one_line(top: Path, tlblint: Run, content: bytes, line: str) -> None:
    (top / "bad.json").write_bytes(content)
    done = tlblint(top, "report", "bad.json", "-f", "html=h.html")
    assert done.returncode == 2 and not done.stdout and not (top / "h.html").exists()
    assert done.stderr.decode() == f"tlblint: {line}; this command reads what -f json or -f jsonl wrote\n"
    again = tlblint(top, "report", "a.json", "--against", "bad.json")
    assert again.returncode == 2 and again.stderr == done.stderr


@pytest.mark.parametrize("name", ["nothing.json", ".", "pipe"])
def test_what_is_no_file_gives_one_line(top: Path, tlblint: Run, name: str) -> None:
    os.mkfifo(top / "pipe")
    done = tlblint(top, "report", name)
    assert done.returncode == 2 and not done.stdout and done.stderr.count(b"\n") == 1 and done.stderr.startswith(f"tlblint: {name}: ".encode())


def test_an_unknown_format_is_told_before_the_file_is_read(top: Path, tlblint: Run) -> None:
    done = tlblint(top, "report", "nothing.json", "-f", "pdf")
    assert done.returncode == 2 and b"unknown format 'pdf'" in done.stderr


LARGE = ("html", "sarif", "json")


@pytest.mark.parametrize("form", LARGE)
def test_a_full_disk_gives_one_line(top: Path, tlblint: Run, form: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    done = tlblint(top, "report", "a.json", "-f", f"{form}=/dev/full")
    line = f"tlblint: -f {form}=/dev/full: cannot write /dev/full: no space left on device; nothing was written there\n"
    assert (done.returncode, done.stderr.decode()) == (2, line)


@pytest.mark.parametrize("form", LARGE)
def test_a_file_size_limit_leaves_the_old_file(top: Path, tlblint: Run, form: str) -> None:
    (top / "out").write_text("old")
    command = f"ulimit -f 1; trap '' XFSZ; exec {sys.executable} -m tests.app.run_stub report a.json -f {form}=out -f concise"
    large = json.loads((top / "a.json").read_bytes())
    large["findings"] = large["findings"] * 400
    (top / "a.json").write_text(json.dumps(large))
    done = subprocess.run(["bash", "-c", command], cwd=top, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, check=False)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and not done.stdout, done.stderr
    assert (top / "out").read_text() == "old" and not list(top.glob(".tlblint-*"))


@pytest.mark.parametrize("form", LARGE)
def test_a_missing_or_closed_directory_gives_one_line(top: Path, tlblint: Run, form: str) -> None:
    done = tlblint(top, "report", "a.json", "-f", f"{form}=no/such/out")
    line = f"tlblint: -f {form}=no/such/out: cannot write {top}/no/such/out: no such file or directory; nothing was written there\n"
    assert (done.returncode, done.stderr.decode()) == (2, line)
    assert tlblint(top, "report", "a.json", "-f", f"{form}=mm").returncode == 2


@pytest.mark.parametrize("form", LARGE)
def test_a_reader_that_goes_away_gives_one_line(top: Path, form: str) -> None:
    command = f"set -o pipefail; {sys.executable} -m tests.app.run_stub report a.json -f {form} | head -c 1 > /dev/null"
    large = json.loads((top / "a.json").read_bytes())
    large["findings"] = large["findings"] * 400
    (top / "a.json").write_text(json.dumps(large))
    done = subprocess.run(["bash", "-c", command], cwd=top, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"tlblint: standard output: its reader went away before all was written\n")


def test_a_page_says_how_to_make_it_again(top: Path, tlblint: Run) -> None:
    done = tlblint(top, "check", "--tree", ".", "-f", "html", "mm", "--exit-zero")
    page = done.stdout.decode()
    assert done.returncode == 0 and not done.stderr
    assert "<code>tlblint check --tree . -f html mm --exit-zero</code>" in page and page.endswith("</html>\n")
    tlblint(top, "check", "--tree", str(top), "-f", f"html={top}/h.html", "mm")
    again = (top / "h.html").read_text()
    assert f"<code>tlblint check --tree {top} --select TLB003 mm/a.c</code>" in again
    again = again.replace(f"--tree {top} --select", "--tree . --select")
    assert again.replace(f"tlblint check --tree {top} -f html={top}/h.html mm", "X") == page.replace("tlblint check --tree . -f html mm --exit-zero", "X")


def test_where_a_page_goes_nothing_else_is_printed_but_the_summary(top: Path, tlblint: Run) -> None:
    done = tlblint(top, "check", "--tree", ".", "-f", "html=h.html", "-f", "sarif=s.json")
    assert done.returncode == 1 and not done.stdout and done.stderr.startswith(b"Found 1 error")
    assert tlblint(top, "check", "--tree", ".", "-f", "html=h.html", "-qq").stderr == b""


def test_sources_of_a_series_are_said_to_be_those_of_the_tree(top: Path, tlblint: Run) -> None:
    made = json.loads((top / "a.json").read_bytes())
    made["series"] = {"title": "t", "base": "b", "notes": [], "patches": []}
    (top / "s.json").write_text(json.dumps(made))
    assert b"Excerpts are those of the tree that was named" in tlblint(top, "report", "s.json", "--tree", ".", "-f", "html").stdout
    assert b"Excerpts are those of" not in tlblint(top, "report", "s.json", "-f", "html").stdout
