"""What contracts keep quiet is what the same run finds without them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Write
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.report.view import Excused

SOURCE = b"""static void numa_rebuild_single_mapping(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t pte)
{
	spinlock_t *ptl;
	pte_t *ptep = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	pte_t old = ptep_modify_prot_start(vma, addr, ptep);
	ptep_modify_prot_commit(vma, addr, ptep, old, pte_mkwrite(old, vma));
	pte_unmap_unlock(ptep, ptl);
}
"""
MAKEFILE = b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n"


def run(top: Path, **more: bool) -> tuple[list[str], tuple[Excused, ...]]:
    report = check(Request(str(top), tree=str(top), flags={"jobs": 1}, **more)).report
    return [finding.rule for finding in report.findings], report.excused


def test_a_function_with_a_contract_is_named_with_its_reason(write: Write) -> None:
    findings, quiet = run(write({"Makefile": MAKEFILE, "mm/memory.c": SOURCE}), excused=True)
    assert findings == []
    [one] = quiet
    assert (one.path, one.line, one.function, one.rules) == ("mm/memory.c", 7, "numa_rebuild_single_mapping", ("TLB004",))
    assert "becomes accessible" in one.reason


def test_the_second_look_is_taken_on_demand(write: Write) -> None:
    assert run(write({"Makefile": MAKEFILE, "mm/memory.c": SOURCE})) == ([], ())


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_v_prints_it(write: Write, jobs: str) -> None:
    top = write({"Makefile": MAKEFILE, "mm/memory.c": SOURCE})
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(top), "--jobs", jobs]
    verbose = subprocess.run([*command, "-v"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "mm/memory.c:7 numa_rebuild_single_mapping() TLB004: " in verbose.stdout and "; 1 function excused by contracts." in verbose.stdout
    assert "numa_rebuild" not in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("path", ["mm/gup.c", "drivers/x.c"])
def test_the_same_code_elsewhere_has_no_contract_and_is_found(write: Write, path: str) -> None:
    assert run(write({"Makefile": MAKEFILE, path: SOURCE}), excused=True) == (["TLB004"], ())
