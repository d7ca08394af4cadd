"""Calls by another name: a function-like macro of the same file that is nothing but one call is that call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from tlblint.flow.terms import OPAQUE
from tlblint.model.ir import Block, Expr, Function, Instr

_MACRO = re.compile(  # possessive: the text of a tree must not make it back-track
    rb"^[ \t]*+#[ \t]*+define[ \t]++(\w++)\(([\w \t,]*+)\)(?:[ \t]|\\\r?\n)++"
    rb"\(?[ \t]*+([A-Za-z_]\w*+)[ \t]*+\(((?:[^()\r\n\\]|\([\w \t>.&*-]*+\)|\\\r?\n)*+)\)[ \t]*+(?:\)[ \t]*+)?(?:;[ \t]*+)?$",
    re.M,
)
_CONTROL = frozenset({"if", "while", "for", "switch", "return", "sizeof", "do", "typeof", "__typeof__", "defined"})
_MEMBER = re.compile(r"(\w+)((?:->|\.)[\w.>-]+)?")
_DEPTH = 4

Wrappers = Mapping[str, tuple[tuple[str, ...], str, tuple[str, ...]]]
"""By macro its parameters, the function that it calls, and the arguments of that call as text."""


def wrappers_of(raw: bytes) -> Wrappers:
    """The macros of a file that stand for one call. A macro that is defined twice stands for nothing."""
    if b"#" not in raw or not (found := _MACRO.findall(raw)):
        return {}
    out: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {}
    for name, params, inner, args in found:
        words = tuple(word.strip().decode() for word in params.split(b",")) if params.strip() else ()
        texts = tuple(_bare(text) for text in args.replace(b"\\", b" ").decode(errors="replace").split(",")) if args.strip() else ()
        if inner.decode() not in _CONTROL and inner != name:
            out[name.decode()] = (words, inner.decode(), texts)
    names = re.findall(rb"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)", raw, re.M)
    return {name: what for name, what in out.items() if names.count(name.encode()) == 1}


def _bare(text: str) -> str:
    text = " ".join(text.split())
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    return re.sub(r"^\((\w+)\)(?=->|\.)", r"\1", text)  # (v)->f


def unwrapped(fn: Function, wrappers: Wrappers) -> Function:
    """The function with each such macro replaced by the call that it stands for."""
    if not any(instr[0] == "call" and instr[2] in wrappers for block in fn.blocks for instr in block.instrs):
        return fn
    return replace(fn, blocks=tuple(_block(block, wrappers) for block in fn.blocks))


def _block(block: Block, wrappers: Wrappers) -> Block:
    return replace(block, instrs=tuple(_call(instr, wrappers) if instr[0] == "call" else instr for instr in block.instrs))


def _call(instr: Instr, wrappers: Wrappers) -> Instr:
    _, temp, name, args, pos = instr
    for _ in range(_DEPTH):
        if name not in wrappers or len(wrappers[name][0]) != len(args):
            break
        params, inner, texts = wrappers[name]
        given = dict(zip(params, args, strict=True))
        name, args = inner, tuple(_argument(text, given) for text in texts)
    return ("call", temp, name, args, pos)


def _argument(text: str, given: Mapping[str, Expr]) -> Expr:
    """What an argument in the macro's body is where the macro is used; opaque when it is more than a parameter, a member of one, or a constant."""
    if text.isdigit():
        return ("n", int(text))
    found = _MEMBER.fullmatch(text)
    if found is None:
        return OPAQUE
    base, member = found[1], found[2]
    if base not in given:
        return ("k", text) if text.isupper() else OPAQUE
    arg = given[base]
    if member is None:
        return arg
    if arg[0] == "v":
        return ("v", arg[1] + member)
    return ("v", arg[1] + "." + member[2:]) if arg[0] == "&" and member.startswith("->") else OPAQUE
