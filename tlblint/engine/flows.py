"""What goes in and out of a function by its parameters, without running it: what it stores, asks, and takes entries out through.

A callee is told only what it, or what it calls, can make use of. So callers in the same situation share one answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from functools import lru_cache

from tlblint.engine.compile import CALL, ROLE, Code, own, paths_in
from tlblint.model.ir import Expr

_TAKES_OUT = frozenset({"entry.clear", "entry.start"})


class Flows:
    """Answers for the functions of one program, each found once. Recursion counts as nothing more."""

    def __init__(self, code: Callable[[int], Code]) -> None:
        self._code = code
        self._written: dict[int, frozenset[str]] = {}
        self._tested: dict[int, frozenset[str]] = {}
        self._taken: dict[int, frozenset[str]] = {}

    def forget(self, index: int) -> None:
        """A function is not what it was, or calls one that is not."""
        for known in (self._written, self._tested, self._taken):
            known.pop(index, None)

    def writes(self, index: int) -> frozenset[str]:
        """What a function stores through its parameters, itself or in what it calls: "*force_flush", "vmf->pte"."""
        for other in self._below(index, self._written):
            self._written[other] = self._writes(other)
        return self._written[index]

    def _writes(self, index: int) -> frozenset[str]:
        code = self._code(index)
        params = {name for name, _ in code.fn.params}
        out = {path for path in code.writes if root(path) in params and root(path) != path}
        for callee, args in _calls(code):
            inner = self._code(callee).fn.params
            for written in self._written.get(callee, ()):
                out.update(_through(written, inner, args, params))
        return frozenset(out)

    def tests(self, index: int) -> frozenset[str]:
        """Paths that a branch or a result depends on, in the function or in what it calls; marked like ``Code.tests``."""
        for other in self._below(index, self._tested):
            self._tested[other] = self._tests(other)
        return self._tested[index]

    def _tests(self, index: int) -> frozenset[str]:
        code = self._code(index)
        out = set(code.tests)
        for callee, args in _calls(code):
            inner = self._tested.get(callee, frozenset())
            out.update(path for path in inner if path[-1] == "(")
            for (name, _), arg in zip(self._code(callee).fn.params, args, strict=False):
                out |= _asked(inner, name, arg)
        return code.sources.close(out)

    def taken(self, index: int) -> frozenset[str]:
        """Parameters through which a function, or what it calls, takes an entry out."""
        for other in self._below(index, self._taken):
            self._taken[other] = self._takes(other)
        return self._taken[index]

    def _takes(self, index: int) -> frozenset[str]:
        code = self._code(index)
        out: set[str] = set()
        for ops, *_ in code.blocks:
            for op in ops:
                if op[0] == ROLE:
                    out.update(_base(expr) for kind, binds, _, _ in op[2] if kind in _TAKES_OUT for what, expr in binds if what == "pte")
        for callee, args in _calls(code):
            inner = self._taken.get(callee, frozenset())
            out.update(_base(arg) for (name, _), arg in zip(self._code(callee).fn.params, args, strict=False) if name in inner)
        return frozenset(out & {name for name, _ in code.fn.params})

    def _below(self, index: int, known: Container[int]) -> Iterator[int]:
        """``index`` and what it calls as far as that is not in ``known``, callees first; however long the chain is."""
        if index in known:
            return
        entered = {index}
        stack = [(index, iter(self._callees(index)))]
        while stack:
            at, rest = stack[-1]
            callee = next((c for c in rest if c not in known and c not in entered), None)
            if callee is None:
                yield at
                stack.pop()
            else:
                entered.add(callee)
                stack.append((callee, iter(self._callees(callee))))

    def _callees(self, index: int) -> list[int]:
        return [callee for callee, _ in _calls(self._code(index))]


@lru_cache(maxsize=65536)
def root(path: str) -> str:
    """The variable a path starts from: "*p" and "p->f" give p."""
    return re.split(r"->|\.|\[", path.lstrip("*"), maxsplit=1)[0]


def _calls(code: Code) -> list[tuple[int, tuple[Expr, ...]]]:
    return [(op[1], op[4]) for ops, *_ in code.blocks for op in ops if op[0] == CALL]


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
        out |= own(paths)
    for below in inner:
        bare = below.removeprefix("=")
        if bare != name and root(bare) == name:
            out.update(below.replace(name, path, 1) if arg[0] != "&" else _member(below, name, path) for path in paths)
    return out


def _member(below: str, name: str, path: str) -> str:
    """What the callee calls ``name->x`` or ``*name`` when it was given &path."""
    mark = below[: below.startswith("=")]
    bare = below[len(mark) :]
    return mark + (path + "." + bare[len(name) + 2 :] if bare.startswith(name + "->") else path)


def _base(expr: Expr) -> str:
    """The pointer that an expression steps from."""
    while expr[0] == "op":
        expr = expr[2]
    return str(expr[1]) if expr[0] == "v" else ""
