"""A thread's steps -> its guarded commands."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from tlblint.sim.access import ACCESSES, Accesses
from tlblint.sim.draft import Draft
from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.expand import expanded
from tlblint.sim.ir import TRUE, Alt, Bin, Branch, Code, Expr, Not, Set, Step, Var, When, conj, names_in, onward
from tlblint.sim.machine import Machine
from tlblint.sim.macros import MACROS
from tlblint.sim.model import Thread
from tlblint.sim.ops import SIMPLE, VALUED, Ops
from tlblint.sim.scope import Scope
from tlblint.sim.syntax import Assign, Await, Call, Goto, If, Line, Name, Raw, Statement, Way

MOST_STEPS = 250
TASK_LOCAL = frozenset({"owed", "gathered"})
"""Registers that ops keep by themselves and that a step may read."""


class Item(msgspec.Struct):
    """A step (``ways``) or a branch (``cond`` to ``target``) in the making."""

    origin: int
    line: Line
    ways: list[Draft] = msgspec.field(default_factory=list)
    cond: Expr | None = None
    target: str = ""


def _targets(body: tuple[Statement, ...]) -> Iterator[Name]:
    for statement in body:
        if isinstance(statement, Assign):
            yield statement.target
        elif isinstance(statement, Call) and statement.into is not None:
            yield statement.into
        elif isinstance(statement, If):
            yield from _targets(statement.body)


def registers_of(machine: Machine, thread: Thread) -> frozenset[str]:
    model = machine.model
    found = {target.text for line in thread.steps for way in line.ways for target in _targets(way.body) if target.args is None}
    return frozenset({name for name in found | TASK_LOCAL if name not in model.variables and name not in model.counters and name not in model.locks})


def _start(line: Line) -> int:
    """The column of a step; 0 when it comes from no text."""
    first = line.ways[0].body[:1]
    return sum(statement.target.column if isinstance(statement, Assign) else statement.column for statement in first)


def _column(line: Line, label: str) -> int:
    """Where a step goes to ``label``; 0 when a macro does."""
    for way in line.ways:
        for statement in way.body:
            goto = statement.goto if isinstance(statement, If) else statement
            if isinstance(goto, Goto) and goto.label == label:
                return goto.column
    return 0


class ThreadLowering:
    """Lowers one thread."""

    def __init__(self, machine: Machine, thread: Thread) -> None:
        self._machine = machine
        self._thread = thread
        self._lines = [(at, line) for at, given in enumerate(thread.steps) for line in expanded(given, at)]
        registers = registers_of(machine, replace(thread, steps=tuple(line for _, line in self._lines)))
        self._scope = Scope(machine, thread.name, thread.cpu, registers)
        self._ops = Ops(self._scope)
        self._accesses = Accesses(self._scope)
        self._items: list[Item] = []
        self._labels: dict[str, int] = {}

    def code(self) -> Code:
        """The thread's guarded commands. Raises ScenarioError with the line of the step."""
        for origin, line in self._lines:
            try:
                self._line(origin, line)
            except ScenarioError as error:
                raise ScenarioError(error.text, error.line or line.number, error.column or (error.line == 0 and _start(line)), error.path) from None
        if len(self._items) > MOST_STEPS:
            line = self._items[MOST_STEPS].line
            text = f"thread {self._thread.name} has {len(self._items)} steps: expected {MOST_STEPS} at most"
            raise ScenarioError(text, line.number, _start(line) if line.number else 0)
        nodes = tuple(self._node(at, item) for at, item in enumerate(self._items))
        self._check_loops(nodes)
        return Code(self._thread.name, self._thread.cpu, nodes, self._thread.kind == "daemon")

    def _check_loops(self, nodes: tuple[Step | Branch, ...]) -> None:
        at = _loop(nodes)
        if at is not None:
            item = self._items[at]
            raise ScenarioError(f"thread {self._thread.name} goes round in a loop without a step", item.line.number, _column(item.line, item.target))

    def _node(self, at: int, item: Item) -> Step | Branch:
        if item.cond is not None:
            return Branch(item.cond, self._goto(item.target, item.line), at + 1)
        alts = []
        for draft in item.ways:
            goto = at + 1 if draft.goto is None else self._goto(draft.goto, item.line)
            alts.append(Alt(draft.text, conj(draft.guards), tuple(draft.effects), goto, draft.flush, draft.role))
        way = item.line.ways[0]
        return Step(tuple(alts), item.origin, way.path, way.line)

    def _goto(self, label: str, line: Line) -> int:
        if label == "end":
            return len(self._items)
        if label not in self._labels:
            known = [*self._labels, "end"]
            raise ScenarioError(f'no label "{label}" in thread {self._thread.name}{nearest(label, known)}', line.number, _column(line, label))
        return self._labels[label]

    def _line(self, origin: int, line: Line) -> None:
        if line.label:
            if line.label in self._labels:
                raise ScenarioError(f'label "{line.label}" is there twice', line.number, line.label_column)
            self._labels[line.label] = len(self._items)
        body = line.ways[0].body
        if not body:
            return
        if len(line.ways) > 1:
            self._items.append(Item(origin, line, [self._way(way) for way in line.ways]))
            return
        access = body[0] if len(body) == 1 and isinstance(body[0], Call) and body[0].name in ACCESSES else None
        if access is not None:
            self._items.append(Item(origin, line, self._access(access)))
            return
        *first, last = body
        if isinstance(last, If) and last.goto is not None:
            self._jump(origin, line, tuple(first), last.cond, last.goto)
        elif isinstance(last, Goto) and not first:
            self._items.append(Item(origin, line, cond=TRUE, target=last.label))
        else:
            self._items.append(Item(origin, line, [self._way(line.ways[0])]))
            self._late_batch(origin, line)

    def _jump(self, origin: int, line: Line, first: tuple[Statement, ...], cond: Raw, goto: Goto) -> None:
        """``if COND goto L``: a branch if COND is on registers or the end of a step, else a step of its own."""
        test = self._scope.resolve(cond)
        own = all(name.startswith(f"{self._thread.name}.") for name in names_in(test))
        if first:
            self._items.append(Item(origin, line, [self._way(replace(line.ways[0], body=first))]))
        if own or first:
            self._items.append(Item(origin, line, cond=test, target=goto.label))
            return
        text = line.ways[0].text
        head, _, words = text.rpartition(": ")
        yes, slash, no = words.partition(" / ")  # words for both answers, of a macro
        texts = [f"{head}: {yes}", f"{head}: {no}"] if slash else [f"{text}: yes", f"{text}: no"]
        self._items.append(Item(origin, line, [Draft([test], goto=goto.label, text=texts[0]), Draft([Not(test)], text=texts[1])]))

    def _late_batch(self, origin: int, line: Line) -> None:
        """Where noting an entry for the batch is a step after its write."""
        body, profile = line.ways[0].body, self._machine.profile
        call = body[0] if len(body) == 1 else None
        if profile.batch_step and isinstance(call, Call) and call.name in ("xchg_pte", "set_pte") and self._machine.has(f"{self._thread.name}.lazy_"):
            noted = self._machine.need(f"{self._thread.name}.batch_{self._scope.va(call.args[0], call.column)}")
            draft = Draft(effects=[When(Var(f"{self._thread.name}.lazy_"), (Set(noted.name, TRUE),))], text="the address goes into the batch")
            self._items.append(Item(origin, line, [draft]))

    def _access(self, call: Call) -> list[Draft]:
        wanted = ACCESSES[call.name]
        self._ops.args(call, wanted)
        if call.into is not None:
            raise ScenarioError(f"{call.name} gives no value", 0, call.column)
        make = getattr(self._accesses, call.name)
        found: list[Draft] = make(*(self._scope.va(raw, call.column) for raw in call.args))
        return found

    # -- statements

    def _way(self, way: Way) -> Draft:
        draft = Draft(text=way.text)
        for at, statement in enumerate(way.body):
            if isinstance(statement, Await):
                if at:
                    raise ScenarioError("await comes first in a step", 0, statement.column)
                draft.guards.append(self._scope.resolve(statement.cond))
            elif isinstance(statement, Goto):
                if at != len(way.body) - 1:
                    raise ScenarioError("goto comes last in a step", 0, statement.column)
                draft.goto = statement.label
            else:
                self._statement(draft, statement)
        return draft

    def _statement(self, draft: Draft, statement: Statement) -> None:
        if isinstance(statement, Assign):
            self._assign(draft, statement.target, self._scope.resolve(statement.value))
        elif isinstance(statement, Call):
            self._call(draft, statement)
        elif isinstance(statement, If) and statement.goto is None:
            self._if(draft, statement)
        else:
            raise ScenarioError("await and goto cannot stand here: await first, goto last in a step", 0, statement.column)

    def _if(self, draft: Draft, statement: If) -> None:
        cond, inner = self._scope.resolve(statement.cond), Draft()
        for part in statement.body:
            self._statement(inner, part)
        draft.flush = draft.flush or inner.flush
        draft.guards += [Bin("or", Not(cond), guard) for guard in inner.guards]
        draft.effects.append(When(cond, tuple(inner.effects)))

    def _call(self, draft: Draft, call: Call) -> None:
        if call.name in ACCESSES or call.name in MACROS:
            raise ScenarioError(f"{call.name} stands alone in its step", 0, call.column)
        if call.name not in SIMPLE:
            raise ScenarioError(f'unknown op "{call.name}"{nearest(call.name, {*SIMPLE, *ACCESSES, *MACROS})}', 0, call.column)
        if call.into is not None and call.name not in VALUED:
            raise ScenarioError(f"{call.name} gives no value", 0, call.column)
        target = self._target(call.into) if call.into is not None else None
        self._ops.into = target if target is not None and "." in target.name else None
        value = getattr(self._ops, call.name)(draft, call)
        self._ops.into = None
        if target is not None and call.into is not None and value != target:
            self._assign(draft, call.into, value)

    def _target(self, name: Name) -> Var:
        if name.args is None and (name.text in self._machine.vas or name.text in self._machine.model.tables):
            what, element = ("va", "pte") if name.text in self._machine.vas else ("table", "pmd")
            raise ScenarioError(f'"{name.text}" is a {what}: expected {element}[{name.text}], or another name for a register', 0, name.column)
        found = self._scope.resolve(name)
        if not isinstance(found, Var):
            raise ScenarioError(f'"{name.text}" cannot be assigned', 0, name.column)
        return found

    def _assign(self, draft: Draft, target: Name, value: Expr) -> None:
        name = self._target(target).name
        if name.startswith("pte["):
            self._ops.write(draft, name[4:-1], value)
            return
        draft.effects.append(Set(name, value))
        if name.startswith("loaded["):
            cpu = int(name[7:-1])
            draft.effects.append(When(Var(name), tuple(self._machine.load(cpu))))
        if name.startswith("pmd["):
            table = name[4:-1]
            walks = [f"pwc[{cpu},{table}]" for cpu in self._machine.tlb_cpus if self._machine.has(f"pwc[{cpu},{table}]")]
            draft.effects += [Set(walk, Bin("|", Var(walk), Var(name))) for walk in walks]


def _loop(nodes: tuple[Step | Branch, ...]) -> int | None:
    """A branch from which branches alone lead back to it: that would never end. None when there is no such way."""
    clear: set[int] = set()
    for start in range(len(nodes)):
        stack, seen = [start], set()
        path: set[int] = set()
        while stack:
            at = stack.pop()
            if at < 0:
                path.discard(~at)
                clear.add(~at)
                continue
            node = nodes[at] if at < len(nodes) else None
            if not isinstance(node, Branch) or at in clear:
                continue
            if at in path:
                return at
            if at in seen:
                continue
            seen.add(at)
            path.add(at)
            stack += [~at, *onward(node)]
    return None
