"""From facts to findings: compile, choose entries, interpret, turn violations into findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tlblint.calls.program import Program
from tlblint.engine.automata import Automata
from tlblint.engine.compile import Code, Compiler
from tlblint.engine.entries import Entry, entry_state
from tlblint.engine.grammar import RuleSpec
from tlblint.engine.interp import World, analyse_function
from tlblint.engine.report import Reporter
from tlblint.engine.scope import Scope
from tlblint.model.finding import RawFinding
from tlblint.model.ir import FileFacts, NotAnalysed
from tlblint.model.roles import Profile, Role


@dataclass(frozen=True)
class Context:
    """What the engine must be told of the kernel: roles, profiles, contracts and their features, all from data files.

    ``entries`` maps a function name to how it is entered (from operation tables and contracts); ``slots`` maps
    (struct type, field) to the same for callbacks. ``outside`` is true of paths whose page tables are not user space's,
    ``skipped`` of those that are no subject at all.
    """

    roles: Callable[[str, int], Role | None]
    pure: Callable[[str], bool]
    features: frozenset[str]
    profiles: tuple[Profile, ...]
    says: Callable[[str, str], frozenset[str]]
    entries: Callable[[str, str], Entry | None]
    slots: Mapping[tuple[str, str], Entry]
    outside: Callable[[str, str], bool]
    skipped: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Options:
    """``only``: report only what lies in files for which this is true (None: all)."""

    only: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class EngineResult:
    """Findings in a total order, and the functions that reached a bound."""

    findings: tuple[RawFinding, ...]
    not_analysed: tuple[NotAnalysed, ...]
    contexts: int = 0


@dataclass
class _Session:
    program: Program
    compiler: Compiler
    codes: dict[int, Code] = field(default_factory=dict)

    def code(self, index: int) -> Code:
        held = self.codes.get(index)
        if held is None:
            held = self.codes[index] = self.compiler.compile(index, self.program.functions[index])
        return held


def analyse(facts: Sequence[FileFacts], rules: Sequence[RuleSpec], context: Context, options: Options | None = None) -> EngineResult:
    """Run the rules over all functions of ``facts``. Deterministic; a crash inside one function names that function and goes on."""
    program = Program(facts)
    scope = Scope(program, context.roles)

    def callee(name: str, path: str) -> int | None:
        found = program.resolve(name, path)
        return found if found is not None and found in scope.mattering else None

    session = _Session(program, Compiler(context.roles, callee, context.pure))
    automata = Automata(rules, context.features)
    says = {i: context.says(fn.path, fn.name) for i, fn in enumerate(program.functions)}
    world = World(session.code, automata, says, lambda i: not context.outside(program.functions[i].path, program.functions[i].name), scope.events())
    _visit_all(world, program, scope, context)
    reporter = Reporter(program, facts, automata, context.profiles, options.only if options else None)
    findings = reporter.findings(hit for summary in world.table.values() for hit in summary.hits)
    stopped = tuple(NotAnalysed(program.functions[i].path, program.functions[i].name, program.functions[i].start, why)
                    for i, why in sorted(world.stopped.items()))
    return EngineResult(findings, stopped, len(world.table))


def _visit_all(world: World, program: Program, scope: Scope, context: Context) -> None:
    """Callbacks with their slot's entry, roots, what nobody reached, then the second arms of in-body #if groups."""
    entered: set[int] = set()
    for table in program.tables:
        for slot, name in table.slots:
            entry = context.slots.get((table.type, slot))
            index = program.resolve(name, table.path) if entry is not None else None
            if entry is not None and index is not None and index in scope.mattering and not _is_role(context, program, index):
                _enter(world, program, index, entry)
                entered.add(index)
    for index in scope.roots():
        fn = program.functions[index]
        if index not in entered and not _is_role(context, program, index):
            _enter(world, program, index, context.entries(fn.path, fn.name))
    for index in sorted(scope.carrying):
        fn = program.functions[index]
        if index not in world.visited and not fn.variant and not _is_role(context, program, index):
            _enter(world, program, index, context.entries(fn.path, fn.name))
    _replay_variants(world, program)


def _replay_variants(world: World, program: Program) -> None:
    """The other arm of a function's #if groups runs from every entry state that the first one met."""
    twins: dict[tuple[str, str], list[int]] = {}
    for index, fn in enumerate(program.functions):
        if fn.variant:
            twins.setdefault((fn.path, fn.name), []).append(index)
    if not twins:
        return
    for index, auto, entry, is_root, says, walked in sorted(world.table, key=lambda k: (k[0], repr(k[1:]))):  # type: ignore[misc]
        fn = program.functions[index]
        for twin in twins.get((fn.path, fn.name), ()) if not fn.variant else ():
            _guarded(world, program, twin, lambda t=twin, a=auto, e=entry, r=is_root, s=says, w=walked: analyse_function(  # type: ignore[misc]
                world, t, a, dict(e), is_root=r, inherited=s, walked=w))


def _is_role(context: Context, program: Program, index: int) -> bool:
    """The definition of an API function is what the role table describes, not a user of it."""
    fn = program.functions[index]
    return context.skipped(fn.path) or context.roles(fn.name, len(fn.params)) is not None


def _enter(world: World, program: Program, index: int, entry: Entry | None) -> None:
    def go() -> None:
        auto, env, walked = entry_state(world, index, program.functions[index], entry)
        analyse_function(world, index, auto, env, is_root=True, inherited=entry.says if entry else frozenset(), walked=walked)

    _guarded(world, program, index, go)


def _guarded(world: World, program: Program, index: int, go: Callable[[], object]) -> None:
    """One function's crash is that function's TLB902, not the run's end."""
    depth = len(world.stack)
    try:
        go()
    except (RecursionError, AssertionError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        culprit = world.stack[-1] if len(world.stack) > depth else index
        world.stopped[culprit] = f"internal error: {type(error).__name__}: {re.sub(r'0x[0-9a-f]+', '0x', str(error))[:80]}"
        del world.stack[depth:]
