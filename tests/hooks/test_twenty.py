"""A series of twenty patches to a miniature kernel, nine of which leave some configuration behind, each in a way that a posted one of 2021 did.

The code is our own; what is kept are the shapes: what moves behind which condition, what is called otherwise in one arm, who does not follow.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks.mini import FILES, after
from tests.series.kit import build, judge, rows
from tlblint.hooks.history import Told

TLB, BATCH, TYPES, MM, SMP = "include/asm-generic/tlb.h", "include/linux/tlb_batch.h", "include/linux/mm_types.h", "include/linux/mm.h", "include/linux/smp.h"
X86TLB, ALPHATLB, X86C = "arch/x86/include/asm/tlb.h", "arch/alpha/include/asm/tlb.h", "arch/x86/mm/tlb.c"
BASE: dict[str, str | None] = {
    **FILES,
    "mm/Kconfig": "config TLB_GENERATIONS\n\tbool\n\nconfig GATHER_NO_RANGE\n\tbool\n\nconfig BATCHED_UNMAP\n\tbool\n\n"
    "config SPLIT_LOCKS\n\tint\n\tdefault 999 if !MMU\n\tdefault 4\n",
    "init/Kconfig": 'config SMP\n\tbool "SMP"\n\tdefault y\n\nconfig NR_CPUS\n\tint\n\tdefault 64 if SMP\n\tdefault 1\n\nconfig FUTEX\n\tbool "futex"\n',
    "Kconfig": 'source "arch/$(SRCARCH)/Kconfig"\nsource "mm/Kconfig"\nsource "init/Kconfig"\n',
    "arch/x86/Kconfig": "config X86\n\tdef_bool y\n\tselect BATCHED_UNMAP if MMU\n\nconfig MMU\n\tdef_bool y\n",
    "kernel/Makefile": "obj-y := fork.o\nobj-$(CONFIG_SMP) += smp.o\nifneq ($(CONFIG_SMP),y)\nobj-y += up.o\nendif\n",
    "mm/Makefile": "mmu-$(CONFIG_MMU) := gather.o protect.o rmap.o\nobj-y := init.o scan.o $(mmu-y)\n",
    "kernel/fork.c": "#include <linux/mm.h>\n\nvoid dup_mm(struct mm_struct *mm)\n{\n\tmm->gen = 0;\n}\n",
    "kernel/up.c": "#include <linux/smp.h>\n\nvoid on_each_cpu_in(const struct cpumask *mask, void *info)\n{\n}\n",
    "kernel/smp.c": "#include <linux/smp.h>\n\nvoid on_each_cpu_in(const struct cpumask *mask, void *info)\n{\n\tcall(mask, info);\n}\n",
    SMP: "#ifndef _SMP_H\n#define _SMP_H\nvoid on_each_cpu_in(const struct cpumask *mask, void *info);\n#endif\n",
    MM: "#ifndef _MM_H\n#define _MM_H\n#include <linux/mm_types.h>\n#include <linux/smp.h>\n#include <linux/tlb_batch.h>\n"
    "#define SPLIT_PTE_LOCKS (CONFIG_NR_CPUS >= CONFIG_SPLIT_LOCKS)\n"
    "#if SPLIT_PTE_LOCKS\nstatic inline struct page *table_of_pte(pte_t *pte) { return virt_to_page(pte); }\n#endif\n#endif\n",
    BATCH: "#ifndef _TLB_BATCH_H\n#define _TLB_BATCH_H\n#ifdef CONFIG_BATCHED_UNMAP\nvoid try_unmap_flush(void);\n"
    "#else\nstatic inline void try_unmap_flush(void) { }\n#endif\n#endif\n",
    TLB: """#ifndef _ASM_GENERIC_TLB_H
#define _ASM_GENERIC_TLB_H
#include <linux/mm.h>

