"""Trees made to keep a reader busy: what cannot be looked at is named, and the rest is."""

from __future__ import annotations

import pytest

from tests.hooks.mini import FILES, GENERIC, MACHINES, TLB, after, listed, names
from tlblint.hooks import present
from tlblint.names.index import Index
from tlblint.names.kconfig import generic, of_arch
from tlblint.names.settings import Settings
from tlblint.names.view import view

BROKEN = TLB.replace("static inline void init_tlb_gen(struct mm_struct *mm) { }\n", "")


def test_a_header_that_includes_itself_is_named() -> None:
    told = after({"include/linux/tlb_bomb.h": "#include <linux/tlb_bomb.h>\nint tlb_bomb(void);\n", GENERIC: "#include <linux/tlb_bomb.h>\n" + BROKEN})
    assert [(number, path) for number, path, _ in told.gaps] == [(1, "include/linux/tlb_bomb.h")]
    assert "times" in told.gaps[0][2]


def test_headers_that_include_each_other_twice_end() -> None:
    bomb = '#include "tlb_b.h"\n#include "tlb_b.h"\nint tlb_bomb(void);\n'
    told = after({"include/linux/tlb_a.h": bomb, "include/linux/tlb_b.h": bomb.replace("_b", "_a"), GENERIC: "#include <linux/tlb_a.h>\n" + TLB})
    assert told.gaps and told.gaps[0][1].startswith("include/linux/tlb_")


def test_a_file_that_is_too_large_is_named() -> None:
    told = after({"include/linux/tlb_large.h": "int tlb_large(void);\n" + "/* */\n" * 400_000, GENERIC: "#include <linux/tlb_large.h>\n" + TLB})
    assert {(path, why) for _, path, why in told.gaps} == {("include/linux/tlb_large.h", "too large to be looked through for hooks")}


def test_a_macro_bomb_in_a_condition_ends() -> None:
    bomb = "#define tlb_b0 1\n" + "".join(f"#define tlb_b{n} (tlb_b{n - 1} + tlb_b{n - 1})\n" for n in range(1, 60))
    told = after({GENERIC: f"{bomb}#if tlb_b59 == 3\n#define tlb_mode 1\n#endif\n{BROKEN}"})
    assert ("missing", "init_tlb_gen") in names(told.faults[1])


def test_macros_that_call_each_other_end() -> None:
    told = after({GENERIC: "#define tlb_x(a) tlb_y(a)\n#define tlb_y(a) tlb_x(tlb_x(a))\nstatic inline int f(void) { return tlb_x(1); }\n" + BROKEN})
    assert ("missing", "init_tlb_gen") in names(told.faults[1])


@pytest.mark.parametrize(
    "text",
    [
        "#if " + "(" * 5000 + "\nint tlb_a(void);\n",
        "#ifdef\n#elif\n#else\n#else\n#endif\n#endif\n#endif\nint tlb_a(void);\n",
        "static inline void tlb_a(" + "(" * 100_000,
        "{" * 100_000 + "tlb_flush();",
        "}" * 100_000 + "tlb_flush();",
        "#define tlb_a " + "\\\n" * 50_000,
        '"' + "\\" * 100_000 + "tlb_a(",
        "/*" + " *" * 100_000,
        "#include\n#include <\n#define\n#undef\n#define 1\n#pragma\ntlb_a(\n",
        "\xff\x00\r\n#if tlb_a\r\n",
        "".join(f"#ifdef CONFIG_C{n}\n" for n in range(3000)) + "int tlb_a(void);\n" + "#endif\n" * 3000,
    ],
)
def test_broken_headers_end(text: str) -> None:
    told = after({GENERIC: text + TLB}, {GENERIC: TLB + text})
    assert len(told.faults) == 3


