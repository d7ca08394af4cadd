"""What a unit says of some names: which it defines, declares and uses, and where."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from tlblint.names.steps import Stretch
from tlblint.names.tokens import Macro
from tlblint.names.unit import Unit

Place = tuple[str, int]
"""(path, line), the line 1-based."""
_OFTEN = 60
_AHEAD = 200
_LONGEST = 4_000_000
_TOKEN = re.compile(r"[A-Za-z_]\w*|[{}();]")


class Seen(msgspec.Struct):
    """What is active in a unit. ``bodies``: functions by name; ``macros``: definitions; ``declared``: prototypes, variables and what a macro may
    have made; ``calls``: (where, number of uses does not matter) of each name; ``bare``: uses without brackets; ``overridden``: definitions of
    functions whose name is a macro with parameters at that point."""

    bodies: dict[str, list[Place]] = msgspec.field(default_factory=dict)
    declared: dict[str, list[Place]] = msgspec.field(default_factory=dict)
    calls: dict[str, list[Place]] = msgspec.field(default_factory=dict)
    bare: dict[str, list[Place]] = msgspec.field(default_factory=dict)
    overridden: dict[str, list[tuple[Place, Place]]] = msgspec.field(default_factory=dict)
    redefined: dict[str, list[tuple[Place, Place]]] = msgspec.field(default_factory=dict)
    macros: dict[str, Place] = msgspec.field(default_factory=dict)
    gap: tuple[str, str] | None = None
    """(path, why) when the unit is not looked through."""

    def moved(self, place: Callable[[Place], Place]) -> Seen:
        """The same at other places."""

        def places(some: dict[str, list[Place]]) -> dict[str, list[Place]]:
            return {name: [place(one) for one in found] for name, found in some.items()}

        def pairs(some: dict[str, list[tuple[Place, Place]]]) -> dict[str, list[tuple[Place, Place]]]:
            return {name: [(place(a), place(b)) for a, b in found] for name, found in some.items()}

        return Seen(places(self.bodies), places(self.declared), places(self.calls), places(self.bare), pairs(self.overridden), pairs(self.redefined),
                    {name: place(one) for name, one in self.macros.items()}, self.gap)  # fmt: skip

    def known(self, name: str) -> bool:
        """Whether anything says what ``name`` is."""
        return name in self.bodies or name in self.declared or name in self.macros


def scan(unit: Unit, names: Collection[str], known: Known | None = None) -> Seen:
    """Look through the text of a unit that was built from slices. ``known``: what units of the same shelf say; more is added."""
    out = Seen()
    out.gap = _endless(unit)
    if out.gap is not None:
        return out
    macros = frozenset(unit.names())
    for name in macros.intersection(names):
        _macro(out, name, unit.history(name))
    _Scanner(unit, names, macros, out, {} if known is None else known).run()
    _through_macros(unit, names, macros, out)
    return out


def _endless(unit: Unit) -> tuple[str, str] | None:
    """What a file is that no compiler would come to the end of either."""
    if len(unit.files) - len(set(unit.files)) >= _OFTEN:  # else it is not worth counting
        often = Counter(unit.files).most_common(1)
        if often and often[0][1] > _OFTEN:
            return often[0][0], f"is included {often[0][1]} times"
    if len(unit.text) > _LONGEST:
        return unit.files[0], "what it includes is too long to be looked through for hooks"
    return None


def _macro(out: Seen, name: str, history: Sequence[tuple[int, Macro | None]]) -> None:
    before: Macro | None = None
    for _, found in history:
        if found is None:
            before = None
            continue
        out.macros.setdefault(name, (found.path, found.line))
        if before is not None and (before.body, before.params) != (found.body, found.params):
            out.redefined.setdefault(name, []).append(((before.path, before.line), (found.path, found.line)))
        before = found


class Part(msgspec.Struct):
    """What one stretch says, begun at some depth of braces and brackets; ``depth`` and ``brackets`` are those at its end. ``bodies``: functions,
    with the offsets of their names."""

    depth: int
    brackets: int
    calls: list[tuple[str, Place]] = msgspec.field(default_factory=list)
    bare: list[tuple[str, Place]] = msgspec.field(default_factory=list)
    declared: list[tuple[str, Place]] = msgspec.field(default_factory=list)
    bodies: list[tuple[str, Place, int]] = msgspec.field(default_factory=list)


Known = dict[tuple[int, int, int], Part]
"""By the identity of a stretch, and the depths at which it begins. Most units have most stretches in common."""


class _Scanner:
    def __init__(self, unit: Unit, names: Collection[str], macros: Collection[str], out: Seen, known: Known) -> None:
        self.unit, self.names, self.macros, self.out, self.known = unit, names, macros, out, known
        self.stretches = [(start, found) for start, found in unit.log if isinstance(found, Stretch) and found.text]

    def run(self) -> None:
        depth = brackets = 0
        out = self.out
        for index, (start, stretch) in enumerate(self.stretches):
            key = (id(stretch), depth, brackets)
            part = self.known.get(key)
            if part is None:
                reader = _Reader(stretch, [after.text for _, after in self.stretches[index + 1 : index + 1 + _AHEAD]], depth, brackets)
                part = reader.run()
                if not reader.beyond:
                    self.known[key] = part
            for name, place in part.calls:
                out.calls.setdefault(name, []).append(place)
            for name, place in part.bare:
                out.bare.setdefault(name, []).append(place)
            for name, place in part.declared:
                out.declared.setdefault(name, []).append(place)
            for name, place, at in part.bodies:
                self.body(name, place, start + at)
            depth, brackets = part.depth, part.brackets

    def body(self, name: str, place: Place, at: int) -> None:
        now = active(self.unit, name, at) if name in self.macros else None
        if now is not None and now.params is not None:
            self.out.overridden.setdefault(name, []).append(((now.path, now.line), place))
        self.out.bodies.setdefault(name, []).append(place)
        if now is not None and now.params is None and len(now.body) == 1 and now.body[0] in self.names and now.body[0] != name:
            self.out.bodies.setdefault(now.body[0], []).append(place)


class _Reader:
    """Reads one stretch. ``after``: the texts behind it. ``beyond``: whether what it says hangs on them."""

    def __init__(self, stretch: Stretch, after: Sequence[str], depth: int, brackets: int) -> None:
        self.stretch, self.after = stretch, after
        self.out = Part(depth, brackets)
        self.found = [(m.group(), m.start()) for m in _TOKEN.finditer(stretch.text)]
        self.own = len(self.found)
        self.beyond = False

    def run(self) -> Part:
        depth, brackets, out = self.out.depth, self.out.brackets, self.out
        for index in range(self.own):
            token, at = self.found[index]
            if token == "{":
                depth, brackets = depth + 1, 0
            elif token == "}":
                depth, brackets = max(depth - 1, 0), 0
            elif token == "(":
                brackets += 1
            elif token == ")":
                brackets = max(brackets - 1, 0)
            elif token == ";":
                brackets = 0
            else:
                place = self.stretch.path, self.stretch.line(at)
                if depth:
                    (out.calls if self.token(index + 1) == "(" else out.bare).append((token, place))
                elif not brackets and (end := self.closing(index + 1)) and self.token(end + 1) == "{":
                    out.bodies.append((token, place, at))
                else:
                    out.declared.append((token, place))
        out.depth, out.brackets = depth, brackets
        return out

    def token(self, index: int) -> str:
        """The token at an index, maybe of a text behind; "" when there is none."""
        if index >= self.own:
            if not self.beyond:
                self.beyond = True
                self.found += [(word, 0) for text in self.after for word in _TOKEN.findall(text)]
            return self.found[index][0] if index < len(self.found) else ""
        return self.found[index][0]

    def closing(self, index: int) -> int:
        """The index of the bracket that closes the one at ``index``; 0 when there is none."""
        if self.token(index) != "(":
            return 0
        depth = 0
        for at in range(index, index + _AHEAD):
            token = self.token(at)
            depth += (token == "(") - (token == ")")
            if not depth or not token:
                return at if token else 0
        return 0


def active(unit: Unit, name: str, at: int) -> Macro | None:
    """The macro that a name is right there, or None."""
    history = unit.history(name)
    index = bisect_right(history, at, key=lambda item: item[0]) - 1
    return history[index][1] if index >= 0 else None


def _through_macros(unit: Unit, names: Collection[str], macros: Collection[str], out: Seen) -> None:
    """Calls in the bodies of macros that are used."""
    waiting, done = [*out.calls, *out.bare], set()
    while waiting:
        name = waiting.pop()
        if name in done or name not in macros:
            continue
        done.add(name)
        for found in {id(m): m for _, m in unit.history(name) if m is not None}.values():
            body = found.body
            for index, word in enumerate(body):
                if word in names and word != name and word not in (found.params or ()) and (not index or body[index - 1] not in (".", "->", "##", "#")):
                    called = index + 1 < len(body) and body[index + 1] == "("
                    if index + 1 < len(body) and body[index + 1] == "##":
                        continue
                    (out.calls if called else out.bare).setdefault(word, []).append((found.path, found.line))
                    waiting.append(word)
