"""What the headers of a tree make of names, in a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlblint.app.naming import Given, Naming
from tlblint.app.spine import Wanted, load
from tlblint.io.tree import PlainDir
from tlblint.model.store import NOTHING, Held, Store
from tlblint.roles import declared
from tlblint.roles.meant import Meant

HEADER = "include/linux/pgtable.h"
FILES = {
    "include/linux/mm.h": "#include <linux/pgtable.h>\n",
    HEADER: "#include <asm/pgtable.h>\n",
    "arch/x86/include/asm/pgtable.h": "\n",
    "arch/arm64/include/asm/pgtable.h": "\n",
    "mm/a.c": """
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	vendor_change(pte, addr, vma);
	pte_unmap_unlock(pte, ptl);
}
""",
}



def rules(tmp_path: Path, files: dict[str, str], store: Store = NOTHING, path: str = "mm/a.c") -> list[str]:
    """The rules that speak up about a file of a tree."""
    for name, text in {**FILES, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    spine = load(Wanted(naming=Naming(PlainDir(str(tmp_path)), store)))
    return sorted({one.rule for one in spine.analyse([spine.facts(path, {**FILES, **files}[path].encode())], None).findings})


def test_a_name_that_nobody_gives_a_meaning(tmp_path: Path) -> None:
    assert rules(tmp_path, {}) == []


def test_another_name_for_a_clear_is_a_clear(tmp_path: Path) -> None:
    assert rules(tmp_path, {HEADER: "#include <asm/pgtable.h>\n#define vendor_change(p, a, v) ptep_get_and_clear((v)->vm_mm, a, p)\n"}) == ["TLB004"]


def test_the_configuration_of_the_profiles_decides(tmp_path: Path) -> None:
    """CONFIG_SMP is on in all of them."""
    flush, clear = "ptep_clear_flush(v, a, p)", "ptep_get_and_clear((v)->vm_mm, a, p)"
    for one, other, told in ((flush, clear, []), (clear, flush, ["TLB004"])):
        text = f"#ifdef CONFIG_SMP\n#define vendor_change(p, a, v) {one}\n#else\n#define vendor_change(p, a, v) {other}\n#endif\n"
        assert rules(tmp_path, {HEADER: f"#include <asm/pgtable.h>\n{text}"}) == told


def test_each_architecture_has_its_own(tmp_path: Path) -> None:
    """Where they mean different things, generic code means none of them for sure."""
    body = FILES["mm/a.c"]
    files = {
        "arch/x86/include/asm/pgtable.h": "#define vendor_change(p, a, v) ptep_get_and_clear((v)->vm_mm, a, p)\n",
        "arch/arm64/include/asm/pgtable.h": "#define vendor_change(p, a, v) ptep_clear_flush(v, a, p)\n",
        "arch/x86/mm/a.c": body, "arch/arm64/mm/a.c": body,
    }  # fmt: skip
    assert rules(tmp_path, files, path="arch/x86/mm/a.c") == ["TLB004"]
    assert rules(tmp_path, files, path="arch/arm64/mm/a.c") == []
    assert rules(tmp_path, files) == []


def test_a_clear_with_a_parameter_more_is_a_clear(tmp_path: Path) -> None:
    body = FILES["mm/a.c"].replace("vendor_change(pte, addr, vma)", "ptep_get_and_clear(vma, vma->vm_mm, addr, pte)")
    head = "pte_t ptep_get_and_clear(struct vm_area_struct *vma, struct mm_struct *mm, unsigned long a, pte_t *p);\n"
    assert rules(tmp_path, {"mm/a.c": body}) == []
    assert rules(tmp_path, {"mm/a.c": body, HEADER: head}) == ["TLB004"]


def test_a_file_may_have_a_function_of_that_name_for_itself(tmp_path: Path) -> None:
    body = FILES["mm/a.c"].replace("vendor_change(pte, addr, vma)", "ptep_get_and_clear(vma, addr, pte)")
    own = "static int ptep_get_and_clear(struct gpu *gpu, unsigned long a, struct slot *s)\n{\n\treturn 0;\n}\n"
    assert rules(tmp_path, {"mm/a.c": body}) == ["TLB004"]
    assert rules(tmp_path, {"mm/a.c": own + body}) == []


def test_what_was_found_is_remembered_until_a_header_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, looked = Held(), 0
    meant = declared.meant

    def counted(*arguments: object) -> object:
        nonlocal looked
        looked += 1
        return meant(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(declared, "meant", counted)
    alias = {HEADER: "#include <asm/pgtable.h>\n#define vendor_change(p, a, v) ptep_get_and_clear((v)->vm_mm, a, p)\n"}
    assert (rules(tmp_path, {}, store), rules(tmp_path, {}, store), looked) == ([], [], 1)
    assert (rules(tmp_path, alias, store), rules(tmp_path, alias, store), looked) == (["TLB004"], ["TLB004"], 2)
    include = {HEADER: alias[HEADER] + "#include <asm/pgtable-extra.h>\n"}
    assert (rules(tmp_path, include, store), looked) == (["TLB004"], 3)
    more = {**include, "arch/x86/include/asm/pgtable-extra.h": "#undef vendor_change\n"}  # it was looked for, and was not there
    assert (rules(tmp_path, more, store), looked) == (["TLB004"], 4)


def test_a_series_is_asked_as_it_leaves_the_headers(tmp_path: Path) -> None:
    rules(tmp_path, {})
    after: dict[str, bytes | None] = {HEADER: b"#include <asm/pgtable.h>\n#define vendor_change flush_tlb_page\n"}
    tree = PlainDir(str(tmp_path))
    assert load(Wanted(naming=Naming(tree))).meant == ()
    assert load(Wanted(naming=Naming(tree, NOTHING, after))).meant == (Meant("vendor_change", 2, "flush_tlb_page"),)
    assert load(Wanted(naming=Given((Meant("vendor_change", 2, "flush_tlb_page"),)))).words >= {b"vendor_change"}


def test_what_is_no_kernel_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "arch/x86/include/asm").mkdir(parents=True)
    (tmp_path / "arch/x86/include/asm/pgtable.h").write_text("#define vendor_change flush_tlb_page\n")
    assert load(Wanted(naming=Naming(PlainDir(str(tmp_path))))).meant == ()
