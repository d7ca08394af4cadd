"""Which functions are run, and from where: the ones that carry page-table state, with or without their callers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from tlblint.calls.program import Program
from tlblint.calls.walks import Walks
from tlblint.engine.compile import PTL_NAME, SPINLOCK, flagged, may_wait
from tlblint.engine.effects import ENTRY_NAME
from tlblint.model.ir import Expr, Function, Instr
from tlblint.model.roles import Role

CARRYING = (
    "ptl.acquire", "ptl.release", "lazy.", "entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "section.", "pending.",
    "gather.begin", "gather.end", "notifier.", "unmap.batch", "generation.take",
)
"""Effects that create or end state which outlives the call."""

ENDING = frozenset({"flag.clear", "gather.read", "argument.lost", "member.unset", "flush.kept", "flush.twice"})
"""Events that stand in no call, and for which a function is worth running for itself."""

MATTERING = (*CARRYING, "gather.", "flush.", "unmap.", "generation.", "page.dirty", "page.copy", "table.free", "rmap.unlock", "entry.install", "batch.")
"""Effects for which a helper is worth following into."""

_STORED = frozenset({"entry.install", "value.stale"})
"""What ``*pte = ...`` raises."""

ANSWER = 12
"""Blocks of a function that is followed only for what it returns or stores."""


class Scope:
    """The call relation among the program's functions, and two sets: ``carrying`` and ``mattering`` (by index). A walk
    carries what its callbacks do. ``settling``: functions that others' changes are accounted for in.
    ``marked``: events of functions that stand in no call."""

    def __init__(self, program: Program, roles: Callable[[str, int], Role | None], walks: Walks, settling: Collection[int] = (),
                 marked: Mapping[int, frozenset[str]] | None = None) -> None:
        self._walks = walks
        self._program = program
        self._kinds: dict[tuple[str, int], tuple[bool, bool, bool, bool, bool]] = {}
        self._effects: dict[tuple[str, int], frozenset[str]] = {}
        self._roles = roles
        self._direct: list[frozenset[str]] = []
        self.callees: list[tuple[int, ...]] = []
        self.carrying: set[int] = set()
        mattering: set[int] = set()
        for index, fn in enumerate(program.functions):
            carries, matters, callees, kinds = self._seen(index, fn)
            self._direct.append(kinds | (marked or {}).get(index, frozenset()))
            self.callees.append(callees)
            if carries:
                self.carrying.add(index)
            if matters:
                mattering.add(index)
        ending = {i for i, kinds in (marked or {}).items() if not kinds.isdisjoint(ENDING)}
        self.mattering = self._close(mattering | ending)
        short = {i for i, fn in enumerate(program.functions) if len(fn.blocks) <= ANSWER and fn.static}
        self.followed = self.mattering | self._close({i for i in short if _answers(program.functions[i])}, short)
        self.carrying |= self.mattering & (walks.entries.keys() | set(settling))
        self.carrying |= ending
        self.callers: dict[int, list[int]] = {}
        for index, callees in enumerate(self.callees):
            for callee in callees:
                if callee != index:
                    self.callers.setdefault(callee, []).append(index)
        for index in [i for i in sorted(self.carrying) if _unbalanced(self._direct[i]) or _takes_value(program.functions[i])]:
            self.carrying.update(self.callers.get(index, ()))
        work = [i for i in self.carrying if program.functions[i].static]
        while work:  # a static function is a part of what calls it
            for caller in self.callers.get(work.pop(), ()):
                if caller not in self.carrying:
                    self.carrying.add(caller)
                    if program.functions[caller].static:
                        work.append(caller)

    def _seen(self, index: int, fn: Function) -> tuple[bool, bool, tuple[int, ...], frozenset[str]]:
        carries, matters, kinds, names, walking = self._program.once("scan", index, partial(self._scan, fn))
        found = [self._program.resolve(name, fn.path) for name in names]
        found += [self._walks.target(instr, fn) for instr in walking]
        return carries, matters, tuple(sorted({callee for callee in found if callee is not None})), kinds

    def _scan(self, fn: Function) -> tuple[bool, bool, frozenset[str], tuple[str, ...], tuple[Instr, ...]]:
        """What a function's text says: whether it carries, whether it matters, its events, names of what it calls, calls that start walks."""
        carries = matters = False
        given = {name for name, type_ in fn.params if type_ == SPINLOCK} if fn.static else set()
        pointed = [("v", "*" + name) for name, type_ in fn.params if type_.removeprefix("const ") in _TO_ENTRIES]
        names: dict[str, None] = {}
        walking: list[Instr] = []
        kinds: set[str] = set()
        for block in fn.blocks:
            for instr in block.instrs:
                if instr[0] != "call":
                    if instr[0] == "set" and instr[1][0] == "*" and ENTRY_NAME.search(instr[1]):
                        kinds |= _STORED
                        matters = True
                    if instr[0] == "set" and _is_entry(instr[2]):
                        kinds.add("entry.read")
                    continue
                is_role, carry, matter, lock, walks = self._kinds.get((instr[2], len(instr[3]))) or self._kind(instr)
                if walks:
                    walking.append(instr)
                if lock and not any(a[0] in "v&" and (PTL_NAME.search(a[1]) or a[1] in given) for a in instr[3]):
                    carry = matter = False
                carries |= carry
                matters |= matter
                if is_role:
                    kinds |= self._raised(instr, fn)
                    if "entry.read" not in kinds and any(_is_entry(arg) or arg in pointed for arg in instr[3]):
                        kinds.add("entry.read")
                else:
                    names[instr[2]] = None
                    if "sleep" not in kinds and any(map(may_wait, instr[3])):
                        kinds.add("sleep")
        return carries, matters, frozenset(kinds), tuple(names), tuple(walking)

    def _kind(self, instr: Instr) -> tuple[bool, bool, bool, bool, bool]:
        """Of a call: whether it has a role, carries, matters, is of a lock, and starts a walk."""
        name, nargs = instr[2], len(instr[3])
        role = self._roles(name, nargs)
        kinds = [e.kind for e in role.effects] if role is not None else []
        if role is not None and any(e.kind == "value.derive" and "clean" in e.attrs for e in role.effects):
            kinds.append("value.clean")
        lock = any(k.startswith("lock.") for k in kinds)
        carry = lock or any(k.startswith(CARRYING) for k in kinds)
        matter = lock or any(k.startswith(MATTERING) for k in kinds)
        self._effects[(name, nargs)] = _events(kinds)
        known = self._kinds[(name, nargs)] = (role is not None, carry, matter, lock, self._walks.effect(instr) is not None)
        return known

    def _raised(self, instr: Instr, fn: Function) -> frozenset[str]:
        """The events of a call with a role, without those that a flag would have to ask for."""
        kinds = self._effects[(instr[2], len(instr[3]))]
        if "unmap.batch" not in kinds:
            return kinds
        role = self._roles(instr[2], len(instr[3]))
        return kinds if role is None else _events([e.kind for e in role.effects if flagged(fn, e.when, instr[3])])

    def _close(self, seeds: set[int], within: set[int] | None = None) -> frozenset[int]:
        """Add everything that calls a member, directly or not; with ``within`` only members of that."""
        callers: dict[int, list[int]] = {}
        for index, callees in enumerate(self.callees):
            for callee in callees:
                callers.setdefault(callee, []).append(index)
        out, work = set(seeds), list(seeds)
        while work:
            for caller in callers.get(work.pop(), ()):
                if caller not in out and (within is None or caller in within):
                    out.add(caller)
                    work.append(caller)
        return frozenset(out)

    def events(self) -> list[frozenset[str]]:
        """For each function the event kinds that it or anything it calls can raise."""
        return self.gathered(list(self._direct))

    def gathered(self, out: list[frozenset[str]]) -> list[frozenset[str]]:
        """For each function what ``out`` says of it, with what it says of everything it calls."""
        work = list(range(len(out)))
        while work:
            index = work.pop()
            for caller in self.callers.get(index, ()):
                if not out[index] <= out[caller]:
                    out[caller] |= out[index]
                    work.append(caller)
        return out

    def roots(self) -> Sequence[int]:
        """Carrying functions that nobody carrying calls, or that somebody else calls too. Variants are replayed later."""
        out = []
        for index in sorted(self.carrying):
            fn = self._program.functions[index]
            callers = [c for c in self.callers.get(index, ()) if not self._program.functions[c].variant]
            if fn.variant:
                continue
            if not callers or any(c not in self.carrying for c in callers):
                out.append(index)
        return out


