"""Rule automata at run time: instances, the guards, and what an event does to them.

An instance is a tuple (rule, state, keys, origin): indexes into the rule list and its states, the identities of the
tracked objects, and the number of the site that created it. Instances live in the state, sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache

from tlblint.engine.events import Event, Instance, Violation
from tlblint.engine.grammar import Guard, RuleSpec, Transition

Place = tuple[int, str]
"""A rule's index and one of its states."""


OPEN_GATHER = 4
"""This bit of the count of pending flushes stands for a gather, which is one as long as it is open: mm/mmu_gather.c."""


Words = frozenset[str]
GuardTest = Callable[[Event, "Instance | None", Words, Words], bool]
"""Asks about an event and an instance; with the alternatives of the guard's argument, and the features of the kernel."""

_Ready = tuple[tuple[GuardTest, Words, bool], ...]
"""Guards with their arguments taken apart, and whether they are negated."""


def _same(key: object, other: object) -> bool:
    """Identity of locks is by path; a tuple stands for any of its members, an empty one for an unknown lock."""
    if key == other:
        return True
    left = key if isinstance(key, tuple) else (key,)
    right = other if isinstance(other, tuple) else (other,)
    if key == () or other == ():
        return True
    return any(k in right for k in left)


def _anon(event: Event) -> bool:
    return any(v == 1 for k, v in event.env.items() if k.startswith("anon#"))


def _older(event: Event, pointer: object = None) -> bool:
    """A variable holds what an entry, or that at ``pointer``, was before the lock was taken, or such a value was handed in."""
    if ("given-huge" if event.level not in ("pte", "") else "given-pte") in event.says:
        return True
    marks = {v[4] for v in event.env.values() if type(v) is tuple and v[0] == "e" and v[2] == "read"}
    return f"~{pointer}" in marks if pointer is not None else any(mark[:1] in ("", "~") for mark in marks)


def _foreign(event: Event, instance: Instance | None) -> bool:
    """The event is about the running task's mm, the instance about another one. Two other names may mean the same mm."""
    mm = event.objects.get("mm", "")
    return isinstance(mm, str) and mm.startswith("current->") and instance is not None and len(instance[2]) > 1 and instance[2][1] not in ("", (), mm)


_GUARDS: dict[str, GuardTest] = {
    "may-be-present": lambda e, i, a, f: e.present is not False and "nonpresent" not in e.attrs,
    "known-present": lambda e, i, a, f: e.present is True,
    "walked": lambda e, i, a, f: e.walked,
    "page-table-level": lambda e, i, a, f: e.level in ("pte", ""),
    "huge-level": lambda e, i, a, f: e.level not in ("pte", ""),
    "lazy": lambda e, i, a, f: e.lazy > 0,
    "pending-open": lambda e, i, a, f: e.pending > 0,
    "recorded-here": lambda e, i, a, f: "@recorded" in e.env,
    "count-raised": lambda e, i, a, f: e.pending % OPEN_GATHER > 0,
    "anon-page": lambda e, i, a, f: _anon(e),
    "no-page": lambda e, i, a, f: any((v == 0 and k.startswith("paged#")) or (v == 1 and k.startswith("unpaged#")) for k, v in e.env.items()),
    "cleaned-value": lambda e, i, a, f: "c" in e.bits,
    "invalid-value": lambda e, i, a, f: "i" in e.bits,
    "read-value": lambda e, i, a, f: e.origin == "read",
    "restores": lambda e, i, a, f: not set(e.bits) - {"o"} and e.pointer_kept,
    "moves": lambda e, i, a, f: e.moved and e.origin == "cleared",
    "user-space": lambda e, i, a, f: e.user and "kernel" not in e.attrs,
    "root": lambda e, i, a, f: e.is_root,
    "ptl-held": lambda e, i, a, f: bool(e.held),
    "entered-locked": lambda e, i, a, f: i is not None and i[2][0] != (),
    "foreign-mm": lambda e, i, a, f: _foreign(e, i),
    "live-read": lambda e, i, a, f: e.origin == "read" and e.pointer_kept,
    "known-page": lambda e, i, a, f: i is not None and len(i[2]) > 1 and i[2][1] not in ("", ()),
    "paused": lambda e, i, a, f: e.paused,
    "lazy-told": lambda e, i, a, f: e.lazy < 0,
    "settled": lambda e, i, a, f: "@settled" in e.env,
    "built-value": lambda e, i, a, f: e.origin == "built",
    "nonpresent-value": lambda e, i, a, f: e.origin == "built" and "s" in e.bits,
    "emptied-value": lambda e, i, a, f: "z" in e.bits,
    "flushless": lambda e, i, a, f: "flushless" in e.says,
    "older-value": lambda e, i, a, f: _older(e),
    "older-entry": lambda e, i, a, f: _older(e, e.objects.get("pte", "")),
    "nested": lambda e, i, a, f: len(e.held) > 1,
    "unreturned-value": lambda e, i, a, f: "n" in e.bits,
    "nothing-changed": lambda e, i, a, f: "@quiet" in e.env,
    "attr": lambda e, i, a, f: not e.attrs.isdisjoint(a),
    "feature": lambda e, i, a, f: not f.isdisjoint(a),
    "contract": lambda e, i, a, f: not e.says.isdisjoint(a),
}


