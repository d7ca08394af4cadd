"""Invented patches to a real kernel: what breaks some configuration is told, what does not is not. Needs TLBLINT_KERNELS."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hooks.mini import MACHINES, brought
from tlblint.hooks import present
from tlblint.names.index import Index

TREE = Path(os.environ.get("TLBLINT_KERNELS") or "/nonexistent") / "linux-source-7.3"
GENERIC, X86, ARM64 = "include/asm-generic/tlb.h", "arch/x86/include/asm/tlbflush.h", "arch/arm64/include/asm/tlbflush.h"
RISCV = "arch/riscv/include/asm/tlbflush.h"
POWERPC = "arch/powerpc/include/asm/book3s/64/tlbflush.h"

pytestmark = pytest.mark.skipif(not (TREE / GENERIC).is_file(), reason="no linux-source-7.3 below TLBLINT_KERNELS")
Edit = tuple[str, str, str]
"""(path, text that is there, text that takes its place)."""


def read(path: str) -> bytes | None:
    try:
        return (TREE / path).read_bytes()
    except OSError:
        return None


def listing(places: Sequence[str]) -> list[str]:
    found = (path for place in places for path in (TREE / place).rglob("*.[ch]"))
    return sorted(path.relative_to(TREE).as_posix() for path in found)


def edited(edits: Sequence[Edit]) -> dict[str, bytes | None]:
    out: dict[str, bytes | None] = {}
    for path, old, new in edits:
        raw = out.get(path) or read(path)
        assert raw is not None
        assert old.encode() in raw, (path, old)
        out[path] = raw.replace(old.encode(), new.encode())
    return out


BROKEN: dict[str, tuple[list[Edit], set[tuple[str, str]]]] = {
    "a hook is renamed and arm64 does not follow": (
        [(GENERIC, "huge_pmd_needs_flush", "pmd_may_need_flush"), (X86, "huge_pmd_needs_flush", "pmd_may_need_flush"),
         (POWERPC, "huge_pmd_needs_flush", "pmd_may_need_flush"),
         ("mm/huge_memory.c", "huge_pmd_needs_flush", "pmd_may_need_flush")],
        {("orphan", "huge_pmd_needs_flush")},
    ),
    "a hook is moved behind a condition that its users do not have": (
        [(X86, "static inline bool arch_tlbbatch_should_defer(", "#ifdef CONFIG_NUMA\nstatic inline bool arch_tlbbatch_should_defer("),
         (X86, "static inline void arch_tlbbatch_add_pending(", "#endif\nstatic inline void arch_tlbbatch_add_pending(")],
        {("missing", "arch_tlbbatch_should_defer")},
    ),
    "code stands under a hook that nothing defines": (
        [(GENERIC, "#ifndef pte_needs_flush",
          "#ifdef __HAVE_ARCH_TLB_FLUSH_QUICK\nstatic inline int tlb_quick(void) { return 1; }\n#endif\n#ifndef pte_needs_flush")],
        {("never", "__HAVE_ARCH_TLB_FLUSH_QUICK")},
    ),
    "a fallback loses its condition": (
        [(GENERIC, "#ifndef huge_pmd_needs_flush\n", "#if 1\n")],
        {("twice", "huge_pmd_needs_flush")},
    ),
    "a prototype gets a parameter, one architecture's definition does not": (
        [(RISCV, "bool arch_tlbbatch_should_defer(struct mm_struct *mm);", "bool arch_tlbbatch_should_defer(struct mm_struct *mm, int n);")],
        {("prototype", "arch_tlbbatch_should_defer arch/riscv/mm/tlbflush.c")},
    ),
    "a symbol is misspelt": (
        [(GENERIC, "#ifdef CONFIG_MMU_GATHER_NO_RANGE", "#ifdef CONFIG_MMU_GATHER_NORANGE")],
        {("never", "CONFIG_MMU_GATHER_NORANGE")},
    ),
}  # fmt: skip

HARMLESS: dict[str, list[Edit]] = {
    "a comment": [
        (GENERIC, "#ifndef pte_needs_flush", "/* pte_needs_flush(): CONFIG_NO_SUCH_THING */\n#ifndef pte_needs_flush"),
    ],
    "an architecture gets an override": [
        (RISCV, "bool arch_tlbbatch_should_defer(",
         "#define pte_needs_flush pte_needs_flush\n"
         "static inline bool pte_needs_flush(pte_t oldpte, pte_t newpte)\n{\n\treturn pte_val(oldpte);\n}\n\nbool arch_tlbbatch_should_defer("),
    ],
    "a hook is renamed everywhere": [(path, "huge_pmd_needs_flush", "pmd_may_need_flush") for path in (GENERIC, X86, ARM64, POWERPC, "mm/huge_memory.c")],
    "a parameter loses its name": [
        (RISCV, "bool arch_tlbbatch_should_defer(struct mm_struct *mm);", "bool arch_tlbbatch_should_defer(struct mm_struct *);"),
    ],
    "an include is added": [("mm/mprotect.c", "#include <linux/mm_inline.h>", "#include <linux/mm_inline.h>\n#include <linux/rmap.h>")],
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_a_configuration_is_told(what: str) -> None:
    edits, expected = BROKEN[what]
    base, after = brought(read, [edited(edits)], listing).faults
    assert base == []
    assert expected <= {(fault.kind, fault.name) for fault in after}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_breaks_nothing_is_not(what: str) -> None:
    assert brought(read, [edited(HARMLESS[what])], listing).faults == [[], []]


def test_a_stub_that_moves_to_another_header_is_still_there() -> None:
    stub = "#ifndef pte_needs_flush\nstatic inline bool pte_needs_flush(pte_t oldpte, pte_t newpte)\n{\n\treturn true;\n}\n#endif\n"
    moved = edited([(GENERIC, stub, "#include <asm-generic/tlb_needs_flush.h>\n")]) | {"include/asm-generic/tlb_needs_flush.h": stub.encode()}
    assert brought(read, [moved], listing).faults == [[], []]


@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12", "7.3"])
def test_released_kernels_have_all_their_hooks(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = TREE.parent / f"linux-source-{version}"
    if not (tree / GENERIC).is_file():
        pytest.skip(f"no {tree.name}")
    monkeypatch.setitem(globals(), "TREE", tree)
    faults, gaps, _ = present.told(Index(read), MACHINES, [one.name for one in MACHINES.arch], listing)
    assert ([(fault.kind, fault.name, fault.path) for fault in faults], gaps) == ([], {})
