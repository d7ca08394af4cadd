"""What the functions of a program say together that decides what each of them says: flags that somebody takes back, ranges that somebody widens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tlblint.calls.program import Program, arch_of
from tlblint.engine.announced import Announced
from tlblint.engine.asked import DEFINED
from tlblint.engine.marks import IGNORES, NUMBERS, Heard, Marks, Resolver
from tlblint.engine.members import Members
from tlblint.model.ir import Function
from tlblint.model.roles import Role
from tlblint.model.store import key

if TYPE_CHECKING:
    from tlblint.engine.said import Text

_CLEAR = frozenset({"flag.clear"})
_NONE: frozenset[str] = frozenset()


class Hearing:
    """Listens to all functions of a program. ``texts``: what each of them says by itself."""

    def __init__(self, program: Program, roles: Resolver, texts: Sequence[Text]) -> None:
        functions = program.functions
        self._program, self._roles, self._texts = program, roles, texts
        said = [text.words for text in texts]
        ignored = _all_ignored(program, said)
        members, announced = Members(program, said, roles), Announced(program, said)
        cleared = _NONE.union(*(text.taken for text in texts))
        kept = _NONE.union(*(text.widened for text in texts))
        self.heard = Heard(cleared, kept, {(functions[i].path, functions[i].start): names for i, names in ignored.items()}, members.sites,
                           announced.late, frozenset())  # fmt: skip
        self.flags: frozenset[str] = cleared | kept | members.flags | announced.flags
        """What all functions together say: names of flags that somebody takes back, "name/operand" of ranges that somebody widens."""
        self.says: dict[int, frozenset[str]] = {}
        """The definitions of API functions that are to be judged, by index, with what is said of them."""
        marks = Marks(roles, self.heard)
        for index, text in enumerate(texts):
            if text.role:
                self._define(index, functions[index], text, marks)
        self.parts = self._parts([i for i, words in self.says.items() if words])
        """Those that are judged by what they are for, and static functions that do a part of it, by index."""
        self.heard = self.heard._replace(defining=frozenset((functions[i].path, functions[i].name) for i in self.parts))
        self.marks = Marks(roles, self.heard)
        seen = "kinds " + key(*sorted(self.flags), "", *(word for place in sorted(self.heard.defining) for word in place)).hex()
        special = {name for places in (self.heard.defining, members.sites, *announced.late.values()) for _, name in places}
        special |= {functions[i].name for i in ignored}
        speaking = [index for index, text in enumerate(texts) if text.flags is not None or text.clears or functions[index].name in special]
        self.kinds = {index: kinds for index in speaking if (kinds := self._kinds(seen, index, functions[index]))}
        """The events of each function that has any."""

    def _define(self, index: int, fn: Function, text: Text, marks: Marks) -> None:
        """Say of the definition of an API function what it has to do, if it is to be judged."""
        role = self._roles(fn.name, len(fn.params))
        if role is None:
            return
        words = frozenset(DEFINED[e.kind] for e in role.effects if e.kind in DEFINED and "dirty" not in e.attrs)
        if words and not arch_of(fn.path):
            self.says[index] = words
        elif _is_judged(role, fn) or NUMBERS in text.words or (fn.path, fn.name) in self.heard.unset or marks.lost(fn):
            self.says[index] = _NONE

    def _parts(self, defining: list[int]) -> set[int]:
        """These API functions and the static functions of their files that they call, directly or not, and that have no role of their own."""
        functions = self._program.functions
        work, out = list(defining), set()
        while work:
            index = work.pop()
            fn = functions[index]
            if index not in out:
                out.add(index)
                parts = [self._program.resolve(name, fn.path) for name in self._texts[index].names]
                work += [part for part in parts if part is not None and functions[part].static and functions[part].path == fn.path]
        return out

    def _kinds(self, seen: str, index: int, fn: Function) -> frozenset[str]:
        """The events of a function: of most their text has told all, together with the flags. ``seen`` names all else that they depend on."""
        text = self._texts[index]
        if self.marks.is_special(fn):
            return self._program.once(seen, index, lambda: frozenset(self.marks.kinds(fn, text.clears)))
        kinds = _CLEAR if text.clears else _NONE
        if text.flags is not None:
            cleared = self.heard.cleared
            kinds |= text.flags.sure
            for kind, flags, known in (("flag.read", text.flags.reads, cleared), ("flag.raise", text.flags.raised, cleared),
                                       ("flag.clear", text.flags.cleared, cleared), ("flush.kept", text.flags.kept, self.heard.kept)):
                if not known.isdisjoint(flags):
                    kinds |= {kind}
        return kinds


def _is_judged(role: Role, fn: Function) -> bool:
    """Whether an API function is to flush what it takes out, or a gather: in between it may ask the wrong one, behind that one that is reset."""
    if any(effect.kind == "flush.gather" for effect in role.effects):
        return not arch_of(fn.path)
    return any(effect.kind == "entry.clear" and "flushed" in effect.attrs for effect in role.effects)


def _all_ignored(program: Program, said: Sequence[frozenset[str]]) -> dict[int, frozenset[str]]:
    """By index the parameters that no variant of a function reads before it overwrites them."""
    out = {}
    for index, words in enumerate(said):
        if words and not program.functions[index].variant and (names := _ignored(words)):
            names = names.intersection(*(_ignored(said[twin]) for twin in program.twins(index)))
            if names:
                out[index] = names
    return out


def _ignored(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word[len(IGNORES) :] for word in words if word.startswith(IGNORES))
