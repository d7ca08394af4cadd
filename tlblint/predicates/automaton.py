"""A function of the tree as a thread: its accesses to shared words become steps, everything between them is executed.

A node is a state of the function right before an access (where it stands, what its variables hold); an edge is a value that the access may
see. The automaton is found by running the function again from its start with a list of values seen so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.thread import Access, Call, Shared, Stop, Subject, run

MOST_NODES = 3000
MOST_VALUES = 24
Domains = Sequence[Sequence[int]]
"""For each shared word the values that it may have."""


class Graph(msgspec.Struct):
    """Nodes by number: the access, and the next node for each value of the word (None: the function ends)."""

    accesses: list[Access] = msgspec.field(default_factory=list)
    edges: list[dict[int, int | None]] = msgspec.field(default_factory=list)
    start: int | None = None


class Runs(msgspec.Struct):
    """Runs of calls, kept: (call, script) -> where it stopped."""

    subject: Subject
    held: dict[tuple[str, tuple[int, ...]], Stop | int | None] = msgspec.field(default_factory=dict)

    def of(self, call: Call, script: tuple[int, ...]) -> Stop | int | None:
        """Run a call, or remember it."""
        key = (call.name, script)
        if key not in self.held:
            self.held[key] = run(self.subject, call, script)
        return self.held[key]


def graph(runs: Runs, call: Call, domains: Domains) -> Graph:
    """The automaton of a call over the values of the words, as small as it gets. Raises Inconclusive."""
    made = Graph()
    known: dict[object, int] = {}

    def node(script: tuple[int, ...]) -> tuple[int | None, bool]:
        """(node behind a script, whether it is new)."""
        stop = runs.of(call, script)
        if stop is None:
            return None, False
        access, key = (stop.access, stop.key) if isinstance(stop, Stop) else (Access("end", given=(stop,)), ("end", stop))
        if key in known:
            return known[key], False
        if len(made.accesses) >= MOST_NODES:
            raise Inconclusive("too many states of a function")
        known[key] = len(made.accesses)
        made.accesses.append(access)
        made.edges.append({})
        return known[key], access.operator not in ("end", "stuck")

    made.start, new = node(())
    waiting = [(made.start, ())] if new else []
    while waiting:
        number, script = waiting.pop()
        assert number is not None
        access = made.accesses[number]
        for value in domains[access.word] if access.sees else (0,):
            behind, fresh = node((*script, value))
            made.edges[number][value] = behind
            if fresh:
                waiting.append((behind, (*script, value)))  # type: ignore[arg-type]
    return smaller(made)


def smaller(made: Graph) -> Graph:
    """The same with one node for all that do the same from there on, and without reads that change nothing."""
    if made.start is None:
        return made
    kinds: dict[object, int] = {}
    of = [kinds.setdefault(access, len(kinds)) for access in made.accesses]
    while True:
        finer: dict[object, int] = {}
        next_of = [finer.setdefault((of[n], _ahead(of, edges)), len(finer)) for n, edges in enumerate(made.edges)]
        if len(finer) == len(set(of)):
            break
        of = next_of
    first = {kind: n for n, kind in reversed(list(enumerate(of)))}
    skipped = _idle(made, of)
    order = {kind: index for index, kind in enumerate(kind for kind in first if kind not in skipped)}

    def target(number: int | None) -> int | None:
        while number is not None and of[number] in skipped:
            number = next(iter(made.edges[number].values()))
        return None if number is None else order[of[number]]

    out = Graph(start=target(made.start))
    for kind in order:
        out.accesses.append(made.accesses[first[kind]])
        out.edges.append({value: target(behind) for value, behind in made.edges[first[kind]].items()})
    return out if not skipped else smaller(out)


def _ahead(of: Sequence[int], edges: dict[int, int | None]) -> tuple[tuple[int, int | None], ...]:
    return tuple((value, None if behind is None else of[behind]) for value, behind in sorted(edges.items()))


def _idle(made: Graph, of: Sequence[int]) -> set[int]:
    """Kinds of nodes that only read, and go on in the same way whatever they see."""
    out = set()
    for number, edges in enumerate(made.edges):
        behind = {None if n is None else of[n] for n in edges.values()}
        if made.accesses[number].operator == "read" and len(behind) == 1 and behind != {of[number]}:
            out.add(of[number])
    return out


def closure(
    graphs: Callable[[Domains], Sequence[Graph]], words: Sequence[Shared], domains: Domains, rounds: int
) -> tuple[Domains, Sequence[Graph]]:
    """Values that the words can have after ``rounds`` changes, with the graphs over them. Raises Inconclusive when there are too many."""
    found = graphs(domains)
    for _ in range(rounds):
        grown = [_grown(found, index, values) for index, values in enumerate(domains)]
        named = {word.name: values for word, values in zip(words, grown, strict=True) if not word.like}
        grown = [[*values, *(v for v in named.get(word.like, ()) if v not in values)] for word, values in zip(words, grown, strict=True)]
        if grown == domains:
            break
        domains = grown
        found = graphs(domains)
    return domains, found


def _grown(found: Sequence[Graph], word: int, values: Sequence[int]) -> Sequence[int]:
    accesses = [access for one in found for access in one.accesses if access.operator not in ("read", "do", "end", "stuck") and access.word == word]
    new = {access.after(value, wrap) for access in accesses for value in values}
    if len(new | set(values)) > MOST_VALUES:
        raise Inconclusive("too many values of a shared word")
    return [*values, *sorted(new - set(values))]


def wrap(value: int) -> int:
    """A number as an int has it."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)