#ifdef CONFIG_GATHER_NO_RANGE
static inline void tlb_end_vma(struct mmu_gather *tlb) { }
#else
#ifndef tlb_flush
static inline void tlb_flush(struct mmu_gather *tlb)
{
	flush_tlb_mm(tlb->mm);
}
#endif
#ifndef tlb_end_vma
static inline void tlb_end_vma(struct mmu_gather *tlb)
{
	tlb_flush(tlb);
}
#endif
#endif
/* further helpers */
#endif
""",
    X86TLB: "#define tlb_flush tlb_flush\nstatic inline void tlb_flush(struct mmu_gather *tlb);\n#include <asm-generic/tlb.h>\n"
    "static inline void tlb_flush(struct mmu_gather *tlb)\n{\n\tflush_tlb_mm(tlb->mm);\n}\n",
    ALPHATLB: "#define tlb_flush(tlb) flush_tlb_mm((tlb)->mm)\n#include <asm-generic/tlb.h>\n",
    "arch/x86/include/asm/tlbflush.h": "void flush_tlb_mm(struct mm_struct *mm);\nvoid flush_tlb_others(const struct cpumask *mask, struct mm_struct *mm);\n",
    X86C: "#include <asm/tlbflush.h>\n\nvoid flush_tlb_mm(struct mm_struct *mm)\n{\n}\n\n"
    "void flush_tlb_others(const struct cpumask *mask, struct mm_struct *mm)\n{\n\ton_each_cpu_in(mask, mm);\n}\n",
    "mm/gather.c": "#include <asm/tlb.h>\n\nvoid finish(struct mmu_gather *tlb)\n{\n\ttlb_end_vma(tlb);\n}\n",
    "mm/scan.c": "#include <linux/mm.h>\n\nvoid shrink(void)\n{\n\ttry_unmap_flush();\n}\n",
    "mm/rmap.c": "#include <linux/mm.h>\n\n#ifdef CONFIG_BATCHED_UNMAP\nvoid try_unmap_flush(void)\n{\n}\n#endif\n",
    "mm/init.c": "#include <linux/mm.h>\n\nstruct mm_struct init_mm = {\n\t.gen = 0,\n};\n",
    "mm/protect.c": "#include <asm/tlb.h>\n\nvoid protect(struct mmu_gather *tlb)\n{\n}\n",
}  # fmt: skip
Edit = tuple[str, str, str]
"""(path, text that is there, text that takes its place)."""
END = "/* further helpers */\n"
PATCHES: list[list[Edit]] = [
    [("mm/protect.c", "void protect", "/* changes what may be done with a range */\nvoid protect")],
    [(TLB, "/* further", "/* all the further")],
    [(TLB, "/* all the further helpers */\n", END + "#ifndef pte_may_need_flush\n"
      "static inline bool pte_may_need_flush(pte_t o, pte_t n) { return true; }\n#endif\n"),
     ("mm/protect.c", "{\n}", "{\n\tif (pte_may_need_flush(tlb->o, tlb->n))\n\t\ttlb_end_vma(tlb);\n}")],
    [(X86TLB, "#include <asm-generic", "#define pte_may_need_flush pte_may_need_flush\n"
      "static inline bool pte_may_need_flush(pte_t o, pte_t n) { return pte_val(o) & 1; }\n#include <asm-generic")],
    # 5: declarations move into a header that is empty without an MMU; who flushes is built there, too
    [(BATCH, "#ifdef CONFIG_BATCHED_UNMAP\nvoid try_unmap_flush(void);\n#else\nstatic inline void try_unmap_flush(void) { }\n#endif\n", ""),
     (TLB, END, "#ifdef CONFIG_MMU\n#ifdef CONFIG_BATCHED_UNMAP\n"
      "void try_unmap_flush(void);\n#else\nstatic inline void try_unmap_flush(void) { }\n#endif\n#endif\n" + END),
     ("mm/scan.c", "<linux/mm.h>", "<asm/tlb.h>")],
    [("mm/gather.c", "void finish", "/* what is gathered is flushed */\nvoid finish")],
    # 7: the arm without generations is called otherwise than its users have it
    [(TYPES, "#endif\n", "#ifdef CONFIG_TLB_GENERATIONS\n#define INIT_TLB_GENERATIONS .gen = 1,\n#else\n#define INIT_TLB_GENERATION\n#endif\n#endif\n"),
     ("mm/Kconfig", "config BATCHED", "config TLB_EPOCHS\n\tdef_bool TLB_GENERATIONS\n\nconfig BATCHED"),
     ("arch/x86/Kconfig", "if MMU\n", "if MMU\n\tselect TLB_GENERATIONS\n"),
     ("mm/init.c", "\t.gen = 0,\n", "\tINIT_TLB_GENERATIONS\n")],
    [("kernel/fork.c", "mm->gen = 0", "mm->gen = 1")],
    [("mm/rmap.c", "{\n}", "{\n\t/* nothing is left */\n}")],
    [(TLB, END, "static inline void tlb_reset(struct mmu_gather *tlb) { tlb->start = 0; }\n" + END),
     ("mm/protect.c", "\tif (", "\ttlb_reset(tlb);\n\tif (")],
    # 11: the generic hook loses its condition and meets the empty one; a symbol gets a prefix where symbols have none
    [(TLB, "#ifndef tlb_end_vma\nstatic inline void tlb_end_vma(struct mmu_gather *tlb)\n{\n\ttlb_flush(tlb);\n}\n#endif\n#endif\n",
      "#endif\nstatic inline void tlb_end_vma(struct mmu_gather *tlb)\n{\n\ttlb_flush(tlb);\n}\n"),
     ("init/Kconfig", "\tbool \"futex\"\n", "\tbool \"futex\"\n\tdepends on !CONFIG_GATHER_NO_RANGE\n")],
    # 12: defined in one arm, used in both
    [(TLB, "#else\n#ifndef tlb_flush", "#else\nstatic inline void tlb_note_vma(struct mmu_gather *tlb) { tlb->noted = 1; }\n#ifndef tlb_flush"),
     (TLB, END, "static inline void tlb_start_vma(struct mmu_gather *tlb) { tlb_note_vma(tlb); }\n" + END),
     ("mm/gather.c", "\ttlb_end", "\ttlb_start_vma(tlb);\n\ttlb_end")],
    # 13: an override is its own name, and that is not 1
    [(TLB, END, "#if __is_defined(tlb_flush)\nstatic inline void tlb_end_ptes(struct mmu_gather *tlb) { tlb_flush(tlb); }\n"
      "#else\nstatic inline void tlb_end_ptes(struct mmu_gather *tlb) { }\n#endif\n" + END)],
    [("mm/protect.c", "\ttlb_reset", "\ttlb_start_vma(tlb);\n\ttlb_reset")],
    # 15: the helper is there with generations only, its user is there always
    [(TLB, END, "#ifdef CONFIG_TLB_GENERATIONS\nstatic inline void tlb_track(struct mmu_gather *tlb) { tlb->seen = 1; }\n#endif\n"
      "static inline void tlb_mark_range(struct mmu_gather *tlb) { tlb_track(tlb); }\n" + END)],
    # 16: a setter gets a stub in the wrong arm, and a table's page is asked for where locks are not split
    [(TLB, END, "#ifdef CONFIG_TLB_GENERATIONS\n#ifdef CONFIG_MMU\n#else\n"
      "static inline void tlb_set_last(struct mmu_gather *tlb, pte_t *pte) { }\n#endif\n#else\n"
      "static inline void tlb_set_last(struct mmu_gather *tlb, pte_t *pte) { tlb->last = pte; }\n#endif\n"
      "static inline void tlb_note(struct mmu_gather *tlb, pte_t *pte) { tlb_set_last(tlb, pte); tlb->page = table_of_pte(pte); }\n" + END)],
    [("mm/scan.c", "void shrink", "/* gives pages back */\nvoid shrink")],
    # 18: prototypes get another type; what is built on one processor, and one architecture, keep the old one
    [(SMP, "const struct cpumask *mask", "const volatile struct cpumask *mask"),
     ("kernel/smp.c", "const struct cpumask *mask", "const volatile struct cpumask *mask"),
     (X86C, "others(const struct", "others(const volatile struct")],
    [("mm/rmap.c", "/* nothing is left */", "/* nothing is left to do */")],
    # 20: what two headers define, which most configurations include both
    [(TLB, END, "#ifndef CONFIG_BATCHED_UNMAP\nstatic inline void tlb_batch_init(void) { }\n#endif\n" + END),
     (MM, "#endif\n#endif\n", "#endif\nstatic inline void tlb_batch_init(void) { }\n#endif\n"),
     ("kernel/fork.c", "mm->gen = 1;", "mm->gen = 1;\n\ttlb_batch_init();")],
]  # fmt: skip
EXPECTED: dict[int, set[tuple[str, str, str]]] = {
    5: {("missing", "try_unmap_flush", "mm/scan.c")},
    7: {("missing", "INIT_TLB_GENERATIONS", "mm/init.c")},
    11: {("twice", "tlb_end_vma", TLB), ("kconfig", "depends CONFIG_GATHER_NO_RANGE", "init/Kconfig")},
    12: {("missing", "tlb_note_vma", TLB)},
    13: {("never", "tlb_flush", TLB)},
    15: {("missing", "tlb_track", TLB)},
    16: {("missing", "tlb_set_last", TLB), ("missing", "table_of_pte", TLB)},
    18: {("prototype", "on_each_cpu_in kernel/up.c", "kernel/up.c"), ("prototype", "flush_tlb_others arch/x86/mm/tlb.c", X86C)},
    20: {("twice", "tlb_batch_init", "")},
}


def states() -> list[dict[str, str | None]]:
    """What each patch makes of the files that it touches."""
    files = dict(BASE)
    out: list[dict[str, str | None]] = []
    for edits in PATCHES:
        step: dict[str, str | None] = {}
        for path, old, new in edits:
            text = files[path]
            assert text is not None and text.count(old) == 1, (len(out) + 1, path, old)
            files[path] = step[path] = text.replace(old, new)
        out.append(step)
    return out


@pytest.fixture(scope="module")
def told() -> Told:
    return after(*states(), base=BASE)


def brought(told: Told, number: int) -> set[tuple[str, str, str]]:
    """What a patch brings: (kind, name, path)."""
    before = {(one.kind, one.name) for state in told.faults[:number] for one in state}
    return {(one.kind, one.name, one.path) for one in told.faults[number] if (one.kind, one.name) not in before}


def test_the_series_has_twenty_patches_and_the_base_no_fault(told: Told) -> None:
    assert len(PATCHES) == 20 and told.faults[0] == [] and told.gaps == []


@pytest.mark.parametrize("number", range(1, 21))
def test_a_patch_is_told_what_it_brings_and_nothing_else(told: Told, number: int) -> None:
    found = brought(told, number)
    expected = EXPECTED.get(number, set())
    assert {(kind, name, path if number != 20 else "") for kind, name, path in found} == expected


def test_where_each_configuration_is_left_behind(told: Told) -> None:
    said = {one.name: one.message for state in told.faults for one in state}
    assert "on arm without CONFIG_MMU" in said["try_unmap_flush"]
    assert "INIT_TLB_GENERATION is defined there" in said["INIT_TLB_GENERATIONS"]
    assert "on alpha" in said["tlb_end_vma"] and "on alpha" in said["tlb_note_vma"]
    assert "on alpha and arm" in said["tlb_track"] and "on x86" in said["tlb_set_last"]
    assert "without CONFIG_SMP" in said["table_of_pte"] and "SPLIT_PTE_LOCKS" in said["table_of_pte"]
    assert "is defined with (const struct cpumask*, void*)" in said["on_each_cpu_in kernel/up.c"]


def test_the_command_tells_each_at_its_patch(tmp_path: Path) -> None:
    files = {path: text for path, text in BASE.items() if text is not None}
    found = rows(judge(build(tmp_path, files, *states()), 20))
    patches = {(name, patch) for rule, _, name, patch, change, _ in found if rule == "TLB201" and change == "introduced"}
    assert patches == {(name, number) for number, some in EXPECTED.items() for _, name, _ in some}
