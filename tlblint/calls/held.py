"""Which page table locks may be held at each call of one function: a light forward analysis over its blocks.

May-information: a lock counts as held where some path reaches the call with it. Outcomes of calls that lock on one
outcome only (``pte_offset_map_lock()`` and NULL) are followed through the branch that tests them, nothing else is.
Helpers that lock or unlock for their caller are seen through their contract only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from tlblint.model.ir import Block, Expr, Function, Instr
from tlblint.model.roles import Effect, Role

Roles = Callable[[str, int], Role | None]

PTL_NAME = re.compile(r"(?:^|[>.*:&])(?:\w*ptl\w*|pml|page_table_lock)$|_lockptr\(")
"""Names of page table locks: spinlock calls on anything else are about something else."""

LOCKING = ("ptl.acquire", "ptl.release", "lock.acquire", "lock.release", "assume.held", "lazy.enter", "lazy.leave", "lazy.pause", "lazy.resume")

CALLER = "caller's"
"""The lock that the function was entered with, which it may have no name for."""


class Token(msgspec.Struct, frozen=True, order=True):
    """Something held. ``kind``: "ptl" or "lazy". ``name``: the lock as the function writes it, or CALLER. ``temp``: the call
    that took it, -1 for none; ``when``: on which outcome of that."""

    kind: str
    name: str
    temp: int = -1
    when: str = "always"


State = frozenset[Token]
ENTRY: State = frozenset({Token("ptl", CALLER), Token("lazy", CALLER)})
"""What may be held on entry; whether it is, only callers know."""


def held_at_calls(fn: Function, roles: Roles, drops: Callable[[str], bool]) -> Mapping[int, State]:
    """Byte offset of each call (direct or through a pointer) -> what may be held before it. ``drops`` is true of names
    of functions that return with the caller's PTL dropped."""
    return _Walk(fn, roles, drops).run()


class _Walk:
    def __init__(self, fn: Function, roles: Roles, drops: Callable[[str], bool]) -> None:
        self.fn, self.roles, self.drops = fn, roles, drops
        self.named: dict[int, str] = {}
        self.temps: dict[str, set[int]] = {}
        self.calls: dict[int, str] = {}
        for instr in _instrs(fn):
            if instr[0] == "set" and instr[2][0] == "t":
                self.named.setdefault(instr[2][1], instr[1])
                self.temps.setdefault(instr[1], set()).add(instr[2][1])
            elif instr[0] == "call":
                self.calls[instr[1]] = instr[2]

    def run(self) -> Mapping[int, State]:
        found: dict[int, State] = {}
        if not any(instr[0] == "call" and self._interesting(instr) for instr in _instrs(self.fn)):
            return {instr[4]: ENTRY for instr in _instrs(self.fn) if instr[0] in ("call", "icall")}
        before: dict[int, State] = {0: ENTRY}
        work = [0]
        while work:
            index = work.pop()
            block = self.fn.blocks[index]
            state = self._through(block, before[index], found)
            for at, succ in enumerate(block.succs):
                arriving = self._refined(block, at, state)
                known = before.get(succ)
                if known is None or not arriving <= known:
                    before[succ] = arriving if known is None else known | arriving
                    work.append(succ)
        return found

    def _interesting(self, instr: Instr) -> bool:
        role = self.roles(instr[2], len(instr[3]))
        return self.drops(instr[2]) or (role is not None and any(effect.kind in LOCKING for effect in role.effects))

    def _through(self, block: Block, state: State, found: dict[int, State]) -> State:
        for instr in block.instrs:
            if instr[0] not in ("call", "icall"):
                continue
            found[instr[4]] = found.get(instr[4], frozenset()) | state
            if instr[0] == "icall":
                continue
            role = self.roles(instr[2], len(instr[3]))
            for effect in role.effects if role is not None else ():
                state = self._after(effect, instr, state)
            if role is None and self.drops(instr[2]):
                state = frozenset(token for token in state if token.kind != "ptl")
        return state

    def _after(self, effect: Effect, instr: Instr, state: State) -> State:
        kind = effect.kind
        if kind in ("lazy.enter", "lazy.resume"):
            return state | {Token("lazy", "lazy")}
        if kind in ("lazy.leave", "lazy.pause"):
            return frozenset(token for token in state if token.kind != "lazy")
        if kind not in LOCKING:
            return state
        operand = dict(effect.bind).get("ptl") or dict(effect.bind).get("lock", "")
        name = self._name(operand, instr)
        if kind.startswith("lock.") and not PTL_NAME.search(name):
            return state
        if kind in ("ptl.acquire", "lock.acquire"):
            return state | {Token("ptl", name, instr[1], effect.when)}
        if kind == "assume.held":
            return state | {Token("ptl", name)} if PTL_NAME.search(name) else state
        return self._without(state, name)

    def _without(self, state: State, name: str) -> State:
        """After a release: of the lock of that name, and of the one from the caller where nothing else has the name or a parameter leads to it."""
        mine = {token for token in state if token.kind == "ptl" and token.name == name}
        base = re.match(r"[&*]*(\w*)", name)
        theirs = not mine or (base is not None and any(base[1] == param for param, _ in self.fn.params))
        return state - mine - ({Token("ptl", CALLER)} if theirs else set())

    def _name(self, operand: str, instr: Instr) -> str:
        """The lock behind an operand, as the function writes it."""
        if operand == "ret":
            return self.named.get(instr[1], f"{instr[2]}()")
        head, _, fields = operand.lstrip("*").partition(".")
        expr = instr[3][int(head)] if head.isdigit() and int(head) < len(instr[3]) else ("?",)
        if fields:
            base = self._text(expr)
            return f"{base[1:]}.{fields}" if base.startswith("&") else f"{base}->{fields}"
        text = self._text(expr)
        if operand.startswith("*"):
            return text[1:] if text.startswith("&") else f"*{text}"
        return text

    def _text(self, expr: Expr) -> str:
        if expr[0] == "v":
            return str(expr[1])
        if expr[0] == "&":
            return f"&{expr[1]}"
        return self.named.get(expr[1], f"{self.calls.get(expr[1], '')}()") if expr[0] == "t" else "?"

    def _refined(self, block: Block, at: int, state: State) -> State:
        """``state`` on one way out of a block: locks that were not taken on this outcome are not held."""
        if block.kind != "branch" or block.cond is None:
            return state
        temps, truth = self._tested(block.cond)
        nonzero = truth == (at == 0)
        failed = {token.name for token in state if token.temp in temps and token.when != "always" and (token.when == "ret!=0") != nonzero}
        return frozenset(token for token in state if token.name not in failed) if failed else state

    def _tested(self, cond: Expr) -> tuple[set[int], bool]:
        """The calls whose result a condition tests, and whether it is true when that is not 0."""
        if cond[0] == "!":
            temps, truth = self._tested(cond[1])
            return temps, not truth
        if cond[0] == "op" and cond[1] in ("==", "!=") and cond[3] == ("n", 0):
            temps, truth = self._tested(cond[2])
            return temps, truth == (cond[1] == "!=")
        if cond[0] == "t":
            return {cond[1]}, True
        return (self.temps.get(cond[1], set()), True) if cond[0] == "v" else (set(), True)


def _instrs(fn: Function) -> Iterator[Instr]:
    return (instr for block in fn.blocks for instr in block.instrs)
