"""Functions of a tree as threads of a shell: the interleavings of what the C does to shared words, explored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import structs
from msgspec.structs import replace

from tlblint.model.witness import Witness
from tlblint.predicates import automaton, helpers, lowered, variants
from tlblint.predicates.automaton import Domains, Graph, Runs
from tlblint.predicates.errors import DataError, Inconclusive
from tlblint.predicates.survey import Reader, defined
from tlblint.predicates.thread import Call, Shared, Subject
from tlblint.sim import Profile, ScenarioError, explore, scenario


class Variant(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The same with small edits of the functions: ``says`` in words what is otherwise."""

    says: str
    edit: tuple[variants.Edit, ...]


class Protocol(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of protocols.toml; rules/predicates/README.md says what the keys mean."""

    name: str
    shell: str
    profile: str
    word: tuple[Shared, ...]
    call: tuple[Call, ...]
    actions: dict[str, tuple[str, ...]] = {}
    sends: dict[str, tuple[str, ...]] = {}
    gives: dict[str, int | str] = {}
    arguments: dict[str, int] = {}
    begins: dict[str, int | str] = {}
    changes: int = 4
    variant: tuple[Variant, ...] = ()


class Explored(msgspec.Struct, frozen=True):
    """A protocol from one start value. ``verdict`` is that of the simulator, or "inconclusive"; ``nodes``: states of the functions."""

    name: str
    start: int
    verdict: str
    length: int | None = None
    states: int = 0
    nodes: int = 0
    witness: Witness | None = None
    blocker: str = ""
    variant: str = ""

    @property
    def refuted(self) -> bool:
        """Whether some interleaving of the tree's own text violates something."""
        return not self.variant and not self.verdict.startswith(("safe", "inconclusive"))


def load(raw: bytes) -> tuple[Protocol, ...]:
    """The protocols of a file; one that is ``like`` another has all of its keys that it does not give itself. Raises DataError."""
    try:
        entries = msgspec.toml.decode(raw, type=dict[str, list[dict[str, object]]]).get("protocol", [])
        known: dict[object, dict[str, object]] = {}
        for entry in entries:
            known[entry.get("name")] = {**known.get(entry.pop("like", None), {}), "variant": [], **entry}
        return msgspec.convert(tuple(known.values()), type=tuple[Protocol, ...])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DataError(f"protocols.toml: {error}") from None


def run(seen: Reader, protocol: Protocol, shell: str, machines: Sequence[Profile]) -> Iterator[Explored]:
    """Explore a protocol from each of its start values, and its variants; nothing when the tree has it not."""
    found = [next((name for name in call.runs if defined(seen, name) is not None), None) for call in protocol.call]
    if None in found:
        return
    calls = tuple(structs.replace(call, runs=(name,)) for call, name in zip(protocol.call, found, strict=True) if name is not None)
    protocol = structs.replace(protocol, call=calls)
    subject = _subject(seen, protocol)
    runs = Runs(subject)
    if _foreign(runs, protocol):
        return
    boolean = _boolean(runs, protocol.call)
    for start in protocol.word[0].starts:
        if not (boolean and start):
            yield explored(runs, protocol, shell, machines, start)
    for variant in protocol.variant:
        try:
            other = Runs(replace(subject, names=variants.edited(seen.names, variant.edit)))
        except Inconclusive:
            continue  # the tree has nothing of the kind
        yield replace(explored(other, protocol, shell, machines, protocol.word[0].starts[0]), variant=variant.says)


def _subject(seen: Reader, given: Protocol) -> Subject:
    base = helpers.setting(seen.base, 0)
    return Subject(seen.names, seen.modelled, base, given.word, given.actions, given.sends, given.gives, given.arguments, given.begins)


def explored(runs: Runs, protocol: Protocol, shell: str, machines: Sequence[Profile], start: int) -> Explored:
    """Explore a protocol from one start value of its first word."""
    try:
        return _explored(runs, protocol, shell, machines, start)
    except Inconclusive as stopped:
        return Explored(protocol.name, start, "inconclusive", blocker=f"{stopped.blocker}{f' at {stopped.where}' if stopped.where else ''}")
    except ScenarioError as error:
        return Explored(protocol.name, start, "inconclusive", blocker=f"the shell and the functions do not fit: {error.text}")


def _graphs(runs: Runs, calls: Sequence[Call], domains: Domains) -> Sequence[Graph]:
    return [automaton.graph(runs, call, domains) for call in calls]


def _first(words: Sequence[Shared], start: int) -> Domains:
    """What each word may be before anything has happened."""

    def first(index: int, word: Shared) -> list[int]:
        known = [int(v) for v in word.values] or ([] if word.mask is None else [0, 1])
        return known or [word.starts[0] if index else start]

    return [first(index, word) for index, word in enumerate(words)]


def _foreign(runs: Runs, protocol: Protocol) -> bool:
    """Whether the functions never touch the first word: the tree does it in some other way."""
    try:
        graphs = _graphs(runs, protocol.call, [[0, 1] for _ in protocol.word])
    except Inconclusive:
        return False
    accesses = [access for graph in graphs for access in graph.accesses]
    return not any(access.operator == "stuck" or (access.operator not in ("do", "end") and not access.word) for access in accesses)


def _boolean(runs: Runs, calls: Sequence[Call]) -> bool:
    """Whether the word is a flag: the functions only ever set it, to 0 or 1."""
    if len(runs.subject.words) > 1:
        return False
    try:
        graphs = _graphs(runs, calls, [(0, 1)])
    except Inconclusive:
        return False
    accesses = [access for graph in graphs for access in graph.accesses]
    return all(access.operator in ("read", "do", "end") or (access.operator == "set" and access.given[0] in (0, 1)) for access in accesses)


def _explored(runs: Runs, protocol: Protocol, shell: str, machines: Sequence[Profile], start: int) -> Explored:
    domains, found = automaton.closure(lambda given: _graphs(runs, protocol.call, given), protocol.word, _first(protocol.word, start), protocol.changes)
    parts: Mapping[str, Graph] = {call.name: made for call, made in zip(protocol.call, found, strict=True)}
    text = lowered.filled(shell, parts, protocol.word, domains, [start])
    variant = scenario.parse(text, machines, protocol.shell).variants[0]
    outcome = explore(variant.model, variant.bounds)
    if outcome.verdict == "unbalanced":
        stuck = [access.actions[0] for made in found for access in made.accesses if access.operator == "stuck"]
        raise Inconclusive(next(iter(stuck), "a value of a shared word that was not looked at"))
    nodes = sum(len(made.accesses) for made in found)
    return Explored(protocol.name, start, outcome.verdict, outcome.length, outcome.states, nodes, outcome.witness)