@pytest.mark.parametrize(
    "text",
    [
        "config A\n\tbool\n\tdefault A\n",
        "config A\n\tbool\n\tselect B\nconfig B\n\tbool\n\tselect A\n",
        "config A\n\tdef_bool " + "!" * 5000 + "y\n",
        "config A\n\tdef_bool " + "(" * 5000 + "y\n",
        "if X\n" * 5000 + "config A\n\tbool\n",
        "choice\n" * 50 + "config A\n\tbool \"a\"\n" + "endchoice\n" * 60,
        'source "Kconfig"\nsource "../../etc/passwd"\nsource "/etc/passwd"\nconfig A\n\tbool\n',
        "config\nselect\nendif\nhelp\n\n\n   x\nconfig A\n\tbool\n",
        "".join(f"config A{n}\n\tdef_bool A{n + 1}\n" for n in range(3000)) + "config A\n\tdef_bool A0\n",
    ],
)
def test_broken_kconfig_files_end(text: str) -> None:
    shared = generic({"Kconfig": text.encode()}.get)
    found = of_arch({"Kconfig": text.encode()}.get, "x86", shared)
    assert Settings(found, {}).value("A") in ("y", "n")
    assert "etc/passwd" not in " ".join(found.files)


def test_sources_without_end_are_cut_and_named() -> None:
    files = {"Kconfig": b'source "k0"\n'} | {f"k{n}": f'source "k{n + 1}"\n'.encode() for n in range(2000)}
    assert generic(files.get).cut
    told = after({"Kconfig": 'source "k0"\n', **{path: raw.decode() for path, raw in files.items() if path != "Kconfig"}, GENERIC: BROKEN})
    assert (1, "Kconfig") in {(number, path) for number, path, _ in told.gaps}


def test_a_check_of_a_bomb_names_it() -> None:
    files = {path: text.encode() for path, text in FILES.items() if text is not None}
    files["include/linux/tlb_bomb.h"] = b"#include <linux/tlb_bomb.h>\nint tlb_bomb(void);\n"
    files[GENERIC] = b"#include <linux/tlb_bomb.h>\n" + files[GENERIC]
    faults, gaps, _ = present.told(Index(files.get), MACHINES, ["x86"], listed(files))
    assert set(gaps) == {"include/linux/tlb_bomb.h"}
    assert faults == []


def test_a_view_of_any_bytes_is_made() -> None:
    assert view(bytes(range(256)) * 50).parts


@pytest.mark.parametrize(
    "text",
    [
        "#if " + " || ".join(f"defined(CONFIG_L{n})" for n in range(3000)) + "\nvoid tlb_l(void);\n#endif\n",
        "#if 0\n" + "".join(f"#elif defined(CONFIG_A{n})\nvoid tlb_a{n}(void);\n" for n in range(2000)) + "#endif\n",
    ],
)
def test_of_very_many_unknown_symbols_some_are_told_and_the_rest_is_counted(text: str) -> None:
    told = after({GENERIC: text + TLB})
    unknown = [fault for fault in told.faults[1] if fault.kind == "never"]
    assert len(unknown) == 60 and {fault.path for fault in unknown} == {GENERIC}
    assert any(path == GENERIC and "symbols that no Kconfig file declares" in why for _, path, why in told.gaps)


@pytest.mark.parametrize("depth", [2000])
def test_conditions_nested_without_measure_end(depth: int) -> None:
    deep = "".join(f"#ifdef CONFIG_N{n}\n" for n in range(depth)) + TLB + "#endif\n" * depth
    assert len(after({GENERIC: deep}).faults) == 2
    assert after({GENERIC: "#if 1\n" * depth + TLB + "#endif\n" * depth}).faults == [[], []]


def test_a_kconfig_file_of_other_bytes_declares_nothing_and_ends() -> None:
    noise = bytes(range(256)) * 2000
    shared = generic({"Kconfig": noise}.get)
    assert Settings(of_arch({"Kconfig": noise, "arch/x86/Kconfig": noise[::-1]}.get, "x86", shared), {}).value("A") == "n"
    told = after({"mm/Kconfig": noise.decode("latin-1")})
    assert len(told.faults) == 2