class Automata:
    """Rules compiled into one table by event kind, as far as their states are in ``only`` (None: all). ``whole``: the same with all states."""

    def __init__(self, rules: Sequence[RuleSpec], features: frozenset[str], only: frozenset[Place] | None = None, whole: Automata | None = None) -> None:
        self._only = only
        self.rules = tuple(rules)
        self._features = features
        self._start: dict[str, list[tuple[int, Transition, bool | None, _Ready]]] = {}
        self._step: dict[str, dict[tuple[int, str], list[tuple[Transition, int | None, bool | None, _Ready]]]] = {}
        self._able: dict[tuple[frozenset[str], bool, frozenset[str]], frozenset[Place]] = {}
        self._nameless: dict[tuple[Instance, ...], tuple[Instance, ...]] = {}
        self._numbers: dict[tuple[Instance, ...], frozenset[int]] = {}
        self._asked: dict[tuple[frozenset[str], frozenset[Place]], frozenset[Place]] = {}
        self._heard: dict[tuple[int, str, frozenset[str]], bool] = {}
        self._through: dict[tuple[int, str, frozenset[str]], int] = {}
        self._said_to: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self._ways: dict[tuple[int, frozenset[str], bool, frozenset[str]], set[str]] = {}
        self._ready: Mapping[int, tuple[tuple[Transition, _Ready], ...]] = whole._ready if whole is not None else {
            index: tuple((transition, _ready(transition)) for transition in rule.transitions) for index, rule in enumerate(rules)}
        self._leads: dict[str, set[tuple[int, str, str]]] = whole._leads if whole is not None else _steps(rules)
        """By event kind the steps of all rules, those of states that do not count included: (rule, from, to)."""
        for index in self._ready if only is None else sorted({index for index, _ in only}):
            for transition, ready in self._ready[index]:
                self._add(index, self.rules[index], transition, ready)
        self._single = frozenset((index, state) for index, rule in enumerate(rules) for state in rule.single)
        self._bound = self._value_bound()
        self._one_of_many = self._ended_by_value()
        """States of which each entry has its own, with the slot of its value: what ends one by its value says nothing of the others."""
        self.kinds = frozenset(self._start) | frozenset(self._step)
        asking = (*(ready for steps in self._start.values() for _, _, _, ready in steps),
                  *(ready for by_state in self._step.values() for steps in by_state.values() for _, _, _, ready in steps))
        words = {test: word for word, test in _GUARDS.items()}
        self.asks = frozenset(words[test] for ready in asking for test, _, _ in ready)
        """The guards of all states that count: what none of them asks need not be followed."""

    def _value_bound(self) -> dict[tuple[int, str], int]:
        """States that can come to anything only through the tracked value, with the slot it is in."""
        slots: dict[tuple[int, str], set[int | None]] = {}
        for by_state in self._step.values():
            for place, transitions in by_state.items():
                slots.setdefault(place, set()).update(slot for transition, slot, _, _ in transitions if transition.target != "gone")
        out = {}
        for (rule, state), found in slots.items():
            track = self.rules[rule].track
            if len(found) == 1 and (slot := next(iter(found))) is not None and track[slot] == "value":
                out[(rule, state)] = slot
        return out

    def _ended_by_value(self) -> dict[tuple[int, str], int]:
        """States that what is found out of the tracked value can only end, and that other events can move."""
        out = {}
        taken: dict[Place, list[tuple[Transition, int | None]]] = {}
        for by_state in self._step.values():
            for place, found in by_state.items():
                taken.setdefault(place, []).extend((transition, slot) for transition, slot, _, _ in found)
        for place, steps in taken.items():
            track = self.rules[place[0]].track
            by_value = [transition for transition, slot in steps if slot is not None and track[slot] == "value"]
            if by_value and len(by_value) < len(steps) and place not in self._bound and all(transition.target == "gone" for transition in by_value):
                out[place] = track.index("value")
        return out

    def earlier(self, instances: Iterable[Instance], numbers: Container[object]) -> set[Instance]:
        """The instances when these numbers come to stand for other values: what is owed for the earlier ones is owed whatever the new are."""
        out: set[Instance] = set()
        for instance in instances:
            slot = self._one_of_many.get(instance[:2])
            out.add(instance if slot is None or instance[2][slot] not in numbers else _unnamed(instance, slot))
        return out

    def merged(self, instances: set[Instance]) -> set[Instance]:
        """Without those that add nothing to what is owed for an earlier value at the same place."""
        out = set()
        for instance in instances:
            slot = self._one_of_many.get(instance[:2])
            if slot is None or not instance[2][slot] or _unnamed(instance, slot) not in instances:
                out.add(instance)
        return out

    def _add(self, index: int, rule: RuleSpec, transition: Transition, ready: _Ready) -> None:
        for pattern in transition.events:
            for source in transition.sources:
                if self._only is not None and (index, source) not in self._only:
                    continue
                if source == "start" and transition.target != "ERROR" and self._only is not None and (index, transition.target) not in self._only:
                    continue  # what can come to nothing does not begin
                if source == "start":
                    self._start.setdefault(pattern.kind, []).append((index, transition, pattern.truth, ready))
                else:
                    slot = rule.track.index(pattern.object) if pattern.object in rule.track else None
                    by_state = self._step.setdefault(pattern.kind, {})
                    by_state.setdefault((index, source), []).append((transition, slot, pattern.truth, ready))

    def part(self, places: frozenset[Place]) -> Automata:
        """The same rules as far as these states go."""
        return Automata(self.rules, self._features, places, self)

    @property
    def only(self) -> frozenset[Place] | None:
        """The states that count; None: all."""
        return self._only

    def asked(self, kinds: frozenset[str], met: frozenset[Place]) -> frozenset[Place]:
        """The states of which it matters whether they count where events of ``kinds`` meet instances in the states ``met``."""
        known = self._asked.get((kinds, met))
        if known is None:
            steps = [step for kind in kinds for step in self._leads.get(kind, ())]
            known = self._asked[kinds, met] = frozenset(
                (index, state) for index, source, target in steps if source == "start" or (index, source) in met for state in (source, target))
        return known

    def listens(self, instance: Instance, kinds: frozenset[str]) -> bool:
        """Whether any event of ``kinds`` can move the instance: what cannot is left out of a callee's state."""
        key = (instance[0], instance[1], kinds)
        known = self._heard.get(key)
        if known is None:
            known = any((instance[0], instance[1]) in self._step.get(kind, ()) for kind in kinds)
            self._heard[key] = known
        return known

    def through(self, instance: Instance, kinds: frozenset[str]) -> str:
        """The gather or range of notifiers without which no event of ``kinds`` can move the instance; "" if there is none."""
        key = (instance[0], instance[1], kinds)
        slot = self._through.get(key)
        if slot is None:
            steps = [step for kind in kinds for step in self._step.get(kind, _NO_STEPS).get(instance[:2], ())]
            slots = {-1 if step[1] is None or self.rules[instance[0]].track[step[1]] not in _BY_PATH else step[1] for step in steps}
            slot = self._through[key] = slots.pop() if len(slots) == 1 else -1
        path = instance[2][slot] if slot >= 0 else ""
        return path if isinstance(path, str) else ""

    def able(self, kinds: frozenset[str], user: bool, says: frozenset[str]) -> frozenset[Place]:
        """The states of rules from which ERROR can be reached by events of ``kinds`` and promises of ``says``, whatever most guards
        say, and that can be reached themselves; ``user``: on user space's tables."""
        known = self._able.get((kinds, user, says))
        if known is None:
            every = kinds | _UNASKED
            ways = [(index, self._way(index, every, user, says)) for index in range(len(self.rules))]
            known = self._able[(kinds, user, says)] = frozenset((index, state) for index, states in ways for state in states)
        return known

    def _way(self, index: int, kinds: frozenset[str], user: bool, says: frozenset[str]) -> set[str]:
        """The same of one rule, found once for all that is the same to it."""
        heard = self._said_to.get(index)
        if heard is None:
            heard = self._said_to[index] = _said_to(self.rules[index])
        key = (index, kinds & heard[0], user, says & heard[1])
        known = self._ways.get(key)
        if known is None:
            known = self._ways[key] = _on_the_way(self.rules[index], *key[1:])
        return known

    def deaf(self, kind: str, instances: tuple[Instance, ...]) -> bool:
        """Whether an event of ``kind`` can neither start anything nor move one of ``instances``."""
        if kind in self._start:
            return False
        steps = self._step.get(kind)
        if steps is not None:
            for instance in instances:
                if instance[:2] in steps:
                    return False
        return True

    def apply(self, instances: tuple[Instance, ...], event: Event) -> tuple[tuple[Instance, ...], list[Violation], bool]:
        """Run one event. Returns the instances after it, the violations, and whether anything changed."""
        bad: list[Violation] = []
        steps = self._step.get(event.kind)
        starts = self._start.get(event.kind)
        if steps is None and starts is None:
            return instances, bad, False
        out: set[Instance] = set()
        for instance in instances:
            moved = self._move(instance, event, steps, bad) if steps is not None else instance
            if moved is not None:
                out.add(moved)
        if starts is not None:
            if out and event.objects.get("value") == event.site:  # it makes that value
                out = self.earlier(out, (event.site,))
                self._create(starts, event, out, bad)
                out = self.merged(out)
            else:
                self._create(starts, event, out, bad)
        result = self.canonical(out) if out else ()
        return result, bad, result != instances

    def canonical(self, instances: set[Instance]) -> tuple[Instance, ...]:
        """The one form of a set of instances: folded and in order."""
        return ordered(self._folded(instances))

    def _folded(self, instances: set[Instance]) -> set[Instance]:
        """In a rule's single states one instance, the one of the first site, stands for all that differ only in the entry or page."""
        single = self._single
        for instance in instances:
            if instance[:2] in single:
                break
        else:
            return instances
        first: dict[tuple[int, str, object], Instance] = {}
        out: set[Instance] = set()
        for instance in instances:
            if (instance[0], instance[1]) not in self._single:
                out.add(instance)
                continue
            track = self.rules[instance[0]].track
            keys = tuple(() if name in _ENTRIES else key for name, key in zip(track, instance[2], strict=True))
            place = (instance[0], instance[1], keys)
            if place not in first or instance[3] < first[place][3]:
                first[place] = (instance[0], instance[1], keys, instance[3])
        return out | set(first.values())

    def nameless(self, instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """The instances without the origins of those in single states: which site it was tells no two states apart."""
        known = self._nameless.get(instances)
        if known is None:
            known = self._nameless[instances] = tuple((*i[:3], 0) if (i[0], i[1]) in self._single else i for i in instances)
        return known

    def value_bound(self, instance: Instance) -> int:
        """The number of the entry value without which nothing can happen to the instance any more; 0 when there is none."""
        slot = self._bound.get((instance[0], instance[1]))
        key = instance[2][slot] if slot is not None else 0
        return key if isinstance(key, int) else 0

    def bound_values(self, instances: tuple[Instance, ...]) -> frozenset[int]:
        """The numbers, made here or below, of the values that instances hang on."""
        known = self._numbers.get(instances)
        if known is None:
            known = self._numbers[instances] = frozenset(n for i in instances if (n := self.value_bound(i)) > 0)
        return known

    def _move(self, instance: Instance, event: Event, steps: dict, bad: list[Violation]) -> Instance | None:  # type: ignore[type-arg]
        for transition, slot, wanted, ready in steps.get(instance[:2], ()):
            if wanted is not None and event.truth is not wanted:
                continue
            if slot is not None:
                name = self.rules[instance[0]].track[slot]
                if event.objects.get(name, "") == "" or not _same(instance[2][slot], event.objects[name]):
                    continue
            if not self._holds(ready, event, instance):
                continue
            if transition.target == "gone" or (transition.target != "ERROR" and self._only is not None
                                               and (instance[0], transition.target) not in self._only):
                return None
            if transition.target == "ERROR":
                bad.append(Violation(instance[0], instance, transition.say, transition.mend))
                return None
            return (instance[0], transition.target, instance[2], instance[3])
        return instance

    def _create(self, starts: list[tuple[int, Transition, bool | None, _Ready]], event: Event, out: set[Instance], bad: list[Violation]) -> None:
        for index, transition, wanted, ready in starts:
            if wanted is not None and event.truth is not wanted:
                continue
            keys = tuple(event.objects.get(name, ()) for name in self.rules[index].track)
            if not self._holds(ready, event, (index, "start", keys, event.site)):
                continue
            if transition.target == "ERROR":
                bad.append(Violation(index, None, transition.say, transition.mend))
                continue
            out.add((index, transition.target, keys, event.site))

    def _holds(self, guards: _Ready, event: Event, instance: Instance | None) -> bool:
        features = self._features
        for test, argument, negated in guards:  # noqa: SIM110 - much faster so, and asked often
            if test(event, instance, argument, features) == negated:
                return False
        return True

    def describe(self, rule: int, state: str) -> str:
        """The rule file's words for a state."""
        return dict(self.rules[rule].states).get(state, state)


def _unnamed(instance: Instance, slot: int) -> Instance:
    keys = instance[2]
    return (instance[0], instance[1], (*keys[:slot], 0, *keys[slot + 1 :]), instance[3])


_ENTRIES = frozenset({"value", "old", "pte", "page"})
"""Objects by which entries are told apart."""

_BY_PATH = frozenset({"tlb", "range"})
"""Objects that are known by their path and nothing else."""

_NO_STEPS: Mapping[Place, list[tuple[Transition, int | None, bool | None, _Ready]]] = {}

_UNASKED = frozenset({"enter", "exit", "settle", "gather.declare", "gather.leave", "notifier.declare", "notifier.leave", "ptl.acquire", "ptl.release"})
"""Events that may happen without a call of their own: a walk or a guard takes and drops a lock, too."""

_NEEDED = {
    "cleaned-value": frozenset({"value.clean"}), "emptied-value": frozenset({"entry.clear", "entry.start"}),
    "unreturned-value": frozenset({"entry.clear", "entry.start"}), "again": frozenset({"flush.twice"}), "kept": frozenset({"flush.kept"}),
}
"""Guards, and attributes that the engine adds, that only hold when an event of such a kind came before."""


def _ready(transition: Transition) -> _Ready:
    return tuple((_GUARDS[guard.word], frozenset(guard.argument.split("|")), guard.negated) for guard in transition.guards)


def _steps(rules: Sequence[RuleSpec]) -> dict[str, set[tuple[int, str, str]]]:
    out: dict[str, set[tuple[int, str, str]]] = {}
    for index, rule in enumerate(rules):
        for transition in rule.transitions:
            for event in transition.events:
                out.setdefault(event.kind, set()).update((index, source, transition.target) for source in transition.sources)
    return out


def _said_to(rule: RuleSpec) -> tuple[frozenset[str], frozenset[str]]:
    """The kinds of events and the promises that say something to a rule."""
    kinds = {event.kind for transition in rule.transitions for event in transition.events}.union(*_NEEDED.values())
    promises = {word for transition in rule.transitions for guard in transition.guards if guard.word == "contract" for word in guard.argument.split("|")}
    return frozenset(kinds), frozenset(promises)


def _on_the_way(rule: RuleSpec, kinds: frozenset[str], user: bool, says: frozenset[str]) -> set[str]:
    """States on some way from "start" to ERROR on which all events are among ``kinds``; none when there is no such way."""

    def may_hold(guard: Guard) -> bool:
        if guard.negated:
            return True
        if guard.word == "contract":
            return not says.isdisjoint(guard.argument.split("|"))
        words = guard.argument.split("|") if guard.word == "attr" else (guard.word,)
        return any(word not in _NEEDED or not kinds.isdisjoint(_NEEDED[word]) for word in words) and (user or guard.word != "user-space")

    steps = [t for t in rule.transitions if any(e.kind in kinds for e in t.events) and all(map(may_hold, t.guards))]
    forth = _spread({"start"}, [(t.sources, (t.target,)) for t in steps])
    back = _spread({"ERROR"}, [((t.target,), t.sources) for t in steps if not forth.isdisjoint(t.sources)])
    return (forth & back) - {"ERROR"}


def _spread(seeds: set[str], edges: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> set[str]:
    """What is reached from ``seeds`` over edges from any of the first to all of the second."""
    out = set(seeds)
    grew = True
    while grew:
        before = len(out)
        for sources, targets in edges:
            if not out.isdisjoint(sources):
                out.update(targets)
        grew = len(out) > before
    return out


def ordered(instances: set[Instance]) -> tuple[Instance, ...]:
    """Instances in their canonical order."""
    return tuple(sorted(instances, key=_order)) if len(instances) > 1 else tuple(instances)


@lru_cache(maxsize=100_000)
def _order(instance: Instance) -> tuple:  # type: ignore[type-arg]
    return (instance[0], instance[1], str(instance[2]), instance[3])
