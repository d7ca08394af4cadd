"""Executes statements of kernel C over syntax trees: paths are masks over the symbolic bits. Nothing runs as Python."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Sequence

import msgspec
from tree_sitter import Node

from tlblint.predicates import expressions, models, parse, statements
from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.memory import NOTHING, Memory, Nothing, Place, Pointer, Struct, Value
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Function, Names
from tlblint.predicates.rewrite import readable
from tlblint.predicates.words import Space, Word


class Bounds(msgspec.Struct, frozen=True):
    """Where execution stops with Inconclusive: syntax nodes visited, calls inside each other, turns of one loop."""

    steps: int = 400_000
    calls: int = 60
    turns: int = 600


class Frame(msgspec.Struct):
    """A call under way. Masks: paths that returned, that wait at a label, that left a loop or go on with its next turn."""

    function: Function | None
    number: int
    raw: bytes = b""
    prefix: int = 0
    types: dict[str, CType] = msgspec.field(default_factory=dict)
    scopes: list[dict[str, Place]] = msgspec.field(default_factory=lambda: [{}])
    saved: dict[int, dict[str, Place]] = msgspec.field(default_factory=dict)  # the scope of each block, for a goto back into it
    popped: set[str] = msgspec.field(default_factory=set)
    returned: int = 0
    result: Value | None = None
    gotos: dict[str, int] = msgspec.field(default_factory=dict)
    breaks: list[int] = msgspec.field(default_factory=list)
    continues: list[int] = msgspec.field(default_factory=list)


class Event(msgspec.Struct, frozen=True):
    """Something done to the world outside: a flush, an IPI. ``mask``: on which paths."""

    name: str
    mask: int
    arguments: tuple[Value, ...] = ()


def _start(space: Space, setting: Setting, zeroed: Container[Place]) -> Callable[[Place], Word]:
    """Gives the start value of a place that is read before it is written. It knows no machine, so that one is gone with its unit when nobody has it."""

    def start(place: Place) -> Word:
        if any(place[:n] in zeroed for n in range(2, len(place))):
            return space.constant(0, 64, False)
        return setting.start(space, place)

    return start


class Machine:
    """Runs functions of a unit. ``setting`` is what the run starts from; ``modelled`` what is not taken from the tree."""

    def __init__(self, names: Names, modelled: Models, setting: Setting, space: Space | None = None, bounds: Bounds | None = None) -> None:
        self.names = names
        self.models = modelled
        self.setting = setting
        self.space = space or Space()
        self.bounds = bounds or Bounds()
        self.zeroed: set[Place] = set()  # places whose unnamed members are 0
        self.start = _start(self.space, setting, self.zeroed)
        self.memory = Memory(self.space, self.start)
        self.frames: list[Frame] = []
        self.events: list[Event] = []
        self.steps = 0
        self.made = 0
        self.dead = 0  # paths that ended in BUG() and the like
        self.called: set[str] = set()
        self.asked: dict[str, int] = {}
        self._enumerated: dict[str, Word] = {}

    # the outside

    def fresh(self, name: str) -> Word:
        """A value that a modelled function gives: a new one at each call."""
        count = self.asked[name] = self.asked.get(name, 0) + 1
        return self.start(("call", name, count))

    def where(self, node: Node) -> str:
        """path:line of a node of the function under way."""
        return self.where_of(node, self.frames[-1]) if self.frames else ""

    def where_of(self, node: Node, frame: Frame) -> str:
        """path:line of a node of a call under way."""
        if frame.function is None or not frame.function.offsets:
            return ""
        offset = node.start_byte - frame.prefix
        index = max(0, bisect_right(frame.function.offsets, offset) - 1)
        path, line = self.names.unit.where(frame.function.origins[index])
        return f"{path}:{line}" if path else ""

    def step(self) -> None:
        """Count a visited node."""
        self.steps += 1
        if self.steps > self.bounds.steps:
            raise Inconclusive(f"more than {self.bounds.steps} steps")

    # calls

    def evaluate(self, text: str, arguments: dict[str, tuple[Value, CType]]) -> Value:
        """The value of an expression of the unit's text, with names bound; macros are expanded as at the end of the unit."""
        source = readable(self.names.expanded(text, self.setting.position(self.names)))
        node, raw = parse.expression(" ".join(t.text for t in source))
        self._frame(None, raw, 0)
        for name, (value, ctype) in arguments.items():
            self.declare(name, ctype, value, self.space.full)
        try:
            return expressions.value(self, node, self.space.full)
        except RecursionError:
            raise Inconclusive("syntax nests too deeply") from None
        finally:
            self.frames.pop()

    def execute(self, text: str, arguments: dict[str, tuple[Value, CType]]) -> None:
        """As evaluate, for what may be a statement; its value is dropped."""
        source = readable(self.names.expanded(text, self.setting.position(self.names)))
        node, raw = parse.statement(" ".join(t.text for t in source))
        self._frame(None, raw, 0)
        for name, (value, ctype) in arguments.items():
            self.declare(name, ctype, value, self.space.full)
        try:
            self.block(node, self.space.full)
        except RecursionError:
            raise Inconclusive("syntax nests too deeply") from None
        finally:
            self.frames.pop()

    def _frame(self, function: Function | None, raw: bytes, prefix: int) -> Frame:
        if len(self.frames) >= self.bounds.calls:
            raise Inconclusive("calls nest too deeply")
        self.made += 1
        frame = Frame(function, self.made, raw, prefix)
        self.frames.append(frame)
        return frame

    def call(self, function: Function, arguments: Sequence[Value], mask: int) -> Value:
        """Execute a definition of the tree."""
        bodies = self.names.bodies
        if function.name not in bodies:
            bodies[function.name] = parse.body_of(function)
        body, raw, prefix = bodies[function.name]
        if len(arguments) < len(function.params) and not any(n == "..." for _, n in function.params):
            raise Inconclusive(f"{function.name}() is called with {len(arguments)} arguments")
        self.called.add(function.name)
        frame = self._frame(function, raw, prefix)
        try:
            for (ctype, name), given in zip(function.params, arguments, strict=False):
                self.declare(name, ctype, given, self.space.full)
            self._run(frame, body, mask)
        except RecursionError:
            raise Inconclusive("syntax nests too deeply") from None
        finally:
            self.frames.pop()
        if frame.result is None:
            self.memory.forget(frame.number)
            return NOTHING
        result = self.converted(frame.result, function.returns)
        if isinstance(result, Word):  # a struct is still to be copied from where it is
            self.memory.forget(frame.number)
        return result

    def _run(self, frame: Frame, body: Node, mask: int) -> None:
        """The body, again from its labels while paths wait at one."""
        left = self.block(body, mask)
        turns = 0
        while any(frame.gotos.values()):
            turns += 1
            if turns > self.bounds.turns:
                raise Inconclusive("a loop made of gotos does not end")
            waiting = {label for label, table in frame.gotos.items() if table}
            frame.popped.clear()
            left = self.space.or_(left, self.block(body, 0))
            if lost := waiting - frame.popped:
                raise Inconclusive(f"a label is not found: {min(lost)}")

    def live(self, mask: int) -> int:
        """``mask`` without paths that ended."""
        frame = self.frames[-1]
        gone = self.space.or_(frame.returned, self.dead)
        return self.space.and_(mask, self.space.not_(gone)) if gone else mask

    # names and types

    def text(self, node: Node) -> str:
        """The source of a node of the function under way."""
        return self.frames[-1].raw[node.start_byte : node.end_byte].decode("latin-1")

    def declare(self, name: str, ctype: CType, value: Value | None, mask: int) -> Place:
        """A new local variable."""
        frame = self.frames[-1]
        self.made += 1
        place: Place = ("local", frame.number, f"{name}#{self.made}" if name in frame.scopes[-1] or len(frame.scopes) > 1 else name)
        frame.scopes[-1][name] = place
        frame.types["/".join(map(str, place))] = ctype
        if value is not None:
            self.memory.write(place, self.converted(value, ctype), self.space.full)
        return place

    def place_of(self, name: str) -> Place | None:
        """Where a local variable is."""
        for scope in reversed(self.frames[-1].scopes):
            if name in scope:
                return scope[name]
        return None

    def type_at(self, place: Place) -> CType:
        """The declared type of a local variable, ``auto`` elsewhere."""
        return self.frames[-1].types.get("/".join(map(str, place)), AUTO)

    def converted(self, value: Value, ctype: CType) -> Value:
        """A value as it is stored in a variable of a type."""
        if ctype.kind == "int" and not isinstance(value, Struct | Nothing):
            word = self.memory.number(value)
            if ctype.boolean:
                return self.space.cast(self.space.flag(self.space.truth(word)), 8, False)
            return self.space.cast(word, ctype.width, ctype.signed)
        if ctype.kind == "pointer" and isinstance(value, Struct):  # an array
            return Pointer((*value.place, 0))
        return value

    # what expressions ask for

    def value(self, node: Node, mask: int) -> Value:
        """The value of an expression."""
        return expressions.value(self, node, mask)

    def number(self, node: Node, mask: int) -> Word:
        """The value of an expression as a number."""
        return expressions.number(self, node, mask)

    def read(self, place: Place, mask: int) -> Value:
        """What is in a place that an expression names."""
        return self.memory.read(place)

    def plain_read(self, node: Node, mask: int) -> Value:
        """READ_ONCE and its like."""
        return expressions.value(self, node, mask)

    def assign(self, place: Place, given: Value, mask: int) -> Value:
        """A plain assignment; its value."""
        self.put(place, given, mask)
        return self.memory.read(place)

    def event(self, name: str, mask: int, arguments: tuple[Value, ...]) -> None:
        """Something is done to the world outside."""
        self.events.append(Event(name, mask, arguments))

    def feature(self, name: str, asked: str) -> Word:
        """Whether the CPU has a feature, or a static key is on."""
        return self.space.constant(int(any(word in self.setting.features for word in (name, *asked.replace("&", " ").split()))))

    def shared(self, operator: str, place: Place, width: int, given: tuple[Word, ...], mask: int) -> Word:
        """One atomic access; the value before it. ``operator``: read, set, xchg, cmpxchg or a C operator."""
        space = self.space
        old = space.cast(self.memory.number(self.memory.read(place)), width, True)
        if operator == "read":
            return old
        written = mask
        if operator == "cmpxchg":
            written = space.and_(mask, space.truth(space.binary("==", old, space.cast(given[0], width, True))))
        new = given[-1] if operator in ("set", "xchg", "cmpxchg") else space.binary(operator, old, given[0])
        if written:
            self.memory.write(place, space.cast(new, width, True), written)
        return old

    def enumerated(self, name: str, base: str) -> Word:
        """The value of an enumerator's explicit expression."""
        if not base:
            return self.space.constant(0)
        if name not in self._enumerated:
            if len(self.frames) > self.bounds.calls:
                raise Inconclusive("enumerators nest too deeply")
            self._enumerated[name] = self.space.constant(0)
            self._enumerated[name] = self.memory.number(self.evaluate(base, {}))
        return self._enumerated[name]

    def called_by_name(self, name: str, arguments: Sequence[Node], mask: int, node: Node) -> Value:
        """A call: modelled, of the tree, or unknown."""
        modelled = models.call(self, name, list(arguments), mask, node)
        if modelled is not None:
            return modelled
        found = self.names.function(name)
        if found is None:
            raise Inconclusive(f"no body of {name}" if self.names.declared(name) else f"unknown name {name}", self.where(node))
        return self.call(found, [expressions.value(self, a, mask) for a in arguments], mask)

    # statements: each takes the mask of paths that reach it and gives those that go on behind it

    def block(self, node: Node, mask: int) -> int:
        """A compound statement."""
        frame = self.frames[-1]
        frame.scopes.append(frame.saved.setdefault(node.start_byte, {}))
        if len(frame.scopes) > 80:
            raise Inconclusive("blocks nest too deeply")
        try:
            for child in node.named_children:
                mask = self.statement(child, mask)
            return mask
        finally:
            frame.scopes.pop()

    def statement(self, node: Node, mask: int) -> int:
        """Any statement."""
        self.step()
        frame = self.frames[-1]
        if not mask and not (any(frame.gotos.values()) and node.type in statements.HOLDS_LABELS):
            if node.type in ("declaration",):
                return mask
            return 0
        handler = statements.HANDLERS.get(node.type)
        if handler is None:
            raise Inconclusive(f"a construct that is not executed: {node.type}", self.where(node))
        return self.live(handler(self, node, mask))

    def type_of(self, node: Node) -> CType:
        """The type behind a type node."""
        text = self.text(node)
        if node.type in ("struct_specifier", "union_specifier"):
            return CType("struct", name=" ".join(text.split()[:2]))
        if node.type == "type_descriptor" and "*" in text:
            return CType("pointer", 64)
        if text.lstrip().startswith(("typeof", "__typeof", "__auto_type")):
            return AUTO
        return self.names.type_of_words([w for w in text.split() if w.isidentifier()])

    def condition(self, node: Node | None, mask: int) -> int:
        """The paths of ``mask`` on which a condition holds."""
        if node is None:
            return mask
        word = expressions.number(self, node, mask)
        return self.space.and_(mask, self.space.truth(word))

    def put(self, place: Place, value: Value, mask: int) -> None:
        """Assign to a place, in the type it has."""
        ctype = self.type_at(place)
        if ctype.kind == "int":
            value = self.converted(value, ctype)
        elif isinstance(value, Word):
            old = self.memory.held.get(place)
            if isinstance(old, Word) and place[0] != "local":
                value = self.space.cast(value, old.width, old.signed)
        self.memory.write(place, value, mask)


__all__ = ["Bounds", "Event", "Machine", "Pointer"]