_PAIRS = (("ptl.acquire", "ptl.release"), ("lazy.enter", "lazy.leave"), ("section.open", "section.close"), ("pending.inc", "pending.dec"),
          ("gather.begin", "gather.end"), ("notifier.start", "notifier.end"))


_TO_ENTRIES = frozenset({"pte_t *", "pmd_t *", "pud_t *"})


def _is_entry(expr: Expr) -> bool:
    """Whether an expression is what a pointer to an entry points to."""
    return bool(expr[0] == "v" and expr[1][0] == "*" and ENTRY_NAME.search(expr[1]))


def _answers(fn: Function) -> bool:
    """Whether a function returns something or stores through a parameter."""
    stores = any(instr[0] == "set" and (instr[1][0] == "*" or "->" in instr[1]) for block in fn.blocks for instr in block.instrs)
    return stores or any(block.kind == "return" and block.cond is not None for block in fn.blocks)


def _takes_value(fn: Function) -> bool:
    """An entry value comes in by parameter: what its callers know of it counts."""
    return any(type_ in ("pte_t", "pmd_t", "pud_t") for _, type_ in fn.params)


def _unbalanced(kinds: frozenset[str]) -> bool:
    """Half of a pair: what the function opens or closes is its callers' business."""
    return any((one in kinds) != (other in kinds) for one, other in _PAIRS)


def _events(kinds: list[str]) -> frozenset[str]:
    """The events that effects raise: spinlock operations may be PTL operations, a clear or a store makes earlier reads stale."""
    out = set(kinds)
    if "lock.acquire" in out:
        out.add("ptl.acquire")
    if "lock.release" in out:
        out.add("ptl.release")
    if not out.isdisjoint(("entry.clear", "entry.start", "entry.install")):
        out.add("value.stale")
    if "entry.commit" in out:
        out.add("value.commit")
    return frozenset(out)
