"""Single bits of words: what is known of them after an assignment."""

from __future__ import annotations

import re

from tlblint.engine.values import Env, resolve
from tlblint.model.ir import Expr

_BIT = re.compile(r"\(([^&()]+)&([^&()]+)\)")
"""How a bit test is remembered."""


def bits_after(env: Env, name: str, expr: Expr) -> tuple[tuple[Expr, bool], ...]:
    """The constants of which is known whether ``name`` has a bit of them, once ``expr`` is stored there: those or-ed in or taken out, and
    what was known before of the others."""
    new: list[tuple[Expr, bool]] = []
    old: list[tuple[Expr, bool]] = []
    work = [expr]
    while work:
        part = work.pop()
        if part[0] == "op" and part[1] == "|":
            work += part[2:]
        elif part[0] == "k" or (part[0] == "n" and part[1]):
            new.append((part, True))
        elif part == ("v", name):
            old += [(bit, True) for bit in _known(env, name)]
        elif part[0] == "op" and part[1] == "&" and part[2] == ("v", name) and (out := _taken_out(part[3])) is not None:
            old += [(bit, True) for bit in _known(env, name) if bit != out]
            new += [(out, False)] if part is expr else []
    return (*old, *new)


def _taken_out(mask: Expr) -> Expr | None:
    """The constant K of a mask ~K."""
    if mask[0] == "~" and mask[1][0] == "k":
        return ("k", mask[1][1])
    return ("n", ~mask[1]) if mask[0] == "n" and mask[1] < -1 else None


def _known(env: Env, path: str) -> list[Expr]:
    """The named constants and numbers that have a bit in common with what ``path`` holds."""
    where = resolve(env, path)
    out: list[Expr] = []
    if "&" in "\0".join(env):
        for key, value in env.items():
            if value == "nz" and (found := _BIT.fullmatch(key)) and where in (found[1], found[2]):
                text = found[2] if where == found[1] else found[1]
                out.append(("n", int(text)) if text.isdigit() else ("k", text))
    return out
