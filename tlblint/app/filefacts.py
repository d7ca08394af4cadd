"""The facts of one file, as the tables and the tree have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tlblint.app import front
from tlblint.calls.program import arch_of
from tlblint.model.ir import FileFacts
from tlblint.roles import ContractTable, RoleTable
from tlblint.roles.meant import Meant

if TYPE_CHECKING:
    from tlblint.syntax.config import Config


def facts_of(
    configs: Mapping[str, Config], words: frozenset[bytes], helpers: frozenset[bytes], beginning: frozenset[bytes], contracts: ContractTable,
    roles: RoleTable, local: Mapping[str, tuple[Meant, ...]], path: str, raw: bytes,
) -> FileFacts:
    """A function of which something is promised is read in any case: one that lost the flush or the count that it owes mentions nothing else
    of interest. So is one that begins what others count on with."""
    owing = frozenset(name for name in contracts.read(path) | beginning if name in raw)
    facts = front.facts_of(path, raw, configs.get(arch_of(path)) or configs[""], words, owing, helpers, contracts.names, expand=True)
    from tlblint.roles.local import own, renamed

    return renamed(facts, (*own(facts, roles), *local.get(arch_of(path), ())))


def load() -> None:
    """Import all that it takes now."""
    front.load()
    import tlblint.roles.local  # noqa: F401
