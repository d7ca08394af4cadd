"""Explores a finding's program beside everything that may meet it, and says what that proves.

Confirmed: some pairing that assumes nothing goes wrong, and the mended path does not. Conditional: the same under a named assumption.
Refuted: every pairing was exhausted and was no empty test. Inconclusive: everything else, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.crosscheck import mend as mends
from tlblint.crosscheck.adversaries import Adversary
from tlblint.crosscheck.events import translate
from tlblint.crosscheck.obligation import Story, static_only, story_of
from tlblint.crosscheck.program import Program
from tlblint.crosscheck.rules import SHAPES, Shape
from tlblint.crosscheck.systems import MET, PATH, Setting, pairings, readable, system
from tlblint.crosscheck.tails import finish
from tlblint.crosscheck.translate import Translator
from tlblint.crosscheck.words import HAPPENS, machine_name
from tlblint.model.finding import PathEvent, RawFinding
from tlblint.model.witness import Witness
from tlblint.sim import BOUND, Bounds, Lowered, Outcome, Profile, ScenarioError, explore

SAFE = "safe"
EACH = 20_000
"""States of one exploration at most."""
Place = Callable[[PathEvent], tuple[str, int]]


class Judgement(msgspec.Struct, frozen=True):
    """``verdict``: "confirmed", "conditional", "refuted", "inconclusive" or "not-run". ``mended``: the mend whose program holds."""

    verdict: str
    reason: str = ""
    assumptions: tuple[str, ...] = ()
    witness: Witness | None = None
    mended: mends.Mend | None = None
    added: int = 0
    useful: int = 0
    visited: int = 0
    states: int = 0
    explored: int = 0


class Budget(msgspec.Struct):
    """States that may still be visited. Counted, not timed, so that a verdict does not depend on the machine."""

    left: int
    used: int = 0
    runs: int = 0

    def take(self, states: int) -> None:
        """``states`` were visited."""
        self.left -= states
        self.used += states
        self.runs += 1


class Search(msgspec.Struct):
    """What explorations of one path showed so far."""

    found: tuple[Setting, int, Outcome] | None = None
    odd: list[str] = msgspec.field(default_factory=list)
    """Violations that are not what the rule is about, or that the mended path has as well."""
    reached: dict[int, set[int]] = msgspec.field(default_factory=dict)
    """Number of a program -> steps of the path that ran."""
    met: set[str] = msgspec.field(default_factory=set)
    asked: set[str] = msgspec.field(default_factory=set)
    bounded: bool = False
    clean: list[Profile] = msgspec.field(default_factory=list)
    """Machines on which every pairing was exhausted and held."""
    without: list[Profile] = msgspec.field(default_factory=list)
    """Machines that do not have what the path is about."""


def translations(story: Story, code: str) -> list[Program]:
    """The programs of a path: two when its locks may be one or not."""
    programs = []
    for same in (True, False):
        translator = Translator(story.events, story.origin, code, same, story.moves)
        translator.needs += story.needs
        translate(translator)
        tail = finish(translator, code)
        programs.append(translator.program(tail))
        if len(translator.locks) < 2:
            break
    return programs


class Judge:
    """Judges findings. ``machines``: the simulator's profiles; ``place`` turns an event into path and line."""

    def __init__(self, machines: Sequence[Profile], place: Place) -> None:
        # Noting an entry for a batch is one step with its write: kernel code that separates the two is below what is looked at here.
        self._machines = tuple(replace(machine, batch_step=False) for machine in machines)
        self._place = place
        self._memory = Lowered()

    def machines_of(self, raw: RawFinding) -> list[Profile]:
        """The machines that the finding is about. What hardware does to the dirty bit is asked only of those that have one."""
        found = [m for m in self._machines if not set(m.flush_profiles).isdisjoint(raw.profiles)]
        return [m for m in found if m.hw_dirty] if SHAPES[raw.rule].dirty else found

    def judge(self, raw: RawFinding, states: int) -> Judgement:
        """The verdict on one finding, within a budget of states."""
        if raw.rule not in SHAPES:
            return Judgement("not-run")
        budget = Budget(states)
        reason = static_only(raw)
        if reason:
            return Judgement("inconclusive", reason)
        machines = self.machines_of(raw)
        if not machines:
            return Judgement("inconclusive", "unmodelled: no machine of the simulator is one of " + ", ".join(raw.profiles))
        try:
            return self._judge(raw, machines, budget)
        except ScenarioError as error:
            return Judgement("inconclusive", f"unmodelled: {error.message if hasattr(error, 'message') else error}")

    def _judge(self, raw: RawFinding, machines: Sequence[Profile], budget: Budget) -> Judgement:
        story = story_of(raw)
        programs = translations(story, raw.rule)
        unknown = sorted({what for program in programs for what in program.unmodelled})
        if unknown:
            return Judgement("inconclusive", "unmodelled: " + ", ".join(unknown))
        mend = mends.mend(raw.rule, story)
        mended = translations(mend.story, raw.rule) if mend is not None else []
        if any(program.unmodelled for program in mended):
            mend, mended = None, []
        asked, machines = machines, able(machines, programs)
        if not machines:
            return Judgement("inconclusive", f"unmodelled: none of {', '.join(map(machine_name, asked))} has what the path is about")
        search = Search(without=[m for m in asked if m.name not in {one.name for one in machines}])
        self.search(raw.rule, programs, mended, distinct(machines, programs), budget, search)
        judgement = self.conclude(raw, programs, search, budget)
        if search.found is not None:
            judgement = self._elsewhere(judgement, raw.rule, programs, distinct(machines, programs), budget, search)
        if search.found is not None and mend is not None:
            judgement = self._with_mend(judgement, raw.rule, programs, mended, mend, search.found[0].machine, budget)
        return judgement

    def search(self, code: str, programs: Sequence[Program], mended: Sequence[Program], machines: Sequence[Profile], budget: Budget, search: Search) -> None:
        """All pairings, those with fewest adversaries first; stops with the first number that shows the fault."""
        holds = dict.fromkeys((machine.name for machine in machines), True)
        for count in range(3):
            for machine in machines:
                holds[machine.name] &= self._level(code, count, programs, mended, machine, budget, search)
                if search.found is not None or search.bounded:
                    return
        search.clean += [machine for machine in machines if holds[machine.name]]

    def _level(self, code: str, count: int, programs: Sequence[Program], mended: Sequence[Program], machine: Profile, budget: Budget, search: Search) -> bool:
        """The pairings with ``count`` adversaries on one machine; whether all were exhausted and hold."""
        shape = SHAPES[code]
        hits: list[tuple[tuple[int, int, int, int], Setting, int, Outcome]] = []
        holds = True
        for number, program in enumerate(programs):
            for pairing in (p for p in pairings(program, machine) if len(p) == count):
                for start in shape.starts:
                    if budget.left <= 0:
                        search.bounded = True
                        break
                    setting = Setting(machine, start, pairing)
                    outcome = self._run(program, setting, shape, budget)
                    self._note(outcome, setting, number, search)
                    holds &= outcome.verdict == SAFE
                    if outcome.verdict in shape.kinds:
                        rank = (len(setting.needs), sum(adversary.far for adversary in pairing), outcome.length or 0, len(hits))
                        hits.append((rank, setting, number, outcome))
                    elif outcome.verdict not in (SAFE, BOUND):
                        search.odd.append(f"that, {_beside(pairing)}, {HAPPENS[outcome.verdict]}")
        for _, setting, number, outcome in sorted(hits, key=lambda hit: hit[0]):
            if not mended or self._run(mended[min(number, len(mended) - 1)], setting, shape, budget).verdict == SAFE:
                search.found = (setting, number, outcome)
                return False
            search.odd.append(f"that, {_beside(setting.pairing)}, {HAPPENS[outcome.verdict]}, but the mended path has that, too")
        return holds

    def _run(self, program: Program, setting: Setting, shape: Shape, budget: Budget) -> Outcome:
        outcome = explore(system(program, setting, shape, self._place), Bounds(EACH), tidy=True, memory=self._memory)
        budget.take(outcome.states)
        return outcome

    def _note(self, outcome: Outcome, setting: Setting, number: int, search: Search) -> None:
        reached = search.reached.setdefault(number, set())
        reached.update(step for (thread, step), times in outcome.coverage.items() if thread == PATH and times)
        if len(setting.pairing) == 1 and outcome.sometimes:
            search.asked.add(setting.pairing[0].name)
            if any(outcome.sometimes.values()):
                search.met.add(setting.pairing[0].name)

    def conclude(self, raw: RawFinding, programs: Sequence[Program], search: Search, budget: Budget) -> Judgement:
        if search.found is not None:
            setting, number, outcome = search.found
            given = (what for what in programs[number].given if not any(need.startswith(what) for need in setting.needs))
            needs = tuple(dict.fromkeys((*programs[number].needs, *given, *setting.needs)))
            where = f"on {machine_name(setting.machine)}, {_beside(setting.pairing)}: {HAPPENS[outcome.verdict]}, {_steps(outcome.length)} in all"
            return Judgement(
                "conditional" if needs else "confirmed",
                where,
                needs,
                readable(outcome.witness, raw.function) if outcome.witness is not None else None,
                states=budget.used,
                explored=budget.runs,
            )
        done = {"states": budget.used, "explored": budget.runs}
        if search.odd:
            return Judgement("inconclusive", f"the model shows {search.odd[0]}", **done)  # type: ignore[arg-type]
        if search.bounded or not search.clean:
            return Judgement("inconclusive", f"bound: {budget.runs} explorations of {budget.used} states did not end it", **done)  # type: ignore[arg-type]
        missed = [step for number, program in enumerate(programs) for step in _unreached(program, search.reached.get(number, set()))]
        if missed:
            return Judgement("inconclusive", f"vacuous: the model never gets to {missed[0]}", **done)  # type: ignore[arg-type]
        idle = sorted(search.asked - search.met)
        if idle and len(idle) == len(search.asked):
            return Judgement("inconclusive", f"vacuous: {idle[0]} never ran after the first change", **done)  # type: ignore[arg-type]
        names = ", ".join(map(machine_name, search.clean))
        lacking = "huge entries" if "huge" in programs[0].uses else "hardware dirty bits"
        lacks = "".join(f"; {machine_name(machine)} has no {lacking}" for machine in search.without)
        if programs[0].needs:
            return Judgement("inconclusive", f"no interleaving goes wrong on {names} where {'; '.join(programs[0].needs)}{lacks}", **done)  # type: ignore[arg-type]
        known = "".join(f"; {what}" for what in dict.fromkeys(what for program in programs for what in (*program.given, *program.known)))
        return Judgement("refuted", f"no interleaving goes wrong: {budget.runs} explorations on {names}{lacks}{known}", **done)  # type: ignore[arg-type]

    def _elsewhere(
        self, judgement: Judgement, code: str, programs: Sequence[Program], machines: Sequence[Profile], budget: Budget, search: Search
    ) -> Judgement:
        """The judgement with the other machines on which the same goes wrong."""
        assert search.found is not None
        setting, number, _ = search.found
        also = []
        for machine in machines:
            if machine.name != setting.machine.name and setting.pairing in pairings(programs[number], machine) and budget.left > 0:
                outcome = self._run(programs[number], replace(setting, machine=machine), SHAPES[code], budget)
                also += [machine_name(machine)] if outcome.verdict in SHAPES[code].kinds else []
        return replace(judgement, reason=f"{judgement.reason}; also on {', '.join(also)}") if also else judgement

    def _with_mend(
        self, judgement: Judgement, code: str, programs: Sequence[Program], mended: Sequence[Program], mend: mends.Mend, machine: Profile, budget: Budget
    ) -> Judgement:
        """The judgement with the mend, if all pairings of the mended path hold: deadlocks and leaks count, whatever the rule is about."""
        shape = SHAPES[code]
        useful = visited = 0
        search = Search()
        for number, program in enumerate(mended):
            for pairing in pairings(program, machine, 1):
                for start in shape.starts:
                    setting = Setting(machine, start, pairing)
                    if budget.left <= 0:
                        return judgement
                    outcome = self._run(program, setting, shape, budget)
                    if outcome.verdict != SAFE:
                        return judgement
                    self._note(outcome, setting, number, search)
                    for (thread, step), (did, ran) in outcome.usefulness.items():
                        if thread == PATH and _is_new(program, programs[min(number, len(programs) - 1)], step):
                            useful, visited = useful + did, visited + ran
            if _unreached(program, search.reached.get(number, set())):
                return judgement
        added = sum(map(_flushes, mended[0].steps)) - sum(map(_flushes, programs[0].steps))
        return replace(judgement, mended=mend, added=max(0, added), useful=useful, visited=visited)


