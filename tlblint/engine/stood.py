"""Whether all that was found last stands after an edit, told without the program: from the tables that the last judging has left.

Where edited functions say the same of the program by their text, no table of the program is another: who calls whom, what is promised, which events
there are. So what rests on them can be asked with the tables as they were and the few functions that they lead to, see cutoff. Whatever is not as
simple as that is judged again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from tlblint.calls.program import does_more
from tlblint.calls.record import shapes
from tlblint.engine.asked import Context, Entry
from tlblint.engine.automata import Automata, Place
from tlblint.engine.batches import Batch, Quiet, quiet
from tlblint.engine.code import Code
from tlblint.engine.compile import Compiler
from tlblint.engine.cutoff import FEW, Cutoff, counting
from tlblint.engine.entering import run
from tlblint.engine.grammar import RuleSpec
from tlblint.engine.last import Before, Edit, Node, Remembered
from tlblint.engine.marks import Heard, Marks
from tlblint.engine.scope import is_short
from tlblint.engine.texts import Texts
from tlblint.engine.worlds import Worlds
from tlblint.model.ir import FileFacts, Function
from tlblint.model.store import Store

_Words = frozenset[str]
_Name = tuple[str, str]


class _Node(msgspec.Struct, frozen=True, array_like=True):
    """``leads``: the functions whose answers one may use; ``says``, ``events``: numbers of sets; ``plain``: it starts no walk, and is none."""

    leads: tuple[int, ...]
    says: int
    events: int
    plain: bool


class _Batch(msgspec.Struct, frozen=True, array_like=True):
    """Like batches.Batch, with numbers of sets of states."""

    name: bytes
    starts: tuple[int, ...]
    members: tuple[int, ...]
    able: tuple[int, ...]


class _Heard(msgspec.Struct, frozen=True, array_like=True):
    """Like marks.Heard; a function whose parameters are ignored goes by its index."""

    cleared: _Words
    kept: _Words
    ignored: tuple[tuple[int, _Words], ...]
    unset: tuple[tuple[_Name, dict[str, bool]], ...]
    late: dict[str, tuple[_Name, ...]]
    defining: tuple[_Name, ...]


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """``digest`` says what rules and context mean. ``counts``: functions of each file, in the order of their paths; ``names`` of all functions, see
    _packed(); ``words``, ``places``: sets; ``nodes`` by index."""

    digest: bytes
    counts: tuple[int, ...]
    names: bytes
    words: tuple[_Words, ...]
    places: tuple[frozenset[Place], ...]
    nodes: tuple[tuple[int, _Node], ...]
    batches: tuple[_Batch, ...]
    heard: _Heard


_DECODER = msgspec.msgpack.Decoder(_Row)
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Tables(NamedTuple):
    """What is to be known of a program. ``digest`` as in Options; ``counts``: functions of each file; ``functions``, ``says``, ``events`` by index;
    ``walks``: what starts one, or is one."""

    digest: bytes
    counts: Mapping[str, int]
    functions: Sequence[Function]
    says: Mapping[int, _Words]
    events: Sequence[_Words]
    heard: Heard
    walks: frozenset[int]


def told(tables: Tables, nodes: Mapping[int, Node], batches: Sequence[Batch]) -> bytes:
    """All that ``stands`` asks of a run in which ``batches`` were judged."""
    words: dict[_Words, int] = {}
    places: dict[frozenset[Place], int] = {}
    heard = tables.heard
    functions = tables.functions[: sum(tables.counts.values())]
    ignored = tuple((index, heard.ignored[fn.path, fn.start]) for index, fn in enumerate(functions) if (fn.path, fn.start) in heard.ignored)
    made = []
    for index, node in sorted(nodes.items()):
        says, events = (words.setdefault(some, len(words)) for some in (tables.says[index], tables.events[index]))
        made.append((index, _Node(node.leads, says, events, index not in tables.walks)))
    kept = [_Batch(b.name, tuple(b.starts), tuple(b.members), tuple(places.setdefault(some, len(places)) for some in b.able)) for b in batches]
    unset = tuple((place, dict(members)) for place, members in sorted(heard.unset.items()))
    late = {flag: tuple(sorted(some)) for flag, some in heard.late.items()}
    return _encode(_Row(
        tables.digest,
        tuple(tables.counts[path] for path in sorted(tables.counts)),
        b"".join(_packed(fn.name) for fn in functions),
        tuple(words),
        tuple(places),
        tuple(made),
        tuple(kept),
        _Heard(heard.cleared, heard.kept, ignored, unset, late, tuple(sorted(heard.defining))),
    ))


def stands(
    last: Remembered, before: Before, edits: Mapping[str, Edit], rules: Sequence[RuleSpec], context: Context, digest: bytes, store: Store
) -> int | None:
    """Whether what was found last is what would be found after these edits, of which each leaves a file the functions and tables that it had: how many
    more entry states are met, None where it is not sure. What findings say of the files themselves is not asked. ``last`` is what the edits were told
    from: another run may have judged other files since."""
    with suppress(Exception):  # rows of somebody else, facts that are gone; of anything else, who judges it again says what is wrong
        row = _DECODER.decode(last.stood) if last.stood else None
        if row is not None and row.digest == digest:
            return _Standing(row, last.files, before, edits, rules, context).more(store)
    return None


class _Standing:
    """The program as far as it is asked for. ``files``: the names of the facts that were judged."""

    def __init__(self, row: _Row, files: Mapping[str, bytes], before: Before, edits: Mapping[str, Edit], rules: Sequence[RuleSpec], context: Context) -> None:
        self._row, self._before, self._edits, self._rules, self._context = row, before, edits, rules, context
        self._files = files
        self._nodes = dict(row.nodes)
        self._held: dict[str, FileFacts] = {path: edit.now for path, edit in edits.items()}
        self._codes: dict[int, Code] = {}
        self._asking = Texts(context.roles, context.slots)

    def more(self, store: Store) -> int | None:
        """How many entry states more than before all batches meet; None where one may not hold."""
        row = self._row
        changed = self._changed() if len(self._paths) == len(row.counts) else None
        if changed is None or len(changed) > FEW:
            return None
        if not all(self._alike(was, now) and self._is_one(index, changed) for index, (was, now) in changed.items()):
            return None
        resting = [batch for batch in row.batches if not changed.keys().isdisjoint(batch.members)]
        starting = self._starting(changed)
        begun = [batch for batch in resting if not starting.isdisjoint(batch.starts)]
        closed = self._closed(index for index in {*changed, *(index for batch in begun for index in batch.members)} if index in self._nodes)
        marks = self._marks({*changed, *closed})
        if any(marks.is_special(now) for _, now in changed.values()) or not all(self._nodes[index].plain for index in closed):
            return None
        known = quiet(store, [batch.name for batch in resting]) if resting else {}
        if len(known) < len(resting):
            return None
        worlds = self._worlds(closed, marks)
        cutoff = Cutoff(self.function, lambda index: changed[index][0], worlds.other, self._alike)
        for batch in resting:
            able = [row.places[at] for at in batch.able]
            if batch not in begun and not cutoff.still(known[batch.name].asked, counting(able), batch.members, changed.keys()):
                return None
        more = 0
        for batch in begun:
            contexts = self._again(batch, known[batch.name], worlds)
            if contexts is None:
                return None
            more += contexts - known[batch.name].contexts
        return more

    def _again(self, batch: _Batch, was: Quiet, worlds: Worlds) -> int | None:
        """The entry states of a batch that is judged again; None where something is found, or other functions are seen than before."""
        starts: dict[frozenset[Place], list[tuple[int, Entry | None]]] = {}
        for index, at in zip(batch.starts, batch.able, strict=True):
            starts.setdefault(self._row.places[at], []).append((index, self._entry(index)))
        visited: set[int] = set()
        contexts = 0
        for places, members in starts.items():
            if places:
                world = worlds.world(places)
                run(world, members, self.function, self._twins)
                if world.stopped or any(one.hits for one in world.table.values()):
                    return None
                visited |= world.visited
                contexts += len(world.table)
        return contexts if visited == {batch.members[rank] for rank in was.visited} else None

    def _starting(self, changed: Mapping[int, tuple[Function, Function]]) -> set[int]:
        """These functions, and those of which they are variants: who starts with one of those runs its variants, too."""
        out = set(changed)
        for _, now in changed.values():
            if now.variant:
                first = self._firsts[self._paths.index(now.path)]
                out.update(first + at for at, fn in enumerate(self._edits[now.path].now.functions) if fn.name == now.name)
        return out

    def _twins(self, index: int) -> list[int]:
        """See Program.twins()."""
        fn = self.function(index)
        others = [(lead, self.function(lead)) for lead in self._nodes[index].leads] if not fn.variant else []
        return [lead for lead, other in others if other.variant and (other.path, other.name) == (fn.path, fn.name)]

    def _changed(self) -> dict[int, tuple[Function, Function]] | None:
        """The functions that are not what they were, by index: as they were and as they are; None for more than that."""
        out = {}
        for path, (was, now) in self._edits.items():
            if len(was.functions) != len(now.functions) or len(was.functions) != self._row.counts[self._paths.index(path)]:
                return None
            old, new = shapes(was), shapes(now)
            first = self._firsts[self._paths.index(path)]
            out.update({first + at: pair for at, pair in enumerate(zip(was.functions, now.functions, strict=True)) if old[at] != new[at]})
        return out

    def _alike(self, was: Function, now: Function) -> bool:
        """Whether the program is the same with either of two functions, but for what they do when they are run."""
        if _head(was) != _head(now) or is_short(was) != is_short(now):
            return False
        one, other = self._asking.of(was), self._asking.of(now)
        if replace(one, names=()) != replace(other, names=()) or one.walking or one.handing or one.tables or one.role:
            return False  # another function for others, or one that has to do with walks, or is an API function
        if any(self._count(name) for name in {*one.names}.symmetric_difference(other.names)):
            return False
        return not one.words or self._meant(was) == self._meant(now)

    def _is_one(self, index: int, changed: Mapping[int, tuple[Function, Function]]) -> bool:
        """Whether calls by the name of a function mean what they meant: of several that are called so, calls mean the one that does most."""
        was, now = changed[index]
        name = _packed(now.name)
        others = [at for at, one in enumerate(self._row.names.replace(b"\0\0", b"\0|\0").split(b"|")) if one == name] if self._count(now.name) > 1 else []
        for at in others:
            old, new = changed[at] if at in changed else (self.function(at),) * 2
            if does_more(was, old) != does_more(now, new) or does_more(old, was) != does_more(new, now):
                return False
        return True

    def _count(self, name: str) -> int:
        """How many functions have a name."""
        return self._row.names.count(_packed(name))

    def _meant(self, fn: Function) -> set[tuple[str, int]]:
        """The calls in a function that mean anything."""
        calls = {(instr[2], len(instr[3])) for block in fn.blocks for instr in block.instrs if instr[0] == "call"}
        return {call for call in calls if self._context.roles(*call) is not None or self._count(call[0])}

    def _marks(self, asked: Iterable[int]) -> Marks:
        """What functions say, of which some are asked."""
        heard = self._row.heard
        wanted = set(asked)
        ignored = {(fn.path, fn.start): names for index, names in heard.ignored if index in wanted for fn in (self.function(index),)}
        late = {flag: frozenset(places) for flag, places in heard.late.items()}
        return Marks(self._context.roles, Heard(heard.cleared, heard.kept, ignored, dict(heard.unset), late, frozenset(heard.defining)))

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(self._files)

    @cached_property
    def _firsts(self) -> list[int]:
        return [0, *accumulate(self._row.counts)]

    def function(self, index: int) -> Function:
        """A function as it is. Raises LookupError for what is not known any more."""
        at = bisect_right(self._firsts, index) - 1
        path = self._paths[at]
        if path not in self._held:
            found = self._before.facts(self._files[path])
            if found is None or len(found.functions) != self._row.counts[at]:
                raise LookupError(path)
            self._held[path] = found
        return self._held[path].functions[index - self._firsts[at]]

    def _closed(self, seeds: Iterable[int]) -> set[int]:
        """Functions with all that they lead to."""
        work = list(seeds)
        out = set(work)
        while work:
            for lead in self._nodes[work.pop()].leads:
                if lead not in out:
                    out.add(lead)
                    work.append(lead)
        return out

    def _worlds(self, closed: set[int], marks: Marks) -> Worlds:
        row, context = self._row, self._context
        by_name: dict[_Name, int] = {}
        for index in closed:
            path = self.function(index).path
            leads = [(self.function(lead), lead) for lead in self._nodes[index].leads]
            by_name.update({(path, fn.name): lead for fn, lead in leads if not fn.variant})
        compiler = Compiler(context.roles, lambda name, path: by_name.get((path, name)), context.pure, None, context.slots, marks)
        events: list[_Words] = [frozenset()] * (max(self._nodes, default=0) + 1)
        for index in closed:
            events[index] = row.words[self._nodes[index].events]
        says = {index: row.words[self._nodes[index].says] for index in closed}

        def code(index: int) -> Code:
            held = self._codes.get(index)
            if held is None:
                held = self._codes[index] = compiler.compile(index, self.function(index))
            return held

        return Worlds(compiler, code, says, events, self._user, self._entry, Automata(self._rules, context.features), {})

    def _user(self, index: int) -> bool:
        fn = self.function(index)
        return not self._context.outside(fn.path, fn.name)

    def _entry(self, index: int) -> Entry | None:
        fn = self.function(index)
        return self._context.entries(fn.path, fn.name)


def _head(fn: Function) -> tuple[object, ...]:
    """What others see of a function without its body."""
    return (fn.name, fn.params, fn.returns, fn.static, fn.variant, fn.assumed, fn.annotations)


def _packed(name: str) -> bytes:
    """A name as it stands among all of them: to look for one there is quicker than to unpack them."""
    return b"\0" + name.encode() + b"\0"
