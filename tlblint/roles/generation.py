"""Which generation of the kernel's API a tree has, told by its declarations as the index of its names has them.

Stable trees carry backports, so a feature is never derived from the release number where the file that would declare
it can be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from tlblint.names.conditions import Meaning
from tlblint.names.heads import Head
from tlblint.names.index import Index, of_files

UNKNOWN = "unknown"
_OLDEST = (5, 10)
"""Roles are kept from this release on: nothing is called older."""


class Generation(msgspec.Struct, frozen=True):
    """The name of a kernel generation ("6.12", "6.9+", "unknown"), its features, and a line for each that says why."""

    name: str
    features: frozenset[str]
    evidence: tuple[str, ...]


class _Probe(msgspec.Struct, frozen=True):
    """A feature and the declaration that shows it: any of ``files`` that is there decides. ``since``: its first release, if any has it. ``names``
    matches what is declared, ``returns`` what stands before it, ``params`` what its first parameters begin with; ``least``: how many it has."""

    feature: str
    since: tuple[int, int] | None
    files: tuple[str, ...]
    names: str
    params: tuple[str, ...] = ()
    returns: str = ""
    least: int = 0

    def shown(self, head: Head) -> bool:
        """Whether a declaration is the one that is meant."""
        params = head.params or ()
        return (
            head.params is not None and len(params) >= max(self.least, len(self.params)) and re.search(self.returns, head.returns) is not None
            and all(re.match(start, param) is not None for start, param in zip(self.params, params, strict=False))
        )  # fmt: skip


_MM = "include/linux/mm.h"
_PGTABLE = "include/linux/pgtable.h"
_HUGETLB = "include/linux/hugetlb.h"
_TLB = "include/asm-generic/tlb.h"
_RMAP = "mm/rmap.c"
_ARM64 = "arch/arm64/include/asm/tlbflush.h"
_RISCV = "arch/riscv/include/asm/tlbflush.h"
_X86 = "arch/x86/include/asm/tlbflush.h"
_UBC = "set_tlb_ubc_flush_pending"
_AN_MM = r"struct\s+mm_struct\b"

_PROBES = (
    _Probe("batched-unmap:x86", (4, 3), (_X86,), r"arch_tlbbatch_\w+"),
    _Probe("batched-pending", (4, 14), ("mm/internal.h",), "flush_tlb_batched_pending"),
    _Probe("needs-flush", (5, 19), (_TLB,), "pte_needs_flush"),
    _Probe("delay-rmap", (6, 2), (_TLB,), "tlb_delay_rmap"),
    _Probe("pte-map-may-fail", (6, 5), (_MM,), "(?:__)?pte_offset_map_lock", returns=r"\bpte_t\s*\*$"),
    _Probe("ubc-takes-pteval", (6, 5), (_RMAP,), _UBC, (_AN_MM, r"pte_t\b")),
    _Probe("batched-unmap:arm64", (6, 6), (_ARM64,), r"arch_tlbbatch_\w+"),
    _Probe("batched-unmap:riscv", (6, 8), (_RISCV,), r"arch_tlbbatch_\w+"),
    _Probe("batched-zap", (6, 9), (_PGTABLE,), "get_and_clear_full_ptes"),
    _Probe("huge-get-takes-mm", (6, 11), (_HUGETLB,), "huge_ptep_get", (_AN_MM,)),
    _Probe("nolock-split", (6, 13), (_MM,), "pte_offset_map_rw_nolock"),
    _Probe("prot-batches", (6, 17), (_PGTABLE,), "modify_prot_start_ptes"),
    _Probe("lazy-nests", (6, 19), (_PGTABLE,), "lazy_mmu_mode_enable"),
    _Probe("unshare-takes-gather", (6, 19), (_HUGETLB,), "huge_pmd_unshare", (r"struct\s+mmu_gather\b",)),
    _Probe("ubc-takes-range", (7, 3), (_RMAP,), _UBC, (_AN_MM,), least=4),
    # Of the 2021 RFC: in no release.
    _Probe("accessible-takes-pointer", None, (_PGTABLE,), "pte_accessible", (r"(?:struct\s+vm_area_struct\s*\*\s*)?vma\b",)),
    _Probe("tlb-start-ptes", None, (_TLB,), "tlb_start_ptes"),
)

# Features that stable trees got by backports: they say nothing about the release.
_BACKPORTED = frozenset({"unshare-takes-gather"})

_ANY = Meaning()
"""Any configuration: a declaration is passed over only where none has it."""
HEADERS: tuple[str, ...] = ("Makefile", *sorted({file for probe in _PROBES for file in probe.files}))
FEATURES: frozenset[str] = frozenset(probe.feature for probe in _PROBES)
NEWEST: frozenset[str] = frozenset(probe.feature for probe in _PROBES if probe.since is not None)


def detect(headers: Mapping[str, bytes] | Index) -> Generation:
    """Judge a tree by those of ``HEADERS`` that it has: an index of it, or path -> content.

    Without any of them the name is "unknown" and the features are those of the newest generation. A feature whose
    file is missing is taken from the release number, or, without one, from the newest generation.
    """
    index = headers if isinstance(headers, Index) else of_files(headers)
    release = _release(index.read("Makefile") or b"")
    seen = any(index.read(path) is not None for path in HEADERS[1:])
    if release is None and not seen:
        return Generation(UNKNOWN, NEWEST, ("no kernel header was found: the newest generation is assumed",))
    features, evidence = set(), []
    for probe in _PROBES:
        holds, why = _judge(probe, index, release)
        if holds:
            features.add(probe.feature)
            evidence.append(why)
    return Generation(_name(release, frozenset(features)), frozenset(features), tuple(evidence))


def _judge(probe: _Probe, index: Index, release: tuple[int, int] | None) -> tuple[bool, str]:
    there = [(path, heads) for path in probe.files if (heads := index.heads(path)) is not None]
    for path, heads in there:
        found = [heads.line(head) for head in heads.like(re.compile(probe.names)) if probe.shown(head) and heads.there(head, _ANY) is not False]
        if found:
            return True, f"{probe.feature}: {path}:{min(found)}"
    if there or probe.since is None:
        return False, ""
    if release is not None:
        return release >= probe.since, f"{probe.feature}: release {release[0]}.{release[1]}, {probe.files[0]} is missing"
    return True, f"{probe.feature}: assumed, {probe.files[0]} is missing"


def _release(makefile: bytes) -> tuple[int, int] | None:
    found = [re.search(rb"^" + key + rb"[ \t]*=[ \t]*(\d{1,4})[ \t]*\r?$", makefile, re.MULTILINE) for key in (b"VERSION", b"PATCHLEVEL")]
    version, level = found
    return (int(version[1]), int(level[1])) if version and level else None


def _name(release: tuple[int, int] | None, features: frozenset[str]) -> str:
    """The release, or the oldest one that has every feature seen: "6.9+"."""
    if release is not None:
        return f"{release[0]}.{release[1]}"
    known = [probe.since for probe in _PROBES if probe.since and probe.feature in features - _BACKPORTED]
    newest = max([*known, _OLDEST])
    return f"{newest[0]}.{newest[1]}+"
