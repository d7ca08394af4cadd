"""A function of the tree as a thread: its accesses to one shared word become steps, everything between them is executed.

A node is a state of the function right before an access (where it stands, what its variables hold); an edge is a value that the access may
see. The automaton is found by running the function again from its start with a list of values seen so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.machine import Bounds, Machine
from tlblint.predicates.memory import Cell, Nothing, Place, Pointer, Value
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Names
from tlblint.predicates.words import Space, Word

MOST_NODES = 400
MOST_VALUES = 24


@dataclass(frozen=True, slots=True)
class Access:
    """``operator``: read, set, xchg, cmpxchg, a C operator, or do (then ``action`` is what the thread does)."""

    operator: str
    given: tuple[int, ...] = ()
    where: str = ""
    action: str = ""

    def after(self, before: int, wrap: Callable[[int], int]) -> int:
        """The word after the access."""
        if self.operator in ("set", "xchg"):
            return self.given[-1]
        if self.operator == "cmpxchg":
            return self.given[1] if before == self.given[0] else before
        n = self.given[0] if self.given else 0
        return wrap({"+": before + n, "-": before - n, "&": before & n, "|": before | n, "^": before ^ n}.get(self.operator, before))

    @property
    def sees(self) -> bool:
        """Whether the function learns the value."""
        return self.operator not in ("set", "do")


@dataclass(slots=True)
class Graph:
    """Nodes by number: the access, and the next node for each value of the word (None: the function ends)."""

    accesses: list[Access] = field(default_factory=list)
    edges: list[dict[int, int | None]] = field(default_factory=list)
    start: int | None = None


class _Yield(Exception):
    def __init__(self, access: Access, key: object) -> None:
        super().__init__()
        self.access = access
        self.key = key


class _Thread(Machine):
    """A machine that stops at the first access beyond its script."""

    word: str = ""
    actions: Mapping[str, str] = {}
    script: Sequence[int] = ()
    used: int = 0
    site: str = ""

    def is_word(self, place: Place) -> bool:
        return self.word in place

    def statement(self, node: Node, mask: int) -> int:
        if node.type != "compound_statement" and mask:
            self.site = self.where(node)
        return super().statement(node, mask)

    def access(self, operator: str, given: tuple[int, ...] = (), action: str = "") -> int:
        if self.used < len(self.script):
            self.used += 1
            return self.script[self.used - 1]
        held = frozenset((place, value) for place, value in self.memory.held.items())
        stack = tuple(frame.function.name if frame.function else "" for frame in self.frames)
        access = Access(operator, given, self.site, action)
        raise _Yield(access, (access, stack, held))

    def read(self, place: Place, mask: int) -> Value:
        if self.is_word(place):
            return self.space.constant(self.access("read"), 32, True)
        return super().read(place, mask)

    def assign(self, place: Place, given: Value, mask: int) -> Value:
        if self.is_word(place):
            number = self.memory.number(given)
            self.access("set", (number.number,))
            return number
        return super().assign(place, given, mask)

    def shared(self, operator: str, place: Place, width: int, given: tuple[Word, ...], mask: int) -> Word:
        if self.is_word(place):
            return self.space.constant(self.access(operator, tuple(self.space.cast(w, 32, True).number for w in given)), width, True)
        return super().shared(operator, place, width, given, mask)

    def called_by_name(self, name: str, arguments: Sequence[Node], mask: int, node: Node) -> Value:
        if name in self.actions:
            self.access("do", (), self.actions[name])
            return Nothing()
        return super().called_by_name(name, arguments, mask, node)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is executed: the shared word's member name, calls that are actions of the simulator, and numbers for parameters by name."""

    names: Names
    modelled: Models
    base: Setting
    word: str
    actions: Mapping[str, str]
    arguments: Mapping[str, int]


def graph(subject: Subject, function: str, values: Sequence[int]) -> Graph:
    """The automaton of a function over a set of values of the word. Raises Inconclusive."""
    made = Graph()
    known: dict[object, int] = {}

    def node(script: tuple[int, ...]) -> tuple[int | None, bool]:
        """(node behind a script, whether it is new)."""
        stop = _run(subject, function, script)
        if stop is None:
            return None, False
        if stop.key in known:
            return known[stop.key], False
        if len(made.accesses) >= MOST_NODES:
            raise Inconclusive("too many states of a function")
        known[stop.key] = len(made.accesses)
        made.accesses.append(stop.access)
        made.edges.append({})
        return known[stop.key], True

    made.start, new = node(())
    waiting = [(made.start, ())] if new else []
    while waiting:
        number, script = waiting.pop()
        assert number is not None
        if made.accesses[number].sees:
            seen: Sequence[int] = values
        else:
            seen = values[:1]
        for value in seen:
            behind, fresh = node((*script, value))
            made.edges[number][value] = behind
            if fresh:
                waiting.append((behind, (*script, value)))  # type: ignore[arg-type]
    return made


