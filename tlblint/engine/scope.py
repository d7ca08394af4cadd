"""Which functions are run, and from where: the ones that carry page-table state, with or without their callers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tlblint.calls.program import Program
from tlblint.calls.walks import Walks
from tlblint.engine.said import Text
from tlblint.model.ir import Function

ENDING = frozenset({"flag.clear", "gather.read", "argument.lost", "member.unset", "flush.kept", "flush.twice"})
"""Events that stand in no call, and for which a function is worth running for itself."""

ANSWER = 12
"""Blocks of a function that is followed only for what it returns or stores."""


class Scope:
    """The call relation among the program's functions, and two sets: ``carrying`` and ``mattering`` (by index). A walk
    carries what its callbacks do. ``settling``: functions that others' changes are accounted for in.
    ``marked``: events of functions that stand in no call."""

    def __init__(self, program: Program, texts: Sequence[Text], walks: Walks, settling: Collection[int] = (),
                 marked: Mapping[int, frozenset[str]] | None = None) -> None:
        """``texts``: what each function of the program says by itself."""
        marked = marked or {}
        functions = self._functions = program.functions
        self._direct = [text.kinds | marked[index] if index in marked else text.kinds for index, text in enumerate(texts)]
        self.callees = [_callees(program, walks, fn, text) for fn, text in zip(functions, texts, strict=True)]
        self.callers: dict[int, list[int]] = {}
        for index, callees in enumerate(self.callees):
            for callee in callees:
                if callee != index:
                    self.callers.setdefault(callee, []).append(index)
        self.carrying = {index for index, text in enumerate(texts) if text.carries}
        ending = {i for i, kinds in marked.items() if not kinds.isdisjoint(ENDING)}
        self.mattering = self._close({index for index, text in enumerate(texts) if text.matters} | ending)
        short = {i for i, fn in enumerate(functions) if is_short(fn)}
        self.followed = self.mattering | self._close({i for i in short if texts[i].answers}, short)
        self.carrying |= self.mattering & (walks.entries.keys() | set(settling))
        self.carrying |= ending
        for index in [i for i in sorted(self.carrying) if _unbalanced(self._direct[i]) or _takes_value(functions[i])]:
            self.carrying.update(self.callers.get(index, ()))
        work = [i for i in self.carrying if functions[i].static]
        while work:  # a static function is a part of what calls it
            for caller in self.callers.get(work.pop(), ()):
                if caller not in self.carrying:
                    self.carrying.add(caller)
                    if functions[caller].static:
                        work.append(caller)

    def _close(self, seeds: set[int], within: set[int] | None = None) -> frozenset[int]:
        """Add everything that calls a member, directly or not; with ``within`` only members of that."""
        out, work = set(seeds), list(seeds)
        while work:
            for caller in self.callers.get(work.pop(), ()):
                if caller not in out and (within is None or caller in within):
                    out.add(caller)
                    work.append(caller)
        return frozenset(out)

    def events(self) -> list[frozenset[str]]:
        """For each function the event kinds that it or anything it calls can raise."""
        return self.gathered(list(self._direct))

    def gathered(self, out: list[frozenset[str]]) -> list[frozenset[str]]:
        """For each function what ``out`` says of it, with what it says of everything it calls."""
        work = [index for index, said in enumerate(out) if said]
        while work:
            index = work.pop()
            said = out[index]
            for caller in self.callers.get(index, ()):
                if not said <= out[caller]:
                    out[caller] |= said
                    work.append(caller)
        return out

    def roots(self) -> Sequence[int]:
        """Carrying functions that nobody carrying calls, or that somebody else calls too. Variants are replayed later."""
        out = []
        for index in sorted(self.carrying):
            fn = self._functions[index]
            callers = [c for c in self.callers.get(index, ()) if not self._functions[c].variant]
            if fn.variant:
                continue
            if not callers or any(c not in self.carrying for c in callers):
                out.append(index)
        return out


def is_short(fn: Function) -> bool:
    """Whether a function is followed for what it returns or stores."""
    return fn.static and len(fn.blocks) <= ANSWER


_PAIRS = (("ptl.acquire", "ptl.release"), ("lazy.enter", "lazy.leave"), ("section.open", "section.close"), ("pending.inc", "pending.dec"),
          ("gather.begin", "gather.end"), ("notifier.start", "notifier.end"))


def _callees(program: Program, walks: Walks, fn: Function, text: Text) -> tuple[int, ...]:
    """What a function calls, walks included, by index."""
    found = program.resolved(text.names, fn.path)
    if text.walking:
        found.update(walk for instr in text.walking if (walk := walks.target(instr, fn)) is not None)
    return tuple(sorted(found)) if found else ()


def _takes_value(fn: Function) -> bool:
    """An entry value comes in by parameter: what its callers know of it counts."""
    return any(type_ in ("pte_t", "pmd_t", "pud_t") for _, type_ in fn.params)


def _unbalanced(kinds: frozenset[str]) -> bool:
    """Half of a pair: what the function opens or closes is its callers' business."""
    return any((one in kinds) != (other in kinds) for one, other in _PAIRS)
