"""What a patch brings to the miniature kernel: each kind of breakage broken, and right."""

from __future__ import annotations

import pytest

from tests.hooks.mini import FILES, GENERIC, TLB, Files, after, names

X86 = "arch/x86/include/asm/tlb.h"
STUB = "static inline void init_tlb_gen(struct mm_struct *mm) { }\n"


def generic(old: str, new: str) -> Files:
    assert TLB.count(old) == 1
    return {GENERIC: TLB.replace(old, new)}


BROKEN: dict[str, tuple[Files, tuple[str, str], str]] = {
    "a stub under a wrong name": (
        generic(STUB, STUB.replace("gen(", "gens(")), ("missing", "init_tlb_gen"), "on alpha and arm. init_tlb_gens is defined there"),
    "a stub that is gone": (
        generic(STUB, ""), ("missing", "init_tlb_gen"), "under #ifdef CONFIG_TLB_GENERATIONS"),
    "a hook behind a condition": (
        generic("#ifndef tlb_flush\n", "#if !defined(tlb_flush) && defined(CONFIG_THING)\n"), ("missing", "tlb_flush"), "on alpha and arm as it is configured"),
    "a fallback without its condition": (
        generic("#ifndef tlb_end_vma\n", "#if 1\n") | {"arch/arm/include/asm/tlb.h": "#define tlb_end_vma(tlb) do { } while (0)\n"
                                         "#include <asm-generic/tlb.h>\n"}, ("twice", "tlb_end_vma"), "on arm"),
    "two definitions": (generic("#else\n#ifndef tlb_end_vma\n", "#endif\n#ifndef tlb_end_vma\n") , ("twice", "tlb_end_vma"), "on alpha"),
    "what is not there without an MMU": (
        {GENERIC: TLB.replace("#ifdef CONFIG_TLB", "#ifdef CONFIG_MMU\n#ifdef CONFIG_TLB").replace("#endif\n#endif\n", "#endif\n#endif\n#endif\n")},
        ("missing", "init_tlb_gen"), "on arm without CONFIG_MMU"),
    "__is_defined() of a macro that is not 1": (generic("#ifndef tlb_flush\n", "#if !__is_defined(tlb_flush)\n"), ("never", "tlb_flush"), "defined() is meant"),
    "a condition on what nothing defines": (
        generic("#ifndef tlb_flush\n", "#ifdef __HAVE_ARCH_TLB_SYNC\nvoid tlb_sync(void);\n#endif\n#ifndef tlb_flush\n"),
        ("never", "__HAVE_ARCH_TLB_SYNC"), "never compiled"),
    "a symbol that is not declared": (generic("#ifdef CONFIG_TLB_GENERATIONS", "#ifdef CONFIG_TLB_GENERATION"), ("never", "CONFIG_TLB_GENERATION"),
                                      "CONFIG_TLB_GENERATIONS is probably meant"),
    "a prefix in Kconfig": ({"mm/Kconfig": (FILES["mm/Kconfig"] or "") + "\tdepends on !CONFIG_MMU\n"}, ("kconfig", "depends CONFIG_MMU"), "MMU is meant"),
    "a select that is taken away": ({"arch/alpha/Kconfig": "config ALPHA\n\tdef_bool y\n\nconfig MMU\n\tdef_bool y\n",
                                     GENERIC: TLB.replace("#ifndef tlb_end_vma", "#ifdef CONFIG_THING")}, ("missing", "tlb_end_vma"), "alpha"),
    "an override that nobody asks for": (
        {path: (FILES[path] or "").replace("tlb_flush", "tlb_do_flush") for path in (GENERIC, "mm/gather.c")},
        ("orphan", "tlb_flush"), "tlb_do_flush has come in its place"),
    "a prototype that does not follow": ({"arch/x86/include/asm/tlbflush.h": "void flush_tlb_mm(const struct mm_struct *mm);\n"},
                                         ("prototype", "flush_tlb_mm arch/x86/mm/tlb.c"), "declares it with (const struct mm_struct*)"),
    "a definition that goes ahead": ({"arch/x86/mm/tlb.c": "#include <asm/tlbflush.h>\n\nvoid flush_tlb_mm(struct mm_struct *mm, int cpu)\n{\n}\n"},
                                     ("prototype", "flush_tlb_mm arch/x86/mm/tlb.c"), "is defined with (struct mm_struct*, int)"),
}  # fmt: skip

