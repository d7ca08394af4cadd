"""Functions of a tree as threads of a shell: the interleavings of what the C does to one shared word, explored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tlblint.model.witness import Witness
from tlblint.predicates import automaton, helpers
from tlblint.predicates.errors import DataError, Inconclusive
from tlblint.predicates.survey import Reader, defined
from tlblint.sim import Profile, ScenarioError, explore, scenario


class Protocol(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of protocols.toml."""

    name: str
    shell: str
    profile: str
    word: str
    calls: dict[str, str]
    actions: dict[str, str]
    arguments: dict[str, int]
    starts: tuple[int, ...]
    changes: int = 4


class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    protocol: tuple[Protocol, ...]


@dataclass(frozen=True, slots=True)
class Explored:
    """A protocol from one start value. ``verdict`` is that of the simulator, or "inconclusive"; ``nodes``: states of the functions."""

    name: str
    start: int
    verdict: str
    length: int | None = None
    states: int = 0
    nodes: int = 0
    witness: Witness | None = None
    blocker: str = ""

    @property
    def refuted(self) -> bool:
        """Whether some interleaving violates something."""
        return not self.verdict.startswith(("safe", "inconclusive"))


def load(raw: bytes) -> tuple[Protocol, ...]:
    """The protocols of a file. Raises DataError."""
    try:
        return msgspec.toml.decode(raw, type=_File).protocol
    except msgspec.DecodeError as error:
        raise DataError(f"protocols.toml: {error}") from None


def run(seen: Reader, protocol: Protocol, shell: str, machines: Sequence[Profile]) -> Iterator[Explored]:
    """Explore a protocol from each of its start values; nothing when the tree lacks one of its functions."""
    if any(defined(seen, name) is None for name in protocol.calls.values()):
        return
    base = helpers.setting(seen.base, 0)
    subject = automaton.Subject(seen.names, seen.modelled, base, protocol.word, protocol.actions, protocol.arguments)
    boolean = _boolean(subject, protocol.calls)
    for start in protocol.starts:
        if boolean and start:
            continue
        try:
            yield _explored(subject, protocol, shell, machines, start)
        except Inconclusive as stopped:
            yield Explored(protocol.name, start, "inconclusive", blocker=f"{stopped.blocker}{f' at {stopped.where}' if stopped.where else ''}")
        except ScenarioError as error:
            yield Explored(protocol.name, start, "inconclusive", blocker=f"the shell and the functions do not fit: {error.text}")


def _boolean(subject: automaton.Subject, calls: Mapping[str, str]) -> bool:
    """Whether the word is a flag: the functions only ever set it, to 0 or 1."""
    try:
        graphs = [automaton.graph(subject, name, (0, 1)) for name in calls.values()]
    except Inconclusive:
        return False
    accesses = [access for graph in graphs for access in graph.accesses]
    return all(access.operator in ("read", "do") or (access.operator == "set" and access.given[0] in (0, 1)) for access in accesses)


def _explored(subject: automaton.Subject, protocol: Protocol, shell: str, machines: Sequence[Profile], start: int) -> Explored:
    def graphs(values: Sequence[int]) -> Sequence[automaton.Graph]:
        return [automaton.graph(subject, name, values) for name in protocol.calls.values()]

    values, found = automaton.closure(graphs, start, protocol.changes)
    parts = {call: (made, values) for call, made in zip(protocol.calls, found, strict=True)}
    text = automaton.filled(shell, parts, start)
    variant = scenario.parse(text, machines, protocol.shell).variants[0]
    outcome = explore(variant.model, variant.bounds)
    nodes = sum(len(made.accesses) for made in found)
    return Explored(protocol.name, start, outcome.verdict, outcome.length, outcome.states, nodes, outcome.witness)
