"""A miniature kernel of three architectures, in the shape in which hooks are defined, overridden and used."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from tlblint.hooks import history
from tlblint.hooks.history import Told
from tlblint.hooks.judge import Fault
from tlblint.io import data
from tlblint.names.world import Machines

MACHINES = msgspec.toml.decode(data.read(os.path.join(data.root("rules"), "hooks", "machines.toml")), type=Machines)
Files = Mapping[str, str | None]
GENERIC = "include/asm-generic/tlb.h"
TLB = """#ifndef _ASM_GENERIC_TLB_H
#define _ASM_GENERIC_TLB_H
#include <linux/mm_types.h>

#ifdef CONFIG_GATHER_NO_RANGE
static inline void tlb_end_vma(struct mmu_gather *tlb) { }
#else
#ifndef tlb_end_vma
static inline void tlb_end_vma(struct mmu_gather *tlb)
{
	tlb_flush(tlb);
}
#endif
#endif

#ifndef tlb_flush
static inline void tlb_flush(struct mmu_gather *tlb)
{
	flush_tlb_mm(tlb->mm);
}
#endif

#ifdef CONFIG_TLB_GENERATIONS
static inline void init_tlb_gen(struct mm_struct *mm) { mm->gen = 0; }
#else
static inline void init_tlb_gen(struct mm_struct *mm) { }
#endif
#endif
"""
FILES: Files = {
    "Kconfig": 'source "arch/$(SRCARCH)/Kconfig"\nsource "mm/Kconfig"\n',
    "mm/Kconfig": 'config TLB_GENERATIONS\n\tbool\n\nconfig GATHER_NO_RANGE\n\tbool\n\nconfig THING\n\tbool "thing"\n',
    "mm/Makefile": "mmu-$(CONFIG_MMU) := gather.o\nobj-y := init.o $(mmu-y)\n",
    "mm/gather.c": "#include <asm/tlb.h>\n\nvoid finish(struct mmu_gather *tlb)\n{\n\ttlb_end_vma(tlb);\n\ttlb_flush(tlb);\n}\n",
    "mm/init.c": "#include <asm/tlb.h>\n\nvoid mm_init(struct mm_struct *mm)\n{\n\tinit_tlb_gen(mm);\n}\n",
    "include/linux/mm_types.h": "#ifndef _MM_TYPES_H\n#define _MM_TYPES_H\nstruct mm_struct { unsigned long gen; };\n#endif\n",
    "include/linux/mm.h": "#include <linux/mm_types.h>\n",
    GENERIC: TLB,
    "arch/x86/Kconfig": "config X86\n\tdef_bool y\n\tselect TLB_GENERATIONS\n\nconfig MMU\n\tdef_bool y\n",
    "arch/x86/include/asm/tlb.h": "#define tlb_flush tlb_flush\nstatic inline void tlb_flush(struct mmu_gather *tlb);\n#include <asm-generic/tlb.h>\n"
    "static inline void tlb_flush(struct mmu_gather *tlb)\n{\n\tflush_tlb_mm(tlb->mm);\n}\n",
    "arch/x86/include/asm/tlbflush.h": "void flush_tlb_mm(struct mm_struct *mm);\n",
    "arch/x86/mm/tlb.c": "#include <asm/tlbflush.h>\n\nvoid flush_tlb_mm(struct mm_struct *mm)\n{\n}\n",
    "arch/arm/Kconfig": 'config ARM\n\tdef_bool y\n\nconfig MMU\n\tbool "MMU"\n\tdefault y\n',
    "arch/arm/include/asm/tlb.h": "#include <asm-generic/tlb.h>\n",
    "arch/arm/include/asm/tlbflush.h": "#define flush_tlb_mm(mm) do { } while (0)\n",
    "arch/alpha/Kconfig": "config ALPHA\n\tdef_bool y\n\tselect GATHER_NO_RANGE\n\nconfig MMU\n\tdef_bool y\n",
    "arch/alpha/include/asm/tlb.h": "#include <asm-generic/tlb.h>\n",
    "arch/alpha/include/asm/tlbflush.h": "#define flush_tlb_mm(mm) do { } while (0)\n",
}


def brought(read: Callable[[str], bytes | None], steps: Sequence[Mapping[str, bytes | None]], listing: Callable[[Sequence[str]], Sequence[str]]) -> Told:
    """What a series brings to a tree."""

    def search(words: Collection[str]) -> list[str]:
        places = ("arch", "include", "mm", "fs", "kernel")
        return [path for path in listing(places) if (raw := read(path)) is not None and any(re.search(rf"\b{word}\b".encode(), raw) for word in words)]

    return history.told(read, steps, MACHINES, [one.name for one in MACHINES.arch], listing, search)


def listed(files: Mapping[str, object]) -> Callable[[Sequence[str]], list[str]]:
    """The C files below some places."""
    return lambda places: sorted(path for path in files if path.endswith((".c", ".h")) and path.startswith(tuple(f"{place}/" for place in places)))


def after(*steps: Files, base: Files | None = None) -> Told:
    """What patches bring to the miniature kernel."""
    files = {path: text.encode() for path, text in {**FILES, **(base or {})}.items() if text is not None}
    changes = [{path: None if text is None else text.encode() for path, text in step.items()} for step in steps]
    return brought(files.get, changes, listed(files))


def names(faults: Sequence[Fault]) -> set[tuple[str, str]]:
    """(kind, name) of faults."""
    return {(fault.kind, fault.name) for fault in faults}
