"""Which functions are run, and from where: the ones that carry page-table state, with or without their callers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tlblint.calls.program import Program
from tlblint.engine.effects import PTL_NAME
from tlblint.model.ir import Function
from tlblint.model.roles import Role

CARRYING = ("ptl.acquire", "ptl.release", "lazy.", "entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "section.", "pending.")
"""Effects that create or end state which outlives the call."""

MATTERING = (*CARRYING, "flush.", "unmap.", "page.dirty", "entry.", "rmap.", "ptl.", "test.needs_flush")
"""Effects for which a helper is worth following into."""


class Scope:
    """The call relation among the program's functions, and two sets: ``carrying`` and ``mattering`` (by index)."""

    def __init__(self, program: Program, roles: Callable[[str, int], Role | None]) -> None:
        self._program = program
        self._kinds: dict[tuple[str, int], tuple[bool, bool, bool]] = {}
        self._roles = roles
        self.callees: list[tuple[int, ...]] = []
        self.carrying: set[int] = set()
        mattering: set[int] = set()
        for index, fn in enumerate(program.functions):
            carries, matters, callees = self._scan(fn)
            self.callees.append(callees)
            if carries:
                self.carrying.add(index)
            if matters:
                mattering.add(index)
        self.mattering = self._close(mattering)
        self.callers: dict[int, list[int]] = {}
        for index, callees in enumerate(self.callees):
            for callee in callees:
                if callee != index:
                    self.callers.setdefault(callee, []).append(index)

    def _scan(self, fn: Function) -> tuple[bool, bool, tuple[int, ...]]:
        carries = matters = False
        callees: set[int] = set()
        for block in fn.blocks:
            for instr in block.instrs:
                if instr[0] != "call":
                    continue
                is_role, carry, matter, lock = self._kind(instr[2], len(instr[3]))
                if lock and not any(a[0] in "v&" and PTL_NAME.search(a[1]) for a in instr[3]):
                    carry = matter = False
                carries |= carry
                matters |= matter
                if not is_role:
                    callee = self._program.resolve(instr[2], fn.path)
                    if callee is not None:
                        callees.add(callee)
        return carries, matters, tuple(sorted(callees))

    def _kind(self, name: str, nargs: int) -> tuple[bool, bool, bool, bool]:
        known = self._kinds.get((name, nargs))
        if known is None:
            role = self._roles(name, nargs)
            kinds = [e.kind for e in role.effects] if role is not None else []
            lock = any(k.startswith("lock.") for k in kinds)
            carry = lock or any(k.startswith(CARRYING) for k in kinds)
            matter = lock or any(k.startswith(MATTERING) for k in kinds)
            known = self._kinds[(name, nargs)] = (role is not None, carry, matter, lock)  # type: ignore[assignment]
        return known  # type: ignore[return-value]

    def _close(self, seeds: set[int]) -> frozenset[int]:
        """Add everything that calls a member, directly or not."""
        callers: dict[int, list[int]] = {}
        for index, callees in enumerate(self.callees):
            for callee in callees:
                callers.setdefault(callee, []).append(index)
        out, work = set(seeds), list(seeds)
        while work:
            for caller in callers.get(work.pop(), ()):
                if caller not in out:
                    out.add(caller)
                    work.append(caller)
        return frozenset(out)

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
