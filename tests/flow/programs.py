"""Random structured C: the programs and their source text.

An expression or statement is a tuple with its kind first. "Plain" expressions write no variable; only they may
stand where C leaves the order of evaluation open.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.flow.direct import BINARY, Tree

VARIABLES = ("a", "b", "c")
LABELS = ("L0", "L1", "L2")


# --- generation ---------------------------------------------------------------------------------------------------


class Maker:
    """Draws a program. ``room`` bounds its size."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw, self.room, self.serial, self.labels = draw, 45, 0, list(LABELS)

    def pick(self, *options: str) -> str:
        return str(self.draw(st.sampled_from(options)))

    def small(self, top: int) -> int:
        return int(self.draw(st.integers(0, top)))

    def name(self) -> str:
        self.serial += 1
        return f"f{self.serial}"

    def plain(self, depth: int) -> Tree:
        self.room -= 1
        if depth <= 0 or self.room <= 0:
            return self.leaf()
        kind = self.pick("call", "call", "leaf", "and", "or", "not", "cond", "elvis", "bin", "likely", "neg", "cast")
        if kind == "call":
            return ("call", self.name(), tuple(self.plain(depth - 1) for _ in range(self.small(2))))
        if kind in ("and", "or", "elvis"):
            return (kind, self.plain(depth - 1), self.plain(depth - 1))
        if kind == "cond":
            return ("cond", self.plain(depth - 1), self.plain(depth - 1), self.plain(depth - 1))
        if kind == "bin":
            return ("bin", self.pick(*BINARY), self.plain(depth - 1), self.plain(depth - 1))
        if kind == "likely":
            return ("likely", self.pick("likely", "unlikely", "WARN_ON_ONCE", "READ_ONCE"), self.plain(depth - 1))
        return (kind, self.plain(depth - 1)) if kind != "leaf" else self.leaf()

    def leaf(self) -> Tree:
        kind = self.pick("call", "var", "num")
        return ("call", self.name(), ()) if kind == "call" else ("var", self.pick(*VARIABLES)) if kind == "var" else ("num", self.small(3))

    def full(self, depth: int, loop: bool, switch: bool) -> Tree:
        """An expression that may write variables: only where a sequence point follows at once."""
        self.room -= 1
        if depth <= 0 or self.room <= 0:
            return self.leaf()
        again = partial(self.full, depth - 1, loop, switch)
        kind = self.pick("plain", "plain", "assign", "step", "opassign", "comma", "and", "or", "not", "cond", "elvis", "late", "block", "likely")
        if kind == "assign":
            return ("assign", self.pick(*VARIABLES), "", again())
        if kind == "opassign":
            return ("assign", self.pick(*VARIABLES), self.pick("+", "-", "|"), self.plain(depth - 1))
        if kind == "step":
            return ("step", self.pick(*VARIABLES), self.pick("++", "--"), self.pick("before", "behind"))
        if kind in ("comma", "and", "or", "elvis"):
            return (kind, again(), again())
        if kind == "cond":
            return ("cond", again(), again(), again())
        if kind == "not":
            return ("not", again())
        if kind == "late":
            return ("late", self.name(), self.pick(*VARIABLES), self.pick("++", "--"))
        if kind == "likely":
            return ("likely", self.pick("likely", "unlikely"), again())
        if kind == "block":
            return ("block-value", self.body(depth - 1, loop, switch, nested=True), again())
        return self.plain(depth)

    def body(self, depth: int, loop: bool, switch: bool, nested: bool = False) -> tuple[Tree, ...]:
        return tuple(self.statement(depth, loop, switch, nested) for _ in range(self.small(3)))

    def block(self, depth: int, loop: bool, switch: bool, nested: bool) -> Tree:
        return ("block", self.body(depth, loop, switch, nested))

    def statement(self, depth: int, loop: bool, switch: bool, nested: bool) -> Tree:
        """``nested``: inside a statement expression, which may be left but not entered by a jump."""
        self.room -= 1
        if not nested and self.labels and self.small(9) == 0:
            return ("label", self.labels.pop(), self.statement(depth, loop, switch, nested))
        simple = ("expr", "expr", "expr", "store", "goto", "return", "decl", "bug_on")
        jumps = (("break",) if loop or switch else ()) + (("continue",) if loop else ()) + (("case", "case") if switch and not nested else ())
        compound = ("if", "if", "while", "do", "for", "switch", "block", "macro-loop", "macro-if") if depth > 0 and self.room > 0 else ()
        return self.of_kind(self.pick(*simple, *jumps, *compound), depth, loop, switch, nested)

    def of_kind(self, kind: str, depth: int, loop: bool, switch: bool, nested: bool) -> Tree:
        full = partial(self.full, 2, loop, switch)
        block = partial(self.block, depth - 1, loop, switch, nested)
        inner = partial(self.block, depth - 1, True, switch, nested)
        if kind in ("break", "continue"):
            return (kind,)
        if kind == "case":
            return self.case()
        if kind == "goto":
            return ("goto", self.pick(*LABELS))
        if kind == "return":
            return ("return", full() if self.small(3) else None)
        if kind == "store":
            return ("expr", ("assign", self.pick(*VARIABLES), "", full()))
        if kind == "decl":
            return ("decl", self.pick("d", "e"), full() if self.small(2) else None)
        if kind in ("bug_on", "expr"):
            return (kind, full())
        if kind == "if":
            return ("if", full(), block(), (block() if self.small(1) else self.statement(depth - 1, loop, switch, nested)) if self.small(1) else None)
        if kind == "while":
            return ("while", full(), inner())
        if kind == "do":
            return ("do", inner(), full())
        if kind == "for":
            return ("for", *((full() if self.small(3) else None) for _ in range(3)), inner())
        if kind == "switch":
            self.serial += 1
            start = (self.case(),) if self.small(3) else ()
            more = partial(self.body, depth - 1, loop, True, nested)
            return ("switch", self.serial, full(), ("block", (*start, *more(), self.case(), *more())))
        if kind == "macro-loop":
            turn = ("expr", ("call", self.name(), ()))  # keeps the opaque condition from deciding nothing
            return ("macro-loop", (self.pick(*VARIABLES),) * self.small(1), self.plain(1), ("block", (turn, inner())))
        if kind == "macro-if":
            return ("macro-if", self.plain(1), block())
        return block()

    def case(self) -> Tree:
        self.serial += 1
        return (self.pick("case", "case", "case", "range", "default"), self.serial, self.small(3))


