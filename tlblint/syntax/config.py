"""A kernel configuration: which macros it defines."""

from __future__ import annotations

import msgspec

from tlblint.names.conditions import Meaning

_TRUE = frozenset(("__KERNEL__", "__GNUC__", "MODULE", "__LINUX_KERNEL__", "CC_USING_FENTRY"))
_FALSE = frozenset(
    (
        "__ASSEMBLY__", "__ASSEMBLER__", "__CHECKER__", "__GENKSYMS__", "__PAGETABLE_P4D_FOLDED", "__PAGETABLE_PUD_FOLDED",
        "__PAGETABLE_PMD_FOLDED", "BUILD_VDSO", "__DISABLE_EXPORTS", "DEBUG", "BITS_PER_LONG_32",
    )
)  # fmt: skip


class Config(msgspec.Struct, Meaning, frozen=True):
    """Which CONFIG_ names are set. Names carry their prefix; a CONFIG_ name in neither set counts as on.

    Other macro names may be listed too (``__PAGETABLE_PMD_FOLDED``); those in neither set are unknown.
    """

    on: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()

    def defined(self, name: str) -> bool | None:
        """Return whether ``name`` is defined, or None when nothing is known about it."""
        if name in self.off:
            return False
        if name in self.on:
            return True
        if name.startswith("CONFIG_"):
            return not name.endswith("_MODULE")
        if name in _TRUE:
            return True
        return False if name in _FALSE else None

    def number(self, name: str) -> int | None:
        """1 for what is defined, 0 for what is not: what is not known has no value."""
        state = self.defined(name)
        return None if state is None else int(state)

    def flipped(self, names: frozenset[str]) -> Config:
        """Return the configuration in which each of ``names`` has the opposite state; an unknown name becomes off."""
        off = frozenset(n for n in names if self.defined(n) is not False)
        return Config((self.on | names) - off, (self.off - names) | off)