def _flushes(step: object) -> int:
    return int("flush" in getattr(step, "text", "").split("goto")[0].split(":")[0])


def _is_new(program: Program, old: Program, step: int) -> bool:
    """Whether a step of the mended program is none of the old one."""
    return step < len(program.steps) and program.steps[step].event is not None and program.steps[step] not in old.steps


def _unreached(program: Program, reached: Iterable[int]) -> list[str]:
    """Events of the path whose steps never ran, as "name()"."""
    ran = set(reached)
    return [
        step.words or step.text
        for number, step in enumerate(program.steps)
        if step.event is not None and number not in ran and not step.text.startswith(("if ", "skip")) and not step.text.endswith(":")
    ]


def _steps(length: int | None) -> str:
    return f"{length} step{'' if length == 1 else 's'}"


def _beside(pairing: Sequence[Adversary]) -> str:
    return "beside " + " and ".join(adversary.name for adversary in pairing) if pairing else "beside nothing but user accesses"


def able(machines: Sequence[Profile], programs: Sequence[Program]) -> list[Profile]:
    """The machines that have what the programs are about, each as it treats that: huge entries, dirty bits set by hardware."""
    uses = frozenset().union(*(program.uses for program in programs))
    found = [m for m in machines if (m.hw_dirty or "records" not in uses) and (m.huge != "none" or "huge" not in uses)]
    return [replace(m, lazy_mmu="nothing") if "huge" in uses and m.huge == "direct" else m for m in found]


def distinct(machines: Sequence[Profile], programs: Sequence[Program]) -> list[Profile]:
    """One machine of each sort: those that differ in nothing that the programs meet behave alike."""
    uses = frozenset().union(*(program.uses for program in programs))
    lazy = any("lazy_" in step.text for program in programs for step in program.steps)
    seen = set()
    out = []
    for machine in sorted(machines, key=lambda m: (m.store_needs != "dirty", m.name != "x86-ipi", m.name)):
        sort = (
            machine.store_needs,
            machine.hw_dirty,
            machine.entries,
            machine.implied_flush,
            machine.empty_flush,
            lazy and (machine.lazy_mmu, machine.batch_step),
            "tables" in uses and (machine.leaf_only, machine.shootdown),
        )
        if sort not in seen:
            seen.add(sort)
            out.append(machine)
    return out


__all__ = ["MET", "Judge", "Judgement", "translations"]