def _settle(tree: Tree) -> Tree:
    """Drop what C forbids: a second default, the same case twice, cases outside a switch, an undefined label."""
    seen: list[tuple[int, set[object]]] = []

    def walk(node: Any) -> Any:
        if not isinstance(node, tuple) or not node:
            return node
        if node[0] == "switch":
            seen.append((node[1], set()))
            made = tuple(walk(part) for part in node)
            seen.pop()
            return made
        if node[0] in ("case", "range", "default"):
            key = "default" if node[0] == "default" else node[2]
            if not seen or key in seen[-1][1]:
                return ("block", ())
            seen[-1][1].add(key)
        return tuple(walk(part) for part in node)

    return tuple(walk(tree))


@st.composite
def programs(draw: Callable[..., Any]) -> Tree:
    """A function body as a block; every label exists."""
    maker = Maker(draw)
    body = tuple(maker.statement(3, False, False, False) for _ in range(1 + maker.small(4)))
    tail = tuple(("label", label, ("expr", ("call", f"at_{label}", ()))) for label in maker.labels)
    return _settle(("block", body + tail))


# --- source text --------------------------------------------------------------------------------------------------


def expression(e: Tree | None) -> str:
    """C text without parentheses around the whole."""
    if e is None:
        return ""
    kind = e[0]
    if kind in ("num", "var"):
        return str(e[1])
    if kind == "call":
        return f"{e[1]}({', '.join(map(operand, e[2]))})"
    if kind == "late":
        return f"{e[1]}({e[2]}{e[3]})"
    if kind == "likely":
        return f"{e[1]}({operand(e[2])})"
    if kind == "step":
        return f"{e[2]}{e[1]}" if e[3] == "before" else f"{e[1]}{e[2]}"
    if kind == "assign":
        return f"{e[1]} {e[2]}= {operand(e[3])}"
    if kind == "cond":
        return f"{operand(e[1])} ? {operand(e[2])} : {operand(e[3])}"
    if kind == "block-value":
        return "({ " + " ".join(map(statement, e[1])) + f" {expression(e[2])}; }})"
    if kind in ("not", "neg", "cast"):
        return {"not": "!", "neg": "-", "cast": "(int)"}[kind] + operand(e[1])
    if kind == "bin":
        return f"{operand(e[2])} {e[1]} {operand(e[3])}"
    return f"{operand(e[1])} {({'and': '&&', 'or': '||', 'elvis': '?:', 'comma': ','})[kind]} {operand(e[2])}"


