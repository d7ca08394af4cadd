"""One index: whoever asks, a file is read once, taken apart once, and its conditions mean the same."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hooks.mini import MACHINES
from tlblint.names import pieces
from tlblint.names.index import Index, Texts, of_files
from tlblint.names.pieces import split
from tlblint.names.unit import Places, build
from tlblint.names.world import World
from tlblint.roles import detect, load_roles
from tlblint.roles.declared import ROOTS, follow, meant
from tlblint.syntax.config import Config

FILES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 1\n",
    "include/linux/mm.h": "#include <linux/pgtable.h>\n",
    "include/linux/pgtable.h": "#include <asm/pgtable.h>\n#ifdef CONFIG_A\n#define vendor_flush flush_tlb_mm\n#endif\nvoid lazy_mmu_mode_enable(void);\n",
    "include/asm-generic/tlb.h": "#include <asm/tlbflush.h>\n",
    "arch/x86/include/asm/pgtable.h": "#define pte_accessible(mm, pte) (pte_flags(pte) & 1)\n",
    "arch/x86/include/asm/tlbflush.h": "void flush_tlb_mm(struct mm_struct *mm);\n",
    "arch/x86/Kconfig": "config A\n\tbool\n",
}
TABLE = '[[role]]\nnames = ["flush_tlb_mm"]\narity = [1]\neffects = [{ kind = "flush.now", mm = "0" }]\n'


def test_roles_predicates_and_hooks_ask_one_index(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    taken_apart: Counter[bytes] = Counter()

    def splitting(raw: bytes) -> list[str]:
        taken_apart[raw] += 1
        return split(raw)

    def reading(path: str) -> bytes | None:
        read[path] += 1
        return FILES[path].encode() if path in FILES else None

    monkeypatch.setattr(pieces, "split", splitting)
    index = Index(reading)
    places = Places(("arch/x86/include", "include"))
    assert "lazy-nests" in detect(index).features
    told = meant(load_roles({"a": TABLE}, frozenset()), index, {"x86": index.lead_to(places, ROOTS, follow)}, lambda arch: Config())
    assert [one.name for one in told] == ["vendor_flush"]
    unit = build(index.shelf(), ["<linux/mm.h>"], {"CONFIG_A": "1"}, places)
    assert unit.last("vendor_flush") is not None
    world = World(index.read, MACHINES, index.texts)
    assert "include/linux/pgtable.h" in world.reached("x86", ("<linux/mm.h>",))
    raw = FILES["include/linux/pgtable.h"].encode()
    assert max(read.values()) == 1
    assert world.file("include/linux/pgtable.h") is index.texts.of(raw)
    assert taken_apart[raw] == 1 == max(taken_apart.values())
    assert world.heads("include/linux/pgtable.h") is index.heads("include/linux/pgtable.h")


def test_a_branch_adds_nothing_to_its_stem() -> None:
    index = of_files({"a.h": b"#define a b\n"})
    branch = index.branch()
    assert branch.file("a.h") is not None and branch.texts.views
    assert not index.texts.views and not index.raws


def test_a_state_takes_over_what_stays() -> None:
    texts = Texts()
    one, other = Index({"a.h": b"int f(int a);\n", "b.h": b"\n"}.get, texts), Index({"a.h": b"int f(void);\n", "b.h": b"x"}.get, texts)
    assert one.read("a.h") and one.read("b.h") == b"\n"
    other.same_as(one, {"a.h"})
    heads = other.heads("a.h")
    assert heads is not None and heads.of("f")[0].arity == 0
    assert other.read("b.h") == b"\n"


def _arms(drawn: tuple[str, str, bool, str, str]) -> str:
    test, first, more, second, third = drawn
    return f"{test}\n{first}" + (f"#elif defined(CONFIG_B)\n{second}" if more else "") + f"#else\n{third}#endif\n"


ARMS = st.recursive(
    st.sampled_from(["#define f one\n", "#define f two\n", "\n"]),
    lambda inner: st.tuples(st.sampled_from(["#ifdef CONFIG_A", "#ifndef CONFIG_B", "#if defined(CONFIG_A) && !defined(CONFIG_B)", "#if IS_ENABLED(CONFIG_B)"]),
                            inner, st.booleans(), inner, inner).map(_arms),
    max_leaves=6,
)  # fmt: skip


@given(ARMS, ARMS, st.booleans(), st.booleans())
def test_roles_and_units_agree_on_what_a_configuration_has(first: str, second: str, a: bool, b: bool) -> None:
    """What is declared by the layout of the text is what the preprocessor has in the end."""
    index = of_files({"a.h": (first + second).encode()})
    names = [name for name, on in (("CONFIG_A", a), ("CONFIG_B", b)) if on]
    config = Config(frozenset(names), frozenset({"CONFIG_A", "CONFIG_B"}.difference(names)))
    unit = build(index.shelf(), ["a.h"], dict.fromkeys(names, "1"), Places(()))
    last = unit.last("f")
    there = [head.text for _, head in index.declared("f", ["a.h"], config)]
    assert there[-1:] == ([] if last is None else list(last.body))
    assert len(there) == len(unit.history("f"))

