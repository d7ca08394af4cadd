"""A path, a general user on another CPU and some adversaries, as one closed system for the simulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations

import msgspec
from msgspec.structs import replace

from tlblint.crosscheck.adversaries import ADVERSARIES, KEY, Adversary, meets, reclaim
from tlblint.crosscheck.program import Program, Step
from tlblint.crosscheck.rules import Shape
from tlblint.crosscheck.subjects import objects
from tlblint.crosscheck.words import called, said, spoken
from tlblint.model.finding import PathEvent
from tlblint.model.witness import Witness, WitnessStep
from tlblint.sim import Check, Model, Page, Profile, Thread, Va, step
from tlblint.sim.syntax import Line

PATH = "path"
USER = "user"
BEGAN = "began"
"""A byte that is raised with the path's first change of an entry."""
MET = "met"
"""Bytes that are raised when an adversary's key step runs after that, by number."""
FRESH = "fresh"
"""A byte that is raised when a fault has filled an entry again."""
REFILL = frozenset({"fault", "hash-fault"})
BATCHING = frozenset({"x86-64", "x86-xen-pv", "arm64", "riscv64"})
"""Flush profiles in which reclaim may put flushes off."""
_PLACE = Callable[[PathEvent], tuple[str, int]]


class Setting(msgspec.Struct, frozen=True):
    """What one exploration is of: the entry at the start, the machine, who runs beside the path."""

    machine: Profile
    start: str
    pairing: tuple[Adversary, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """The assumptions of the pairing."""
        return tuple(dict.fromkeys(a.needs for a in self.pairing if a.needs))


def pairings(program: Program, machine: Profile, most: int = 2) -> list[tuple[Adversary, ...]]:
    """Who may run beside the path: nobody but the user, one, two adversaries; those that meet it on this machine, and each other."""
    features = frozenset({"batched-unmap"}) if not BATCHING.isdisjoint(machine.flush_profiles) else frozenset()
    able = [a for a in ADVERSARIES if meets(a, program, machine.entries == "hash", features)]
    ops = "\n".join(step.text for step in program.steps)
    single = [(adversary,) for adversary in able if adversary.alone in ops]
    double = [pair for pair in combinations(able, 2) if _meet(pair, "defer()" in ops)]
    return [(), *(single if most else []), *(double if most > 1 else [])]


def _meet(pair: tuple[Adversary, ...], deferred: bool) -> bool:
    """Whether two have anything to do with each other: a batch only if somebody defers to it."""
    common = frozenset.intersection(*(adversary.shares for adversary in pair))
    return bool(common if deferred or any(adversary.lines is reclaim for adversary in pair) else common - {"batch"})


@lru_cache(maxsize=4096)
def _line(text: str, words: str, path: str | None, line: int | None) -> Line:
    return step(text, path, line, words)


def readable(witness: Witness, name: str) -> Witness:
    """The witness without what only the translation knows: registers, and bytes that tell whether a pairing means anything. The path
    goes by ``name``."""
    actors = tuple((name if actor == PATH else actor, cpu) for actor, cpu in witness.actors)
    things = tuple(_named(thing, name) for thing in witness.things if not _hidden(thing))
    sentence = spoken(re.sub(rf"\b(?<=\(){PATH}(?= on CPU)|(?<= of ){PATH}(?=[,.])", name, witness.sentence))
    return replace(witness, actors=actors, steps=tuple(_readable(step, name) for step in witness.steps), things=things, sentence=sentence)


def _readable(step: WitnessStep, name: str) -> WitnessStep:
    kept = (change for change in step.changes if change.before != change.after and not _hidden(change.thing))
    changes = tuple(replace(change, thing=_named(change.thing, name)) for change in kept)
    return replace(step, actor=name if step.actor == PATH else step.actor, changes=changes, note="" if "'s " in step.note else spoken(step.note))


def _named(thing: str, name: str) -> str:
    return f"{name}'s {thing.removeprefix(PATH + chr(39) + 's ')}" if thing.startswith(PATH + "'s ") else called(thing)


def _hidden(thing: str) -> bool:
    _, apostrophe, own = thing.partition("'s ")
    return (
        (apostrophe != "" and not any(word in own for word in ("flush", "invalid", "queued")))
        or thing in (BEGAN, FRESH, "notified")
        or thing.startswith(("invalidations of", "right to", "new dirty bit"))
        or re.fullmatch(rf"{MET}\d", thing) is not None
    )


def _adapter(shape: Shape, pairing: Sequence[Adversary]) -> Callable[[str], str]:
    """What the same line is in this system: nothing is written out where data is not followed; a promise about an entry says nothing of
    the page that a fault has put there since."""
    refilled = any(adversary.name in REFILL for adversary in pairing)

    def adapt(text: str) -> str:
        if not shape.dirty and "clear_dirty_for_io" in text:
            return re.sub(r"clear_dirty_for_io\(\d\)", "nop()", text)
        if "contract" not in shape.kinds and "returns(" in text:
            return "nop()" + text[text.index(")") + 1 :]
        return f"if not {FRESH}: {text}" if refilled and "returns(" in text else text

    return adapt


def _lines(steps: Sequence[Step], place: _PLACE, first: int | None, adapt: Callable[[str], str]) -> tuple[Line, ...]:
    """Steps as lines of the simulator, with their sources. ``first``: the step that raises BEGAN."""
    out = []
    for number, made in enumerate(steps):
        text = adapt(f"{made.text}; {BEGAN} = 1" if number == first else made.text)
        path, line = place(made.event) if made.event is not None and "assumed" not in objects(made.event) else (None, None)
        out.append(_line(text, made.words or said(made.text), path, line))
    return tuple(out)


def _adversary(adversary: Adversary, program: Program, number: int, watched: bool, adapt: Callable[[str], str]) -> Thread:
    lines = []
    for text in map(adapt, adversary.lines(program.entries if program.moved else program.entries[:1])):
        key = text.startswith(KEY)
        body, _, words = text.removeprefix(KEY).partition(' "')
        words = words.rstrip('"') or said(body)
        if key and watched:
            body = f"{body}; if {BEGAN}: {MET}{number} = 1"
        lines.append(_line(body, words, None, None))
    # In lazy MMU mode never on the path's own CPU: changing over to it would end the mode, and with it what is queued.
    elsewhere = 2 if _queues(program) else 0
    return Thread(adversary.name, adversary.cpu or elsewhere, tuple(lines), adversary.kind)


def _queues(program: Program) -> bool:
    return any("lazy_enter()" in step.text for step in program.steps)


def system(program: Program, setting: Setting, shape: Shape, place: _PLACE) -> Model:
    """The model. Raises ScenarioError when a step is not of the language."""
    watched = bool(setting.pairing) and bool(program.changes)
    adapt = _adapter(shape, setting.pairing)
    threads = [Thread(PATH, 0, _lines(program.steps, place, program.changes[0] if watched else None, adapt))]
    threads += [_adversary(adversary, program, number, watched, adapt) for number, adversary in enumerate(setting.pairing)]
    # As often as it likes, and it may stop at any time: neither a count of accesses nor one that is left over makes other states.
    threads.append(Thread(USER, 1, (_line("again: any()", "", None, None), _line("goto again", "", None, None)), "daemon"))
    vas = [Va(entry.va, f"{setting.start}|pfn({entry.page})" if entry.page else entry.start) for entry in sorted(program.entries, key=lambda e: e.va)]
    flagged = any(adversary.name in ("flag-deferrer", "flag-trusting") for adversary in setting.pairing)
    if flagged and len(vas) == 1:
        vas.append(Va("b", "P|W|D|pfn(2)"))
    pages = []
    for number in sorted({entry.page for entry in program.entries if entry.page} | {1}):
        fields = {"ref": 1}
        if shape.dirty:
            fields |= {"pd": 0, "gd": int("D" in setting.start)}
        pages.append(Page(number, fields))
    other = ("ptl_other",) if any("other" in a.name or a.name.startswith("flag-") for a in setting.pairing) else ()
    variables = dict.fromkeys(program.variables, 0)
    if any(a.name.startswith("flag-") for a in setting.pairing):
        variables["due"] = 1  # somebody has put a flush off before
    if any(adversary.name in REFILL for adversary in setting.pairing):
        variables[FRESH] = 0
    if watched:
        variables |= {BEGAN: 0, **{f"{MET}{number}": 0 for number in range(len(setting.pairing))}}
    checks = tuple(Check(f"{adversary.name} ran late enough", f"{MET}{number}") for number, adversary in enumerate(setting.pairing)) if watched else ()
    return Model(
        PATH,
        setting.machine,
        tuple(threads),
        cpus=3 if _queues(program) else 2,
        tlbs=(0, 1),
        vas=tuple(vas),
        locks=(*program.locks, *other),
        pages=tuple(pages),
        tables=("T",) if "tables" in program.uses else (),
        variables=variables,
        counters=dict.fromkeys(program.counters, 0),
        checks=checks,
        needs=(*program.needs, *setting.needs),
    )
