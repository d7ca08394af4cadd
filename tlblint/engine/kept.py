"""Judged batches under keys that say all that a judgement rests on, so that one made on another day or for another state of the tree counts.

A key covers the functions that a batch can reach, by their names and shapes, what the rules are told of them, and what they call. Not where
they stand: sites are kept as (rank among those functions, offset from the start of the function) and put right when they are read back.
Where functions have another shape than they had last, what was judged then holds if they still answer as they did: see cutoff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tlblint.engine.automata import Place
from tlblint.engine.batches import DECODER, KIND, Batch, Pair
from tlblint.engine.cutoff import Cutoff, counting
from tlblint.engine.last import Last, Node
from tlblint.engine.roots import Judged, Start
from tlblint.engine.state import SHIFT
from tlblint.engine.summary import Hit
from tlblint.engine.world import World
from tlblint.model.finding import PathEvent
from tlblint.model.ir import Function
from tlblint.model.store import Store, key

PASSING = ("internal error", "the analysis ran")
"""How reasons start that another run need not meet again."""

_HALF = 1 << (SHIFT - 1)
"""Added to an offset from a function's start, which may be negative."""

_encode = msgspec.msgpack.Encoder().encode


class Kept(msgspec.Struct):
    """Batches by key. ``world``: a digest of what is the same for all functions; ``node`` tells of one function. ``last``: the functions as they
    were judged last. ``able``: under which states of rules a function is judged. ``stood``: what of the nodes and batches another run is to know."""

    store: Store
    functions: Sequence[Function]
    world: bytes
    node: Callable[[int], Node]
    last: Last
    cutoff: Cutoff
    able: Callable[[int], frozenset[Place]]
    stood: Callable[[Mapping[int, Node], Sequence[Batch]], bytes]
    _nodes: dict[int, Node] = msgspec.field(default_factory=dict)
    _digests: dict[int, bytes] = msgspec.field(default_factory=dict)
    _keys: dict[tuple[Start, ...], tuple[bytes, list[int]]] = msgspec.field(default_factory=dict)

    def find(self, batches: Iterable[tuple[Start, ...]]) -> dict[tuple[Start, ...], Judged]:
        """Those of ``batches`` that were judged before, as they would be judged now."""
        keys = {batch: self._key(batch) for batch in batches}
        rows = self.store.get(KIND, [name for name, _ in keys.values()])
        self._take_over([(batch, *held) for batch, held in keys.items() if held[0] not in rows], rows)
        found = {}
        for batch, (name, members) in keys.items():
            if name in rows:
                try:
                    found[batch] = _Places(self.functions, members).judged(rows[name])
                except (ValueError, IndexError):
                    continue
        return found

    def keep(self, judged: Mapping[tuple[Start, ...], Judged]) -> None:
        """Remember what does not hang on this run."""
        rows = {}
        for batch, item in judged.items():
            if not any(why.startswith(PASSING) for why in item.stopped.values()):
                name, members = self._key(batch)
                try:
                    rows[name] = _Places(self.functions, members).row(item)
                except (ValueError, LookupError, TypeError):
                    continue  # speaks of something outside of what it can reach: not worth keeping
        if rows:
            self.store.put(KIND, rows)

    def done(self) -> None:
        """Remember what all functions are for the next run."""
        if not self.last.wanted:
            return
        batches = [Batch(name, [index for index, _ in batch], members, [self.able(index) for index, _ in batch])
                   for batch, (name, members) in self._keys.items()]  # fmt: skip
        self.last.keep(self._nodes, self.stood(self._nodes, batches))

    def asked(self, batch: tuple[Start, ...], worlds: Sequence[World]) -> bytes:
        """What is kept of the answers that a batch rests on."""
        name_members = self._keys.get(batch)
        return self.cutoff.asked(worlds, name_members[1]) if name_members is not None else b""

    def _take_over(self, missing: Sequence[tuple[tuple[Start, ...], bytes, list[int]]], rows: dict[bytes, bytes]) -> None:
        """Add to ``rows`` those of ``missing`` that still hold, though functions on which they rest were edited."""
        before = {name: found for batch, name, members in missing if (found := self._before(batch, members)) is not None}
        held = self.store.get(KIND, [was for was, _ in before.values()])
        new = {}
        for batch, name, members in missing:
            was, changed = before.get(name, (b"", ()))
            if was not in held:
                continue
            hits, stopped, visited, contexts, asked = DECODER.decode(held[was])
            asked = self.cutoff.still(asked, counting(self.able(index) for index, _ in batch), members, changed) if not hits and not stopped else b""
            if asked:
                new[name] = _encode((hits, stopped, visited, contexts, asked))
        if new:
            self.store.put(KIND, new)
            rows.update(new)

    def _before(self, batch: tuple[Start, ...], members: list[int]) -> tuple[bytes, tuple[int, ...]] | None:
        """Under which key a batch was judged last, and which functions have another shape since; None where it is another batch now."""
        was = self.last.nodes(members, self._nodes)
        if was is None:
            return None
        changed = tuple(index for index in members if was[index].shape != self._nodes[index].shape)
        if not changed or any(index in changed for index, _ in batch):
            return None
        return self._name(batch, members, {index: self._digest(was[index]) for index in changed}), changed

    def _key(self, batch: tuple[Start, ...]) -> tuple[bytes, list[int]]:
        """The key of a batch, and the functions that it can reach, sorted."""
        known = self._keys.get(batch)
        if known is None:
            members = sorted(self._reach(index for index, _ in batch))
            known = self._keys[batch] = (self._name(batch, members, {}), members)
        return known

    def _name(self, batch: tuple[Start, ...], members: Sequence[int], other: Mapping[int, bytes]) -> bytes:
        """The key of a batch of which some members have ``other`` digests."""
        ranks = {index: rank for rank, index in enumerate(members)}
        starts = [str(ranks[index]).encode() + (b"-" if entry is None else b"+") for index, entry in batch]
        digests = {**self._digests, **other} if other else self._digests
        return key(self.world, b" ".join(starts), b"".join([digests[index] for index in members]))

    def _digest(self, node: Node) -> bytes:
        """Of a function with its name and those that it leads to."""
        return key(node.shape, node.text, *[self.last.name(index) for index in node.leads])

    def _reach(self, starts: Iterable[int]) -> set[int]:
        out = set(starts)
        work = list(out)
        nodes = self._nodes
        while work:
            index = work.pop()
            node = nodes.get(index)
            if node is None:
                node = nodes[index] = self.node(index)
                self._digests[index] = self._digest(node)
            for lead in node.leads:
                if lead not in out:
                    out.add(lead)
                    work.append(lead)
        return out


