"""What a patch brings to the miniature kernel: each kind of breakage broken, and right."""

from __future__ import annotations

import pytest

from tests.hooks.mini import FILES, GENERIC, TLB, Files, after, names

X86 = "arch/x86/include/asm/tlb.h"
STUB = "static inline void init_tlb_gen(struct mm_struct *mm) { }\n"


KCONFIG = FILES["mm/Kconfig"] or ""


def without(symbol: str) -> str:
    """mm/Kconfig, the symbol not declared."""
    parts = KCONFIG.split("\n\n")
    assert sum(part.startswith(f"config {symbol}\n") for part in parts) == 1
    return "\n\n".join(part for part in parts if not part.startswith(f"config {symbol}\n"))


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
    "a symbol that is taken away and still selected": ({"mm/Kconfig": without("TLB_GENERATIONS")}, ("never", "TLB_GENERATIONS"), "nothing is selected here"),
    "a symbol that is taken away and still tested": (
        {"mm/Kconfig": without("TLB_GENERATIONS")}, ("never", "CONFIG_TLB_GENERATIONS"), "any more: it is never set"),
    "a symbol that is called otherwise in one place": (
        {"mm/Kconfig": KCONFIG.replace("GATHER_NO_RANGE", "MMU_GATHER_NO_RANGE")}, ("never", "GATHER_NO_RANGE"), "MMU_GATHER_NO_RANGE is probably meant"),
    "a symbol that IS_ENABLED() asks for": (
        {"mm/Kconfig": without("THING"), "mm/late.c": "int late(void)\n{\n\treturn IS_ENABLED(CONFIG_THING);\n}\n"},
        ("never", "CONFIG_THING"), "it is never set"),
    "a symbol that a Makefile asks for": (
        {"mm/Kconfig": without("THING"), "mm/Makefile": "obj-y := init.o\nobj-$(CONFIG_THING) += gather.o\n"}, ("never", "CONFIG_THING"), "never so"),
    "a symbol that is selected and not there": (
        {"arch/arm/Kconfig": (FILES["arch/arm/Kconfig"] or "") + "\tselect TLB_GENERATION if THING\n"},
        ("never", "TLB_GENERATION"), "TLB_GENERATIONS is probably"),
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
    "a symbol that is taken away with all that ask for it": {
        "mm/Kconfig": without("TLB_GENERATIONS"), GENERIC: TLB.replace("CONFIG_TLB_GENERATIONS", "CONFIG_THING"),
        "arch/x86/Kconfig": (FILES["arch/x86/Kconfig"] or "").replace("\tselect TLB_GENERATIONS\n", "")},
    "a symbol that is called otherwise everywhere": {
        path: (FILES[path] or "").replace("TLB_GENERATIONS", "TLB_EPOCHS") for path in ("mm/Kconfig", GENERIC, "arch/x86/Kconfig")},
    "a symbol that moves to another file": {"mm/Kconfig": without("TLB_GENERATIONS"), "mm/Kconfig.tlb": "config TLB_GENERATIONS\n\tbool\n",
                                            "Kconfig": (FILES["Kconfig"] or "") + 'source "mm/Kconfig.tlb"\n'},
    "a comment that speaks of what is not there": {"mm/init.c": (FILES["mm/init.c"] or "") + "/* once CONFIG_TLB_OLD */\n",
                                                   "mm/Kconfig": KCONFIG + "\thelp\n\t  Replaces TLB_OLD.\n"},
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


def test_a_symbol_that_goes_is_told_where_it_is_named_until_it_is_back() -> None:
    told = after({"mm/Kconfig": without("TLB_GENERATIONS")}, {"mm/note.c": "/* */\n"}, {"mm/Kconfig": KCONFIG})
    where = [{(one.path, one.line) for one in state if one.kind == "never"} for state in told.faults]
    line = TLB[: TLB.index("CONFIG_TLB_GENERATIONS")].count("\n") + 1
    named = {(GENERIC, line), ("arch/x86/Kconfig", 3)}
    assert where == [set(), named, named, set()]


def test_of_a_tree_that_is_not_whole_the_gap_is_named() -> None:
    part = {"Kconfig": (FILES["Kconfig"] or "") + 'source "drivers/Kconfig"\n'}
    told = after({"mm/Kconfig": without("TLB_GENERATIONS")}, base=part)
    assert [(number, path) for number, path, _ in told.gaps] == [(1, "drivers/Kconfig")] and "Kconfig asks for it" in told.gaps[0][2]
    assert not any(fault.kind == "never" for fault in told.faults[1])
    assert after({"mm/init.c": "/* */\n" + (FILES["mm/init.c"] or "")}, base=part).gaps == []


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
    told = history.told(read, [step], MACHINES, ["x86", "arm"], lambda places: pytest.fail("no file is asked for"),
                        lambda words: pytest.fail("nothing is searched"))  # fmt: skip
    assert told.faults == [[], []] and set(asked) == {"drivers/net/x.c"}
