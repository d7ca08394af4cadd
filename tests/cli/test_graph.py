"""``tlblint graph`` as a program, on a small tree of a kernel's shape."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT, Write

FILES: Mapping[str, bytes] = {
    "include/linux/mm.h": b"typedef struct { unsigned long pte; } pte_t;\nint change_all(struct mm_struct *mm);\n#define begin_change(mm) change_all(mm)\n",
    "mm/change.c": b"""\
static int change_one(pte_t *pte, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	pte_t old = ptep_modify_prot_start(walk->vma, addr, pte);

	ptep_modify_prot_commit(walk->vma, addr, pte, old, pte_wrprotect(old));
	return settle(walk);
}

static const struct mm_walk_ops change_ops = {
	.pte_entry = change_one,
};

int change_all(struct mm_struct *mm)
{
	return walk_page_range(mm, 0, TASK_SIZE, &change_ops, NULL);
}
""",
    "mm/settle.c": b"""\
int settle(struct mm_walk *walk)
{
	return settle_more(walk);
}
""",
    "mm/more.c": b"int settle_more(struct mm_walk *walk)\n{\n\tflush_tlb_mm(walk->mm);\n\treturn 0;\n}\n",
    "drivers/user.c": b"""\
static long user_ioctl(struct file *file)
{
	return user_change(file->private_data);
}

int user_change(struct mm_struct *mm)
{
	return begin_change(mm);
}
""",
    "kernel/other.c": b"int other(struct mm_struct *mm)\n{\n\treturn change_all(mm);\n}\n",
}

GOLDEN = """\
user_change()  drivers/user.c:6  1 caller not shown
└─ change_all()  mm/change.c:13  macro begin_change  [walks]
   └─ *!change_one()  mm/change.c:1  table mm_walk_ops.pte_entry of change_ops
      │    [starts change, commits change]  enters with PTL from the walker
      └─ settle()  mm/settle.c:1  enters with PTL from every caller seen
         └─ settle_more()  mm/more.c:1  [flushes]  enters with PTL from every caller seen

other()  kernel/other.c:1
└─ change_all()  (above)

6 functions, 1 of them changing entries (!); 5 calls.
"""


def graph(cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run([sys.executable, "-m", "tlblint", "graph", *arguments], cwd=cwd, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def test_bodies_are_found_up_and_down(write: Write) -> None:
    """user_change(), other() and settle() name no page table API; the macro stands in a header that names none either."""
    done = graph(write(FILES), "change_one", "--tree", ".", "--depth", "2")
    assert (done.returncode, done.stderr.decode(), done.stdout.decode()) == (0, "", GOLDEN)


def test_ascii_where_the_terminal_knows_no_more(write: Write) -> None:
    done = graph(write(FILES), "change_one", "--tree", ".", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.isascii() and b"`- change_all()" in done.stdout


def test_depth_and_direction(write: Write) -> None:
    top = write(FILES)
    up = graph(top, "change_all", "--tree", ".", "--callers", "--depth", "2").stdout.decode()
    assert "user_ioctl()" in up and "change_one" not in up
    down = graph(top, "change_all", "--tree", ".", "--callees", "--depth", "1").stdout.decode()
    assert "change_one()" in down and "user_change" not in down and "settle()" not in down


def test_all_formats_at_once_and_whatever_the_jobs(write: Write) -> None:
    top = write({**FILES, **{f"mm/x{n}.c": FILES["mm/more.c"].replace(b"settle_more", b"x%d" % n) for n in range(12)}})
    for jobs in ("1", "2", "0"):
        done = graph(top, "change_one", "--tree", ".", "-j", jobs, *(f"-f{name}={name}.{jobs}" for name in ("text", "dot", "svg", "json")), "-f", "text")
        assert done.returncode == 0 and done.stdout == (top / f"text.{jobs}").read_bytes()
    for name in ("text", "dot", "svg", "json"):
        assert (top / f"{name}.1").read_bytes() == (top / f"{name}.2").read_bytes() == (top / f"{name}.0").read_bytes() != b""
    document = json.loads((top / "json.1").read_bytes())
    kinds = {(document["nodes"][e["caller"]]["name"], document["nodes"][e["callee"]]["name"]): (e["kind"], e["via"], e["line"]) for e in document["edges"]}
    assert kinds["change_all", "change_one"] == ("table", "mm_walk_ops.pte_entry of change_ops", 15)
    assert kinds["user_change", "change_all"] == ("macro", "begin_change", 8)


def test_without_a_function_everything_that_changes_entries(write: Write) -> None:
    done = graph(write(FILES), "--tree", ".")
    assert done.returncode == 0
    assert done.stdout.decode() == """\
user_change()  drivers/user.c:6
└─ change_all()  mm/change.c:13  macro begin_change  [walks]
   └─ !change_one()  mm/change.c:1  table mm_walk_ops.pte_entry of change_ops
           [starts change, commits change]  enters with PTL from the walker

other()  kernel/other.c:1
└─ change_all()  (above)

