"""Findings do not depend on how many processes judge, on the order of PATHs, or on what else was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Write
from tlblint.app import checking as app
from tlblint.app import scope
from tlblint.app import spine as spines
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.app.spine import Spine, Wanted
from tlblint.engine.asked import Over
from tlblint.io import pool
from tlblint.io import tree as tree_module
from tlblint.io.tree import PlainDir, Tree
from tlblint.model.ir import FileFacts
from tlblint.report.jsonout import render
from tlblint.report.view import Style

FIXTURES = sorted(path for folder in ("rules", "traps") for path in (ROOT / "fixtures" / folder).glob("*.c"))


def run(tree: Path, *paths: str, jobs: int = 1) -> bytes:
    outcome = check(Request(str(tree), paths, tree=str(tree), flags={"jobs": jobs}))
    return render(outcome.report, Style()).encode()


def findings(raw: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw)["findings"]
    return found


@pytest.fixture(scope="module")
def spine() -> Spine:
    return spines.load(Wanted())


@pytest.fixture(scope="module")
def facts(spine: Spine) -> list[FileFacts]:
    """Each fixture in a directory of its own, so that no two share a function."""
    return [spine.facts(f"mm/{path.stem}/x.c", path.read_bytes()) for path in FIXTURES]


def test_the_demo_tree_on_one_process_and_on_three() -> None:
    one = run(ROOT / "fixtures" / "demo")
    assert run(ROOT / "fixtures" / "demo", jobs=3) == one
    assert findings(one)


def test_the_fixtures_on_one_process_and_on_three(spine: Spine, facts: list[FileFacts]) -> None:
    alone = spine.analyse(facts, None)
    assert alone == spine.analyse(facts, None, Over(lambda function, items, died: pool.map_ordered(function, items, 3, died, most=1), 3))
    assert len(alone.findings) > 10


def test_a_report_on_one_file_is_its_part_of_the_whole(spine: Spine, facts: list[FileFacts]) -> None:
    whole = spine.analyse(facts, None)
    for fact in facts[::5]:
        part = spine.analyse(facts, lambda path, wanted=fact.path: path == wanted)  # type: ignore[misc]
        assert part.findings == tuple(finding for finding in whole.findings if finding.path == fact.path)


def test_a_root_that_kills_its_process_is_named(spine: Spine, facts: list[FileFacts]) -> None:
    result = spine.analyse(facts, None, Over(lambda function, items, died: [died(item) for item in items]))
    assert not result.findings
    assert len(result.not_analysed) > 10
    assert {gap.why for gap in result.not_analysed} == {"the analysis ran out of memory or crashed"}


def test_a_killed_batch_costs_one_root(spine: Spine, facts: list[FileFacts]) -> None:
    whole = spine.analyse(facts, None)

    deadly: list[Any] = []

    def over(function: Callable[[Any], Any], items: Sequence[Any], died: Callable[[Any], Any]) -> list[Any]:
        """The very first start kills whatever process it runs in."""
        firsts = [item[0][0] if isinstance(item[0][0], tuple) else item[0] for item in items]  # of a lot of batches, or of a batch
        deadly.append(firsts[0])
        return [died(item) if first == deadly[0] else function(item) for first, item in zip(firsts, items, strict=True)]

    result = spine.analyse(facts, None, Over(over))
    assert [gap.why for gap in result.not_analysed] == ["the analysis ran out of memory or crashed"]
    lost = result.not_analysed[0].path
    assert [finding for finding in result.findings if finding.path != lost] == [finding for finding in whole.findings if finding.path != lost]


def test_an_only_caller_in_the_other_arm_of_an_if_group(spine: Spine) -> None:
    """The function whose second variant calls a helper is a root of the helper's file."""
    helper = b"""void helper(pte_t *pte, spinlock_t *ptl)
{
	arch_enter_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}
"""
    caller = b"""static int caller(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
#ifdef CONFIG_ODD
	helper(pte, ptl);
#else
	pte_unmap_unlock(pte, ptl);
#endif
	return 1;
}
"""
    for first, second in ((b"#ifdef", b"#ifdef"), (b"#ifdef", b"#ifndef")):
        facts = [spine.facts("mm/helper.c", helper), spine.facts("mm/caller.c", caller.replace(first, second))]
        whole = spine.analyse(facts, None).findings
        assert [finding.function for finding in whole] == ["helper"]
        assert spine.analyse(facts, lambda path: path == "mm/helper.c").findings == whole


def test_parts_of_the_demo_tree_in_any_order() -> None:
    tree = ROOT / "fixtures" / "demo"
    whole = findings(run(tree))
    folders = sorted({finding["path"].removeprefix("fixtures/demo/").split("/")[0] for finding in whole})
    assert run(tree, "mm", "include") == run(tree, "include", "mm") == run(tree, "include", "mm", "mm", "./mm/../mm")
    for folder in folders:
        assert findings(run(tree, folder)) == [finding for finding in whole if f"/{folder}/" in f"/{finding['path']}"]


KERNEL = {"Makefile": b"VERSION = 6\nPATCHLEVEL = 12\n", "mm/a.c": b"int a;\n", "include/linux/mm.h": b"int m;\n", "arch/x86/mm/t.c": b"int t;\n",
          "arch/x86/kernel/k.c": b"int k;\n", "arch/x86/include/asm/p.h": b"int p;\n", "arch/arm64/Kconfig.h": b"", "drivers/d.c": b"int d;\n",
          "fs/proc/p.c": b"", "fs/f.c": b"", "mm2/x.c": b""}  # fmt: skip


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ((), ()),
        (("drivers/d.c",), ("drivers/d.c", "fs/proc", "include/linux", "mm")),
        (("mm/a.c",), ("fs/proc", "include/linux", "mm")),
        (("arch/x86/kernel/k.c",), ("arch/x86/include/asm", "arch/x86/kernel/k.c", "arch/x86/mm", "fs/proc", "include/linux", "mm")),
        (("arch", "fs"), ("arch", "fs", "include/linux", "mm")),
    ],
)
def test_the_core_of_a_kernel_is_always_read(write: Write, paths: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert scope.context(PlainDir(str(write(KERNEL))), paths) == expected


def test_what_is_no_kernel_has_no_core(write: Write) -> None:
    tree = PlainDir(str(write({path: raw for path, raw in KERNEL.items() if not path.startswith("include/")})))
    assert scope.context(tree, ("mm/a.c",)) == ("mm/a.c",)


def test_skipped_files_are_not_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"void f(void)\n{\n\tpte_unmap_unlock(pte, ptl);\n}\n"
    seen: list[str] = []
    read = tree_module.read_all

    def listen(tree: Tree, paths: Sequence[str]) -> tuple[dict[str, bytes], tuple[tuple[str, str], ...]]:
        seen.extend(paths)
        return read(tree, paths)

    monkeypatch.setattr(app, "read_all", listen)
    run(write({**KERNEL, "tools/t.c": text, "mm/b.c": text, "drivers/gpu/drm/amd/include/asic_reg/r.h": text}))
    assert seen == ["mm/b.c"]
