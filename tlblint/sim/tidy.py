"""Registers that nobody will look at again are set back: states that differ in nothing else become one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from tlblint.sim.ir import Alt, Branch, Code, Const, Effect, Expr, Fail, Program, Set, Step, names_in


def tidied(program: Program) -> Program:
    """The program with a ``reg = 0`` at the end of each step for every register that the thread does not read any more from there on.

    What others read, what is checked in any state or at the end, and what is shown as a property is no such register. Verdicts, lengths of
    witnesses and steps stay as they are.
    """
    public = _checked(program)
    users: dict[str, set[int]] = {}
    for number, code in enumerate(program.codes):
        for name in _named(code):
            users.setdefault(name, set()).add(number)
    own = [{name for name, threads in users.items() if threads == {number} and "." in name} - public for number in range(len(program.codes))]
    return replace(program, codes=tuple(_tidied(code, names) if names else code for code, names in zip(program.codes, own, strict=True)))


def _checked(program: Program) -> set[str]:
    exprs: Iterable[Expr] = (*(fail.cond for fail in program.final), *(expr for expr, _ in program.always), *(expr for _, expr in program.sometimes))
    return set().union(*map(names_in, exprs)) if exprs else set()


def _named(code: Code) -> Iterator[str]:
    for node in code.nodes:
        if isinstance(node, Branch):
            yield from names_in(node.cond)
            continue
        for alt in node.alts:
            yield from names_in(alt.guard) if alt.guard is not None else ()
            reads, writes = _uses(alt)
            yield from reads
            yield from writes


def _uses(alt: Alt) -> tuple[set[str], set[str]]:
    """What an alternative reads, also of what it has written itself, and what it may write."""
    reads: set[str] = set()
    writes: set[str] = set()

    def walk(effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Set):
                reads.update(names_in(effect.value))
                writes.add(effect.var)
            else:
                reads.update(names_in(effect.cond))
                walk(() if isinstance(effect, Fail) else effect.effects)

    walk(alt.effects)
    return reads, writes


def _needed(alt: Alt, behind: set[str]) -> set[str]:
    """What must be known before an alternative when ``behind`` must be after it."""
    needed = set(behind)
    for effect in reversed(alt.effects):
        if isinstance(effect, Set):
            needed.discard(effect.var)
            needed |= names_in(effect.value)
        else:  # what is written on a condition may also stay
            needed |= names_in(effect.cond) | (set() if isinstance(effect, Fail) else _uses(Alt("", None, effect.effects, 0))[0])
    return needed | (names_in(alt.guard) if alt.guard is not None else set())


def _tidied(code: Code, own: set[str]) -> Code:
    end = len(code.nodes)
    needed: list[set[str]] = [set() for _ in range(end + 1)]
    moved = True
    while moved:
        moved = False
        for at in range(end - 1, -1, -1):
            node = code.nodes[at]
            if isinstance(node, Branch):
                now = names_in(node.cond) | needed[node.then] | needed[node.other]
            else:
                now = set().union(*(_needed(alt, needed[alt.goto]) for alt in node.alts))
            now &= own
            if now != needed[at]:
                needed[at], moved = now, True
    nodes = tuple(_step(node, needed[at], needed, own) if isinstance(node, Step) else node for at, node in enumerate(code.nodes))
    return replace(code, nodes=nodes)


def _step(node: Step, before: set[str], needed: list[set[str]], own: set[str]) -> Step:
    """The step with what goes out of use in it set back: what was needed before it, or is written by it, and is not needed behind it."""
    alts = []
    for alt in node.alts:
        over = (before | (_uses(alt)[1] & own)) - needed[alt.goto]
        alts.append(replace(alt, effects=(*alt.effects, *(Set(name, Const(0)) for name in sorted(over)))) if over else alt)
    return replace(node, alts=tuple(alts))
