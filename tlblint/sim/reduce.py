"""Steps that no other thread can notice: taken alone, they need not be interleaved."""

from __future__ import annotations

from tlblint.sim.ir import PRUNED, Branch, Code, Effect, Fail, Program, Set, Step, ahead, names_in, onward


class Touch:
    __slots__ = ("reads", "writes")

    def __init__(self, reads: frozenset[str], writes: frozenset[str]) -> None:
        self.reads = reads
        self.writes = writes


class Reduction:
    """Singleton ample sets, found without looking at values.

    A thread may go alone when what its next step reads or writes is written by nothing that the others may still do, and what
    it writes they do not read. Violations are part of the step that commits them, so no step is visible beyond its bytes. A
    step that goes back in its code is never taken alone: on a cycle it could put the others off for ever. Nor is one that
    may drop the path: what the others do before it counts.
    """

    def __init__(self, program: Program) -> None:
        self._touches = [[_touch(code, pc) for pc in range(len(code.nodes))] for code in program.codes]
        self._onward = [[ahead(code, pc) for pc in range(len(code.nodes) + 1)] for code in program.codes]
        self._forward = [[_goes_on(code, pc) and not _prunes(node) for pc, node in enumerate(code.nodes)] for code in program.codes]
        self._later = [[_union([touches[at] for at in nodes]) for nodes in onward] for touches, onward in zip(self._touches, self._onward, strict=True)]

    def solo(self, pcs: bytes) -> int | None:
        """A thread that may go alone when the threads stand at ``pcs``."""
        for thread, pc in enumerate(pcs):
            if pc >= len(self._touches[thread]) or not self._forward[thread][pc]:
                continue
            mine = self._touches[thread][pc]
            if all(_apart(mine, self._later[other][at]) for other, at in enumerate(pcs) if other != thread):
                return thread
        return None


def _apart(mine: Touch, others: Touch) -> bool:
    return mine.writes.isdisjoint(others.reads) and mine.writes.isdisjoint(others.writes) and mine.reads.isdisjoint(others.writes)


def _union(touches: list[Touch]) -> Touch:
    return Touch(frozenset().union(*(touch.reads for touch in touches)), frozenset().union(*(touch.writes for touch in touches)))


def _touch(code: Code, pc: int) -> Touch:
    """What a step reads and writes, the branches behind it included; nothing for a branch, which is part of the step before."""
    node = code.nodes[pc]
    if isinstance(node, Branch):
        return Touch(frozenset(), frozenset())
    reads: set[str] = set()
    writes: set[str] = set()
    for alt in node.alts:
        if alt.guard is not None:
            reads |= names_in(alt.guard)
        for effect in alt.effects:
            _effect(effect, reads, writes)
    for at in _branches(code, pc):
        branch = code.nodes[at]
        reads |= names_in(branch.cond) if isinstance(branch, Branch) else set()
    return Touch(frozenset(reads), frozenset(writes))


def _effect(effect: Effect, reads: set[str], writes: set[str]) -> None:
    if isinstance(effect, Set):
        writes.add(effect.var)
        reads |= names_in(effect.value)
    elif isinstance(effect, Fail):
        reads |= names_in(effect.cond)
    else:
        reads |= names_in(effect.cond)
        for inner in effect.effects:
            _effect(inner, reads, writes)


def _branches(code: Code, pc: int) -> set[int]:
    """The branches between the step at ``pc`` and the steps after it."""
    stack, seen = [pc], set()
    while stack:
        for at in onward(code.nodes[stack.pop()]):
            if at < len(code.nodes) and isinstance(code.nodes[at], Branch) and at not in seen:
                seen.add(at)
                stack.append(at)
    return seen


def _goes_on(code: Code, pc: int) -> bool:
    """Whether every way from ``pc``, through branches up to the next step, leads on in the code."""
    return all(goto > pc for at in (pc, *_branches(code, pc)) for goto in onward(code.nodes[at]))


def _prunes(node: Step | Branch) -> bool:
    return isinstance(node, Step) and any(_drops(effect) for alt in node.alts for effect in alt.effects)


def _drops(effect: Effect) -> bool:
    if isinstance(effect, Fail):
        return effect.code == PRUNED
    return not isinstance(effect, Set) and any(_drops(inner) for inner in effect.effects)
