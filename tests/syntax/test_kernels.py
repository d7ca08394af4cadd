"""The bar, on real kernels. Set TLBLINT_KERNELS to a directory that holds linux-source-VERSION trees."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syntax.support import RELEVANT, shape
from tlblint.syntax import Config, ParsedFile, parse_file

KERNELS = os.environ.get("TLBLINT_KERNELS", "")
CORE = re.compile(r"(mm|fs/proc|arch/[^/]+/mm)/")
HINTS = re.compile(rb"pte_offset_map|set_pte_at|flush_tlb_|ptep_|tlb_gather_mmu|lazy_mmu|pmdp_|\bptl\b")
TREES = ("mm", "fs/proc", "fs", "kernel", "arch", "include", "drivers/gpu", "drivers/xen", "drivers/misc", "drivers/iommu", "virt", "lib")


def sources(tree: Path) -> Iterator[tuple[str, bytes]]:
    seen = set()
    for top in TREES:
        for path in sorted((tree / top).rglob("*.c" if top.startswith("drivers") else "*.[ch]")):
            if path in seen or not path.is_file():
                continue
            seen.add(path)
            raw = path.read_bytes()
            if HINTS.search(raw):
                yield path.relative_to(tree).as_posix(), raw


@pytest.mark.parametrize("version", ["6.1", "6.12", "7.3"])
def test_the_bar(version: str) -> None:
    tree = Path(KERNELS) / f"linux-source-{version}"
    if not KERNELS or not tree.is_dir():
        pytest.skip("needs a kernel tree")
    damaged: list[str] = []
    total = 0
    for path, raw in sources(tree):
        parsed = parse_file(path, raw, Config(), RELEVANT)
        total += parsed.total
        damaged += [f"{path}:{n.function}: {n.why}" for n in parsed.not_analysed]
        offsets_hold(parsed, raw)
    assert total > 700, "the tree was not read"
    assert not [d for d in damaged if CORE.match(d)]
    assert len(damaged) <= 5, damaged


def offsets_hold(parsed: ParsedFile, raw: bytes) -> None:
    wanted = shape(raw) if parsed.functions else None
    for text in {id(f.text): f.text for f in parsed.functions}.values():
        assert shape(text) == wanted, parsed.path
    for function in parsed.functions:
        assert raw[function.end - 1 : function.end] == b"}"
