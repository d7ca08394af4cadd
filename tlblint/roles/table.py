"""The table of roles: look-up by name and argument count, and which identifiers put code in scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from tlblint.model.roles import Role
from tlblint.roles.kinds import KINDS

# Common parts of the names, the widest first. Whatever they miss is added whole.
_STEMS = (
    "tlb", "_pte", "pte_", "ptep", "pmd", "pud", "lazy_mmu_mode",
    "mmu_notifier_invalidate_range_", "page_vma_mapped_walk", "folio_walk_", "try_to_", "follow_pfnmap_", "double_pt_", "_entry_wait_on_locked",
)
_MOST = 18


class RoleTable(msgspec.Struct, frozen=True):
    """Roles of one kernel generation: name -> argument count (None: any) -> role."""

    entries: Mapping[str, Mapping[int | None, Role]]
    gone: frozenset[tuple[str, int | None]] = frozenset()
    """Names that the tree gives another meaning, with the number of arguments."""

    @classmethod
    def of(cls, roles: Iterable[Role]) -> RoleTable:
        """The table of these roles, of which no two have both name and argument count."""
        entries: dict[str, dict[int | None, Role]] = {}
        for role in roles:
            entries.setdefault(role.name, {})[role.arity] = role
        return cls(entries)

    def resolve(self, name: str, nargs: int) -> Role | None:
        """The role of a call of ``name`` with ``nargs`` arguments, or None. An exact count wins over "any"."""
        found = self.entries.get(name)
        return None if found is None or (name, nargs) in self.gone else found.get(nargs) or found.get(None)

    def roles(self) -> Iterator[Role]:
        """Every role, one for each name and argument count."""
        for found in self.entries.values():
            yield from found.values()

    def names(self) -> frozenset[str]:
        """Every name that the table knows, also those without effect."""
        return frozenset(self.entries)

    def under(self, renamed: Mapping[str, str]) -> RoleTable:
        """With the roles of some names under other ones, too: ``renamed`` is new name -> the one in the table. What the table knows stays."""
        more = {new: {arity: replace(role, name=new) for arity, role in self.entries[old].items()} for new, old in renamed.items() if old in self.entries}
        return RoleTable({**more, **self.entries}, self.gone)

    def relevant(self) -> frozenset[bytes]:
        """The identifiers that put a function in scope: entry changes, PTLs, lazy mode, flushes, gathers, pending and unmap."""
        return frozenset(role.name.encode() for role in self.roles() if any(KINDS[effect.kind].relevant for effect in role.effects))

    def prefilter(self) -> tuple[bytes, ...]:
        """At most 18 strings of which every file with a relevant identifier contains one. For skipping files unread by a parser."""
        left = set(self.relevant())
        chosen = []
        for stem in (text.encode() for text in _STEMS):
            hit = {name for name in left if stem in name}
            if hit:
                chosen.append(stem)
                left -= hit
        rest = sorted(name for name in left if not any(other != name and other in name for other in left))
        if len(chosen) + len(rest) > _MOST:
            raise ValueError(f"too many names without a common part: {b' '.join(rest).decode()}")
        return (*chosen, *rest)