4 functions, 1 of them changing entries (!); 3 calls.
"""


def test_paths_bound_where_callers_are_looked_for(write: Write) -> None:
    done = graph(write(FILES), "change_all", "--tree", ".", "--path", "kernel", "--callers")
    assert b"other()" in done.stdout and b"user_change" not in done.stdout
    done = graph(write(FILES), "--tree", ".", "--path", "kernel")
    assert b"change_one" not in done.stdout


def test_a_primitive_may_be_asked_for(write: Write) -> None:
    done = graph(write(FILES), "ptep_modify_prot_commit", "--tree", ".", "--depth", "1")
    assert done.returncode == 0 and b"*ptep_modify_prot_commit()  no definition here" in done.stdout


@pytest.mark.parametrize("place", ["mm/change.c:change_one", "./mm/change.c:change_one"])
def test_a_function_of_a_file(write: Write, place: str) -> None:
    twin = FILES["mm/change.c"].replace(b"change_all", b"twin_all").replace(b"change_ops", b"twin_ops")
    top = write({**FILES, "mm/twin.c": twin})
    assert graph(top, "change_one", "--tree", ".").stdout.count(b"*!change_one()") == 2
    done = graph(top, place, "--tree", ".")
    assert done.stdout.count(b"*!change_one()") == 1 and b"twin" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("change_onn",), "change_onn: no such function; did you mean change_one?"),
        (("zzzzzzzz",), "zzzzzzzz: no such function; it is neither defined nor called in the files searched"),
        (("mm/more.c:change_one",), "mm/more.c:change_one: no such function in that file; there is one in mm/change.c"),
        (("a b",), "a b: not the name of a function; write NAME or FILE:NAME"),
        (("",), "FUNCTION: not the name of a function; write NAME or FILE:NAME"),
        (("\x1b]0;x\n",), "\\x1b]0;x\\x0a: not the name of a function; write NAME or FILE:NAME"),
        (("change_one", "-f", "png"), "-f png: unknown format 'png'; choose from text, dot, svg, json"),
        (("change_one", "-f", "svg="), "-f svg=: no file after '='; write -f svg=FILE"),
        (("change_one", "-f", "svg", "-f", "dot"), "-f dot: two formats for standard output; give each a file of its own: -f FORMAT=FILE"),
        (("change_one", "--path", "nowhere"), "nowhere: no such file or directory"),
    ],
)
def test_mistakes(write: Write, arguments: tuple[str, ...], line: str) -> None:
    done = graph(write(FILES), *arguments, "--tree", ".")
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"tlblint: {line}\n")


def test_a_revision(repository: Write) -> None:
    top = repository(FILES)
    (top / "mm/change.c").write_bytes(b"")
    done = graph(top, "change_one", "--rev", "HEAD", "--depth", "2")
    assert (done.returncode, done.stdout.decode()) == (0, GOLDEN)


def test_what_was_not_understood_is_said(write: Write) -> None:
    broken = b"int broken(struct mm_struct *mm)\n{\n\tflush_tlb_mm(mm;\n\tif (\n}\n"
    done = graph(write({**FILES, "mm/change.c": FILES["mm/change.c"] + broken}), "change_one", "--tree", ".")
    assert b"not analysed: mm/change.c:" in done.stdout and b"broken()" in done.stdout


def test_what_cannot_be_read_is_said(write: Write) -> None:
    top = write(FILES)
    (top / "mm/gone.c").symlink_to("/nowhere/change_one.c")
    (top / "mm/large.c").write_bytes(b"void x(void) { change_one(); }\n")
    (top / "mm/large.c").chmod(0)
    if os.access(top / "mm/large.c", os.R_OK):
        pytest.skip("this user may read everything")
    assert b"not analysed: mm/large.c:1: " in graph(top, "change_one", "--tree", ".").stdout


@pytest.mark.skipif("TLBLINT_KERNELS" not in os.environ, reason="TLBLINT_KERNELS names no directory of kernels")
@pytest.mark.parametrize("release", ["6.1", "6.12", "7.3"])
def test_real_kernels(release: str) -> None:
    top = Path(os.environ["TLBLINT_KERNELS"]) / f"linux-source-{release}"
    if not top.is_dir():
        pytest.skip(f"no {top.name}")
    done = graph(ROOT, "zap_pte_range", "wp_pte", "try_to_unmap_one", "change_pte_range", "--tree", str(top), "--path", "mm", "-f", "json")
    document = json.loads(done.stdout)
    nodes = document["nodes"]
    edges = {(nodes[e["caller"]]["name"], nodes[e["callee"]]["name"], e["kind"], e["via"]) for e in document["edges"]}
    assert {
        ("zap_pmd_range", "zap_pte_range", "direct", None),
        ("change_pmd_range", "change_pte_range", "direct", None),
        ("wp_shared_mapping_range", "wp_pte", "table", "mm_walk_ops.pte_entry of wp_walk_ops"),
        ("try_to_unmap", "try_to_unmap_one", "table", "rmap_walk_control.rmap_one of rwc"),
    } <= edges
    assert [n["enters_with"] for n in nodes if n["name"] == "wp_pte"] == [[{"what": "PTL", "from": "walker"}]]