def _run(subject: Subject, function: str, script: tuple[int, ...]) -> _Yield | None:
    found = subject.names.function(function)
    if found is None:
        raise Inconclusive(f"unknown name {function}")
    thread = _Thread(subject.names, subject.modelled, subject.base, Space(), Bounds(8000, 40, 40))
    thread.word, thread.actions, thread.script = subject.word, subject.actions, script
    given: dict[str, tuple[Value, CType]] = {}
    for index, (ctype, name) in enumerate(found.params):
        place: Place = ("arg", name)
        value: Value = Pointer(place) if ctype.kind == "pointer" else Cell(place)
        if name in subject.arguments:
            value = thread.space.constant(subject.arguments[name], 64, False)
        given[f"a{index}__"] = (value, AUTO)
    try:
        thread.execute(f"{function}({', '.join(given)})", given)
    except _Yield as stop:
        return stop
    return None


def closure(graphs: Callable[[Sequence[int]], Sequence[Graph]], start: int, rounds: int) -> tuple[list[int], Sequence[Graph]]:
    """Values that the word can have after ``rounds`` changes, with the graphs over them. Raises Inconclusive when there are too many."""
    values = [start]
    found = graphs(values)
    for _ in range(rounds):
        new = {access.after(value, wrap) for one in found for access in one.accesses for value in values if access.operator not in ("read", "do")}
        if new <= set(values):
            break
        values = sorted(set(values) | new, key=lambda v: (v != start, v))
        if len(values) > MOST_VALUES:
            raise Inconclusive("too many values of the shared word")
        found = graphs(values)
    return values, found


def wrap(value: int) -> int:
    """A number as an int has it."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def lines(made: Graph, values: Sequence[int], prefix: str) -> list[str]:
    """The graph as steps of the scenario language on the variable ``word``, which holds the index of its value in ``values``."""
    after = f"{prefix}end"
    code = {value: index for index, value in enumerate(values)}
    if made.start is None:
        return []

    def label(number: int | None) -> str:
        return after if number is None else f"{prefix}{number}"

    out = []
    for number in [made.start, *(n for n in range(len(made.accesses)) if n != made.start)]:
        access, edges = made.accesses[number], made.edges[number]
        note = f'"{_said(access)}"' + (f" @{access.where}" if access.where else "")
        if not access.sees:
            onward = f"goto {label(edges[values[0]])}"
            if access.operator == "do":  # some ops stand alone on their line
                out += [f"    {label(number)}: {access.action} {note}", f"    {onward}"]
            else:
                act = f"word = {code[access.given[0]]}" if access.given[0] in code else "fail_if(1, unbalanced)"
                out.append(f"    {label(number)}: {act}; {onward} {note}")
            continue
        word = "either"
        out.append(f"    {label(number)}:")
        for value in values:
            new = access.after(value, wrap)
            change = "" if new == value else f"; word = {code[new]}" if new in code else "; fail_if(1, unbalanced)"
            out.append(f"    {word} await word == {code[value]}{change}; goto {label(edges[value])} {note}")
            word = "or"
    out.append(f'    {after}: nop() "returns"')
    return out


def _said(access: Access) -> str:
    operator = {"+": "add", "-": "subtract", "do": access.action.replace('"', "")}.get(access.operator, access.operator)
    return f"{operator} {', '.join(hex(n) if n > 9 else str(n) for n in access.given)}".strip()


def filled(shell: str, parts: Mapping[str, tuple[Graph, Sequence[int]]], start: int) -> str:
    """A shell with its ``call NAME`` lines replaced and START set."""
    out, made = [], 0
    values = next(iter(parts.values()))[1]
    for line in shell.splitlines():
        words = line.split()
        if words[:1] == ["call"] and words[1] in parts:
            made += 1
            out += lines(parts[words[1]][0], parts[words[1]][1], f"k{made}_")
        else:
            out.append(line.replace("START", str(list(values).index(start))))
    return "\n".join(out) + "\n"
