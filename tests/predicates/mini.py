"""A miniature tree in the shape of the kernel's headers, with predicates that are right, wasteful and wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tlblint.app.predicates import protocols
from tlblint.app.predicates_data import shipped
from tlblint.names.unit import Places, Shelf, build
from tlblint.predicates import survey, truth
from tlblint.predicates.machine import Bounds, Machine
from tlblint.predicates.memory import Place
from tlblint.predicates.models import Setting
from tlblint.predicates.names import Names
from tlblint.predicates.profile import Profile
from tlblint.predicates.survey import Reader
from tlblint.predicates.words import Space, Word

DATA, PROTOCOLS = shipped(), protocols()

TYPES = """
#ifndef _TYPES_H
#define _TYPES_H
typedef unsigned long pteval_t;
typedef struct { pteval_t pte; } pte_t;
typedef struct { pteval_t pmd; } pmd_t;
#define _AT(T, X) ((T)(X))
#define _PAGE_PRESENT (_AT(pteval_t, 1) << 0)
#define _PAGE_RW (_AT(pteval_t, 1) << 1)
#define _PAGE_USER (_AT(pteval_t, 1) << 2)
#define _PAGE_PCD (_AT(pteval_t, 1) << 4)
#define _PAGE_ACCESSED (_AT(pteval_t, 1) << 5)
#define _PAGE_DIRTY (_AT(pteval_t, 1) << 6)
#define _PAGE_PSE (_AT(pteval_t, 1) << 7)
#define _PAGE_GLOBAL (_AT(pteval_t, 1) << 8)
#define _PAGE_SOFTW3 (_AT(pteval_t, 1) << 11)
#ifdef CONFIG_64BIT
# define _PAGE_NX (_AT(pteval_t, 1) << 63)
#else
# define _PAGE_NX 0
#endif
#define FRAME (((pteval_t)(((1UL << 52) - 1))) & ~0xfffUL)
static inline pteval_t pte_val(pte_t pte) { return pte.pte; }
static inline pteval_t pmd_val(pmd_t pmd) { return pmd.pmd; }
static inline unsigned long pte_pfn(pte_t pte) { return (pte_val(pte) & FRAME) >> 12; }
#endif
"""
RIGHT = """
#include <asm/pgtable_types.h>
static inline bool pte_needs_flush(pte_t oldpte, pte_t newpte)
{
	unsigned long gone = pte_val(oldpte) & ~pte_val(newpte);
	unsigned long came = pte_val(newpte) & ~pte_val(oldpte);

	if (!(pte_val(oldpte) & _PAGE_PRESENT) || pte_pfn(oldpte) == pte_pfn(newpte) && !gone && !came)
		return false;
	if (pte_pfn(oldpte) != pte_pfn(newpte))
		return true;
	if (gone & (_PAGE_PRESENT | _PAGE_USER | _PAGE_DIRTY | _PAGE_GLOBAL) || came & _PAGE_NX)
		return true;
	if ((gone & _PAGE_RW) && (pte_val(oldpte) & _PAGE_DIRTY))
		return true;
	return (gone | came) & (_PAGE_PCD | _PAGE_PSE);
}
#define pte_needs_flush pte_needs_flush
"""
WASTEFUL = """
#include <asm/pgtable_types.h>
static inline bool pte_may_need_flush(pte_t o, pte_t n)
{
	const pteval_t ignored = _PAGE_SOFTW3 | _PAGE_ACCESSED;
	pteval_t diff = pte_val(o) ^ pte_val(n);

	if (!(diff & ~(_PAGE_RW | ignored)) && !(pte_val(o) & _PAGE_DIRTY))
		return false;
	return diff & ~ignored;
}
"""
WRONG = """
#include <asm/pgtable_types.h>
static inline bool pte_needs_flush(pte_t oldpte, pte_t newpte)
{
	pteval_t diff = pte_val(oldpte) ^ pte_val(newpte);

	do {
		if (!(diff & ~_PAGE_RW))
			return false;
	} while (0);
	return true;
}
"""


def tree(header: str, more: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Path -> bytes of a tree whose asm/tlbflush.h is ``header``."""
    files = {
        "include/linux/mm.h": "#include <asm/tlbflush.h>\n",
        "arch/x86/Kconfig": "config X86\n\tdef_bool y\n\tselect ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH if SMP\n",
        "arch/x86/include/asm/pgtable_types.h": TYPES,
        "arch/x86/include/asm/tlbflush.h": header,
        **(more or {}),
    }
    return {path: text.encode() for path, text in files.items()}


def write(place: Path, files: Mapping[str, bytes]) -> Path:
    """The tree on disk."""
    for path, raw in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(raw)
    return place


def machine_of(name: str) -> Profile:
    """A shipped profile."""
    return next(profile for profile in DATA.profiles if profile.name == name)


def seen(files: Mapping[str, bytes], profile: str = "x86-64") -> Reader:
    """A tree as a shipped profile sees it."""
    return survey.reader(Shelf(files.get), files.get, machine_of(profile), DATA.modelled, DATA.sizes)


def names_of(text: str) -> Names:
    """The names of one file without includes."""
    return Names(build(Shelf({"a.c": text.encode()}.get), ["a.c"], {}, Places(())), DATA.modelled)


def zero(space: Space, place: Place) -> Word:
    """Every place starts with 0."""
    return space.constant(0, 64, False)


def runner(names: Names, bounds: Bounds | None = None) -> Machine:
    """A machine for ordinary numbers."""
    return Machine(names, DATA.modelled, Setting(zero), Space(), bounds)


def result(text: str, call: str) -> int:
    """The value of a call of what a file defines."""
    machine = runner(names_of(text))
    return machine.memory.number(machine.evaluate(call, {})).number


def holds(space: Space, table: int, assignment: int) -> bool:
    """Whether a truth table holds where symbolic bit i is bit i of ``assignment``."""
    for index in range(space.n):
        variable = space.variable(index)
        table = space.and_(table, variable if assignment >> index & 1 else space.not_(variable))
    return table != 0


__all__ = ["DATA", "PROTOCOLS", "RIGHT", "WASTEFUL", "WRONG", "holds", "machine_of", "names_of", "result", "runner", "seen", "tree", "truth", "write", "zero"]
