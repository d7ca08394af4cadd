"""From facts to findings: compile, choose entries, interpret, turn violations into findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache, partial

import msgspec

from tlblint.calls.program import Program
from tlblint.calls.record import shape
from tlblint.calls.record import shapes as shapes_of
from tlblint.calls.walks import Walks
from tlblint.engine.again import State
from tlblint.engine.asked import Context, EngineResult, Entry, Options
from tlblint.engine.automata import Automata, Place
from tlblint.engine.batches import Batch
from tlblint.engine.code import Code
from tlblint.engine.compile import ENTRY_FUNCTION, ENTRY_TYPES, Compiler
from tlblint.engine.cutoff import Cutoff
from tlblint.engine.grammar import RuleSpec
from tlblint.engine.heard import Hearing
from tlblint.engine.kept import Kept
from tlblint.engine.last import Last, Node
from tlblint.engine.report import Reporter
from tlblint.engine.roots import Judged, Roots
from tlblint.engine.said import TEXT, tell
from tlblint.engine.scope import Scope
from tlblint.engine.state import SHIFT
from tlblint.engine.texts import Texts
from tlblint.engine.worlds import Worlds
from tlblint.model.ir import FileFacts, Function, NotAnalysed
from tlblint.model.store import key

NONE: frozenset[str] = frozenset()


class _Session(msgspec.Struct):
    program: Program
    compiler: Compiler
    codes: dict[int, Code] = msgspec.field(default_factory=dict)

    def code(self, index: int) -> Code:
        held = self.codes.get(index)
        if held is None:
            held = self.codes[index] = self.compiler.compile(index, self.program.functions[index])
        return held


def analyse(facts: Sequence[FileFacts], rules: Sequence[RuleSpec], context: Context, options: Options | None = None) -> EngineResult:
    """Run the rules over all functions of ``facts``. Deterministic; a crash inside one function names that function and goes on."""
    options = options or Options()
    memory = options.memory
    if memory is not None and (known := memory.repeat(facts)) is not None:
        return known
    program = Program(facts) if memory is None else memory.program(facts)
    if memory is None and options.said:
        tell(program, facts, options.said)
    asking = Texts(context.roles, context.slots)
    asked = [(text.tables, text.handing) for text in program.each(TEXT, asking.of)]
    walks = Walks(program, {place: dict(entry.bind) for place, entry in context.slots.items()}, context.roles, asked)
    texts = program.each(TEXT, asking.of)
    says = {i: context.says(fn.path, fn.name) | _assumed(fn.annotations) for i, fn in enumerate(program.functions)}
    hearing = Hearing(program, context.roles, texts)
    marks = hearing.marks
    judged_for_itself = hearing.says if any(rule.definitions for rule in rules) else {}
    marked = {i: hearing.kinds.get(i, frozenset()) for i in (*hearing.kinds, *judged_for_itself)}
    scope = Scope(program, texts, walks, {i for i, promised in says.items() if "settles" in promised}, marked)
    scope.carrying |= set(judged_for_itself)
    scope.mattering |= hearing.parts

    @cache
    def follows(index: int) -> bool:
        """Whether calls of a function lead into it."""
        fn = program.functions[index]
        makes_entry = ENTRY_FUNCTION.match(fn.name) and fn.returns in ENTRY_TYPES
        return index in scope.mattering or (index in scope.followed and not makes_entry and not context.pure(fn.name))

    def callee(name: str, path: str) -> int | None:
        found = program.resolve(name, path)
        return found if found is not None and follows(found) else None

    session = _Session(program, Compiler(context.roles, callee, context.pure, walks, context.slots, marks))
    automata = Automata(rules, context.features) if memory is None else memory.automaton(frozenset(), partial(Automata, rules, context.features))
    _pass_on(says, program, scope)
    for index, words in hearing.says.items():
        says[index] |= words
    if memory is not None:
        session.codes = memory.codes
    events = scope.events()

    slots = {index: frozenset().union(*(context.slots[slot].says for slot in calls.values())) for index, calls in walks.entries.items()}
    promises = scope.gathered([says[i] | slots.get(i, frozenset()) for i in range(len(program.functions))])
    @cache
    def user(index: int) -> bool:
        """Whether the page tables that a function is about are user space's."""
        return not context.outside(program.functions[index].path, program.functions[index].name)

    @cache
    def entry(index: int) -> Entry | None:
        """How a contract says that a function is entered."""
        return context.entries(program.functions[index].path, program.functions[index].name)

    def able(index: int) -> frozenset[Place]:
        """The states of rules that what happens in a function, or in what it calls, can lead to ERROR."""
        return automata.able(events[index], user(index), promises[index])

    parts: dict[frozenset[Place], Automata] = {} if memory is None else memory.automata
    worlds = Worlds(session.compiler, session.code, says, events, user, entry, automata, parts)

    def subject(index: int) -> bool:
        """The definition of an API function is what the role table describes, not a user of it: few rules are about those."""
        fn = program.functions[index]
        return not context.skipped(fn.path) and (context.roles(fn.name, len(fn.params)) is None or index in judged_for_itself)

    def node(index: int) -> Node:
        """What the judging of a function rests on besides the functions that it leads to."""
        fn = program.functions[index]
        said = (says[index], events[index], promises[index], hearing.kinds.get(index, frozenset()))
        slots_of = sorted(walks.entries.get(index, {}).items())
        text = "|".join([fn.path, *map(_words, said), repr(slots_of), "definition" * marks.is_definition(fn)])
        leads = {c for c in scope.callees[index] if c in walks.entries or follows(c)} | set(program.twins(index))
        own = callee(fn.name, fn.path)
        return Node(shapes[index] if index < len(shapes) else shape(fn), key(text), tuple(sorted(leads | ({own} if own is not None else set()))))

    def alike(was: Function, now: Function) -> bool:
        return asking.of(was).learned == asking.of(now).learned

    def left(nodes: Mapping[int, Node], batches: Sequence[Batch]) -> bytes:
        """What another run has to know to tell whether this one's findings stand."""
        from tlblint.engine import stood

        counts = {item.path: len(item.functions) for item in facts}
        walking = frozenset(index for index, text in enumerate(texts) if text.walking) | walks.entries.keys()
        return stood.told(stood.Tables(options.digest, counts, program.functions, says, events, hearing.heard, walking), nodes, batches)

    kept = None
    shapes = [digest for item in sorted(facts, key=lambda item: item.path) for digest in shapes_of(item)] if options.digest else []
    if options.digest:
        last = Last(options.store, program.functions, options.before)
        was = lambda index: last.function(index) if index < len(shapes) else None  # noqa: E731
        cutoff = Cutoff(program.functions.__getitem__, was, worlds.other, alike)
        kept = Kept(options.store, program.functions, key(options.digest, *sorted(hearing.flags)), node, last, cutoff, able, left)
    roots = Roots(program, scope, context.entries, subject, able, worlds.world, kept)

    def told(facts: Sequence[FileFacts], judged: Judged) -> EngineResult:
        findings = Reporter(program, facts, automata, context.profiles, options.only).findings(
            hit for hit in judged.hits if rules[hit.rule].definitions or hit.origin >> SHIFT not in judged_for_itself)
        placed = program.placed()
        stopped = tuple(NotAnalysed(placed[i].path, placed[i].name, placed[i].start, why) for i, why in sorted(judged.stopped.items()))
        return EngineResult(findings, stopped, judged.contexts)

    if memory is None:
        return told(facts, roots.judge(options.only, options.over))
    return memory.judge(facts, State(memory.now(), roots, memory.signs(scope, says, hearing.kinds, walks), hearing.flags, session.code, told))


@lru_cache(maxsize=4096)
def _words(some: frozenset[str]) -> str:
    return " ".join(sorted(some))


def _pass_on(says: dict[int, frozenset[str]], program: Program, scope: Scope) -> None:
    """A static function is a part of the function that alone calls it: what all its callers in the file are promised holds for it, unless
    something is promised about itself: then that is all there is to say."""
    known = {index for index, words in says.items() if words}
    work = [index for index, words in says.items() if words]
    while work:
        for callee in scope.callees[work.pop()]:
            fn = program.functions[callee]
            callers = [c for c in scope.callers.get(callee, ()) if c != callee]
            if callee in known or not fn.static or any(program.functions[c].path != fn.path for c in callers):
                continue
            shared = frozenset.intersection(*(says.get(c, frozenset()) for c in callers)) - {"settles"}
            if not shared <= says[callee]:
                says[callee] |= shared
                work.append(callee)
    for index in range(len(program.functions)):
        for twin in program.twins(index):
            says[twin] |= says[index]


def _assumed(annotations: tuple[str, ...]) -> frozenset[str]:
    """The contract words that comments in the source add."""
    return frozenset(text[7:-1] for text in annotations if text.startswith("assume(")) if annotations else NONE
