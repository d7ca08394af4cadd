"""Executes statements of kernel C over syntax trees: paths are masks over the symbolic bits. Nothing runs as Python."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from tlblint.predicates import expressions, models, parse
from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.memory import NOTHING, Memory, Nothing, Place, Pointer, Struct, Value
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Function, Names
from tlblint.predicates.rewrite import readable
from tlblint.predicates.words import Space, Word


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where execution stops with Inconclusive: syntax nodes visited, calls inside each other, turns of one loop."""

    steps: int = 400_000
    calls: int = 60
    turns: int = 600


@dataclass(slots=True)
class Frame:
    """A call under way. Masks: paths that returned, that wait at a label, that left a loop or go on with its next turn."""

    function: Function | None
    number: int
    raw: bytes = b""
    prefix: int = 0
    types: dict[str, CType] = field(default_factory=dict)
    scopes: list[dict[str, Place]] = field(default_factory=lambda: [{}])
    saved: dict[int, dict[str, Place]] = field(default_factory=dict)  # the scope of each block, for a goto back into it
    popped: set[str] = field(default_factory=set)
    returned: int = 0
    result: Value | None = None
    gotos: dict[str, int] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    continues: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Event:
    """Something done to the world outside: a flush, an IPI. ``mask``: on which paths."""

    name: str
    mask: int
    arguments: tuple[Value, ...] = ()


