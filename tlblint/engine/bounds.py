"""Addresses kept by hand: "none yet" by a constant, the lowest and the highest so far by min() and max().

What follows from that is small: an address is not the constant that stands for none; what is at most A lies below what is at least A + n.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tlblint.engine.compile import LOWEST, text_of
from tlblint.engine.values import Env, Value, resolve
from tlblint.model.ir import Expr

_SUM = re.compile(r"\((.+?)\+(?:[^+()]+|\([^+()]+\*[^+()]+\))\)")
_SIDE = r"((?:[^<>()-]|->)+|\((?:[^<>()-]|->)+\))"
_NOT_BELOW = re.compile(rf"\({_SIDE}<{_SIDE}\)")
"""A comparison whose answer "no" is a bound."""


def given(name: str, constants: Sequence[str]) -> dict[str, Value]:
    """``name`` has got an address: it is none of the constants that stand for none."""
    return {"({}=={})".format(*sorted((text, name))): 0 for text in constants}


def narrowed(env: Env, name: str, expr: Expr, constants: Sequence[str]) -> dict[str, Value]:
    """What is known of ``name`` once it is the lower (or higher) of itself and an address."""
    own = resolve(env, name)
    other = next((text_of(part) for part in expr[2:] if part != ("v", name)), None)
    if other is None or ("v", name) not in expr[2:] or "%" in other:
        return {}
    low = expr[1] == LOWEST
    facts = given(own, constants) | {f"({other}<{own})" if low else f"({own}<{other})": 0}
    for key, value in env.items():  # it went further the way it went before
        if value == 1 and (key.startswith(f"({own}<") if low else key.startswith(f"({own}>")):
            facts |= below(own, key[len(own) + 2 : -1]) if low else below(key[len(own) + 2 : -1], own)
        elif value == 0 and (found := _NOT_BELOW.fullmatch(key)):
            facts |= _between(own, other, found[1], found[2]) if low else _between(found[2], found[1], own, other)
    return facts


def _between(lower: str, at_most: str, upper: str, at_least: str) -> dict[str, Value]:
    """``lower`` <= ``at_most`` and ``upper`` >= ``at_least``."""
    beyond = _SUM.fullmatch(at_least)
    return below(lower, upper) if beyond is not None and beyond[1] == at_most and lower != upper else {}


def below(low: str, high: str) -> dict[str, Value]:
    """All that is asked of two variables of which one lies below the other."""
    return {f"({low}<{high})": 1, f"({high}>{low})": 1, f"({low}>={high})": 0, f"({high}<={low})": 0, "({}=={})".format(*sorted((low, high))): 0}
