"""Guarded commands over named bytes: what every op of a scenario comes down to."""

from __future__ import annotations

import msgspec

VIOLATIONS = (
    "uaf-store", "uaf-load", "uaf-walk", "uaf-device", "contract", "stable", "lost-dirty",
    "false-pending", "false-complete", "dup-hash", "unbalanced", "leak", "deadlock", "unrecorded",
)  # fmt: skip
"""Classes of violation. Their code in a state is the position here plus one."""

PRUNED = 255
"""Code of a path that an assumption rules out."""


class Const(msgspec.Struct, frozen=True):
    value: int


class Var(msgspec.Struct, frozen=True):
    """A byte of the state, by canonical name: "pte[a]", "tlb[0,a]", "ptl", "reclaim.old"."""

    name: str


class Not(msgspec.Struct, frozen=True):
    x: Expr


class Bin(msgspec.Struct, frozen=True):
    """``op`` is one of and, or, ==, !=, <, <=, >, >=, |, &, +, -. Sums wrap at 256; truth is 0 or 1."""

    op: str
    x: Expr
    y: Expr


class Look(msgspec.Struct, frozen=True):
    """The byte at ``x`` of a table of 256: what an entry allows to be cached, a bit of it, a complement."""

    table: bytes
    x: Expr


Expr = Const | Var | Not | Bin | Look


class Set(msgspec.Struct, frozen=True):
    var: str
    value: Expr


class When(msgspec.Struct, frozen=True):
    """``effects`` happen if ``cond`` holds before the first of them."""

    cond: Expr
    effects: tuple[Effect, ...]


class Fail(msgspec.Struct, frozen=True):
    """The step commits a violation (``code``) if ``cond`` holds here. The first one of a step counts."""

    code: int
    cond: Expr


Effect = Set | When | Fail


class Alt(msgspec.Struct, frozen=True):
    """One way to take a step: if ``guard`` holds, ``effects`` in order, then on to ``goto`` (index into the thread's code)."""

    text: str
    guard: Expr | None
    effects: tuple[Effect, ...]
    goto: int
    flush: bool = False
    role: str = ""
    """What kind of access a user or device alternative is: "store", "load", "fault"."""


class Step(msgspec.Struct, frozen=True):
    """An atomic step. ``origin`` is the index of the line it stands for in its thread's steps."""

    alts: tuple[Alt, ...]
    origin: int
    path: str | None = None
    line: int | None = None


class Branch(msgspec.Struct, frozen=True):
    """A choice on registers: part of the step before."""

    cond: Expr
    then: int
    other: int


class Code(msgspec.Struct, frozen=True):
    """A thread: ``nodes`` and, one past the last, its end. A daemon need not get there."""

    name: str
    cpu: int
    nodes: tuple[Step | Branch, ...]
    daemon: bool = False


class Program(msgspec.Struct, frozen=True):
    """A system of threads over bytes. ``init`` maps every variable to its start value, in the order of the state.

    ``final`` are checked when all threads are done, ``always`` in every state, ``sometimes`` in some. ``tlbs`` are the
    variables that hold cached translations (flushes shrink them).
    """

    codes: tuple[Code, ...]
    init: dict[str, int]
    final: tuple[Fail, ...] = ()
    always: tuple[tuple[Expr, int], ...] = ()
    sometimes: tuple[tuple[str, Expr], ...] = ()
    tlbs: tuple[str, ...] = ()


TRUE = Const(1)


def conj(terms: list[Expr]) -> Expr | None:
    """All of ``terms``, None when there are none."""
    whole: Expr | None = None
    for term in terms:
        whole = term if whole is None else Bin("and", whole, term)
    return whole


def eq(name: str, value: int) -> Expr:
    """Whether a variable has a value."""
    return Bin("==", Var(name), Const(value))


def code_of(violation: str) -> int:
    """The code of a violation. Raises ValueError for an unknown one."""
    return VIOLATIONS.index(violation) + 1


def names_in(expr: Expr) -> set[str]:
    """The variables that an expression reads."""
    if isinstance(expr, Var):
        return {expr.name}
    if isinstance(expr, Const):
        return set()
    if isinstance(expr, Bin):
        return names_in(expr.x) | names_in(expr.y)
    return names_in(expr.x)


def ahead(code: Code, start: int) -> frozenset[int]:
    """The nodes that a thread at ``start`` may still come to, ``start`` among them."""
    found: set[int] = set()
    stack = [start]
    while stack:
        at = stack.pop()
        if at in found or at >= len(code.nodes):
            continue
        found.add(at)
        stack += onward(code.nodes[at])
    return frozenset(found)


def onward(node: Step | Branch) -> list[int]:
    """The nodes that may come next."""
    if isinstance(node, Step):
        return [alt.goto for alt in node.alts]
    if isinstance(node.cond, Const):
        return [node.then if node.cond.value else node.other]
    return [node.then, node.other]
