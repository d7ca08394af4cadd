"""Which of two addresses lies further on, as far as assignments and comparisons tell: a range is empty, or it is not.

Only for variables that the function compares with others or subtracts from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tlblint.engine.bounds import below
from tlblint.engine.compile import mentions, text_of
from tlblint.engine.values import Env, Value, evaluate, resolve, truth
from tlblint.model.ir import Expr

_PASSED = re.compile(r"\(\((?P<low>[\w.>-]+)\+(?P<by>[^()]+)\)(?P<how><|<=|>|>=)(?P<high>[\w.>-]+)\)$")
_PASSED_BACK = re.compile(r"\((?P<high>[\w.>-]+?)(?P<how><|<=|>|>=)\((?P<low>[\w.>-]+)\+(?P<by>[^()]+)\)\)$")
_TWO = re.compile(r"\(((?:[\w.*]|->)+)(<=?|>=?)((?:[\w.*]|->)+)\)")
"""A comparison of two paths."""


def stored(env: Env, name: str, expr: Expr) -> dict[str, Value]:
    """What holds of ``name`` and other variables once ``expr`` is stored there. To be asked before it is."""
    own = resolve(env, name)
    text = text_of(expr)
    if text is None or "%" in text:
        return {}
    facts = _moved_on(env, own, text)
    if expr[0] == "v":
        base = resolve(env, expr[1])
        facts |= _as_far(env, own, base)
        facts[f"({base}<{own})"] = 0
    elif expr[0] == "op" and expr[1] == "+" and expr[2][0] == "v" and _is_some(env, expr[3]):
        base = resolve(env, expr[2][1])
        if base == own:
            return {}
        for other in _not_above(env, base):
            if other != own and own not in mentions(other):
                facts |= below(other, own)
    return facts


def _as_far(env: Env, own: str, base: str) -> dict[str, Value]:
    """What lies below ``base``, or beyond it, lies so of a copy of it."""
    facts: dict[str, Value] = {}
    for low, high in _apart(env, base):
        beyond = high == base
        other = low if beyond else high
        same = ("term", other, False, "copy")
        for name in (other, *(key for key, value in env.items() if value == same)):
            if name != own and own not in mentions(name) and name[:1] != "%":
                facts |= below(name, own) if beyond else below(own, name)
    return facts


def _apart(env: Env, path: str) -> Iterable[tuple[str, str]]:
    """(lower, higher) for what is known to be below ``path`` or beyond it. A VMA is never empty."""
    for end, other in (("->vm_start", "->vm_end"), ("->vm_end", "->vm_start")):
        if path.endswith(end):
            pair = path, path.removesuffix(end) + other
            yield pair if end == "->vm_start" else (pair[1], pair[0])
    for key, value in env.items():
        if key[0] == "(" and path in key and (found := _TWO.fullmatch(key)) is not None and path in (found[1], found[3]) and found[1] != found[3]:
            low, how, high = found[1], found[2], found[3]
            if how[0] == ">":
                low, high = high, low
            if how[1:] == "=":
                low, high = high, low  # "not a <= b" is "a > b"
            if truth({}, value) is (how[1:] != "="):
                yield low, high


def follows(env: Env, key: str, outcome: bool) -> dict[str, Value]:
    """What follows from the answer to "(a+n)>b" and its like for what lies below a."""
    found = _PASSED.match(key) or _PASSED_BACK.match(key)
    if found is None:
        return {}
    reaches = (found["how"][0] == "<") == outcome if key[1] == "(" else (found["how"][0] == ">") == outcome
    facts: dict[str, Value] = {}
    if reaches and (found["by"].isupper() or found["by"].isdigit()):
        for other in _not_above(env, found["low"]):
            if other != found["high"]:
                facts |= below(other, found["high"])
    return facts


def _is_some(env: Env, expr: Expr) -> bool:
    value = evaluate(env, expr)
    return (type(value) is tuple and value[0] == "k") or truth(env, value) is True


def _not_above(env: Env, path: str) -> Iterable[str]:
    """``path``, what it is a copy of or is one of it, and what it is known to be at or beyond."""
    out = {path}
    held = env.get(path)
    if type(held) is tuple and held[0] == "term" and len(held) > 3 and held[1].isidentifier():
        out.add(held[1])
    same = ("term", path, False, "copy")
    beyond, at_least = f"({path}>", f"({path}<"
    for key, value in env.items():
        if value == same:
            out.add(key)
        elif (value == 1 and key.startswith(beyond)) or (value == 0 and key.startswith(at_least)):
            out.add(key[len(beyond) : -1].removeprefix("="))
    return [other for other in out if "(" not in other and other[:1] not in ("%", "=", "@")]


def _moved_on(env: Env, own: str, text: str) -> dict[str, Value]:
    """``own`` goes on in a direction that is known: what it was beyond it still is."""
    facts: dict[str, Value] = {}
    further = truth({}, env.get(f"({text}>{own})")) is True or truth({}, env.get(f"({own}<{text})")) is True
    back = truth({}, env.get(f"({text}<{own})")) is True or truth({}, env.get(f"({own}>{text})")) is True
    if further or back:
        mark = f"({own}>" if further else f"({own}<"
        for key, value in env.items():
            if key.startswith(mark) and truth({}, value) is True and "(" not in (other := key[len(mark) : -1]) and other[:1] != "=" and other != text:
                facts |= below(other, own) if further else below(own, other)
    return facts
