"""What is missing and what is there twice, on which architectures and in which configurations."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial

import msgspec

from tlblint.names.scan import Place, Seen
from tlblint.names.world import Sight, Variant, World, sights

Differs = tuple[tuple[str, bool], ...]
"""In what a configuration differs from the first one that is looked at: (symbol, its value)."""
_NEAR = 0.82


class Fault(msgspec.Struct, frozen=True):
    """Something that does not fit together. ``kind``: "missing", "twice", "never", "orphan", "kconfig" or "prototype"; with ``name`` it says
    which of a tree's faults this is. ``arches``: where; empty when that is no matter of architectures."""

    kind: str
    name: str
    path: str
    line: int
    message: str
    arches: frozenset[str] = frozenset()


class Said(msgspec.Struct):
    """What one architecture says of some names. ``missing`` and ``twice``: name -> [(places, configuration)]; ``known``: name -> where it is
    defined in some configuration; ``near``: missing name -> one like it that is defined instead; ``variants``: how many were looked at."""

    arch: str
    missing: dict[str, list[tuple[tuple[Place, ...], Differs]]] = msgspec.field(default_factory=dict)
    twice: dict[str, list[tuple[tuple[Place, ...], Differs]]] = msgspec.field(default_factory=dict)
    known: dict[str, set[Place]] = msgspec.field(default_factory=dict)
    near: dict[str, str] = msgspec.field(default_factory=dict)
    absent: set[str] = msgspec.field(default_factory=set)
    """Names that some configuration knows nothing of."""
    variants: int = 0
    gap: tuple[str, str] | None = None
    """(path, why) of what could not be looked at."""


class Answer(msgspec.Struct):
    """What all architectures say."""

    said: list[Said] = msgspec.field(default_factory=list)
    gaps: dict[str, str] = msgspec.field(default_factory=dict)

    def known(self) -> dict[str, set[Place]]:
        """Where names are defined in any configuration."""
        out: dict[str, set[Place]] = {}
        for said in self.said:
            for name, places in said.known.items():
                out.setdefault(name, set()).update(places)
        return out


Memory = dict[tuple[object, ...], tuple[Sight, Seen]]
"""What some architecture sees, by what it is made from."""


def judged(world: World, arches: Sequence[str], hooks: Collection[str], users: Callable[[str], Sequence[str]], memory: Memory | None = None) -> Answer:
    """Ask every architecture about ``hooks``. ``users``: the C files of an architecture that are looked through."""
    out = Answer()
    seen: Memory = {} if memory is None else memory
    for sight in sights(world, arches, set(hooks), users):
        said = _said(sight, frozenset(hooks), seen)
        out.said.append(said)
        if said.gap is not None:
            out.gaps.setdefault(*said.gap)
    for path, one in world.files.items():
        if one is not None and one.too_large:
            out.gaps[path] = "too large to be looked through for hooks"
    for kconfig in world.kconfigs.values():
        if kconfig.cut:
            out.gaps["Kconfig"] = "there is more of Kconfig than is read of one tree"
    return out


def _said(sight: Sight, hooks: frozenset[str], memory: Memory) -> Said:
    out = Said(sight.arch)
    alike = sight.likeness()
    alike = (hash(alike), len(alike))
    for variant in sight.variants():
        own = f"arch/{sight.arch}/"
        key = (alike, tuple(root.replace(own, "arch/*/", 1) for root in sight.chosen(variant)), tuple(sorted(sight.predefined(variant).items())))
        if key not in memory:
            memory[key] = (sight, sight.seen(variant))
        by, seen = memory[key]
        if seen.gap is not None:
            out.gap = seen.gap
            break
        out.variants += 1
        _add(out, seen if by is sight else seen.moved(partial(_place, by, sight)), variant, hooks)
    return out


def _place(old: Sight, new: Sight, place: Place) -> Place:
    """Where something is for an architecture, or in a state, that is like another: on the line of the same part of the same file."""
    path = place[0].replace(f"arch/{old.arch}/", f"arch/{new.arch}/", 1)
    before, after = old.held.get(place[0]) or (), new.held.get(path) or ()
    index = bisect_right(before, place[1], key=lambda part: part.line) - 1
    return path, place[1] + (after[index].line - before[index].line if index >= 0 else 0)


def _add(out: Said, seen: Seen, variant: Variant, hooks: frozenset[str]) -> None:
    made = seen.bodies.keys() | seen.macros.keys()
    absent = hooks - made - seen.declared.keys()
    out.absent |= absent
    for name in made & hooks:
        out.known.setdefault(name, set()).update(seen.bodies.get(name, ()), [seen.macros[name]] if name in seen.macros else [])
    for name in absent:
        places = seen.calls.get(name) or (seen.bare.get(name) if name.isupper() else None)
        if places:
            out.missing.setdefault(name, []).append((tuple(dict.fromkeys(places)), variant.differs))
            like = get_close_matches(name, [one for one in made & hooks if one != name], 1, _NEAR) if name not in out.near else []
            out.near.update({name: like[0]} if like else {})
    several = {name for name, places in seen.bodies.items() if len(places) > 1}
    for name in (several | seen.overridden.keys() | seen.redefined.keys()) & hooks:
        both = _both(seen, name)
        if both:
            out.twice.setdefault(name, []).append((both, variant.differs))


