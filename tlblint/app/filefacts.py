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
    from tlblint.engine.texts import Texts
    from tlblint.syntax.config import Config


class Told:
    """Adds to facts what their functions say by their text alone. ``slots``: (struct, slot) of the tables whose callbacks are walked; ``name`` names
    both. Travels without what it has found out."""

    def __init__(self, roles: RoleTable, slots: frozenset[tuple[str, str]], name: str) -> None:
        self.roles, self.slots, self.name = roles, slots, name
        self._texts: Texts | None = None

    def __call__(self, facts: FileFacts) -> FileFacts:
        from tlblint.engine.said import told

        return told(self.texts().of, self.name, facts)

    def texts(self) -> Texts:
        """What is asked."""
        if self._texts is None:
            from tlblint.engine.texts import Texts

            self._texts = Texts(self.roles.resolve, self.slots)
        return self._texts

    def __reduce__(self) -> tuple[type[Told], tuple[RoleTable, frozenset[tuple[str, str]], str]]:
        return Told, (self.roles, self.slots, self.name)


def facts_of(
    configs: Mapping[str, Config], words: frozenset[bytes], helpers: frozenset[bytes], beginning: frozenset[bytes], contracts: ContractTable,
    roles: RoleTable, local: Mapping[str, tuple[Meant, ...]], told: Told, path: str, raw: bytes,
) -> FileFacts:
    """A function of which something is promised is read in any case: one that lost the flush or the count that it owes mentions nothing else
    of interest. So is one that begins what others count on with. ``told`` adds what functions say by their text."""
    owing = frozenset(name for name in contracts.read(path) | beginning if name in raw)
    facts = front.facts_of(path, raw, configs.get(arch_of(path)) or configs[""], words, owing, helpers, contracts.names, expand=True)
    from tlblint.roles.local import own, renamed

    facts = renamed(facts, (*own(facts, roles), *local.get(arch_of(path), ())))
    return told(facts)


def load(words: frozenset[bytes] = frozenset()) -> None:
    """Import all that it takes now, so that processes that are forked later need not; see front.load()."""
    front.load(words)
    import tlblint.engine.texts
    import tlblint.roles.local  # noqa: F401
