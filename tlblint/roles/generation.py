"""Which generation of the kernel's API a tree has, told by its declarations.

Stable trees carry backports, so a feature is never derived from the release number where the file that would declare
it can be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

UNKNOWN = "unknown"
_OLDEST = (5, 10)
"""Roles are kept from this release on: nothing is called older."""


class Generation(msgspec.Struct, frozen=True):
    """The name of a kernel generation ("6.12", "6.9+", "unknown"), its features, and a line for each that says why."""

    name: str
    features: frozenset[str]
    evidence: tuple[str, ...]


class _Probe(msgspec.Struct, frozen=True):
    """A feature and the declaration that shows it: any of ``files`` that is there decides. ``since``: its first release, if any has it."""

    feature: str
    since: tuple[int, int] | None
    files: tuple[str, ...]
    pattern: str


_MM = "include/linux/mm.h"
_PGTABLE = "include/linux/pgtable.h"
_HUGETLB = "include/linux/hugetlb.h"
_TLB = "include/asm-generic/tlb.h"
_RMAP = "mm/rmap.c"
_ARM64 = "arch/arm64/include/asm/tlbflush.h"
_RISCV = "arch/riscv/include/asm/tlbflush.h"
_X86 = "arch/x86/include/asm/tlbflush.h"

_PROBES = (
    _Probe("batched-unmap:x86", (4, 3), (_X86,), r"\barch_tlbbatch_\w+\s*\("),
    _Probe("batched-pending", (4, 14), ("mm/internal.h",), r"\bflush_tlb_batched_pending\s*\("),
    _Probe("needs-flush", (5, 19), (_TLB,), r"\bpte_needs_flush\s*\("),
    _Probe("delay-rmap", (6, 2), (_TLB,), r"\btlb_delay_rmap\s*\("),
    _Probe("pte-map-may-fail", (6, 5), (_MM,), r"\bpte_t\s*\*\s*(?:__)?pte_offset_map_lock\s*\("),
    _Probe("ubc-takes-pteval", (6, 5), (_RMAP,), r"\bset_tlb_ubc_flush_pending\s*\(\s*struct\s+mm_struct\s*\*\s*\w+\s*,\s*pte_t\b"),
    _Probe("batched-unmap:arm64", (6, 6), (_ARM64,), r"\barch_tlbbatch_\w+\s*\("),
    _Probe("batched-unmap:riscv", (6, 8), (_RISCV,), r"\barch_tlbbatch_\w+\s*\("),
    _Probe("batched-zap", (6, 9), (_PGTABLE,), r"\bget_and_clear_full_ptes\s*\("),
    _Probe("huge-get-takes-mm", (6, 11), (_HUGETLB,), r"\bhuge_ptep_get\s*\(\s*struct\s+mm_struct\b"),
    _Probe("nolock-split", (6, 13), (_MM,), r"\bpte_offset_map_rw_nolock\s*\("),
    _Probe("prot-batches", (6, 17), (_PGTABLE,), r"\bmodify_prot_start_ptes\s*\("),
    _Probe("lazy-nests", (6, 19), (_PGTABLE,), r"\blazy_mmu_mode_enable\s*\("),
    _Probe("unshare-takes-gather", (6, 19), (_HUGETLB,), r"\bhuge_pmd_unshare\s*\(\s*struct\s+mmu_gather\b"),
    _Probe("ubc-takes-range", (7, 3), (_RMAP,), r"\bset_tlb_ubc_flush_pending\s*\(\s*struct\s+mm_struct[^,)]*,[^,)]*,[^,)]*,"),
    # Of the 2021 RFC: in no release.
    _Probe("accessible-takes-pointer", None, (_PGTABLE,), r"\bpte_accessible\s*\(\s*(?:struct\s+vm_area_struct\s*\*\s*)?vma\b"),
    _Probe("tlb-start-ptes", None, (_TLB,), r"\btlb_start_ptes\s*\("),
)

# Features that stable trees got by backports: they say nothing about the release.
_BACKPORTED = frozenset({"unshare-takes-gather"})

HEADERS: tuple[str, ...] = ("Makefile", *sorted({file for probe in _PROBES for file in probe.files}))
FEATURES: frozenset[str] = frozenset(probe.feature for probe in _PROBES)
NEWEST: frozenset[str] = frozenset(probe.feature for probe in _PROBES if probe.since is not None)


def detect(headers: Mapping[str, bytes]) -> Generation:
    """Judge a tree by the bytes of those of ``HEADERS`` that it has (path -> content).

    Without any of them the name is "unknown" and the features are those of the newest generation. A feature whose
    file is missing is taken from the release number, or, without one, from the newest generation.
    """
    release = _release(headers.get("Makefile", b""))
    seen = any(probe_file in headers for probe in _PROBES for probe_file in probe.files)
    if release is None and not seen:
        return Generation(UNKNOWN, NEWEST, ("no kernel header was found: the newest generation is assumed",))
    features, evidence = set(), []
    for probe in _PROBES:
        holds, why = _judge(probe, headers, release)
        if holds:
            features.add(probe.feature)
            evidence.append(why)
    return Generation(_name(release, frozenset(features)), frozenset(features), tuple(evidence))


def _judge(probe: _Probe, headers: Mapping[str, bytes], release: tuple[int, int] | None) -> tuple[bool, str]:
    there = [file for file in probe.files if file in headers]
    for file in there:
        text = headers[file].decode("utf-8", "replace").replace("\\\n", " \n")
        found = re.search(probe.pattern, text)
        if found:
            return True, f"{probe.feature}: {file}:{text.count(chr(10), 0, found.start()) + 1}"
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