class _Places:
    """Sites as (rank, offset from the function's start) in one number, and back. Raises LookupError and ValueError for what is no site."""

    def __init__(self, functions: Sequence[Function], members: Sequence[int]) -> None:
        self._functions = functions
        self._members = members
        self._ranks = {index: rank for rank, index in enumerate(members)}
        self._by_name: dict[tuple[str, str], list[int]] = {}
        for index in members:
            self._by_name.setdefault((functions[index].path, functions[index].name), []).append(index)

    def row(self, judged: Judged) -> bytes:
        """The bytes of a judged batch."""
        hits = [(h.rule, h.state, self._away(h.origin), self._value(h.keys, self._away), self._away(h.act), h.kind, h.name, h.say,
                 self._value(h.objects, self._away), [(self._away(site), *rest) for site, *rest in h.trail],
                 [self._event_away(event) for event in h.story if isinstance(event, PathEvent)]) for h in judged.hits]  # fmt: skip
        stopped = [(self._ranks[index], why) for index, why in judged.stopped.items()]
        return _encode((hits, stopped, sorted(self._ranks[index] for index in judged.visited), judged.contexts, judged.asked))

    def judged(self, raw: bytes) -> Judged:
        """The batch that ``row`` made these bytes of, with sites as they are now."""
        hits, stopped, visited, contexts, asked = DECODER.decode(raw)
        found = [
            Hit(rule, state, self._back(origin), self._value(keys, self._back), self._back(act), kind, name, say, self._value(objects, self._back),
                tuple((self._back(site), what, text, note) for site, what, text, note in trail), tuple(self._event_back(event) for event in story))
            for rule, state, origin, keys, act, kind, name, say, objects, trail, story in hits
        ]  # fmt: skip
        return Judged(found, {self._members[rank]: why for rank, why in stopped}, {self._members[rank] for rank in visited}, contexts, asked)

    def _away(self, site: int) -> int:
        if site <= 0:  # none, or a name of the caller's
            return site
        index, at = site >> SHIFT, site & ((1 << SHIFT) - 1)
        return self._pack(self._ranks[index], at - 1 - self._functions[index].start)

    def _back(self, site: int) -> int:
        if site <= 0:
            return site
        index = self._members[site >> SHIFT]
        return (index << SHIFT) + (site & ((1 << SHIFT) - 1)) - _HALF + self._functions[index].start + 1

    def _pack(self, rank: int, offset: int) -> int:
        if not -_HALF < offset < _HALF:
            raise ValueError("an offset that is too large")
        return (rank << SHIFT) + offset + _HALF

    def _value(self, held: Any, move: Callable[[int], int]) -> Any:
        """The numbers in what a rule was told are sites."""
        if type(held) is tuple:
            return tuple(self._value(item, move) for item in held)
        return move(held) if type(held) is int else held

    def _event_away(self, event: PathEvent) -> tuple[Any, ...]:
        candidates = self._by_name[(event.path, event.function)]
        index = next((i for i in candidates if self._functions[i].start <= event.pos <= self._functions[i].end), candidates[0])
        return (self._pack(self._ranks[index], event.pos - self._functions[index].start), event.kind, event.text, event.note, event.objects)

    def _event_back(self, event: tuple[int, str, str, str, tuple[Pair, ...]]) -> PathEvent:
        site, kind, text, note, objects = event
        fn = self._functions[self._members[site >> SHIFT]]
        return PathEvent(fn.path, (site & ((1 << SHIFT) - 1)) - _HALF + fn.start, fn.name, kind, text, note, objects)
