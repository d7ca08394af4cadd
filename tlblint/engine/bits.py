"""Single bits of words: what is known of them after an assignment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tlblint.engine.values import Env, evaluate, resolve
from tlblint.model.ir import Expr

_BIT = re.compile(r"\(([^&()]+)&([^&()]+)\)")
"""How a bit test is remembered."""
RESULT_BIT = "&ret:"
"""Before a constant: the result of a function has a bit of it."""


def bits_after(env: Env, name: str, expr: Expr, asked: Sequence[Expr] = ()) -> tuple[tuple[Expr, bool], ...]:
    """The constants of which is known whether ``name`` has a bit of them, once ``expr`` is stored there: those or-ed in or taken out, and
    what was known before of the others. ``asked``: the constants that the function asks for."""
    new: list[tuple[Expr, bool]] = []
    old: list[tuple[Expr, bool]] = []
    work = [expr]
    while work:
        part = work.pop()
        if part[0] == "op" and part[1] == "|":
            work += part[2:]
        elif part[0] == "k" or (part[0] == "n" and part[1]):
            new.append((part, True))
            new += _of_number(_number(part), asked)
        elif part == ("v", name):
            old += [(bit, True) for bit in known_bits(env, name)]
        elif part[0] == "op" and part[1] == "&" and part[2] == ("v", name) and (out := _taken_out(part[3])) is not None:
            old += [(bit, True) for bit in known_bits(env, name) if bit[:2] != out[:2]]
            new += [(out, False)] if part is expr else []
        elif part[0] in "tv":
            held = evaluate(env, part)
            new += _of_number(held if type(held) is int else None, asked)
            new += [(bit, True) for bit in known_bits(env, f"%{part[1]}" if part[0] == "t" else part[1])]
    return (*old, *new)


def _number(expr: Expr) -> int | None:
    return expr[1] if expr[0] == "n" else expr[2] if len(expr) > 2 else None


def _of_number(held: int | None, asked: Sequence[Expr]) -> list[tuple[Expr, bool]]:
    """Which of the bits asked for a number has."""
    return [(bit, True) for bit in asked if held and (mask := _number(bit)) is not None and held & mask]


def _taken_out(mask: Expr) -> Expr | None:
    """The constant K of a mask ~K."""
    if mask[0] == "~" and mask[1][0] == "k":
        return mask[1]  # type: ignore[no-any-return]
    return ("n", ~mask[1]) if mask[0] == "n" and mask[1] < -1 else None


def constant(text: str) -> Expr:
    """The constant that is written so."""
    return ("n", int(text)) if text.isdigit() else ("k", text)


def known_bits(env: Env, path: str) -> list[Expr]:
    """The named constants and numbers that have a bit in common with what ``path`` holds."""
    where = resolve(env, path)
    out: list[Expr] = []
    if "&" in "\0".join(env):
        for key, value in env.items():
            if value == "nz" and (found := _BIT.fullmatch(key)) and where in (found[1], found[2]):
                out.append(constant(found[2] if where == found[1] else found[1]))
    return out
