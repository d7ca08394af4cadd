"""The analysis behind a use case, as one object: what to look for, how to read a file, how to judge the facts.

``load`` builds the real one. Tests put a small one in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from tlblint.engine.asked import Over, in_order
from tlblint.findings.own import RuleInfo
from tlblint.model.finding import RawFinding
from tlblint.model.ir import FileFacts, NotAnalysed
from tlblint.model.store import NOTHING, Store
from tlblint.roles.meant import Meant

if TYPE_CHECKING:
    from tlblint.app.front import Configs
    from tlblint.engine.last import Before, Edit, Remembered
    from tlblint.names.index import Texts
    from tlblint.roles import RoleTable


class Result(Protocol):
    """What the engine answers."""

    @property
    def findings(self) -> tuple[RawFinding, ...]: ...
    @property
    def not_analysed(self) -> tuple[NotAnalysed, ...]: ...


class Judge(Protocol):
    """Judges the facts of all files. ``only``: of which files to report (None: all). ``over``: a map over many items,
    maybe on several processes. ``store``: remembers what was judged, and may know the run ``before``; the result is the same with any."""

    def __call__(
        self, facts: Sequence[FileFacts], only: Callable[[str], bool] | None, over: Over = in_order, store: Store = NOTHING, before: Before | None = None, /
    ) -> Result: ...


class Again(Protocol):
    """Judges state after state of one tree, of which most stays as it was."""

    def judge(self, facts: Sequence[FileFacts], part: frozenset[tuple[str, str]] | None) -> Result:
        """What is found in the next state; all of it in the functions of ``part``, (path, name), None for all, and in those that lead there."""

    @property
    def near(self) -> frozenset[tuple[str, str]]:
        """The functions of the last state in which everything was found."""

    @property
    def flags(self) -> frozenset[str]:
        """What the functions of the last state say together: where that changes, others say something else, too."""


class Names(Protocol):
    """What names mean in the tree that is looked at."""

    @property
    def texts(self) -> Texts | None:
        """What has been taken apart of it; None: nothing."""

    def meant(self, table: RoleTable, arches: Sequence[str], configs: Configs, named: str, /) -> tuple[Meant, ...]:
        """What headers make of the names of a table on some architectures, each in its configuration. ``named`` tells the table from others."""


class Wanted(msgspec.Struct, frozen=True):
    """What a use case asks of the analysis. Empty ``profiles`` and ``select`` mean all. ``rule_files`` are absolute.

    ``headers``: the files of the tree by which its generation is told. ``preview``: rules in preview run, too. Rules are named by code or slug.
    """

    profiles: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rule_files: tuple[str, ...] = ()
    headers: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    preview: bool = False
    store: Store = NOTHING
    """What may remember the shipped tables."""
    renamed: tuple[tuple[str, str], ...] = ()
    """API functions that go by another name in this tree: (that, the one in the tables)."""
    naming: Names | None = None
    """What the tree makes of names; None: what the tables do."""


class Contracts(msgspec.Struct, frozen=True):
    """``bare`` judges as if no function had a contract; ``reason`` is that of the contract of a function (path, name), or ""; ``known``: whether
    there is one, or it is known that the page tables are not user space's."""

    bare: Judge
    reason: Callable[[str, str], str]
    known: Callable[[str, str], bool] = lambda path, name: False


class Spine(msgspec.Struct, frozen=True):
    """``words``: identifiers without which a file is of no interest; ``hints``: what many of them have in common.
    ``skipped``: starts of paths that are no subject. ``rules``: all known ones; ``active``: codes that run.

    ``ruleset`` names rules and role tables by a hash of their bytes. ``facts`` must be safe to call in a forked process.
    """

    rules: tuple[RuleInfo, ...]
    active: frozenset[str]
    profiles: tuple[str, ...]
    words: frozenset[bytes]
    ruleset: str
    facts: Callable[[str, bytes], FileFacts]
    analyse: Judge
    hints: tuple[bytes, ...] = ()
    skipped: tuple[str, ...] = ()
    always: frozenset[str] = frozenset()
    """Files that are of interest whatever they mention: a function of theirs has to do something, and may have forgotten to."""
    names: frozenset[str] = frozenset()
    """The functions whose meaning is known by their name."""
    contracts: Contracts | None = None
    again: Callable[..., Again] | None = None
    """Begins a new memory. Takes, if anything, functions (path, name) by what they are after a patch -> what they were, which are entered as they
    were; and those of them that are otherwise the same, of which all that was promised still holds."""
    key: str = ""
    """Names all that ``facts`` depend on besides path and bytes; "": they must not be remembered."""
    judging: str = ""
    """The same of ``analyse`` besides the facts."""
    generation: str | None = None
    """Which kernel the headers are of: "6.12", "6.9+"; None for what is none."""
    stands: Callable[[Remembered, Before, Mapping[str, Edit], Store], int | None] | None = None
    """Whether what the run before has found is what ``analyse`` would find after edits, as far as that can be told from what is remembered of it: how
    many more entry states it would meet, None where it has to be asked."""
    meant: tuple[Meant, ...] = ()
    """What the tree means otherwise than the tables."""

    def with_always(self, chosen: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
        """``chosen`` and those of ``always`` that are among ``paths``, in the order of these."""
        missing = {path for path in self.always.difference(chosen) if path in paths}
        if not missing:
            return tuple(chosen)
        both = missing.union(chosen)
        return tuple(path for path in paths if path in both)


Loader = Callable[[Wanted], Spine]


def load(wanted: Wanted) -> Spine:
    """The shipped rules, role tables and profiles with the real engine. Raises InputError."""
    from tlblint.app.wiring import build

    return build(wanted)
