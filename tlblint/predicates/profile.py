"""A machine to execute a tree for: its configuration, its entry bits, and which stale entries do harm there. All of it is data."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from tlblint.names.conditions import evaluate
from tlblint.names.guards import Macros
from tlblint.names.index import Read
from tlblint.names.tokens import Macro
from tlblint.names.unit import Places
from tlblint.predicates.errors import DataError

SELECTS = frozenset(
    (
        "ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH", "MMU_GATHER_TABLE_FREE", "MMU_GATHER_RCU_TABLE_FREE", "MMU_GATHER_PAGE_SIZE", "MMU_GATHER_MERGE_VMAS",
        "MMU_GATHER_NO_RANGE", "MMU_GATHER_NO_GATHER", "MMU_GATHER_NO_FLUSH_CACHE", "ARCH_HAS_LAZY_MMU_MODE", "ARCH_HAS_PTE_SPECIAL",
        "ARCH_HAS_MEM_ENCRYPT", "ARCH_HAS_PKEYS", "HAVE_RCU_TABLE_FREE", "HAVE_MMU_GATHER_PAGE_SIZE", "HAVE_MMU_GATHER_NO_GATHER",
        "ARCH_HAS_MEMBARRIER_CALLBACKS", "ARCH_SUPPORTS_PT_RECLAIM", "ARCH_HAS_TLB_GENERATIONS", "PER_TABLE_DEFERRED_FLUSHES",
        "ARCH_WANT_AGGRESSIVE_TLB_FLUSH_BATCHING",
    )
)  # fmt: skip
"""What is a property of an architecture, not a choice: read from its Kconfig."""
_SELECT = re.compile(r"\n[ \t]++select[ \t]+(\w+)(?:[ \t]+if[ \t]+([^\n]*))?")
_NAME = re.compile(r"[A-Za-z_]\w*")


class Bit(msgspec.Struct, frozen=True):
    """A symbolic bit of an entry. ``at`` is its number for each level ("pte", "pmd"); ``c`` is what the C code calls its mask."""

    name: str
    at: Mapping[str, int]
    c: str = ""


class Oracle(msgspec.Struct, frozen=True):
    """``needed``: the changes of an entry that leave a harmful translation behind, as a formula. ``levels`` it speaks of."""

    name: str
    words: str
    needed: str
    levels: tuple[str, ...] = ("pte", "pmd")


class _Bit(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    pte: int
    pmd: int | None = None
    c: str = ""


class _Oracle(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    words: str
    needed: str
    levels: tuple[str, ...] = ("pte", "pmd")


class Profile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One file of rules/predicates. ``flush_profile`` is the profile of rules/profiles that it is the machine of."""

    name: str
    arch: str
    flush_profile: str
    note: str
    source: tuple[str, ...]
    roots: tuple[str, ...]
    directories: tuple[str, ...]
    config: tuple[str, ...]
    predefined: dict[str, str] = {}
    constants: dict[str, int] = {}
    features: tuple[str, ...] = ()
    sizes: dict[str, int] = {}
    long_bits: int = 64
    bit: tuple[_Bit, ...] = ()
    accessible_bit: tuple[_Bit, ...] = ()
    oracle: tuple[_Oracle, ...] = ()
    accessible: str = ""
    fixed: int = 0

    def bits(self) -> tuple[Bit, ...]:
        """The symbolic bits of an entry."""
        return tuple(Bit(b.name, {"pte": b.pte, "pmd": b.pte if b.pmd is None else b.pmd}, b.c) for b in self.bit)

    def accessible_bits(self) -> tuple[Bit, ...]:
        """The symbolic bits for pte_accessible()."""
        return tuple(Bit(b.name, {"pte": b.pte, "pmd": b.pte}, b.c) for b in self.accessible_bit)

    def oracles(self) -> tuple[Oracle, ...]:
        """What is needed, under each assumption on the machine."""
        return tuple(Oracle(o.name, o.words, o.needed, o.levels) for o in self.oracle)

    def places(self) -> Places:
        """Where headers are looked for."""
        return Places(self.directories)

    def macros(self, read: Read) -> dict[str, str]:
        """What is defined before the first line: the profile's settings and what the architecture's Kconfig selects under them."""
        settings: dict[str, str] = {"__KERNEL__": "1", "__GNUC__": "12", "__GNUC_MINOR__": "2", "__STDC__": "1", "__STDC_VERSION__": "201112L"}
        settings |= {"__CHAR_BIT__": "8", "__GNUC_PATCHLEVEL__": "0", "__OPTIMIZE__": "1", "__ORDER_LITTLE_ENDIAN__": "1234", "__ORDER_BIG_ENDIAN__": "4321"}
        for item in self.config:
            name, _, value = item.partition("=")
            settings[f"CONFIG_{name}"] = value or "1"
        return selected(settings | self.predefined, read(f"arch/{self.arch}/Kconfig") or b"")


def selected(settings: dict[str, str], kconfig: bytes) -> dict[str, str]:
    """``settings`` with the CONFIG_ names of SELECTS that a Kconfig file selects, its "if" taken into account."""
    out = dict(settings)

    def lookup(name: str) -> Macro | None:
        return Macro(name, None, ("1",)) if f"CONFIG_{name}" in settings else None

    for found in _SELECT.finditer("\n" + kconfig.decode("latin-1")):
        if found[1] in SELECTS and (not found[2] or evaluate("if", _NAME.sub(r"defined(\g<0>)", found[2]), Macros(lookup))):
            out.setdefault(f"CONFIG_{found[1]}", "1")
    return out


def load(name: str, raw: bytes) -> Profile:
    """A profile from its file. Raises DataError naming file and key."""
    try:
        return msgspec.toml.decode(raw, type=Profile)
    except msgspec.DecodeError as error:
        raise DataError(f"{name}: {error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{name}: not UTF-8") from None
