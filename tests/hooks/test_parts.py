"""Kconfig, Makefiles, slices and signatures, each by itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.hooks.surface import STEMS, SURFACE
from tlblint.hooks.symbols import declared
from tlblint.names.kconfig import generic, of_arch
from tlblint.names.makefile import Makefiles
from tlblint.names.settings import Settings, free
from tlblint.names.signatures import parameters
from tlblint.names.slices import reduced, sliced
from tlblint.names.view import view

KCONFIG = b"""
config FREE
	bool "free"
	default y

config HELD
	bool

config BY_DEFAULT
	def_bool FREE && !HELD

config LEVELS
	int
	default 3 if FREE
	default 2

choice
	prompt "one of"
	default TWO
config ONE
	bool "one"
config TWO
	bool "two"
endchoice

if FREE
config INSIDE
	bool "inside"
endif
"""
ARCH = b"""
config X86
	def_bool y
	select HELD if !TWO
config 64BIT
	bool "64-bit" if "$(ARCH)" = "x86"
config LEVELS
	default 5 if 64BIT
"""


def settings(**chosen: bool) -> Settings:
    files = {"Kconfig": KCONFIG, "arch/x86/Kconfig": ARCH}
    return Settings(of_arch(files.get, "x86", generic(files.get)), {name.removeprefix("_"): value for name, value in chosen.items()})


@pytest.mark.parametrize(
    ("chosen", "values"),
    [
        ({}, {"FREE": "y", "HELD": "n", "BY_DEFAULT": "y", "TWO": "y", "ONE": "n", "LEVELS": "3", "64BIT": "n", "NOT_THERE": "n"}),
        ({"FREE": False}, {"FREE": "n", "BY_DEFAULT": "n", "LEVELS": "2"}),
        ({"ONE": True}, {"ONE": "y", "TWO": "n", "HELD": "y", "BY_DEFAULT": "n"}),
        ({"TWO": False}, {"ONE": "y", "TWO": "n"}),
        ({"_64BIT": True}, {"64BIT": "y", "LEVELS": "5"}),
        ({"FREE": False, "INSIDE": True}, {"INSIDE": "n"}),
        ({"INSIDE": True}, {"INSIDE": "y"}),
        ({"HELD": True}, {"HELD": "n"}),
    ],
)
def test_what_is_chosen_decides_the_rest(chosen: dict[str, bool], values: dict[str, str]) -> None:
    one = settings(**chosen)
    assert {name: one.value(name) for name in values} == values


def test_what_a_symbol_hangs_on_can_be_chosen() -> None:
    assert free(settings(), ["BY_DEFAULT", "LEVELS"], 9) == ("FREE", "64BIT", "TWO")
    assert free(settings(), ["BY_DEFAULT", "LEVELS"], 1) == ("FREE",)
    assert free(settings(), ["X86", "NOT_THERE"], 9) == ()


MAKEFILES = {
    "mm/Makefile": b"mmu-y := nommu.o\nmmu-$(CONFIG_MMU) := memory.o \\\n\tmremap.o\nobj-y := util.o $(mmu-y)\nobj-$(CONFIG_KSM) += ksm.o\n"
    b"ifdef CONFIG_64BIT\nobj-y += wide.o\nendif\nobj-$(CONFIG_DBG) += dbg/\nobj-$(CONFIG_T) += tests/t.o\n",
    "mm/dbg/Makefile": b"obj-y := d.o\n",
}


@pytest.mark.parametrize(
    ("path", "on", "built"),
    [
        ("mm/util.c", "", True), ("mm/memory.c", "", False), ("mm/memory.c", "MMU", True), ("mm/mremap.c", "MMU", True), ("mm/ksm.c", "", False),
        ("mm/ksm.c", "KSM", True), ("mm/wide.c", "", False), ("mm/wide.c", "64BIT", True), ("mm/dbg/d.c", "", False), ("mm/dbg/d.c", "DBG", True),
        ("mm/tests/t.c", "", False), ("mm/tests/t.c", "T", True), ("mm/percpu-vm.c", "MMU", False), ("fs/x.c", "", True),
    ],
)  # fmt: skip
def test_what_a_makefile_builds(path: str, on: str, built: bool) -> None:
    assert Makefiles(MAKEFILES.get).builds(path, lambda name: name == f"CONFIG_{on}") is built


@pytest.mark.parametrize(
    ("head", "types"),
    [
        ("int f(void)", ()),
        ("void f(const volatile struct cpumask *mask, smp_func_t, bool wait)", ("const volatile struct cpumask*", "smp_func_t", "bool")),
        ("void f(unsigned a, long unsigned int, int x[], struct page *const *p)", ("unsigned", "long unsigned", "int*", "const struct page**")),
        ("void f(const int x, void (*fn)(int), ...)", ("int", "function", "...")),
        ("void g(int x)", None),
        ("void f(int x", None),
    ],
)
def test_types_of_parameters(head: str, types: tuple[str, ...] | None) -> None:
    assert parameters(head, "f") == types


def test_a_slice_keeps_what_names_hang_on_and_its_lines() -> None:
    text = b"#ifndef _H\n#define _H\n#ifdef CONFIG_A\nint a(void);\n#endif\n"
    text += b"#ifdef CONFIG_B\nint b(void);\n#endif\nstruct s {\n#ifdef C\nint c;\n#endif\n};\n#endif\n"
    parts, macros = sliced(view(text), {"b"}, frozenset(), lambda name: False)
    assert macros == {"CONFIG_B"}
    assert [(part.word, part.text.strip(), part.line) for part in parts] == [
        ("pragma", "once", 1), ("ifdef", "CONFIG_B", 6), ("", "b ( ) ;", 7), ("endif", "", 8),
    ]  # fmt: skip


def test_members_are_no_names() -> None:
    assert reduced("x->flush(y); z.flush = 1;", 1, {"flush"}) == []


def test_of_a_tree_without_all_its_kconfig_files_no_symbol_is_unknown() -> None:
    files = {"Kconfig": b'source "mm/Kconfig"\nosource "own/Kconfig"\n', "mm/Kconfig": b'config MMU\n\thelp\n\t  See the source tree.\nsource "fs/Kconfig"\n'}
    part = declared(files.get, ("x86",))
    assert (part.names, part.lacking) == (frozenset(), ("fs/Kconfig", "mm/Kconfig"))
    whole = declared({**files, "fs/Kconfig": b"config PROC_FS\n"}.get, ("x86",))
    assert (whole.names, whole.gap) == ({"MMU", "PROC_FS"}, None)


def test_a_configuration_takes_over_what_does_not_hang_on_the_difference() -> None:
    """A value is taken over from another configuration, or worked out anew, and is the same."""
    text = (
        "config A\n\tbool \"a\"\n\nconfig B\n\tdef_bool A\n\nconfig C\n\tdef_bool y\n\tdepends on !D\n\n"
        "config D\n\tbool \"d\"\n\tselect E if B\n\nconfig E\n\tbool\n\n"
        "choice\n\tprompt \"which\"\n\tdefault F\nconfig F\n\tbool \"f\"\nconfig G\n\tbool \"g\"\n\tdepends on A\nendchoice\n\n"
        "config H\n\tdef_bool I\n\nconfig I\n\tdef_bool H || G\n"
    )
    kconfig = generic({"Kconfig": text.encode()}.get)
    names = "ABCDEFGHI"
    first = Settings(kconfig, {"A": True, "D": False})
    before = {name: first.value(name) for name in names}
    for chosen in ({"A": False, "D": False}, {"A": True, "D": True}, {"A": False, "D": True}, {"A": True, "D": False, "G": True}, {}):
        alone, after = Settings(kconfig, chosen), Settings(kconfig, chosen, first)
        assert {name: after.value(name) for name in names} == {name: alone.value(name) for name in names}
    assert {name: first.value(name) for name in names} == before


@pytest.mark.parametrize("said", ["h(1)", 'h("}")', "h(')')"])
def test_functions_without_a_name_are_passed_over(said: str) -> None:
    """And what is left of the others is on the lines that it was on."""
    plain = f"static int g(int a)\n{{\n\tfor (i = 0; i < a; i++)\n\t\t{said};\n\treturn 0;\n}}\n\n"
    text = plain + "int k(void)\n{\n\treturn flush(1);\n}\n" + 3 * plain + "int flush(int a)\n{\n\treturn a;\n}\n" + plain
    left = reduced(text, 1, {"flush"})
    lines = [part.line + part.text.count("\n", 0, found.start()) for part in left for found in re.finditer("flush", part.text)]
    assert lines == [number for number, line in enumerate(text.split("\n"), 1) if "flush" in line]
    assert sum(part.text.count("{") - part.text.count("}") for part in left) == 0
    assert reduced("}\n" + plain + "{\n", 1, {"flush"})[0].text == "}{"


def test_a_makefile_is_asked_about_the_symbols_that_a_file_is_built_by() -> None:
    files = {
        "mm/Makefile": b"obj-$(CONFIG_A) += a.o\nall-$(CONFIG_B) := b.o\nifdef CONFIG_C\nobj-y += all.o\nendif\nobj-$(CONFIG_D) += d.o\n",
        "Makefile": b"core-$(CONFIG_E) += mm/\n",
    }
    makefiles = Makefiles(files.get)
    assert makefiles.asked_by("mm/a.c") == {"CONFIG_A", "CONFIG_E"}
    assert makefiles.asked_by("mm/b.c") == {"CONFIG_B", "CONFIG_C", "CONFIG_E"}
    on = {"CONFIG_A", "CONFIG_B", "CONFIG_C", "CONFIG_E"}
    assert makefiles.builds("mm/b.c", on.__contains__)
    for symbol in makefiles.asked_by("mm/b.c"):
        assert not makefiles.builds("mm/b.c", (on - {symbol}).__contains__)


@given(st.from_regex(SURFACE))
def test_each_name_of_the_surface_holds_a_stem(name: str) -> None:
    assert any(stem in name.encode() for stem in STEMS)