RIGHT: dict[str, Files] = {
    "both arms are called otherwise": {path: (FILES[path] or "").replace("init_tlb_gen", "set_tlb_gen") for path in (GENERIC, "mm/init.c")},
    "a stub that moves": {GENERIC: TLB.replace(STUB, "#include <linux/tlb_stub.h>\n"), "include/linux/tlb_stub.h": STUB},
    "a condition that all users have": {
        GENERIC: TLB.replace("#ifdef CONFIG_GATHER", "#ifdef CONFIG_MMU\n#ifdef CONFIG_GATHER").replace("\n#ifdef CONFIG_TLB", "#endif\n\n#ifdef CONFIG_TLB")},
    "a new override": {"arch/arm/include/asm/tlb.h": "#define tlb_end_vma(tlb) do { } while (0)\n#include <asm-generic/tlb.h>\n"},
    "defined() of a macro that is not 1": generic("#ifndef tlb_flush\n", "#if !defined(tlb_flush)\n"),
    "a condition on what an architecture defines": generic(
        "#ifndef tlb_flush\n", "#ifdef __HAVE_ARCH_TLB_SYNC\nvoid tlb_sync(void);\n#endif\n#ifndef tlb_flush\n") | {
        "arch/arm/include/asm/tlbflush.h": "#define __HAVE_ARCH_TLB_SYNC\n#define flush_tlb_mm(mm) do { } while (0)\n"},
    "a symbol that is declared with it": generic("#ifdef CONFIG_TLB_GENERATIONS", "#if defined(CONFIG_TLB_GENERATIONS) || defined(CONFIG_TLB_EPOCHS)") | {
        "mm/Kconfig": (FILES["mm/Kconfig"] or "") + "\nconfig TLB_EPOCHS\n\tbool\n"},
    "a Kconfig help that speaks of a prefix": {"mm/Kconfig": (FILES["mm/Kconfig"] or "") + "\thelp\n\t  depends on CONFIG_MMU, some say.\n"},
    "a select for another architecture": {"arch/arm/Kconfig": (FILES["arch/arm/Kconfig"] or "").replace("y\n", "y\n\tselect TLB_GENERATIONS\n", 1)},
    "prototype and definition together": {"arch/x86/include/asm/tlbflush.h": "void flush_tlb_mm(struct mm_struct *, unsigned);\n",
                                          "arch/x86/mm/tlb.c": "void flush_tlb_mm(struct mm_struct *mm, unsigned int cpu)\n{\n}\n"},
    "a comment": {GENERIC: "/* #ifdef CONFIG_NO_SUCH: init_tlb_gens() */\n" + TLB},
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_some_configuration(what: str) -> None:
    step, fault, words = BROKEN[what]
    told = after(step)
    assert told.faults[0] == []
    assert fault in names(told.faults[1])
    assert any(words in one.message for one in told.faults[1] if (one.kind, one.name) == fault), [one.message for one in told.faults[1]]


@pytest.mark.parametrize("what", RIGHT)
def test_what_breaks_nothing(what: str) -> None:
    told = after(RIGHT[what])
    assert told.faults == [[], []] and told.gaps == []


def test_a_fault_is_told_from_the_patch_that_brings_it_to_the_one_that_mends_it() -> None:
    told = after({"mm/note.c": "/* */\n"}, generic(STUB, ""), {"mm/note.c": "/* more */\n"}, {GENERIC: TLB})
    assert [names(state) for state in told.faults] == [set(), set(), {("missing", "init_tlb_gen")}, {("missing", "init_tlb_gen")}, set()]


def test_what_the_base_lacks_is_not_told() -> None:
    broken = {GENERIC: TLB.replace(STUB, "")}
    told = after({GENERIC: "/* */\n" + TLB.replace(STUB, "")}, base=broken)
    assert told.faults == [[], []]


def test_a_fault_stands_on_the_line_of_its_use() -> None:
    (fault,) = after({GENERIC: "/* one\n * two\n */\n" + TLB.replace(STUB, "")}).faults[1]
    assert (fault.path, fault.line) == ("mm/init.c", 5)


def test_a_series_without_hooks_reads_nothing() -> None:
    from tests.hooks.mini import MACHINES
    from tlblint.hooks import history

    asked: list[str] = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        return b"int f(void) { return g(); }\n" if path.endswith(".c") else None

    step = {"drivers/net/x.c": b"int f(void) { return h(); }\n"}
    told = history.told(read, [step], MACHINES, ["x86", "arm"], lambda places: pytest.fail("no file is asked for"))
    assert told.faults == [[], []] and set(asked) == {"drivers/net/x.c"}
