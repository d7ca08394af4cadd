"""The calls around a finding."""

from __future__ import annotations

from tests.conftest import Write
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.report.graph_view import GraphView
from tlblint.report.view import place_of

HEAD = b"#include <linux/mm.h>\n"
INNER = b"""
static void inner(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, unsigned long end)
{
	for (; addr < end; pte++, addr += PAGE_SIZE)
		if (pte_present(ptep_get(pte)))
			ptep_set_wrprotect(vma->vm_mm, addr, pte);
}

static void outer(struct vm_area_struct *vma, pmd_t *pmd, unsigned long start, unsigned long end)
{
	pte_t *first;
	spinlock_t *ptl;

	first = pte_offset_map_lock(vma->vm_mm, pmd, start, &ptl);
	if (!first)
		return;
	inner(vma, first, start, end);
	flush_tlb_range(vma, start, end);
	pte_unmap_unlock(first, ptl);
}
"""


ARGS = "struct vm_area_struct *vma, pmd_t *pmd, unsigned long a, unsigned long b"


def callers(count: int) -> bytes:
    return "".join(f"\nvoid top{n}({ARGS})\n{{\n\touter(vma, pmd, a, b);\n\tflush_tlb_mm(vma->vm_mm);\n}}\n" for n in range(count)).encode()


def graph(write: Write, count: int, form: str = "html") -> GraphView | None:
    top = str(write({"Makefile": b"VERSION = 6\nPATCHLEVEL = 12\n", "mm/a.c": HEAD + INNER + callers(count)}))
    report = check(Request(cwd=top, tree=top, flags={"format": (form,), "select": ("TLB001",)})).report
    [finding] = report.findings
    return report.graphs.get(place_of(finding))


def test_the_path_its_callers_and_what_is_held(write: Write) -> None:
    view = graph(write, 2)
    assert view is not None
    names = [node.name for node in view.nodes]
    assert sorted(names) == ["inner", "outer", "top0", "top1"]
    assert {node.name for node in view.nodes if node.focus} == {"inner", "outer"}
    assert {node.name for node in view.nodes if node.changes} == {"inner"}
    calls = {(names[edge.caller], names[edge.callee]): edge for edge in view.edges}
    assert set(calls) == {("outer", "inner"), ("top0", "outer"), ("top1", "outer")}
    assert calls["outer", "inner"].held == ("ptl",) and calls["outer", "inner"].line == 18


def test_callers_that_do_not_fit_are_counted(write: Write) -> None:
    view = graph(write, 9)
    assert view is not None
    assert sum(node.name.startswith("top") for node in view.nodes) == 5
    assert [node.above for node in view.nodes if node.name == "outer"] == [4]


def test_nothing_is_made_for_formats_that_do_not_show_it(write: Write) -> None:
    assert graph(write, 1, "json") is None