def _both(seen: Seen, name: str) -> tuple[Place, ...]:
    """Two definitions that meet, or ()."""
    bodies = sorted(set(seen.bodies.get(name, ())))
    if len(bodies) < 2:
        return next((pairs[0] for pairs in (seen.overridden.get(name), seen.redefined.get(name)) if pairs), ())
    for path, count in Counter(path for path, _ in bodies).items():
        if count > 1 and path.endswith(".c"):
            return tuple(place for place in bodies if place[0] == path)[:2]
    headers = [place for place in bodies if not place[0].endswith(".c")]
    if len(headers) > 1:
        return tuple(headers[:2])
    for pairs in (seen.overridden.get(name), seen.redefined.get(name)):
        if pairs:
            return pairs[0]
    return ()


def faults(world: World, answer: Answer, once_known: Collection[str], prefer: Callable[[Place], int]) -> list[Fault]:
    """The faults in an answer. ``once_known``: names that were defined before, should they be nowhere any more. The finding stands at the
    place that ``prefer`` sorts first."""
    known = answer.known()
    out = []
    for name in sorted({name for said in answer.said for name in said.missing}):
        if name in known or name in once_known:
            out.append(_missing(world, answer, name, known.get(name, set()), prefer))
    for name in sorted({name for said in answer.said for name in said.twice}):
        out.append(_twice(answer, name, prefer))
    return out


def _missing(world: World, answer: Answer, name: str, known: set[Place], prefer: Callable[[Place], int]) -> Fault:
    where = {said.arch: (said.missing[name], said.variants) for said in answer.said if name in said.missing}
    places = {place for found, _ in where.values() for some, _ in found for place in some}
    path, line = min(sorted(places), key=prefer)
    message = f"{name} is used here, and nothing defines it {spelled(where)}."
    near = next((said.near[name] for said in answer.said if name in said.near), "")
    if near:
        message += f" {near} is defined there: the name is probably wrong."
    elif known:
        message += " " + "; ".join(_defined(world, place) for place in sorted(known)[:2]) + "."
    else:
        message += " It was defined before."
    return Fault("missing", name, path, line, message, frozenset(where))


def _twice(answer: Answer, name: str, prefer: Callable[[Place], int]) -> Fault:
    where = {said.arch: (said.twice[name], said.variants) for said in answer.said if name in said.twice}
    pairs = Counter(tuple(sorted(places)) for found, _ in where.values() for places, _ in found)
    pair = min(pairs, key=lambda one: (-pairs[one], one))
    (path, line), (there, at) = sorted(pair, key=lambda place: (prefer(place), place))
    return Fault("twice", name, path, line, f"{name} is defined here and in {there}:{at}, and both are there {spelled(where)}.", frozenset(where))


def _defined(world: World, place: Place) -> str:
    path, line = place
    one = world.file(path)
    conditions = one.conditions(line) if one is not None else ()
    under = f" under {' and '.join(conditions[-2:])}" if conditions else ""
    return f"{path}:{line} defines it{under}"


def spelled(where: Mapping[str, tuple[Sequence[tuple[object, Differs]], int]]) -> str:
    """"on arm and m68k, on x86 without SMP": architectures with the part of their configurations that is meant."""
    always = [arch for arch, (found, variants) in where.items() if len(found) >= variants]
    parts = [f"on {_listed(always)}"] if always else []
    by_words: dict[str, list[str]] = {}
    for arch, (found, variants) in where.items():
        if len(found) < variants:
            least = min((differs for _, differs in found), key=lambda differs: (len(differs), differs))
            by_words.setdefault(_words(least), []).append(arch)
    parts += [f"on {_listed(arches)} {words}" for words, arches in sorted(by_words.items())]
    return ", ".join(parts)


def _listed(names: Iterable[str]) -> str:
    some = sorted(names)
    if len(some) > 4:
        return f"{', '.join(some[:3])} and {len(some) - 3} other architectures"
    return " and ".join([", ".join(some[:-1]), some[-1]]) if len(some) > 1 else some[0]


def _words(differs: Differs) -> str:
    if not differs:
        return "as it is configured by default"
    on = [f"CONFIG_{name}" for name, value in differs if value]
    off = [f"CONFIG_{name}" for name, value in differs if not value]
    return " and ".join(([f"with {_listed(on)}"] if on else []) + ([f"without {_listed(off)}"] if off else []))
