"""What came of the predicates of a tree, as every printer shows it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Judged(msgspec.Struct, frozen=True):
    """A predicate by one oracle. ``kind``: unsafe, conservative, exact. ``missing`` and ``redundant`` flushes; ``smallest``: such a change.

    ``changes``: single bits, with how often.
    """

    oracle: str
    kind: str
    missing: int
    redundant: int
    smallest: str
    changes: tuple[str, ...]


class PredicateView(msgspec.Struct, frozen=True):
    """A predicate on one machine. ``edit``: code that would mend or narrow it, ``does`` what that is worth; ``blocker``: why it is not judged."""

    profile: str
    name: str
    path: str
    line: int
    judged: tuple[Judged, ...]
    edit: tuple[str, ...]
    does: str
    blocker: str

    @property
    def verdict(self) -> str:
        """The verdict of the oracle that asks for least."""
        return self.judged[0].kind if self.judged else "not judged"


def together(found: Iterable[PredicateView]) -> Executed | None:
    """What a check has executed, in an order that does not depend on the parts it was done in; None for nothing."""
    views = sorted(found, key=lambda one: (one.path, one.line, one.profile, one.name))
    return Executed(tuple(views)) if views else None


class ProtocolView(msgspec.Struct, frozen=True):
    """Functions of a tree as threads. ``start``: value of the shared word; ``variant``: what was otherwise; ``steps``: (number, thread, text, place)."""

    profile: str
    name: str
    start: int
    variant: str
    verdict: str
    length: int | None
    states: int
    blocker: str
    steps: tuple[tuple[int, str, str, str], ...]


class Executed(msgspec.Struct, frozen=True):
    """What was executed of a tree. ``alone``: the run was for nothing else; ``helpers`` of ``asked`` could be executed."""

    predicates: tuple[PredicateView, ...]
    protocols: tuple[ProtocolView, ...] = ()
    helpers: int = 0
    asked: int = 0
    alone: bool = False

    @property
    def sentence(self) -> str:
        """What was found, in one line."""
        judged = [one for one in self.predicates if one.judged]
        unsafe = sum(one.verdict == "unsafe" for one in judged)
        own = [one for one in self.protocols if not one.variant]
        refuted = sum(not one.verdict.startswith(("safe", "inconclusive")) for one in own)
        text = f"{len(judged):,} predicate{'s' * (len(judged) != 1)} judged, {unsafe:,} unsafe"
        return text + (f"; {len(own):,} protocol run{'s' * (len(own) != 1)}, {refuted:,} refuted" if own else "") + "."
