"""A function of the intermediate representation as a few lines of text, one per block, for exact comparison.

``0: t0=f(p, &x); x=t0; ? (x & <FLAG>) 1 2``: a constant is in angle brackets, ``*x`` after ``~`` is a havoc.
"""

from __future__ import annotations

from tree_sitter import Parser

from tlblint.flow.lower import lower
from tlblint.model.ir import Expr, Function, Instr
from tlblint.syntax.language import C

PARSER = Parser(C)


def lowered(text: str, raw: str | None = None) -> tuple[Function, tuple[str, ...]]:
    """The first function of a text and the doubts about it; ``raw`` is the original text, as long as ``text``."""
    source, original = text.encode(), (raw or text).encode()
    assert len(source) == len(original)
    nodes = [node for node in PARSER.parse(source).root_node.children if node.type == "function_definition"]
    return lower(nodes[0], source, original, "x.c", 0, ())


def body(text: str, raw: str | None = None) -> list[str]:
    """Listing of a function with that body; no part of it may be in doubt."""
    function, doubts = lowered(f"void f(void) {{ {text} }}", None if raw is None else f"void f(void) {{ {raw} }}")
    assert doubts == ()
    return listing(function)


def listing(function: Function) -> list[str]:
    return [f"{at}: " + "; ".join([*map(instruction, block.instrs), _end(block.kind, block.cond, block.succs)]) for at, block in enumerate(function.blocks)]


def _end(kind: str, cond: Expr | None, succs: tuple[int, ...]) -> str:
    shown = {"jump": "->", "branch": "?", "return": "return", "stop": "stop"}[kind]
    return " ".join([shown, *([expr(cond)] if cond is not None else []), *map(str, succs)])


def instruction(instr: Instr) -> str:
    kind = instr[0]
    if kind == "call":
        return f"t{instr[1]}={instr[2]}({', '.join(map(expr, instr[3]))})"
    if kind == "icall":
        return f"t{instr[1]}=[{instr[2]}]({', '.join(map(expr, instr[3]))})"
    if kind == "set":
        return f"{instr[1]}={expr(instr[2])}"
    return f"~{instr[1]}" if kind == "havoc" else f"{instr[2]} {instr[1]}"


def expr(e: Expr) -> str:
    tag = e[0]
    if tag in ("v", "n"):
        return str(e[1])
    if tag == "op":
        return f"({expr(e[2])} {e[1]} {expr(e[3])})"
    return {"k": "<{}>", "t": "t{}", "&": "&{}", "?": "?"}[tag].format(*e[1:]) if tag in "kt&?" else f"{tag}{expr(e[1])}"
