"""The interpreter against a C compiler, on the same expanded text and the same random entries."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.predicates.mini import DATA, RIGHT, WASTEFUL, WRONG, machine_of, seen, tree
from tlblint.app.reading import Reading
from tlblint.io.tree import PlainDir
from tlblint.names.unit import Shelf
from tlblint.predicates.ctypes import AUTO
from tlblint.predicates.machine import Machine
from tlblint.predicates.standalone import source
from tlblint.predicates.survey import Reader, reader

CC = shutil.which("cc") or shutil.which("gcc")
PAIRS = 4096
MAIN = """
#include <stdio.h>
int main(void)
{
	unsigned long a, b;
	while (scanf("%%lx %%lx", &a, &b) == 2) {
		%s o = { a }, n = { b };
		putchar('0' + !!%s(o, n));
	}
	return 0;
}
"""
pytestmark = pytest.mark.skipif(CC is None, reason="no C compiler")


def entries(seed: str) -> list[tuple[int, int]]:
    """Pairs that differ in everything, in one bit, in two bits, or not at all."""
    rng = random.Random(seed)
    out = []
    for index in range(PAIRS):
        old = rng.getrandbits(64) & rng.choice((~0, 0x8000_0000_0000_0FFF, 0x3))
        new = rng.getrandbits(64) if index % 4 == 0 else old
        for _ in range(index % 4):
            new ^= 1 << rng.choice((0, 1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 21, 51, 54, 58, 63, rng.randrange(64)))
        out.append((old & (1 << 64) - 1, new & (1 << 64) - 1))
    return out


def interpreted(own: Reader, name: str, pairs: list[tuple[int, int]]) -> str:
    machine = Machine(own.names, own.modelled, own.base)
    out = []
    for old, new in pairs:
        machine.steps = 0
        given = {"o__": (machine.space.constant(old, 64, False), AUTO), "n__": (machine.space.constant(new, 64, False), AUTO)}
        out.append(str(int(bool(machine.memory.number(machine.evaluate(f"{name}(o__, n__)", given)).number))))
        machine.memory.held.clear()
    return "".join(out)


def compiled(own: Reader, name: str, kind: str, place: Path, pairs: list[tuple[int, int]]) -> str:
    assert CC is not None
    text = "#include <stdio.h>\n" + source(own.names, own.modelled, name, ("pte_t", "pmd_t")) + MAIN % (kind, name)
    (place / "a.c").write_text(text)
    built = subprocess.run([CC, "-w", "-O1", "-o", str(place / "a"), str(place / "a.c")], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[:2000]
    given = "".join(f"{old:x} {new:x}\n" for old, new in pairs)
    return subprocess.run([str(place / "a")], input=given, capture_output=True, text=True, check=True).stdout


def agree(own: Reader, name: str, kind: str, place: Path) -> None:
    pairs = entries(name)
    found, expected = interpreted(own, name, pairs), compiled(own, name, kind, place, pairs)
    assert len(expected) == PAIRS and {"0", "1"} == set(expected)
    assert [(f"{pairs[i][0]:x}", f"{pairs[i][1]:x}") for i in range(PAIRS) if found[i] != expected[i]] == []


@pytest.mark.parametrize(("header", "name"), [(RIGHT, "pte_needs_flush"), (WASTEFUL, "pte_may_need_flush"), (WRONG, "pte_needs_flush")])
def test_a_compiler_agrees(header: str, name: str, tmp_path: Path) -> None:
    agree(seen(tree(header)), name, "pte_t", tmp_path)


KERNELS = os.environ.get("TLBLINT_KERNELS", "")
CASES: Mapping[str, tuple[str, ...]] = {"x86-64": ("6.1", "6.12", "7.3"), "arm64": ("7.3",)}


@pytest.mark.skipif(not KERNELS, reason="TLBLINT_KERNELS is not set")
@pytest.mark.parametrize(("name", "kind"), [("pte_needs_flush", "pte_t"), ("huge_pmd_needs_flush", "pmd_t")])
@pytest.mark.parametrize(("profile", "version"), [(profile, version) for profile, versions in CASES.items() for version in versions])
def test_a_compiler_agrees_on_kernels(profile: str, version: str, name: str, kind: str, tmp_path: Path) -> None:
    place = Path(KERNELS) / f"linux-source-{version}"
    if not place.is_dir():
        pytest.skip(f"no {place.name}")
    read = Reading(PlainDir(str(place)))
    agree(reader(Shelf(read), read, machine_of(profile), DATA.modelled, DATA.sizes), name, kind, tmp_path)
