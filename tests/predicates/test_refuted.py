"""TLB202 in a check: at the definition, only below what is checked, and silenced like any finding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.predicates.mini import RIGHT, WASTEFUL, WRONG, tree, write

HEADER = "arch/x86/include/asm/tlbflush.h"


def checked(place: Path, *arguments: str) -> tuple[int, list[dict[str, object]]]:
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(place), "-f", "json", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, json.loads(run.stdout)["findings"]


def test_a_wrong_predicate_is_an_error_at_its_definition(tmp_path: Path) -> None:
    status, findings = checked(write(tmp_path, tree(WRONG)))
    assert status == 1
    (found,) = findings
    assert (found["rule"], found["path"], found["line"], found["function"], found["severity"]) == ("TLB202", HEADER, 3, "pte_needs_flush", "error")
    assert "from P|RW|D to P|D" in str(found["message"])


def test_conservative_and_exact_predicates_are_no_findings(tmp_path: Path) -> None:
    for name, header in (("a", RIGHT), ("b", WASTEFUL)):
        assert checked(write(tmp_path / name, tree(header))) == (0, [])


def test_only_headers_below_the_checked_paths_are_looked_at(tmp_path: Path) -> None:
    write(tmp_path, tree(WRONG, {"mm/x.c": "int x;\n"}))
    assert checked(tmp_path, "mm") == (0, [])
    assert checked(tmp_path, "arch/x86")[0] == 1


def test_a_comment_silences_it(tmp_path: Path) -> None:
    comment = "/* tlblint: allow TLB202 -- this machine never re-uses a translation */\nstatic inline bool pte_needs_flush"
    status, findings = checked(write(tmp_path, tree(WRONG.replace("static inline bool pte_needs_flush", comment))))
    assert status == 0 and [f["rule"] for f in findings if not f.get("suppressed")] in ([], ["TLB202"])


def test_other_rules_do_not_pay_for_it(tmp_path: Path) -> None:
    assert checked(write(tmp_path, tree(WRONG)), "--ignore", "TLB202") == (0, [])
