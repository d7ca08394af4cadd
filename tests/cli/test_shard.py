"""``tlblint check --shard`` and ``tlblint merge``: parts of a check that make the whole again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Write, git
from tlblint.app.shard import Shard, parse
from tlblint.io.errors import InputError
from tlblint.report.formats import FORMATS

Run = Callable[..., subprocess.CompletedProcess[bytes]]

LEAK = b"void f%d(void)\n{\n\tleak();\n}\n"
LATE = b"int g(int a)\n{\n\tlate();\n}\n"
ODD = b"int h(void)\n{\n\tleak_odd();\n}\n"
UNUSED = b"/* tlblint: allow TLB003 -- nothing there */\nint x;\n"
KNOWN = b"void k(void)\n{\n\tleak(); /* tlblint: allow TLB003 -- as it should */\n}\n"


def files() -> dict[str, bytes]:
    made = {f"mm/{n:02}.c": LEAK % n + (LATE, ODD, UNUSED, KNOWN)[n % 4] for n in range(12)}
    return {**made, "fs/a.c": LEAK % 99 + LEAK % 98, "README": b"r", "mm/\udcff.c".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"): LATE}


@pytest.fixture
def top(repository: Write, tlblint: Run) -> Path:
    """A tree with one of everything, and a baseline in which one entry is to follow its function and one is no longer needed."""
    made = repository(files())
    (made / "mm/link.c").symlink_to("/etc/passwd")
    git(made, "add", "-A")
    tlblint(made, "check", "--baseline", "known.txt", "--update-baseline", "fs", "mm/00.c", "mm/04.c")
    (made / "mm/04.c").write_bytes(b"int gone;\n")
    os.rename(made / "mm/00.c", made / "fs/moved.c")
    git(made, "add", "-A")
    return made


def shards(top: Path, tlblint: Run, count: int, *arguments: str, where: Path | None = None) -> list[str]:
    names = []
    for number in range(1, count + 1):
        done = tlblint(where or top, "check", *arguments, "--shard", f"{number}/{count}")
        assert (done.returncode, done.stderr) == (0, b"")
        path = top.parent / f"shard-{number}-{count}.json"
        path.write_bytes(done.stdout)
        names.append(str(path))
    return names


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("verbose", [(), ("-v",)])
def test_the_whole_is_the_same_in_any_format(top: Path, tlblint: Run, count: int, verbose: tuple[str, ...]) -> None:
    names = shards(top, tlblint, count, "--baseline", "known.txt", *verbose)
    wanted = ["-f", "full", *(word for form in FORMATS for word in ("-f", f"{form}={top.parent}/out.{form}"))]

    def outputs(*arguments: str) -> dict[str, bytes | int]:
        done = tlblint(top, *arguments, *verbose, *wanted)
        return {"status": done.returncode, "out": done.stdout, "err": done.stderr, **{f: (top.parent / f"out.{f}").read_bytes() for f in FORMATS}}

    whole = tlblint(top, "check", "--baseline", "known.txt")
    assert outputs("check", "--baseline", "known.txt") == outputs("merge", *reversed(names))
    assert b"in the baseline" in whole.stdout and b"no longer needed" in whole.stdout and b"TLB901" in whole.stdout and b"TLB902" in whole.stdout


def test_each_finding_is_in_one_shard(top: Path, tlblint: Run) -> None:
    found = [[(f["path"], f["fingerprint"]) for f in json.loads(Path(name).read_bytes())["report"]["findings"]] for name in shards(top, tlblint, 3)]
    assert all(found) and sum(map(len, found)) == len({one for part in found for one in part})


def test_paths_are_those_of_where_the_shards_ran(top: Path, tlblint: Run, tmp_path: Path) -> None:
    for where, arguments in ((top / "mm", ()), (top / "mm", ("..",)), (tmp_path, ("--tree", "tree")), (top, ("mm",))):
        names = shards(top, tlblint, 2, *arguments, where=where)
        whole = tlblint(where, "check", *arguments, "-f", "concise")
        assert tlblint(where, "merge", *names, "-f", "concise").stdout == whole.stdout == tlblint(Path("/"), "merge", *names, "-f", "concise").stdout


def test_a_revision_in_shards(top: Path, tlblint: Run) -> None:
    names = shards(top, tlblint, 2, "--rev", "HEAD")
    assert tlblint(top, "merge", *names, "-f", "json").stdout == tlblint(top, "check", "--rev", "HEAD", "-f", "json").stdout


def test_settings_of_the_tree_hold_and_those_of_merge_win(top: Path, tlblint: Run) -> None:
    (top / "tlblint.toml").write_bytes(b'fail-on = "never"\nformat = "concise"\nbaseline = "known.txt"\n')
    names = shards(top, tlblint, 2)
    whole = tlblint(top, "check")
    merged = tlblint(top.parent, "merge", *names)
    assert (merged.returncode, merged.stdout, merged.stderr) == (0, whole.stdout, whole.stderr)
    assert tlblint(top, "merge", *names, "--fail-on", "error").returncode == 1
    assert tlblint(top, "merge", *names, "--fail-on", "error", "--exit-zero").returncode == 0
    assert tlblint(top, "merge", *names, "--fail-on-incomplete").returncode == 3


def test_merge_writes_a_baseline(top: Path, tlblint: Run) -> None:
    names = shards(top, tlblint, 2)
    assert tlblint(top, "merge", *names, "--baseline", "new.txt", "--update-baseline").returncode == 0
    tlblint(top, "check", "--baseline", "other.txt", "--update-baseline")
    assert (top / "new.txt").read_bytes() == (top / "other.txt").read_bytes()
    known = tlblint(top, "merge", *names, "--baseline", "new.txt")
    assert known.returncode == 0 and known.stdout == tlblint(top, "check", "--baseline", "new.txt").stdout


@pytest.mark.parametrize("text", ["0/2", "3/2", "x", "1", "1/0", "-1/2", "1/99999", "1/2/3"])
def test_no_such_part(top: Path, tlblint: Run, text: str) -> None:
    done = tlblint(top, "check", f"--shard={text}")
    assert (done.returncode, done.stdout) == (2, b"") and done.stderr.startswith(f"tlblint: --shard {text}: not a part".encode())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("-f", "json"), "-f: a shard has a form of its own; give -f to tlblint merge"),
        (("--update-baseline",), "--update-baseline: a shard does not see every finding; give it to tlblint merge"),
        (("--baseline", "nope"), "nope: no such baseline file; create it with --update-baseline"),
    ],
)
def test_what_a_shard_cannot_do(top: Path, tlblint: Run, arguments: tuple[str, ...], line: str) -> None:
    done = tlblint(top, "check", "--shard", "1/2", *arguments)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"tlblint: {line}\n")


def refused(top: Path, tlblint: Run, *arguments: str) -> str:
    done = tlblint(top.parent, "merge", *arguments)
    assert (done.returncode, done.stdout) == (2, b"") and done.stderr.count(b"\n") == 1
    return done.stderr.decode().removeprefix("tlblint: ").rstrip("\n")


def test_missing_and_doubled_shards(top: Path, tlblint: Run) -> None:
    one, two, three = (os.path.basename(name) for name in shards(top, tlblint, 3))
    assert refused(top, tlblint, two) == "merge: of 3 shards 1, 3 are missing; name all of them"
    assert refused(top, tlblint, two, one) == "merge: of 3 shards 3 is missing; name all of them"
    assert refused(top, tlblint, one, two, three, two) == f"{two}: shard 2/3, as {two} is; name each shard once"
    assert refused(top, tlblint, one, "nope") == "nope: cannot be read: no such file or directory"


def test_shards_of_another_check(top: Path, tlblint: Run) -> None:
    one, two = shards(top, tlblint, 2)

    def other(*arguments: str, shard: str = "2/2") -> str:
        done = tlblint(top, "check", "--shard", shard, *arguments)
        Path(two).write_bytes(done.stdout)
        return refused(top, tlblint, one, two).split(": ", 2)[2].split(";")[0]

    assert other(shard="2/3") == "a check in other parts"
    assert other("mm") == "other PATHs"
    assert other("--select", "TLB003") == other("--profile", "x86-64") == other("-v") == "other rules or profiles chosen"
    assert other("--baseline", "known.txt") == "another baseline"
    assert other("--fail-on", "never") == "other settings"
    assert other("--rev", "HEAD") == "another revision"
    (top / "mm/01.c").write_bytes(LEAK % 1)
    assert other() == "another tree"
    for key, value, what in (("version", "9", "another version of tlblint"), ("ruleset", "ab", "other rules")):
        document = json.loads(Path(one).read_bytes())
        document["report"][key] = value
        document["shard"]["number"] = 2
        Path(two).write_text(json.dumps(document))
        assert refused(top, tlblint, one, two).split(": ", 2)[2].split(";")[0] == what


def test_all_shards_of_another_version(top: Path, tlblint: Run) -> None:
    [name] = shards(top, tlblint, 1)
    document = json.loads(Path(name).read_bytes())
    document["report"]["version"] = "0.0.0"
    Path(name).write_text(json.dumps(document))
    assert "made by tlblint 0.0.0, this is" in refused(top, tlblint, name)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"schema": "tlblint-shard/1"}', b"\xff\x00", b"[" * 100_000]
)
def test_what_is_no_shard(top: Path, tlblint: Run, raw: bytes) -> None:
    (top.parent / "x.json").write_bytes(raw)
    assert refused(top, tlblint, "x.json").startswith("x.json: not a")


def test_a_cut_off_shard(top: Path, tlblint: Run) -> None:
    one, two = shards(top, tlblint, 2)
    Path(two).write_bytes(Path(two).read_bytes()[:-200])
    assert "not a whole shard of a check; it may be cut off" in refused(top, tlblint, one, two)


def test_verbose_must_have_been_asked_of_the_shards(top: Path, tlblint: Run) -> None:
    assert "run them with -v, too" in refused(top, tlblint, *shards(top, tlblint, 2), "-v")


def test_which_shard_a_path_is_in_depends_on_nothing_else() -> None:
    paths = [f"mm/{n}.c" for n in range(500)] + ["mm/\udcff.c"]
    for count in (1, 2, 7):
        parts = [[path for path in paths if path in Shard(number, count)] for number in range(1, count + 1)]
        assert sorted(path for part in parts for path in part) == sorted(paths)
        assert min(map(len, parts)) * 2 > len(paths) / count
    assert parse("2/4") == Shard(2, 4)
    with pytest.raises(InputError):
        parse("2/1")


def test_the_real_analysis_in_shards(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fixtures/demo", tmp_path / "demo")

    def run(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "tlblint", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    for number in (1, 2, 3):
        (tmp_path / f"{number}.json").write_bytes(run("check", "--tree", "demo", "-v", "--shard", f"{number}/3"))
    whole = run("check", "--tree", "demo", "-v", "-f", "full")
    assert whole.count(b"error TLB") > 5 and run("merge", "1.json", "2.json", "3.json", "-v", "-f", "full") == whole
    assert run("merge", "1.json", "2.json", "3.json", "-v", "-f", "json") == run("check", "--tree", "demo", "-v", "-f", "json")


def test_results_of_many_runs_in_one_list(top: Path, tlblint: Run, repository: Write) -> None:
    for name, arguments in (("a", ("mm",)), ("b", ("fs", "--profile", "x86-64")), ("c", ("mm/04.c",))):
        tlblint(top, "check", *arguments, "-f", f"json={top.parent / name}.json", "--ignore", "TLB901,TLB902")
    names = [f"{name}.json" for name in "cab"]
    done = tlblint(top.parent, "merge", *names)
    assert (done.returncode, done.stdout.decode().splitlines()) == (
        1,
        [
            "a.json  work tree on 2 profiles: Found 10 errors, 2 warnings; 3 suppressed in source.",
            "b.json  work tree on 2 profiles: Found 3 errors, 1 warning.",
            "c.json  work tree on 2 profiles: Found nothing.",
            "3 results, 2 with errors.",
        ],
    )
    document = json.loads(tlblint(top.parent, "merge", *names, "-f", "json").stdout)
    assert document["schema"] == "tlblint-results/1"
    assert [(row["file"], row["result"]) for row in document["results"]] == [(f"{n}.json", json.loads((top.parent / f"{n}.json").read_bytes())) for n in "abc"]
    assert tlblint(top.parent, "merge", "c.json").returncode == tlblint(top.parent, "merge", "a.json", "--fail-on", "never").returncode == 0
    shutil.copy(top.parent / "a.json", top.parent / "d.json")
    assert refused(top, tlblint, "a.json", "d.json") == "d.json: the same result as a.json; name each once"
    foreign = json.loads((top.parent / "a.json").read_bytes())
    foreign["tool"]["ruleset"] = "ab"
    (top.parent / "d.json").write_text(json.dumps(foreign))
    assert "d.json: by other rules than a.json" in refused(top, tlblint, "a.json", "d.json")
    assert "results are only listed" in refused(top, tlblint, "a.json", "-f", "sarif")
    [shard] = shards(top, tlblint, 1)
    assert "not a shard of a check" in refused(top, tlblint, shard, "a.json")
    assert refused(top, tlblint, "a.json", shard).startswith(f"{shard}: ")
