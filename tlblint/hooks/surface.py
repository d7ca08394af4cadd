"""Which names have to do with flushes, and which files declare, define and use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from posixpath import basename, dirname

from tlblint.names.world import ROOTS, World

Changes = Mapping[str, bytes | None]
"""What a patch makes of files, None: it deletes them."""
Listing = Callable[[Sequence[str]], Sequence[str]]
"""The C files of a tree that are or lie below some places."""
SURFACE = re.compile(
    r"tlb|mmu_gather|gather_mmu|flush_pending|pte_accessible|(?:pte|pmd|pud)p?_\w*flush|flush_(?:pte|pmd|pud)|needs?_flush|lazy_mmu|unmap_flush"
)
"""Names that have to do with flushes."""
STEMS = (b"tlb", b"gather", b"pending", b"accessible", b"flush", b"lazy_mmu")
"""Each of these names holds one of them."""
NOT_SURFACE = re.compile(r"hugetlb|swiotlb|iotlb|cache|_work|[A-Z0-9_]+|.*_plug")
HOME = ("mm", "fs/proc", "kernel")
"""Where generic code uses hooks."""
_HEADER = re.compile(r"(?:include/(?!uapi|trace|dt-bindings)|arch/[^/]+/include/|mm/).*\.h")


def surface(name: str) -> bool:
    """Whether a name has to do with flushes."""
    return bool(SURFACE.search(name)) and not NOT_SURFACE.fullmatch(name) and not NOT_SURFACE.match(name) and "cache" not in name and "hugetlb" not in name


def is_header(path: str) -> bool:
    """Whether others see what a file defines."""
    return bool(_HEADER.fullmatch(path))


def is_kconfig(path: str) -> bool:
    """Whether a file declares symbols."""
    return basename(path).startswith("Kconfig")


def near(path: str) -> bool:
    """Whether a C file lies right in a home, not in a subsystem below it."""
    return dirname(path) in HOME or path.startswith("arch/")


def generic(world: World) -> list[str]:
    """The generic headers of memory management, whatever architecture asks for them."""
    return sorted({path for arch in ("x86", "m68k") for path in world.reached(arch, ROOTS) if path.startswith("include/")})
