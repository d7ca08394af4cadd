"""A function of the tree that runs until it touches something shared: there it stops, and says what it is about to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec
from tree_sitter import Node

from tlblint.predicates import cpumasks, places
from tlblint.predicates import expressions as ex
from tlblint.predicates.ctypes import AUTO, CType
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.machine import Bounds, Machine
from tlblint.predicates.memory import Cell, Nothing, Place, Pointer, Value
from tlblint.predicates.models import Models, Setting
from tlblint.predicates.names import Names
from tlblint.predicates.words import Space, Word

_CPU = frozenset(("smp_processor_id", "raw_smp_processor_id", "get_cpu", "__smp_processor_id"))
_HOLE = re.compile(r"\{(\d)(?:\.(\w+))?(?:/(\d+))?(?::([\w,]+))?(?:=(\w+))?\}")
WITHIN = "parenthesized_expression"
BLIND = frozenset(("set", "do", "end", "stuck"))
"""Accesses that do not tell the function anything."""


class Shared(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A word that threads share. ``at``: the members that lead to it, several ways; ``name``: the variable of the shell that it is.

    ``starts``: values to begin with; ``values``: variable -> what the C sees, where that is something else; ``cpu``: whose it is;
    ``mask``: it is a CPU mask, and the variable is the bit of this CPU. ``own``: nobody else writes it while a call of ours is under way, so it is
    read once. ``like``: it has the values of that variable.
    """

    at: tuple[str, ...]
    name: str
    starts: tuple[int, ...] = (0,)
    values: dict[str, int | str] = {}
    cpu: int | None = None
    mask: int | None = None
    own: bool = False
    like: str = ""


