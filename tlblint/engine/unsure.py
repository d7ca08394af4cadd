"""Flushes behind a condition that the interpreter has lost track of.

A variable that says whether a flush is due may be kept in ways that are not followed: filled in by a function that is not known, set from a
result that says nothing, found out in a scan before the change. Where such a condition passes over a flush, the flush counts as made:
a wrong word is worse than none. That needs a variable which is there for the flush only; any other one says nothing of it.

A lost variable is the fact "lost(NAME)" of an environment, 2 where the result of a call speaks of entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tlblint.engine.code import Code
from tlblint.engine.compile import CALL, DERIVE, HAVOC, ROLE, SET, mentions, paths_in
from tlblint.engine.spans import Spans
from tlblint.engine.values import Env, resolve
from tlblint.model.ir import Expr

FLUSHES = frozenset({"flush.now", "flush.gather", "flush.record", "flush.batched", "unmap.defer", "unmap.flush"})
_READS = frozenset({"entry.read", "test.present", "test.none", "test.nonpresent"})
_DEMOTES = frozenset({"entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean"})
_ENDS = frozenset({"ptl.release", "lock.release"})
_NOTHING: frozenset[str] = frozenset()
_FAR = 24
"""Blocks that are looked at for a flush behind a condition."""


LOST = "lost("


def lost(path: str) -> str:
    """The fact that ``path`` holds something which is not followed; that of a temp goes when the temp does."""
    return path + "?" if path[0] == "%" else f"{LOST}{path})"


def is_lost(env: Env, names: Iterable[str]) -> bool:
    """Whether one of these is, or what it is a part of; a temp must be the answer to a question about entries."""
    return _any_lost(env) and any(env.get(lost(part), 0) == 2 if part[0] == "%" else lost(part) in env for name in names for part in mentions(name))


def strays(env: Env, expr: Expr) -> bool:
    """Whether a lost variable, or the result of an unknown call, has a part in the value of an expression."""
    return _any_lost(env) and any(lost(part) in env for name in paths_in(expr) for part in mentions(resolve(env, name)))


def _any_lost(env: Env) -> bool:
    text = "\0".join(env)  # one search in a long text is the fastest way to say no
    return LOST in text or "?" in text


class Unsure:
    """What can be said of one function's conditions without running it. ``events`` are those of every function, by index."""

    def __init__(self, code: Code, events: Sequence[frozenset[str]]) -> None:
        self._code = code
        self._events = events
        self._flags: dict[tuple[str, Expr | None], bool] = {}
        self._early: dict[str, bool] = {}
        self._found: dict[tuple[str, ...], bool] = {}
        self._kinds = [[self._kinds_of(op) for op in ops] for ops, *_ in code.blocks]
        flushing = [any(not kinds.isdisjoint(FLUSHES) for kinds in row) for row in self._kinds]
        self.any = True in flushing
        """Whether the function flushes at all."""
        self._leads = flushing
        """Whether a flush stands in a block, or ahead of it."""
        for at in range(len(flushing) - 1, -1, -1) if self.any else ():
            flushing[at] = flushing[at] or any(succ > at and flushing[succ] for succ in code.blocks[at][3])
        self.passing = self._passing() if self.any else {}
        """By block of a branch which way out of it, 0 or 1, passes over a flush that stands only behind the other one."""
        self.spans = Spans(code, self.passing, self._flushing() if self.passing else {})
        self.followed = self._followed()
        """The variables and temps of which it matters whether they are lost: what decides about a flush here or may do so in a caller."""

    def _flushing(self) -> dict[int, list[tuple]]:  # type: ignore[type-arg]
        """By block the operations that flush."""
        out: dict[int, list[tuple]] = {}  # type: ignore[type-arg]
        for at, (ops, *_) in enumerate(self._code.blocks):
            for op, kinds in zip(ops, self._kinds[at], strict=True):
                if not kinds.isdisjoint(FLUSHES):
                    out.setdefault(at, []).append(op)
        return out

    def _followed(self) -> frozenset[str]:
        blocks = self._code.blocks
        out = {path for path in self._code.writes if path[0] == "*" or "->" in path}
        for at, (_, kind, cond, _, _) in enumerate(blocks):
            if cond is not None and (kind == "return" or at in self.passing):
                out.update(part for path in paths_in(cond) for part in mentions(path))
        stores: dict[str, set[str]] = {}
        for op in (op for ops, *_ in blocks for op in ops if op[0] == SET):
            stores.setdefault(op[1], set()).update(paths_in(op[2]))
        work = list(out)
        while work:
            new = stores.get(work.pop(), set()) - out
            out |= new
            work += new
        return frozenset(out)

    def _passing(self) -> dict[int, int]:
        out = {}
        for at, (_, kind, _, succs, _) in enumerate(self._code.blocks):
            if kind == "branch":
                behind = self._flushes(at, *succs), self._flushes(at, *reversed(succs))
                if behind[0] != behind[1]:
                    out[at] = behind.index(False)
        return out

    def about_flush(self, cond: Expr) -> bool:
        """Whether all variables of a condition are there to decide about a flush, and for nothing else."""
        bit = cond[3] if cond[:2] == ("op", "&") and cond[3][0] in "kn" else None
        return all(name[0] == "%" or self._is_flag(name, bit) for name in paths_in(cond))

    def found_early(self, cond: Expr) -> bool:
        """Whether the variable of a condition gets its values in a scan over entries before the first of them is changed."""
        names = paths_in(cond)
        known = self._found.get(names)
        if known is None:
            known = self._found[names] = bool(names) and all(self._scanned(name) for name in names)
        return known

    def _kinds_of(self, op: tuple) -> frozenset[str]:  # type: ignore[type-arg]
        if op[0] == ROLE:
            return frozenset([effect[0] for effect in op[2]])
        return self._events[op[1]] if op[0] == CALL else _NOTHING

    def _flushes(self, at: int, start: int, other: int) -> bool:
        """Whether a flush comes behind ``start`` before a lock is dropped, on a way that leads not by ``other``."""
        if start <= at or not self._leads[start]:
            return False
        shared = self._ahead(at, other)
        seen, work = {start}, [start]
        while work and len(seen) < _FAR:
            block = work.pop()
            if block in shared:
                continue
            for kinds in self._kinds[block]:
                if not kinds.isdisjoint(FLUSHES):
                    return True
                if not kinds.isdisjoint(_ENDS):
                    break
            else:
                new = [succ for succ in self._code.blocks[block][3] if succ > block and succ not in seen]
                seen.update(new)
                work += new
        return False

    def _ahead(self, at: int, start: int) -> set[int]:
        """The blocks that ``start`` leads to without going back."""
        seen: set[int] = {start}
        work = [start] if start > at else []
        while work:
            block = work.pop()
            new = [succ for succ in self._code.blocks[block][3] if succ > block and succ not in seen]
            seen.update(new)
            work += new
        return seen

    def _is_flag(self, name: str, bit: Expr | None) -> bool:
        if (name, bit) not in self._flags:
            self._flags[name, bit] = all(self._may_read(at, name, bit) for at in range(len(self._code.blocks)))
        return self._flags[name, bit]

    def _may_read(self, at: int, name: str, bit: Expr | None) -> bool:
        """Whether a block does nothing with a variable but ask it about a flush, change it, or hand it to what flushes."""
        ops, kind, cond, succs, _ = self._code.blocks[at]
        flushing = {
            op[4] if op[0] == ROLE else op[3]
            for op, kinds in zip(ops, self._kinds[at], strict=True)
            if not kinds.isdisjoint(FLUSHES) and kinds.isdisjoint(_DEMOTES)
        }
        written = self._code.fn.blocks[at].instrs  # what does nothing to entries is not among the operations
        back = {instr[2][1] for instr in written if instr[0] == "set" and instr[1] == name and instr[2][0] == "t"}
        for instr in written:
            used = instr[0] in ("call", "icall") and instr[2] not in flushing and instr[1] not in back
            if used and any(arg[0] != "&" and name in paths_in(arg) for arg in instr[3]):
                return False
        if cond is None or name not in paths_in(cond):
            return True
        if kind != "branch":
            return False
        if cond[:2] == ("op", "&") and bit is not None and cond[3] != bit:
            return True  # another bit of the same word
        return at in self.passing or self._only_sets(at, succs)

    def _only_sets(self, at: int, succs: tuple[int, ...]) -> bool:
        """Whether a branch decides about assignments only."""
        shared = self._ahead(at, succs[0]) & self._ahead(at, succs[1])
        first = [succ for succ in succs if succ > at and succ not in shared]
        return all(op[0] in (SET, HAVOC, DERIVE) for succ in first for op in self._code.blocks[succ][0])

    def _scanned(self, name: str) -> bool:
        if name not in self._early:
            stores = [at for at, (ops, *_) in enumerate(self._code.blocks) for op in ops if op[0] == SET and op[1] == name and op[2] != ("n", 0)]
            answers = self._answers(name)
            changes = self._having(_DEMOTES) if stores else set()
            asking = self._having(_READS) if changes else set()
            self._early[name] = (
                bool(stores) and bool(changes) and self._is_flag(name, None) and self._after(changes).isdisjoint(stores)
                and all(at in answers or self._in_scan(at, asking) for at in set(stores))
            )  # fmt: skip
        return self._early[name]

    def _answers(self, name: str) -> set[int]:
        """The blocks in which a variable gets the answer of a function that looks at entries and changes none."""
        out = set()
        for at, (ops, *_) in enumerate(self._code.blocks):
            looked = {op[2] for op, kinds in zip(ops, self._kinds[at], strict=True)
                      if op[0] == CALL and not kinds.isdisjoint(_READS) and kinds.isdisjoint(_DEMOTES)}  # fmt: skip
            if any(op[0] == SET and op[1] == name and op[2][0] == "t" and f"%{op[2][1]}" in looked for op in ops):
                out.add(at)
        return out

    def _in_scan(self, at: int, asking: Collection[int]) -> bool:
        """Whether a block is reached out of a loop that looks at entries."""
        return any({at, reader} <= self._after([reader]) for reader in asking)

    def _having(self, wanted: frozenset[str]) -> set[int]:
        return {at for at, row in enumerate(self._kinds) if any(not kinds.isdisjoint(wanted) for kinds in row)}

    def _after(self, starts: Iterable[int]) -> set[int]:
        """All blocks that come behind one of ``starts`` on some way, round a loop too."""
        out: set[int] = set()
        work = list(starts)
        while work:
            new = [succ for succ in self._code.blocks[work.pop()][3] if succ not in out]
            out.update(new)
            work += new
        return out
