"""Ranges kept by hand: "start" and "end" of what was changed so far, flushed where the range is not empty.

Whether it is empty is as good as a flag that each change sets. An end is widened by a sum (``end = addr + PAGE_SIZE``), by max(), or by a
comparison that says it reaches that far already; a start by min() or the like. That is the fact "widened(NAME)" of an environment. Where
the question whether the range is empty stands before the flush of that very range, the fact answers it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from tlblint.engine.code import Code
from tlblint.engine.compile import CALL, HIGHEST, LOWEST, ROLE, SET, WIDENED, is_bound, paths_in
from tlblint.engine.domains import SWAPPED
from tlblint.engine.values import Env, resolve, truth
from tlblint.model.ir import Expr

_LOWER = re.compile(r"(?:start|low|first|begin|(?<![a-zA-Z])(?:from|lo|min))(?:_?addr)?$")
_DENIED = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_FURTHER = {True: ("({0}<{1})", "({1}>{0})"), False: ("({0}>{1})", "({1}<{0})")}


def widened(path: str) -> str:
    """The fact that ``path`` takes in what was changed."""
    return f"{WIDENED}{path})"


class Spans:
    """What a function does with such ranges. ``passing``: by block of a branch the side that passes over a flush; ``flushing``: by block the
    operations that flush."""

    def __init__(self, code: Code, passing: Mapping[int, int], flushing: Mapping[int, list[tuple]]) -> None:  # type: ignore[type-arg]
        self._code = code
        self.guards: dict[int, str] = {}
        """By block of a branch that asks whether a range is empty the variable that answers when it was widened."""
        for at, side in passing.items():
            cond = code.blocks[at][2]
            if cond is not None and (name := self._answering(cond, side == 1)):
                args = self._flushed(at, code.blocks[at][3][1 - side], flushing)
                if any(_covers(args, path) for path in paths_in(cond)):
                    self.guards[at] = name
        self._moved = {(op[1], op[2]) for ops, *_ in code.blocks for op in ops if op[0] == SET and op[2][0] == "v" and is_bound(op[1])}
        self.kept = self._kept()
        """Variables of which it matters whether they were widened."""

    def stored(self, env: Env, name: str, expr: Expr) -> str:
        """What is widened when ``expr`` is stored to ``name``; "" for nothing. To be asked before it is."""
        if expr[0] == "op":
            if expr[1] in (HIGHEST, LOWEST):
                if (expr[1] == LOWEST) == (_LOWER.search(name) is not None):
                    return name
                return name if any(widened(resolve(env, path)) in env for path in paths_in(expr)) else ""  # cut to what there is
            return name if expr[1] == "+" and expr[2] != ("v", name) and expr[2][0] == "v" and not _LOWER.search(name) else ""
        if expr[0] == "v":
            source = resolve(env, expr[1])
            if source.endswith("->vm_end"):
                return name
            own = resolve(env, name)
            if any(truth({}, env.get(form.format(source, own))) for form in _FURTHER[_LOWER.search(name) is not None]):
                return name  # if (addr < start) start = addr
            if _LOWER.search(name) and not _LOWER.search(source):  # start = end: there is nothing in it any more
                env.pop(widened(source), None)
                return ""
            return name if widened(source) in env else ""
        return ""

    def reached(self, cond: Expr, outcome: bool) -> str:
        """The variable of which the answer to a comparison says that it takes in what the other side is."""
        if cond[0] != "op" or cond[1] not in SWAPPED or not self.kept:
            return ""
        op, left, right = cond[1], cond[2], cond[3]
        if right[0] == "v" and right[1] in self.kept:
            op, left, right = SWAPPED[op], right, left
        if left[0] != "v" or left[1] not in self.kept:
            return ""
        op = op if outcome else _DENIED[op]
        if right[:2] == ("op", "+"):
            return left[1] if op in (">", ">=") else ""
        wanted = ("<", "<=") if _LOWER.search(left[1]) else (">", ">=")
        return left[1] if op in wanted and (left[1], right) in self._moved else ""

    def known(self, env: Env, cond: Expr) -> bool | None:
        """The answer to a question that a function returns or keeps, if it is whether a range is empty."""
        for answer in (True, False):
            if (name := self._answering(cond, answer)) and widened(resolve(env, name)) in env:
                return answer
        return None

    def _answering(self, cond: Expr, answer: bool) -> str:
        """The variable that must have been widened for the answer to be that one: end > start, end - start, end, start != none."""
        while cond[0] == "!":
            cond, answer = cond[1], not answer
        if cond[0] == "v":
            return cond[1] if answer and is_bound(cond[1]) and not _LOWER.search(cond[1]) else ""
        if cond[0] != "op":
            return ""
        op, left, right = cond[1], cond[2], cond[3]
        if op == "-":
            op, answer = "!=", answer
        if op not in _DENIED:
            return ""
        op = op if answer else _DENIED[op]
        if left[0] in "nk" or (left[0] == "v" and _LOWER.search(left[1]) and right[0] == "v"):
            op, left, right = SWAPPED[op], right, left
        if left[0] != "v" or not is_bound(left[1]):
            return ""
        if right[0] == "v":
            return left[1] if op in (">", "!=") and is_bound(right[1]) and _LOWER.search(right[1]) and not _LOWER.search(left[1]) else ""
        lower = _LOWER.search(left[1]) is not None
        return left[1] if right[0] in "nk-~" and (op == "!=" or (op == "<" and lower) or (op == ">" and not lower)) else ""

    def _flushed(self, at: int, start: int, flushing: Mapping[int, list[tuple]]) -> tuple[Expr, ...]:  # type: ignore[type-arg]
        """The arguments of the flush that comes next behind a condition."""
        block = start
        for _ in range(4):
            if block <= at:
                break
            if block in flushing:
                op = flushing[block][0]
                return tuple(op[5] if op[0] == ROLE else op[4])
            succs = self._code.blocks[block][3]
            if len(succs) != 1:
                break
            block = succs[0]
        return ()

    def _kept(self) -> Collection[str]:
        stores: dict[str, set[str]] = {}
        out = set(self.guards.values())
        for ops, *_ in self._code.blocks:
            for op in ops:
                if op[0] == SET:
                    stores.setdefault(op[1], set()).update([op[2][1]] if op[2][0] == "v" else ())
                    if is_bound(op[1]) and ("->" in op[1] or "." in op[1] or op[1][0] == "*"):
                        out.add(op[1])
                elif op[0] == CALL:
                    out.update(path for arg in op[4] if arg[0] == "v" for path in paths_in(arg) if is_bound(path))
        work = list(out)
        while work:
            new = stores.get(work.pop(), set()) - out
            out |= new
            work += new
        return frozenset(name for name in out if name in stores)


def _covers(args: Iterable[Expr], path: str) -> bool:
    """Whether a path, or what it is a member of, is among the arguments of a call."""
    for arg in args:
        if arg[0] == "op" and path in paths_in(arg):
            return True
        if arg[0] == "v" and (path == arg[1] or path.startswith(arg[1] + "->") or path.startswith(arg[1] + ".")):
            return True
        if arg[0] == "&" and (path == arg[1] or path.startswith(arg[1] + ".")):
            return True
    return False
