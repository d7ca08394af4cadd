"""Small series on a small kernel: functions with and without their flush, put together to files, committed state by state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.conftest import git
from tlblint.app.series import Request, series
from tlblint.model.finding import Finding
from tlblint.report.view import Report

MAKEFILE = b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n"
HEAD = "#include <linux/mm.h>\n\n"
FLUSH = "\tflush_tlb_range(vma, start, end);\n"
State = Mapping[str, str | bytes | None]


def protect(name: str = "seal", flush: bool = True, extra: str = "", public: bool = True) -> str:
    """A function that takes permissions from a range of entries; without ``flush`` it drops the lock too early (TLB004)."""
    return f"""{"" if public else "static "}void {name}(struct vm_area_struct *vma, pmd_t *pmd, unsigned long start, unsigned long end)
{{
	unsigned long addr = start;
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

{extra}	start_pte = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	flush_tlb_batched_pending(vma->vm_mm);
	for (; addr < end; pte++, addr += PAGE_SIZE)
		if (pte_present(ptep_get(pte)))
			ptep_set_wrprotect(vma->vm_mm, addr, pte);
{FLUSH if flush else ""}	pte_unmap_unlock(start_pte, ptl);
{"" if flush else FLUSH}}}

"""


def helper(name: str = "after_seal", flush: bool = True) -> str:
    """What a caller flushes with."""
    return f"void {name}(struct vm_area_struct *vma, unsigned long start, unsigned long end)\n{{\n{FLUSH if flush else ''}}}\n\n"


def calling(name: str = "seal", called: str = "after_seal") -> str:
    """Like protect(), but the flush is a helper's."""
    return protect(name).replace(FLUSH, f"\t{called}(vma, start, end);\n")


def build(top: Path, *states: State) -> Path:
    """A repository with a commit for each state (files that change; None: deleted), the first being the base."""
    for number, state in enumerate(states):
        for name, text in {**({"Makefile": MAKEFILE} if not number else {}), **state}.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if not number:
            git(top, "init", "-q")
        git(top, "add", "-A")
        git(top, "commit", "-q", "--allow-empty", "-m", f"state {number}")
    return top


def judge(top: Path, count: int, **flags: object) -> Report:
    """The report on the last ``count`` commits, from git objects."""
    words = (f"HEAD~{count}..HEAD",)
    return series(Request(str(top), words, flags={"jobs": 1, **flags})).report


def rows(report: Report) -> list[tuple[str, str, str, int, str, int | None]]:
    """(rule, path, function, patch, change, until) of the findings."""
    return [_row(finding) for finding in report.findings if finding.rule < "TLB900"]


def _row(finding: Finding) -> tuple[str, str, str, int, str, int | None]:
    assert finding.patch is not None
    return finding.rule, finding.path, finding.function, finding.patch.index, finding.patch.change, finding.patch.until
