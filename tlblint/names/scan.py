"""What a unit says of some names: which it defines, declares and uses, and where."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from tlblint.names.tokens import Macro
from tlblint.names.unit import Unit

Place = tuple[str, int]
"""(path, line), the line 1-based."""
_OFTEN = 60
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


def scan(unit: Unit, names: Collection[str]) -> Seen:
    """Look through the text of a unit that was built from slices."""
    out = Seen()
    out.gap = _endless(unit)
    if out.gap is not None:
        return out
    for name in unit.names():
        if name in names:
            _macro(out, name, unit.history(name))
    _Scanner(unit, names, out).run()
    _through_macros(unit, names, out)
    return out


def _endless(unit: Unit) -> tuple[str, str] | None:
    """What a file is that no compiler would come to the end of either."""
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


class _Scanner:
    def __init__(self, unit: Unit, names: Collection[str], out: Seen) -> None:
        self.unit, self.names, self.out = unit, names, out
        self.found = [(m.group(), m.start()) for m in _TOKEN.finditer(unit.text)]

    def run(self) -> None:
        depth = brackets = 0
        for index, (token, at) in enumerate(self.found):
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
            elif depth:
                following = self.found[index + 1][0] if index + 1 < len(self.found) else ""
                (self.out.calls if following == "(" else self.out.bare).setdefault(token, []).append(self.unit.where(at))
            elif brackets:
                self.out.declared.setdefault(token, []).append(self.unit.where(at))
            else:
                self.outermost(index, token, at)

    def outermost(self, index: int, name: str, at: int) -> None:
        place = self.unit.where(at)
        end = self.closing(index + 1)
        if end and self.found[end + 1 : end + 2] and self.found[end + 1][0] == "{":
            now = active(self.unit, name, at)
            if now is not None and now.params is not None:
                self.out.overridden.setdefault(name, []).append(((now.path, now.line), place))
            self.out.bodies.setdefault(name, []).append(place)
            if now is not None and now.params is None and len(now.body) == 1 and now.body[0] in self.names and now.body[0] != name:
                self.out.bodies.setdefault(now.body[0], []).append(place)
        else:
            self.out.declared.setdefault(name, []).append(place)

    def closing(self, index: int) -> int:
        """The index of the bracket that closes the one at ``index``; 0 when there is none."""
        if index >= len(self.found) or self.found[index][0] != "(":
            return 0
        depth = 0
        for at in range(index, min(len(self.found), index + 200)):
            depth += (self.found[at][0] == "(") - (self.found[at][0] == ")")
            if not depth:
                return at
        return 0


def active(unit: Unit, name: str, at: int) -> Macro | None:
    """The macro that a name is right there, or None."""
    history = unit.history(name)
    index = bisect_right(history, at, key=lambda item: item[0]) - 1
    return history[index][1] if index >= 0 else None


def _through_macros(unit: Unit, names: Collection[str], out: Seen) -> None:
    """Calls in the bodies of macros that are used."""
    waiting, done = [*out.calls, *out.bare], set()
    while waiting:
        name = waiting.pop()
        if name in done:
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
