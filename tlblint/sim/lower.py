"""Model -> program of guarded commands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import Alt, Bin, Code, Expr, Fail, Look, Program, Set, Step, Var, code_of
from tlblint.sim.lang import Parser
from tlblint.sim.lowered import Lowered
from tlblint.sim.machine import PAGE_FIELDS, Machine
from tlblint.sim.model import MOST_THREADS, MOST_VAS, Model
from tlblint.sim.scope import Scope
from tlblint.sim.syntax import Raw


def lower(model: Model, fill: bool = False, memory: Lowered | None = None) -> Program:
    """The program of a model. ``fill``: with steps in which hardware fills TLBs instead of saturation. ``memory``: what was lowered before.

    Raises ScenarioError.
    """
    _limits(model)
    known: dict[str, int] = {}
    pages: frozenset[int] = frozenset()
    memory = memory or Lowered()
    for _ in range(8):  # an op may need bytes that only another brings: again until there are no new ones
        machine = Machine(model, known, pages, fill)
        _declared(machine)
        codes = tuple(memory.code(machine, thread) for thread in model.threads)
        checks = _checks(machine, memory)
        if machine.init == known and machine.pages == pages:
            break
        known, pages = machine.init, machine.pages
    if fill:
        codes += tuple(_hardware(machine, cpu) for cpu in machine.tlb_cpus)
    tlbs = tuple(name for name in machine.init if name.partition("[")[0] in ("tlb", "hpt", "pwc", "dev"))
    always, sometimes = checks
    return Program(codes, _start(machine), tuple(_final(machine)), always, sometimes, tlbs)


def _limits(model: Model) -> None:
    for what, count, most in (("threads", len(model.threads), MOST_THREADS), ("vas", len(model.vas), MOST_VAS), ("CPUs", model.cpus, 8)):
        if count > most:
            raise ScenarioError(f"{count} {what}: expected {most} at most")
    names = [thread.name for thread in model.threads]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f'two threads are called "{name}"')
    for thread in model.threads:
        if thread.cpu >= model.cpus:
            raise ScenarioError(f"thread {thread.name} runs on CPU {thread.cpu}, the model has {model.cpus}")
    if not model.threads:
        raise ScenarioError("no thread: expected at least one")


def _declared(machine: Machine) -> None:
    """The bytes that the head of a model names."""
    model = machine.model
    for va in model.vas:
        machine.init[f"pte[{va.name}]"] = _constant(machine, va.entry, va.at)
    if machine.profile.entries == "tlb":
        for cpu in machine.tlb_cpus:
            for va in model.vas:
                machine.need(f"tlb[{cpu},{va.name}]")
    for table in model.tables:
        machine.need(f"pmd[{table}]")
        for cpu in machine.tlb_cpus:
            machine.need(f"pwc[{cpu},{table}]")
    for name in model.locks:
        machine.init[name] = 0
    machine.init.update(model.variables)
    machine.init.update(model.counters)
    for page in model.pages:
        for name, value in page.fields.items():
            if name not in PAGE_FIELDS:
                raise ScenarioError(f'a page has no field "{name}"{nearest(name, PAGE_FIELDS)}')
            machine.init[f"{name}[{machine.page(page.number)}]"] = value


def _constant(machine: Machine, text: str, at: tuple[int, int]) -> int:
    try:
        return Scope(machine).number(_expression(text), 1, "a constant entry such as P|W|D|pfn(1)") & 255
    except ScenarioError as error:
        raise ScenarioError(error.text, at[0], at[1] + max(error.column, 1) - 1) from None


@lru_cache(maxsize=1024)
def _expression(text: str) -> Raw:
    parser = Parser(text)
    raw = parser.expression()
    if parser.peek().kind != "end":
        parser.fail("the end of the expression")
    return raw


def _start(machine: Machine) -> dict[str, int]:
    start = dict(machine.init)
    for text, value in machine.model.init.items():
        line, column = machine.model.init_at.get(text, (0, 0))
        try:
            found = Scope(machine).resolve(_expression(text))
        except ScenarioError as error:
            raise ScenarioError(error.text, line, column) from None
        if not isinstance(found, Var) or found.name not in start:
            raise ScenarioError(f'"{text}" is no variable of this model{nearest(text, start)}', line, column)
        start[found.name] = value
    return start


def _checks(machine: Machine, memory: Lowered) -> tuple[tuple[tuple[Expr, int], ...], tuple[tuple[str, Expr], ...]]:
    always, sometimes = [], []
    others = {thread.name: memory.registers(machine, thread) for thread in machine.model.threads} if machine.model.checks else {}
    for check in machine.model.checks:
        try:
            expr = Scope(machine, others=others).resolve(_expression(check.expr))
        except ScenarioError as error:
            raise ScenarioError(error.text, check.at[0], check.at[1] + max(error.column, 1) - 1) from None
        if check.violation is None:
            sometimes.append((check.words, expr))
        else:
            always.append((expr, code_of(check.violation)))
    return tuple(always), tuple(sometimes)


def _final(machine: Machine) -> Iterator[Fail]:
    """What must not be left when all threads are done."""
    counters = [*machine.model.counters, *(["pending"] if machine.has("pending") else [])]
    own = [name for name in machine.init if "." in name and name.partition(".")[2].partition("_")[0] in ("owed", "gathered", "batch", "queued", "waits")]
    for name in (*counters, *own):
        yield Fail(code_of("leak"), Var(name))
    for page in sorted(machine.pages):
        lost = machine.lost(page)
        if lost is not None:
            yield Fail(code_of("lost-dirty"), lost)


def _hardware(machine: Machine, cpu: int) -> Code:
    """A CPU's walker: at any time it caches what an entry allows."""
    alts = []
    for va in machine.vas:
        if va in machine.explicit:
            continue
        held, seen = Var(f"tlb[{cpu},{va}]"), Look(machine.visible, Var(f"pte[{va}]"))
        news: Expr = Bin("!=", Bin("|", held, seen), held)
        guard = Bin("and", Var(f"loaded[{cpu}]"), news) if machine.has(f"loaded[{cpu}]") else news
        alts.append(Alt(f"CPU{cpu} caches {va}", guard, (Set(held.name, Bin("|", held, seen)),), 0, role="fill"))
    return Code(f"walker{cpu}", cpu, (Step(tuple(alts), -1),) if alts else (), daemon=True)