class Call(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A function in a shell: the first of ``runs`` that the tree has. ``begins``: what is in memory when it is called; ``cpu``: where it runs."""

    name: str
    runs: tuple[str, ...]
    begins: dict[str, int | str] = {}
    cpu: int = 0


class Access(msgspec.Struct, frozen=True):
    """``operator``: read, set, xchg, cmpxchg, a C operator; do (then ``actions`` are what the thread does); end (``given``: what is returned);
    stuck: it cannot be executed from there (``actions``: why)."""

    operator: str
    word: int = 0
    given: tuple[int, ...] = ()
    where: str = ""
    actions: tuple[str, ...] = ()
    says: str = ""

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
        return self.operator not in BLIND


class Subject(msgspec.Struct, frozen=True):
    """What is executed. ``actions``: calls that are ops of the simulator; ``sends``: calls that are so for the CPUs of the mask they name first.

    ``gives``: calls and what they return; ``arguments``: numbers for parameters by name; ``begins``: memory at the start of every call.
    """

    names: Names
    modelled: Models
    base: Setting
    words: tuple[Shared, ...]
    actions: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    sends: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    gives: Mapping[str, int | str] = msgspec.field(default_factory=dict)
    arguments: Mapping[str, int] = msgspec.field(default_factory=dict)
    begins: Mapping[str, int | str] = msgspec.field(default_factory=dict)
    known: dict[tuple[Place, int], Shared | None] = msgspec.field(default_factory=dict)
    """Place and CPU -> the shared word there, as it was found."""


class Stop(Exception):
    """The function is right before an access. ``key`` tells states of the function apart."""

    def __init__(self, access: Access, key: object) -> None:
        super().__init__()
        self.access = access
        self.key = key


class Thread(Machine):
    """A machine that stops at the first access beyond its script, which is the list of values that it has seen."""

    many = 2

    def __init__(self, subject: Subject, script: Sequence[int], cpu: int) -> None:
        super().__init__(subject.names, subject.modelled, subject.base, Space(), Bounds(8000, 40, 40))
        self.subject = subject
        self.script = script
        self.cpu = cpu
        self.used = 0
        self.home = ""
        self.at: dict[int, Node] = {}  # frame -> the statement it is in
        self.seen: dict[int, list[object]] = {}  # frame -> what this statement has learnt; it is in no variable yet
        self.owned: dict[str, int] = {}  # variable -> what it is known to be
        self._ways = [(index, tuple(way.split("."))) for index, word in enumerate(subject.words) for way in word.at]

    # what is shared

    def word(self, place: Place) -> Shared | None:
        """The shared word at a place."""
        known = self.subject.known
        key = place, self.cpu
        if key not in known:
            words = ((self.subject.words[index], way) for index, way in self._ways)
            known[key] = next((word for word, way in words if places.ends(place, way) and word.cpu in (None, self.cpu)), None)
        return known[key]

    def access(self, word: Shared | None, operator: str, given: tuple[int, ...] = (), actions: tuple[str, ...] = (), says: str = "") -> int:
        """What the variable of ``word`` is at an access, as the script has it. Raises Stop when that is at its end."""
        if self.used < len(self.script):
            self.used += 1
            value = self.script[self.used - 1]
            if self.frames and operator not in ("set", "do") and not (word is not None and word.own):
                self.seen.setdefault(self.frames[-1].number, []).append(value)
            return value
        index = self.subject.words.index(word) if word is not None else 0
        access = Access(operator, index, given, self._site(), actions, says)
        raise Stop(access, (access, self._state()))

    def _state(self) -> object:
        """Where it stands and what it holds, the same for the same in another turn of a loop: variables that are out of scope do not count."""
        names = {place: (depth, level, name) for depth, f in enumerate(self.frames) for level, scope in enumerate(f.scopes) for name, place in scope.items()}

        def renamed(place: Place) -> Place | None:
            if place[0] != "local":
                return place
            local = names.get(place[:3])
            return None if local is None else ("local", *local, *place[3:])

        held = set()
        for place, value in self.memory.held.items():
            known = renamed(place)
            if known is not None:
                held.add((known, Pointer(renamed(value.place) or value.place) if isinstance(value, Pointer) else value))
        at = ((frame.function.name if frame.function else "", self.at.get(frame.number), frame.number) for frame in self.frames)
        stack = tuple((name, node.start_byte if node is not None else 0, tuple(self.seen.get(number, ()))) for name, node, number in at)
        return stack, frozenset(held), tuple(sorted(self.owned.items()))

    def _as_seen(self, word: Shared, value: int) -> Value:
        return places.given(self.space, word.values[str(value)]) if word.values else self.space.constant(value, 32, True)

    def _as_held(self, word: Shared, value: Value) -> int:
        if not word.values:
            return self.space.cast(self.memory.number(value), 32, True).number
        for held, seen in word.values.items():
            mapped = places.given(self.space, seen)
            if mapped == value or (isinstance(mapped, Word) and isinstance(value, Word) and mapped.value == self.space.cast(value, 64, True).value):
                return int(held)
        raise Inconclusive(f"a value that {word.name} cannot have")

    # what the machine does to memory

    def read(self, place: Place, mask: int) -> Value:
        """A place that an expression names."""
        word = self.word(place)
        if word is None or word.mask is not None:
            return super().read(place, mask)
        value = self.owned[word.name] if word.name in self.owned else self.access(word, "read")
        if word.own:
            self.owned[word.name] = value
        return self._as_seen(word, value)

    def assign(self, place: Place, given: Value, mask: int) -> Value:
        """A plain assignment."""
        word = self.word(place)
        if word is None:
            return super().assign(place, given, mask)
        value = self._as_held(word, given)
        self.access(word, "set", (value,))
        if word.own:
            self.owned[word.name] = value
        return given

    def shared(self, operator: str, place: Place, width: int, given: tuple[Word, ...], mask: int) -> Word:
        """An atomic access."""
        word = self.word(place)
        if word is None:
            return super().shared(operator, place, width, given, mask)
        return self.space.constant(self.access(word, operator, tuple(self._as_held(word, w) for w in given)), width, True)

    # where it is

    def statement(self, node: Node, mask: int) -> int:
        """A statement: what the one before has learnt is in variables now, unless this one stands within an expression."""
        if mask and node.type != "compound_statement":
            self._begin(node)
        return super().statement(node, mask)

    def condition(self, node: Node | None, mask: int) -> int:
        """A condition, also that of a loop which comes round again."""
        if node is not None and mask:
            self._begin(node)
        return super().condition(node, mask)

    def _begin(self, node: Node) -> None:
        frame = self.frames[-1].number
        self.at[frame] = node
        if not self._within(node):
            self.seen[frame] = []

    def _site(self) -> str:
        """path:line of the innermost statement that is of the tree."""
        found = (self.where_of(self.at[frame.number], frame) for frame in reversed(self.frames) if frame.number in self.at)
        return next((where for where in found if where), self.home)

    def _within(self, node: Node) -> bool:
        """Whether a node stands in a block that is an expression."""
        function = self.frames[-1].function
        if function is None:
            return False
        held = self.names.within.setdefault(function.name, {})
        found = held.get(node.id)
        if found is None:
            above = node.parent
            while above is not None and not (above.type == "compound_statement" and above.parent is not None and above.parent.type == WITHIN):
                above = above.parent
            found = held[node.id] = above is not None
        return found

    # calls

    def called_by_name(self, name: str, arguments: Sequence[Node], mask: int, node: Node) -> Value:
        """A call: an op of the simulator, one about a CPU mask, or what the machine makes of it."""
        subject = self.subject
        if name in subject.gives:
            return places.given(self.space, subject.gives[name])
        if name in _CPU:
            return self.space.constant(self.cpu)
        if name in subject.sends:
            target = ex.value(self, arguments[0], mask)
            masked = self.word(target.place) if isinstance(target, Pointer) else None
            if masked is not None and not self.access(masked, "read"):
                return Nothing()
        if name in subject.sends or name in subject.actions:
            steps = subject.sends.get(name) or subject.actions[name]
            self.access(None, "do", (), tuple(self._filled(step, arguments, mask) for step in steps), f"{name}()")
            return Nothing()
        about = cpumasks.call(self, name, arguments, mask)
        if about is not None:
            return about
        frame = self.frames[-1].number
        result = super().called_by_name(name, arguments, mask, node)
        if self.used and isinstance(result, Word | Pointer):
            self.seen.setdefault(frame, []).append(result)
        return result

    def _filled(self, step: str, arguments: Sequence[Node], mask: int) -> str:
        """A step with ``{0}`` an argument, ``{1.x}`` a member of what one points to, ``/N`` divided, ``:a,b`` that one of a list,
        ``=x`` as the variable x has it."""

        def fill(hole: re.Match[str]) -> str:
            given = ex.value(self, arguments[int(hole[1])], mask)
            if hole[2]:
                given = self.memory.read((*self.memory.target(given), hole[2]))
            if hole[5]:
                return str(self._as_held(next(w for w in self.subject.words if w.name == hole[5] and w.at[0].endswith(hole[2] or "")), given))
            n = self.memory.number(given).number // int(hole[3] or 1)
            names = (hole[4] or "").split(",")
            if hole[4] and not 0 <= n < len(names):
                raise Inconclusive(f"an address that the shell has not: {n}")
            return names[n] if hole[4] else str(n)

        return _HOLE.sub(fill, step)


def run(subject: Subject, call: Call, script: tuple[int, ...]) -> Stop | int | None:
    """Where a call stops after it has seen ``script``; what it returns when it ends."""
    try:
        return _run(subject, call, script)
    except Inconclusive as stopped:
        why = f"{stopped.blocker}{f' at {stopped.where}' if stopped.where else ''}"
        return Stop(Access("stuck", actions=(why,)), ("stuck", why))


def _run(subject: Subject, call: Call, script: tuple[int, ...]) -> Stop | int | None:
    thread = Thread(subject, script, call.cpu)
    name = call.runs[0]
    for at, value in {**subject.begins, **call.begins}.items():
        thread.memory.write(places.place(at), places.given(thread.space, value), thread.space.full)
    given = _given(thread, name)
    macro = subject.names.unit.last(name)
    thread.home = f"{macro.path}:{macro.line}" if macro is not None else ""
    text = f"{name}({', '.join(given)})"
    try:
        if not _gives(subject.names, name):
            thread.execute(text, given)
            return None
        result = thread.evaluate(text, given)
    except Stop as stop:
        return stop
    return thread.memory.number(result).number if isinstance(result, Word) else None


def _given(thread: Thread, name: str) -> dict[str, tuple[Value, CType]]:
    subject = thread.subject
    found, macro = subject.names.function(name), subject.names.unit.last(name)
    if found is not None:
        params = [(ctype.kind == "pointer", param) for ctype, param in found.params]
    elif macro is not None and macro.params is not None:
        params = [(True, param) for param in macro.params]
    else:
        raise Inconclusive(f"unknown name {name}")
    out: dict[str, tuple[Value, CType]] = {}
    for index, (pointer, param) in enumerate(params):
        at: Place = ("arg", param)
        value: Value = Pointer(at) if pointer else Cell(at)
        if param in subject.arguments:
            value = thread.space.constant(subject.arguments[param], 64, False)
        out[f"a{index}__"] = (thread.memory.held.get(at, value), AUTO)
    return out


def _gives(names: Names, name: str) -> bool:
    """Whether a function has a value; a macro that only defines it as one is looked through."""
    found = names.function(name)
    return found is None or found.returns.kind != "void"
