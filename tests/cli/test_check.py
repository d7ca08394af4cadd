"""``tlblint check`` as a program: options, exit statuses, one-line errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Write, git
from tlblint.report.formats import FORMATS

Run = Callable[..., subprocess.CompletedProcess[bytes]]

LEAK = b"void f(void)\n{\n\tleak();\n}\n"
LATE = b"int g(int a)\n{\n\tlate();\n}\n"
ODD = b"int h(void)\n{\n\tleak_odd();\n}\n"
TREE = {"mm/a.c": LEAK, "fs/b.c": LATE, "README": b"r", "doc/x.txt": b""}


def lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return done.stdout.decode().splitlines()


def test_findings_from_anywhere_in_the_tree(repository: Write, tlblint: Run) -> None:
    top = repository(TREE)
    done = tlblint(top, "check", "-f", "concise")
    assert done.returncode == 1
    assert [line.split()[:2] for line in lines(done)] == [["fs/b.c:3:2:", "TLB001"], ["mm/a.c:3:2:", "TLB003"]]
    assert b"Found 1 error, 1 warning." in done.stderr and b"Analysed 2 functions in 2 of 2 C files" in done.stderr
    assert lines(tlblint(top / "fs", "check", "-f", "concise"))[1].startswith("../mm/a.c:3:2: TLB003")
    assert [line.split(":")[0] for line in lines(tlblint(top / "fs", "check", "-f", "concise", "b.c"))] == ["b.c"]
    assert [line.split(":")[0] for line in lines(tlblint(top / "fs", "check", "-f", "concise", "../mm"))] == ["../mm/a.c"]
    assert lines(tlblint(top, "check"))[-2].startswith("Analysed 2 functions")


def test_tree_option_takes_paths_from_its_top(repository: Write, tlblint: Run, tmp_path: Path) -> None:
    top = repository(TREE)
    done = tlblint(tmp_path, "check", "--tree", "tree", "mm", "-f", "concise")
    assert [line.split(":")[0] for line in lines(done)] == ["tree/mm/a.c"]
    assert [line.split(":")[0] for line in lines(tlblint(top / "mm", "check", "--tree", str(top), "../fs", "-f", "concise"))] == ["../fs/b.c"]
    plain = tlblint(tmp_path, "check", "--tree", "tree/mm", "-f", "concise")
    assert [line.split(":")[0] for line in lines(plain)] == ["tree/mm/a.c"]


def test_a_revision_is_checked_without_checkout(repository: Write, tlblint: Run) -> None:
    top = repository(TREE)
    (top / "mm/a.c").write_bytes(b"")
    (top / "fs/b.c").unlink()
    assert tlblint(top, "check", "-f", "concise").returncode == 0
    done = tlblint(top, "check", "--rev", "HEAD", "-f", "json")
    document = json.loads(done.stdout)
    assert document["tree"]["kind"] == "revision" and document["tree"]["rev"] == git(top, "rev-parse", "HEAD")
    assert [f["path"] for f in document["findings"]] == ["fs/b.c", "mm/a.c"]
    assert [line.split(":")[0] for line in lines(tlblint(top, "check", "--rev", "HEAD", "fs/b.c", "-f", "concise"))] == ["fs/b.c"]


def test_a_revision_brings_its_configuration_and_the_disk_the_baseline(repository: Write, tlblint: Run, tmp_path: Path) -> None:
    top = repository({**TREE, "tlblint.toml": b'baseline = "known.txt"\nselect = ["TLB003"]\n'})
    (top / "tlblint.toml").write_bytes(b'select = ["TLB001"]\n')
    missing = tlblint(top / "mm", "check", "--rev", "HEAD")
    assert missing.returncode == 2 and missing.stderr == f"tlblint: {top}/known.txt: no such baseline file; create it with --update-baseline\n".encode()
    assert tlblint(top / "mm", "check", "--rev", "HEAD", "--update-baseline").returncode == 0
    assert [line.split()[1:4] for line in (top / "known.txt").read_text().splitlines()[1:]] == [["TLB003", "mm/a.c", "f"]]
    assert b"Found nothing; 1 in the baseline." in tlblint(top, "check", "--rev", "HEAD").stdout
    (top / "mm/other.txt").write_bytes(b"")
    assert tlblint(top / "mm", "check", "--rev", "HEAD", "--baseline", "other.txt").returncode == 1  # an option's file starts at the current directory
    shown = tlblint(top, "config", "show", "--rev", "HEAD").stdout.decode()
    assert f"# tlblint.toml of {git(top, 'rev-parse', 'HEAD')[:12]}\n" in shown and '"TLB003"' in shown


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 1),
        (("--exit-zero",), 0),
        (("--fail-on", "never"), 0),
        (("fs",), 0),
        (("fs", "--fail-on", "warning"), 1),
        (("odd", "--fail-on", "warning"), 0),
        (("odd", "--fail-on", "note"), 1),
        (("odd", "--fail-on-incomplete"), 3),
        (("odd", "--fail-on-incomplete", "--exit-zero"), 0),
        (("mm", "odd", "--fail-on-incomplete"), 1),
        (("fs", "--fail-on-incomplete"), 0),
        (("--select", "TLB001"), 0),
        (("--ignore", "TLB003"), 0),
        (("--select", "batched-pending-not-flushed"), 0),
        (("--select", "lazy-mode-unpaired,tlb001"), 1),
        (("--ignore", "lazy-mode-unpaired"), 0),
        (("--no-sim", "--no-cache"), 1),
        (("--profile", "x86-64"), 1),
    ],
)
def test_exit_status(repository: Write, tlblint: Run, arguments: tuple[str, ...], status: int) -> None:
    done = tlblint(repository({**TREE, "odd/c.c": ODD}), "check", *arguments)
    assert done.returncode == status, done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("nope",), "nope: no such file or directory"),
        (("README",), "README: not a C file; name .c or .h files, or directories"),
        (("..",), "..: outside of the tree {top}; name paths in the tree, or another tree with --tree"),
        (("/etc",), "/etc: outside of the tree {top}; name paths in the tree, or another tree with --tree"),
        (("doc",), "doc: no .c or .h files here; name a kernel source tree or a part of one"),
        (("fs", "out.c"), "out.c: outside of the tree {top}; name paths in the tree, or another tree with --tree"),
        (("--tree", "nope"), "--tree nope: no such directory; name a kernel source tree"),
        (("--rev", "nope"), "--rev nope: git knows no such revision; name a commit, tag or branch of this repository"),
        (("--rev", "HEAD", "nope.c"), "nope.c: no such file or directory in {head}"),
        (("-f", "xml"), f"-f xml: unknown format 'xml'; choose from {', '.join(FORMATS)}"),
        (("-f", "json="), "-f json=: no file after '='; write -f json=FILE"),
        (("-f", "json", "-f", "full"), "-f full: two formats for standard output; give each a file of its own: -f FORMAT=FILE"),
        (("-f", "json=x", "-f", "full=./x"), "-f full: two formats for ./x; give each a file of its own: -f FORMAT=FILE"),
        (("-f", "json=nope/x"), "-f json=nope/x: cannot write {top}/nope/x: no such file or directory; nothing was written there"),
        (("--profile", "vax"), "--profile vax: no such profile; choose from powerpc-hash, x86-64"),
        (("--select", "TLB777"), "TLB777: no such rule; 'tlblint rules' lists them"),
        (("--select", "lazy-mode-unpiared"), "lazy-mode-unpiared: no such rule; did you mean lazy-mode-unpaired?"),
        (("--ignore", "TLB003,batched"), "batched: no such rule; did you mean batched-pending-not-flushed?"),
        (("--baseline", "nope"), "nope: no such baseline file; create it with --update-baseline"),
        (("--update-baseline",), "--update-baseline: there is no baseline to update; name one with --baseline FILE"),
        (("--baseline", "README"), "README:1: not 'fingerprint rule path function reason'; each line is: fingerprint rule path function reason"),
        (("--fail-on", "x"), "check: Invalid value for '--fail-on': 'x' is not one of 'error', 'warning', 'note', 'never'; see 'tlblint check --help'"),
        (("--jobs", "x"), "check: Invalid value for '--jobs' / '-j': 'x' is not a valid integer range; see 'tlblint check --help'"),
        (("--tree",), "Option '--tree' requires an argument; see 'tlblint --help'"),
        (("--zzz",), "check: No such option '--zzz'; see 'tlblint check --help'"),
        (("--tre",), "check: No such option '--tre'; did you mean --tree?"),
    ],
)
def test_mistakes_get_one_line_and_status_2(repository: Write, tlblint: Run, arguments: tuple[str, ...], line: str) -> None:
    top = repository(TREE)
    (top / "out.c").symlink_to("/etc/passwd")
    done = tlblint(top, "check", *arguments)
    head = git(top, "rev-parse", "HEAD")[:12]
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"tlblint: {line.format(top=top, head=head)}\n"


def test_outside_of_git(tmp_path: Path, tlblint: Run) -> None:
    done = tlblint(tmp_path, "check", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert done.returncode == 2
    assert done.stderr.decode() == f"tlblint: {tmp_path}: not in a git work tree; name a source tree with --tree DIR\n"


def test_an_empty_tree_is_an_error_and_a_boring_one_is_not(write: Write, tlblint: Run, tmp_path: Path) -> None:
    write({"README": b""})
    assert tlblint(tmp_path, "check", "--tree", "tree").returncode == 2
    write({"a.c": b"int x;"})
    done = tlblint(tmp_path, "check", "--tree", "tree")
    assert done.returncode == 0 and b"Analysed nothing: no function in 1 C file uses a page table" in done.stdout


def test_an_unreadable_file_is_an_error_when_named_and_a_note_when_not(write: Write, tlblint: Run) -> None:
    top = write({"a.c": LEAK})
    (top / "b.c").symlink_to("b.c")
    os.mkfifo(top / "p.c")
    found = json.loads(tlblint(top, "check", "--tree", ".", "-f", "json").stdout)
    assert [(gap["path"], gap["why"]) for gap in found["health"]["not_analysed"]] == [
        ("b.c", "a symbolic link that leads to no C file of the tree"),
        ("p.c", "not a regular file"),
    ]
    named = tlblint(top, "check", "--tree", ".", "p.c")
    assert named.returncode == 2 and named.stderr == b"tlblint: p.c: cannot be read: not a regular file\n"


def test_output_does_not_depend_on_jobs_or_order(repository: Write, tlblint: Run) -> None:
    files = {f"mm/{n:02}.c": LEAK * (n % 3) + LATE + (ODD if n % 4 == 0 else b"") for n in range(40)}
    top = repository(files)
    for form in ("full", "concise", "json", "jsonl"):
        one = tlblint(top, "check", "-f", form, "--jobs", "1", *sorted(files))
        two = tlblint(top, "check", "-f", form, "--jobs", "3", *sorted(files, reverse=True), "mm")
        assert one.stdout == two.stdout and one.stdout.count(b"leak") > 20
        assert one.stderr == two.stderr


def test_a_crash_costs_one_file(repository: Write, tlblint: Run) -> None:
    files = {f"mm/{n:02}.c": LEAK for n in range(20)}
    top = repository({**files, "mm/03.c": b"leak_crash", "mm/07.c": b"leak_kill"})
    found = json.loads(tlblint(top, "check", "-f", "json", "--jobs", "2").stdout)
    assert {gap["path"]: gap["why"] for gap in found["health"]["not_analysed"]} == {
        "mm/03.c": "internal error: RecursionError",
        "mm/07.c": "the analysis of this file ran out of memory or crashed",
    }
    assert len([f for f in found["findings"] if f["rule"] == "TLB003"]) == 18
    debug = tlblint(top, "check", "mm/03.c", "--debug")
    assert debug.returncode == 2 and b"Traceback" in debug.stderr


def test_several_formats_at_once(repository: Write, tlblint: Run) -> None:
    top = repository(TREE)
    done = tlblint(top / "mm", "check", "-f", "concise", "-f", "json=out.json", "-f", "full=out.txt")
    assert len(lines(done)) == 2
    assert len(json.loads((top / "mm/out.json").read_bytes())["findings"]) == 2
    assert (top / "mm/out.txt").read_text().startswith("../fs/b.c:3:2: warning TLB001")


def test_a_run_that_writes_files_only_says_on_stderr_what_it_found(repository: Write, tlblint: Run) -> None:
    top = repository(TREE)
    done = tlblint(top, "check", "-f", "json=out.json")
    assert (done.stdout, done.stderr.splitlines()[0]) == (b"", b"Found 1 error, 1 warning.")
    assert tlblint(top, "check", "-f", "json=out.json", "-q").stderr == b""
    assert tlblint(top, "check", "-f", "json=out.json", "-f", "json").stderr == b""  # other programs read that: nothing beside it
    both = tlblint(top, "check", "-f", "full=out.txt", "-f", "concise")
    assert len(lines(both)) == 2 and both.stderr.count(b"Found") == 1


def test_quiet_and_verbose(repository: Write, tlblint: Run) -> None:
    top = repository({"a.c": LEAK.replace(b"leak();", b"leak(); /* tlblint: allow TLB003 -- known */") + LATE + ODD})
    assert b"TLB003" not in tlblint(top, "check").stdout
    assert b"suppressed by comment: known" in tlblint(top, "check", "-v").stdout
    quiet = tlblint(top, "check", "-f", "concise", "-q")
    assert quiet.stderr == b"" and [line.split()[1] for line in lines(quiet)] == ["TLB001"]
    silent = tlblint(top, "check", "--fail-on", "warning", "-qq")
    assert (silent.returncode, silent.stdout, silent.stderr) == (1, b"", b"")


def test_color_and_characters(repository: Write, tlblint: Run) -> None:
    top = repository(TREE)
    assert b"\x1b[" in tlblint(top, "check", "--color", "always").stdout
    assert b"\x1b[" in tlblint(top, "check", FORCE_COLOR="1").stdout
    assert b"\x1b[" not in tlblint(top, "check").stdout
    assert b"\x1b[" not in tlblint(top, "check", "-f", "json", "--color", "always").stdout
    assert "\u2192".encode() in tlblint(top, "check", PYTHONIOENCODING="utf-8").stdout
    assert tlblint(top, "check", PYTHONIOENCODING="ascii").stdout.isascii()


def test_the_baseline_silences_what_is_known_and_nothing_else(repository: Write, tlblint: Run) -> None:
    top = repository(TREE)
    made = tlblint(top, "check", "--baseline", "known.txt", "--update-baseline")
    assert made.returncode == 0 and b"2 in the baseline" in made.stdout
    text = (top / "known.txt").read_text()
    (top / "known.txt").write_text(text.replace("f no reason given", "f the caller leaves it"))
    (top / "mm/a.c").write_bytes(b"\n\n" + LEAK + LEAK.replace(b" f(", b" fresh("))
    done = tlblint(top, "check", "--baseline", "known.txt", "-f", "json")
    assert done.returncode == 1
    found = [(f["function"], f["suppressed"] and f["suppressed"]["reason"]) for f in json.loads(done.stdout)["findings"]]
    assert found == [("g", "no reason given"), ("f", "the caller leaves it"), ("fresh", None)]
    (top / "mm/a.c").write_bytes(b"int x;")
    gone = tlblint(top, "check", "--baseline", "known.txt").stdout.decode()
    assert "1 baseline line no longer needed" in gone
    [entry] = [line for line in text.splitlines() if " mm/a.c " in line]
    assert f"No longer needed in the baseline:\n  {entry.split()[0]} TLB003 mm/a.c f()\n" in gone
    tlblint(top, "check", "mm", "--baseline", "known.txt", "--update-baseline")
    assert [line.split()[3] for line in (top / "known.txt").read_text().splitlines()[1:]] == ["g"]


def test_some_profiles_are_not_enough_to_call_anything_unused(repository: Write, tlblint: Run) -> None:
    top = repository({"mm/a.c": LEAK, "mm/b.c": LEAK.replace(b"leak();", b"late(); /* tlblint: allow TLB003 -- there */").replace(b" f(", b" b(")})
    tlblint(top, "check", "--baseline", "known.txt", "--update-baseline")
    (top / "mm/a.c").write_bytes(b"int x;")
    every, some = ("check", "--baseline", "known.txt"), ("check", "--baseline", "known.txt", "--profile", "x86-64")
    assert b"no longer needed" in tlblint(top, *every).stdout and b"TLB901" in tlblint(top, "check").stdout
    assert b"no longer needed" not in tlblint(top, *some).stdout and b"TLB901" not in tlblint(top, "check", "--profile", "x86-64").stdout
    before = (top / "known.txt").read_bytes()
    tlblint(top, *some, "--update-baseline")
    assert (top / "known.txt").read_bytes() == before and b" mm/a.c " in before


def test_a_file_with_a_gap_keeps_its_baseline(repository: Write, tlblint: Run) -> None:
    top = repository({"mm/a.c": LEAK, "mm/b.c": LEAK})
    known = ("check", "--baseline", "known.txt", "--ignore", "TLB902")
    tlblint(top, *known, "--update-baseline")
    (top / "mm/a.c").write_bytes(ODD)
    (top / "mm/b.c").write_bytes(b"")
    assert b"1 baseline line no longer needed" in tlblint(top, *known).stdout
    tlblint(top, *known, "--update-baseline")
    assert [line.split()[1:3] for line in (top / "known.txt").read_text().splitlines()[1:]] == [["TLB003", "mm/a.c"]]


def test_configuration_reaches_the_run(repository: Write, tlblint: Run) -> None:
    top = repository({**TREE, "tlblint.toml": b'format = "concise"\nignore = ["lazy-mode-unpaired"]\nfail-on = "warning"\n'})
    done = tlblint(top / "mm", "check", "..")
    assert done.returncode == 1 and [line.split()[1] for line in lines(done)] == ["TLB001"]
    assert tlblint(top, "check", "--fail-on", "error").returncode == 0
    (top / "tlblint.toml").write_bytes(b'ignore = ["TLB003", "lazy-mode"]')
    assert tlblint(top, "check").stderr == b"tlblint: tlblint.toml: ignore lazy-mode: no such rule; did you mean lazy-mode-unpaired?\n"
    (top / "tlblint.toml").write_bytes(b'format = "xml"')
    broken = tlblint(top, "check")
    assert broken.returncode == 2 and b"unknown format 'xml'" in broken.stderr


def test_git_variables_of_a_hook_do_not_redirect_the_run(repository: Write, tlblint: Run, tmp_path: Path) -> None:
    top = repository(TREE)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    done = tlblint(top, "check", "-f", "concise", GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other), GIT_INDEX_FILE=str(other / "index"))
    assert len(lines(done)) == 2


def start(top: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.app.run_stub", *arguments],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it, and hand that on
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt(repository: Write, jobs: str) -> None:
    top = repository({f"mm/{n:02}.c": LEAK for n in range(20)})
    process = start(top, "check", "--jobs", jobs, "STUB_HANG")
    assert process.stderr is not None and process.stdout is not None
    assert process.stderr.readline() == b"busy\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    rest = process.stderr.read()
    assert process.wait(30) == 130
    assert rest.replace(b"busy\n", b"") == b"\ntlblint: interrupted\n" and process.stdout.read() == b""
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_reader_that_goes_away(repository: Write) -> None:
    process = start(repository({f"mm/{n:02}.c": LEAK * 200 for n in range(20)}), "check")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == (b"tlblint: standard output: its reader went away before all was written\n", 2)


def test_a_full_disk(repository: Write) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tests.app.run_stub", "check"],
            cwd=repository(TREE), env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, b"tlblint: standard output: cannot write: no space left on device\n")


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = "import os, sys; os.rmdir(os.getcwd()); sys.argv[1:] = ['check']; from tlblint.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", script], cwd=gone, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"tlblint: current directory: it no longer exists; change to another one\n")