class Machine:
    """Runs functions of a unit. ``setting`` is what the run starts from; ``modelled`` what is not taken from the tree."""

    def __init__(self, names: Names, modelled: Models, setting: Setting, space: Space | None = None, bounds: Bounds | None = None) -> None:
        self.names = names
        self.models = modelled
        self.setting = setting
        self.space = space or Space()
        self.bounds = bounds or Bounds()
        self.memory = Memory(self.space, self.start)
        self.frames: list[Frame] = []
        self.events: list[Event] = []
        self.steps = 0
        self.made = 0
        self.dead = 0  # paths that ended in BUG() and the like
        self.called: set[str] = set()
        self.asked: dict[str, int] = {}
        self.zeroed: set[Place] = set()  # places whose unnamed members are 0
        self._enumerated: dict[str, Word] = {}

    # the outside

    def start(self, place: Place) -> Word:
        """The start value of a place that is read before it is written."""
        if any(place[:n] in self.zeroed for n in range(2, len(place))):
            return self.space.constant(0, 64, False)
        return self.setting.start(self.space, place)

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
        if not mask and not (any(frame.gotos.values()) and node.type in _HOLDS_LABELS):
            if node.type in ("declaration",):
                return mask
            return 0
        handler = _STATEMENTS.get(node.type)
        if handler is None:
            raise Inconclusive(f"a construct that is not executed: {node.type}", self.where(node))
        return self.live(handler(self, node, mask))

    def _expression(self, node: Node, mask: int) -> int:
        for child in node.named_children:
            expressions.value(self, child, mask)
        return mask

    def _declaration(self, node: Node, mask: int) -> int:
        type_node = node.child_by_field_name("type")
        base = self.type_of(type_node) if type_node is not None else AUTO
        for item in node.children_by_field_name("declarator"):
            self._declarator(item, base, mask)
        return mask

    def _declarator(self, item: Node, base: CType, mask: int) -> None:
        init = item.child_by_field_name("value") if item.type == "init_declarator" else None
        name_node: Node | None = item.child_by_field_name("declarator") if item.type == "init_declarator" else item
        kind = ""
        while name_node is not None and name_node.type != "identifier":
            if name_node.type == "function_declarator" and not kind and name_node.named_children[0].type == "identifier":
                return  # a prototype
            kind = name_node.type if not kind or name_node.type == "array_declarator" else kind
            name_node = name_node.child_by_field_name("declarator") or next(iter(name_node.named_children), None)
        if name_node is None:
            raise Inconclusive("a declaration that is not read", self.where(item))
        ctype = base if not kind else CType("pointer", 64) if kind != "array_declarator" else AUTO
        if init is None:
            self.declare(self.text(name_node), ctype, None, mask)
        elif init.type == "initializer_list":
            place = self.declare(self.text(name_node), ctype, None, mask)
            expressions.initialise(self, init, place, ctype, mask)
        else:
            given = expressions.value(self, init, mask)
            self.declare(self.text(name_node), ctype, given, mask)

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

    def _if(self, node: Node, mask: int) -> int:
        chosen, otherwise = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        assert chosen is not None
        yes = self.condition(node.child_by_field_name("condition"), mask) if mask else 0
        mask = self.live(mask)
        no = self.space.and_(mask, self.space.not_(yes))
        after = self.statement(chosen, yes)
        if otherwise is not None:
            inner = otherwise.named_children[0] if otherwise.type == "else_clause" and otherwise.named_children else otherwise
            no = self.statement(inner, no)
        return self.space.or_(after, no)

    def _return(self, node: Node, mask: int) -> int:
        frame = self.frames[-1]
        given = expressions.value(self, node.named_children[0], mask) if node.named_children else NOTHING
        mask = self.live(mask)
        if isinstance(given, Word) and frame.function is not None:
            given = self.converted(given, frame.function.returns)
        if frame.result is None or mask == self.space.full or given == frame.result:
            frame.result = given
        elif isinstance(given, Nothing) and isinstance(frame.result, Nothing):
            pass
        else:
            old, new = self.memory.number(frame.result), self.memory.number(given)
            frame.result = self.space.merge(mask, new, old)
        frame.returned = self.space.or_(frame.returned, mask)
        return 0

    def _goto(self, node: Node, mask: int) -> int:
        label = self.text(node.named_children[0])
        gotos = self.frames[-1].gotos
        gotos[label] = self.space.or_(gotos.get(label, 0), mask)
        return 0

    def _labeled(self, node: Node, mask: int) -> int:
        label = node.child_by_field_name("label")
        assert label is not None
        frame = self.frames[-1]
        frame.popped.add(self.text(label))
        mask = self.space.or_(mask, frame.gotos.pop(self.text(label), 0))
        for child in node.named_children[1:]:
            mask = self.statement(child, mask)
        return mask

    def _loop(self, node: Node, mask: int) -> int:
        """while, do and for."""
        frame = self.frames[-1]
        frame.scopes.append(frame.saved.setdefault(node.start_byte, {}))
        first = node.child_by_field_name("initializer")
        if first is not None and mask:
            mask = self.statement(first, mask) if first.type == "declaration" else self._expression_of(first, mask)
        test, update = node.child_by_field_name("condition"), node.child_by_field_name("update")
        body = node.child_by_field_name("body")
        assert body is not None
        left, turns, active = 0, 0, mask
        tested = node.type != "do_statement"
        while True:
            if tested:
                held = self.condition(test, active) if active else 0
                active = self.live(active)
                left = self.space.or_(left, self.space.and_(active, self.space.not_(held)))
                active = held
            if not active and not (not turns and any(frame.gotos.values())):
                break
            turns += 1
            if turns > self.bounds.turns:
                raise Inconclusive("a loop does not end", self.where(node))
            frame.breaks.append(0)
            frame.continues.append(0)
            active = self.statement(body, active)
            active = self.live(self.space.or_(active, frame.continues.pop()))
            left = self.space.or_(left, frame.breaks.pop())
            if update is not None and active:
                self._expression_of(update, active)
            tested = True
        frame.scopes.pop()
        return left

    def _expression_of(self, node: Node, mask: int) -> int:
        expressions.value(self, node, mask)
        return mask

    def _break(self, node: Node, mask: int) -> int:
        frame = self.frames[-1]
        if not frame.breaks:
            raise Inconclusive("break outside a loop", self.where(node))
        frame.breaks[-1] = self.space.or_(frame.breaks[-1], mask)
        return 0

    def _continue(self, node: Node, mask: int) -> int:
        frame = self.frames[-1]
        if not frame.continues:
            raise Inconclusive("continue outside a loop", self.where(node))
        frame.continues[-1] = self.space.or_(frame.continues[-1], mask)
        return 0

    def _switch(self, node: Node, mask: int) -> int:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        assert condition is not None and body is not None
        frame = self.frames[-1]
        word = expressions.number(self, condition, mask) if mask else self.space.constant(0)
        cases = [c for c in body.named_children if c.type == "case_statement"]
        unmatched, entries = mask, []
        for case in cases:
            given = case.child_by_field_name("value")
            hit = 0
            if given is not None and mask:
                same = self.space.binary("==", word, expressions.number(self, given, mask))
                hit = self.space.and_(unmatched, self.space.truth(same))
                unmatched = self.space.and_(unmatched, self.space.not_(hit))
            entries.append(hit)
        frame.breaks.append(0)
        active, default = 0, False
        for case, hit in zip(cases, entries, strict=True):
            given = case.child_by_field_name("value")
            default = default or given is None
            active = self.space.or_(active, hit if given is not None else unmatched)
            for child in case.named_children[given is not None :]:
                active = self.statement(child, active)
        left = frame.breaks.pop()
        return self.space.or_(self.space.or_(active, left), 0 if default else unmatched)

    def _empty(self, node: Node, mask: int) -> int:
        return mask

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


_HOLDS_LABELS = frozenset(
    ("labeled_statement", "compound_statement", "if_statement", "for_statement", "while_statement", "do_statement", "switch_statement", "else_clause")
)
_STATEMENTS = {
    "compound_statement": Machine.block,
    "expression_statement": Machine._expression,
    "declaration": Machine._declaration,
    "if_statement": Machine._if,
    "return_statement": Machine._return,
    "goto_statement": Machine._goto,
    "labeled_statement": Machine._labeled,
    "while_statement": Machine._loop,
    "do_statement": Machine._loop,
    "for_statement": Machine._loop,
    "break_statement": Machine._break,
    "continue_statement": Machine._continue,
    "switch_statement": Machine._switch,
    "comment": Machine._empty,
    "type_definition": Machine._empty,
    "struct_specifier": Machine._empty,
    "attributed_statement": Machine.block,
    "empty_statement": Machine._empty,
    ";": Machine._empty,
}

__all__ = ["Bounds", "Event", "Machine", "Pointer"]