def operand(e: Tree) -> str:
    return expression(e) if e[0] in ("num", "var", "call", "late", "likely", "block-value") else f"({expression(e)})"


def statement(s: Tree) -> str:
    """C text. A macro with a body is written with the keyword that the normaliser gives it and a mark: ``while@``."""
    kind = s[0]
    if kind == "block":
        return "{ " + " ".join(map(statement, s[1])) + " }"
    if kind == "expr":
        return f"{expression(s[1])};"
    if kind == "bug_on":
        return f"BUG_ON({operand(s[1])});"
    if kind == "decl":
        return f"int {s[1]};" if s[2] is None else f"int {s[1]} = {operand(s[2])};"
    if kind == "label":
        return f"{s[1]}: {'; ' if s[2][0] in ('decl', 'case', 'range', 'default') else ''}{statement(s[2])}"
    if kind == "goto":
        return f"goto {s[1]};"
    if kind in ("break", "continue"):
        return f"{kind};"
    if kind == "return":
        return f"return {expression(s[1])};"
    if kind == "case":
        return f"case {s[2]}: ;"
    if kind == "range":
        return f"case {s[2]} @@@@@@@@: in_range_{s[1]}();"
    if kind == "default":
        return f"default: in_default_{s[1]}();"
    return _compound(s)


def _compound(s: Tree) -> str:
    kind = s[0]
    if kind == "if":
        other = "" if s[3] is None else f" else {_branch(s[3])}"
        return f"if ({expression(s[1])}) {_branch(s[2])}{other}"
    if kind == "while":
        return f"while ({expression(s[1])}) {statement(s[2])}"
    if kind == "do":
        return f"do {statement(s[1])} while ({expression(s[2])});"
    if kind == "for":
        return f"for ({expression(s[1])}; {expression(s[2])}; {expression(s[3])}) {statement(s[4])}"
    if kind == "switch":
        return f"switch ({expression(s[2])}) {statement(s[3])}"
    if kind == "macro-loop":
        return f"while@({', '.join((*s[1], operand(s[2])))}) {statement(s[3])}"
    return f"if@({operand(s[1])}) {statement(s[2])}"


def _branch(s: Tree) -> str:
    """The body of an if: one statement of a block may stand alone, and else if chains."""
    if s[0] == "block" and len(s[1]) == 1:
        s = s[1][0]
    return statement(s) if s[0] in ("expr", "goto", "break", "continue", "return", "block") else "{ " + statement(s) + " }"


def source(program: Tree) -> tuple[bytes, bytes]:
    """(normalised, original) text of a function with that body."""
    text = f"int subject(int a, int b, int c)\n{statement(program)}\n"
    normalised = text.replace("while@", "while ").replace("if@", "if ").replace("@", " ")
    original = text.replace("while@", "each__").replace("if@", "iz ").replace(" @@@@@@@@", " ...   99").replace("@", " ")
    return normalised.encode(), original.encode()
