"""Guarded commands over named bytes: what every op of a scenario comes down to."""

from __future__ import annotations

from dataclasses import dataclass

VIOLATIONS = (
    "uaf-store", "uaf-load", "uaf-walk", "uaf-device", "contract", "stable", "lost-dirty",
    "false-pending", "false-complete", "dup-hash", "unbalanced", "leak", "deadlock", "unrecorded",
)  # fmt: skip
"""Classes of violation. Their code in a state is the position here plus one."""

PRUNED = 255
"""Code of a path that an assumption rules out."""


@dataclass(frozen=True, slots=True)
class Const:
    value: int


@dataclass(frozen=True, slots=True)
class Var:
    """A byte of the state, by canonical name: "pte[a]", "tlb[0,a]", "ptl", "reclaim.old"."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    x: Expr


@dataclass(frozen=True, slots=True)
class Bin:
    """``op`` is one of and, or, ==, !=, <, <=, >, >=, |, &, +, -. Sums wrap at 256; truth is 0 or 1."""

    op: str
    x: Expr
    y: Expr


@dataclass(frozen=True, slots=True)
class Look:
    """The byte at ``x`` of a table of 256: what an entry allows to be cached, a bit of it, a complement."""

    table: bytes
    x: Expr


Expr = Const | Var | Not | Bin | Look


@dataclass(frozen=True, slots=True)
class Set:
    var: str
    value: Expr


@dataclass(frozen=True, slots=True)
class When:
    """``effects`` happen if ``cond`` holds before the first of them."""

    cond: Expr
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """The step commits a violation (``code``) if ``cond`` holds here. The first one of a step counts."""

    code: int
    cond: Expr


Effect = Set | When | Fail


@dataclass(frozen=True, slots=True)
class Alt:
    """One way to take a step: if ``guard`` holds, ``effects`` in order, then on to ``goto`` (index into the thread's code)."""

    text: str
    guard: Expr | None
    effects: tuple[Effect, ...]
    goto: int
    flush: bool = False
    role: str = ""
    """What kind of access a user or device alternative is: "store", "load", "fault"."""


@dataclass(frozen=True, slots=True)
class Step:
    """An atomic step. ``origin`` is the index of the line it stands for in its thread's steps."""

    alts: tuple[Alt, ...]
    origin: int
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A choice on registers: part of the step before."""

    cond: Expr
    then: int
    other: int


@dataclass(frozen=True, slots=True)
class Code:
    """A thread: ``nodes`` and, one past the last, its end. A daemon need not get there."""

    name: str
    cpu: int
    nodes: tuple[Step | Branch, ...]
    daemon: bool = False


@dataclass(frozen=True, slots=True)
class Program:
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
