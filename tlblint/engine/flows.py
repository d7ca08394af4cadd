"""What goes in and out of a function by its parameters, without running it: what it stores, asks, and takes entries out through.

A callee is told only what it, or what it calls, can make use of. So callers in the same situation share one answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from tlblint.engine.code import BITS, MARKS, Code
from tlblint.engine.compile import ROLE, SET, paths_in, weighed
from tlblint.engine.rings import rings
from tlblint.engine.unsure import Unsure
from tlblint.model.ir import Expr

_TAKES_OUT = frozenset({"entry.clear", "entry.start"})


class Flow(NamedTuple):
    """``writes``: what a function stores through its parameters, itself or in what it calls: "*force_flush", "vmf->pte". ``tests``: paths
    that a branch or a result depends on there; marked like ``Code.tests``. ``taken``: parameters and members of them
    through which entries are taken out. ``constants``: the named constants that its expressions, and those of what it calls, mention.
    ``raised``: of what it stores, what it only adds to."""

    writes: frozenset[str]
    raised: frozenset[str]
    tests: frozenset[str]
    taken: frozenset[str]
    constants: frozenset[str]


_NOTHING = Flow(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())


class Flows:
    """Answers for the functions of one program, each found once. What is called back in a ring counts as nothing more."""

    def __init__(self, code: Callable[[int], Code]) -> None:
        self._code = code
        self._flows: dict[int, Flow] = {}
        self.unsure: dict[int, Unsure] = {}
        """What is known of the conditions of a function."""

    def forget(self, index: int) -> None:
        """A function is not what it was, or calls one that is not."""
        self._flows.pop(index, None)
        self.unsure.pop(index, None)

    def of(self, index: int) -> Flow:
        """What goes through the parameters of a function."""
        found = self._flows.get(index)
        if found is None:
            for ring in rings(index, self._callees, self._flows):
                for other in ring:
                    self._flows[other] = self._flow(other)
            found = self._flows[index]
        return found

    def _flow(self, index: int) -> Flow:
        code = self._code(index)
        below = [(self._flows.get(callee, _NOTHING), self._code(callee).fn.params, args) for callee, args in code.calls]
        writes, set_anew = _writes(code, below)
        constants = code.constants.union(*(flow.constants for flow, _, _ in below))
        return Flow(writes, writes - set_anew, _tests(code, below), _takes(code, below), constants)

    def _callees(self, index: int) -> list[int]:
        return [callee for callee, _ in self._code(index).calls]


_Below = list[tuple[Flow, tuple[tuple[str, str], ...], tuple[Expr, ...]]]
"""Of each call what goes through the callee's parameters, these, and the arguments."""


def _writes(code: Code, below: _Below) -> tuple[frozenset[str], set[str]]:
    """What is stored through parameters, and what of that is more than an addition."""
    params = {name for name, _ in code.fn.params}
    names = {path: found for path in code.writes if root(found := _pointed(path, code.sources.copies)) in params and root(found) != found}
    out = set(names.values())
    sets = (op for ops, *_ in code.blocks for op in ops if op[0] == SET and op[1] in names) if out else ()
    set_anew = {names[op[1]] for op in sets if op[2][:3] != ("op", "+", ("v", op[1]))}
    for flow, inner, args in below:
        for written in flow.writes:
            through = _through(written, inner, args, params)
            out.update(through)
            if written not in flow.raised:
                set_anew.update(through)
    return frozenset(out), set_anew


def _pointed(path: str, copies: Mapping[str, str]) -> str:
    """A path below a local pointer by the name of what that is a copy of: "w->end" is "walk->private->end"."""
    start = root(path)
    base = copies.get(start) if start != path else None
    return path.replace(start, base, 1) if base is not None and base.replace("->", "").replace("_", "").isalnum() else path


def _tests(code: Code, below: _Below) -> frozenset[str]:
    out = set(code.tests)
    for flow, inner, args in below:
        out.update(path for path in flow.tests if path[-1] == "(")
        for (name, _), arg in zip(inner, args, strict=False):
            out |= _asked(flow.tests, name, arg)
    return code.sources.close(out)


def _takes(code: Code, below: _Below) -> frozenset[str]:
    out: set[str] = set()
    for ops, *_ in code.blocks:
        for op in ops:
            if op[0] == ROLE:
                out.update(_base(expr) for kind, binds, _, _ in op[2] if kind in _TAKES_OUT for what, expr in binds if what == "pte")
    for flow, inner, args in below:
        for (name, _), arg in zip(inner, args, strict=False):
            if base := _base(arg):
                out.update(base + path[len(name) :] for path in flow.taken if root(path) == name)
    params = {name for name, _ in code.fn.params}
    return frozenset(path for path in out if root(path) in params)


@lru_cache(maxsize=65536)
def root(path: str) -> str:
    """The variable a path starts from: "*p" and "p->f" give p."""
    return re.split(r"->|\.|\[", path.lstrip("*"), maxsplit=1)[0]


def _through(written: str, inner: tuple[tuple[str, str], ...], args: tuple[Expr, ...], params: set[str]) -> list[str]:
    """A callee's store as a store through this function's parameters."""
    start = root(written)
    for (name, _), arg in zip(inner, args, strict=False):
        if name == start and arg[0] == "v" and root(arg[1]) in params:
            return [written.replace(start, arg[1], 1)]
        if name == start and arg[0] == "&" and root(arg[1]) in params and "->" in arg[1]:
            return [arg[1] if written == "*" + start else arg[1] + "." + written[len(start) + 2 :]]
    return []


def _asked(inner: frozenset[str], name: str, arg: Expr) -> set[str]:
    """What a callee asks of its parameter ``name``, in the names of the caller that passes ``arg``."""
    paths = set(paths_in(arg))
    out: set[str] = set()
    if name in inner:
        out |= paths
    if "=" + name in inner:
        out |= weighed(arg)
    elif BITS + name in inner:
        out.update([BITS + path for path in paths])
    for below in _by_root(inner).get(name, ()):
        out.update(below.replace(name, path, 1) if arg[0] != "&" else _member(below, name, path) for path in paths)
    return out


@lru_cache(maxsize=1024)
def _by_root(tests: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """By variable what lies below it."""
    out: dict[str, tuple[str, ...]] = {}
    for test in tests:
        bare = test[1:] if test[:1] in MARKS else test
        if (start := root(bare)) != bare:
            out[start] = (*out.get(start, ()), test)
    return out


def _member(below: str, name: str, path: str) -> str:
    """What the callee calls ``name->x`` or ``*name`` when it was given &path."""
    mark = below[: below[:1] in MARKS]
    bare = below[len(mark) :]
    return mark + (path + "." + bare[len(name) + 2 :] if bare.startswith(name + "->") else path)


def _base(expr: Expr) -> str:
    """The pointer that an expression steps from."""
    while expr[0] == "op":
        expr = expr[2]
    return str(expr[1]) if expr[0] == "v" else ""
