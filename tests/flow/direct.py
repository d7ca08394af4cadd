"""A direct interpreter of the programs that knows nothing of graphs: it walks the tree.

What calls and opaque conditions yield is up to an oracle; two runs that ask the same things in the same order get
the same answers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Tree = tuple[Any, ...]
EVENT_LIMIT, STEP_LIMIT = 60, 1500


class Stop(Exception):
    """Control does not come back."""


class Exhausted(Exception):
    """A bound of the run was met; what was seen so far is still right."""


class Oracle:
    """Decides what calls and opaque conditions yield, and keeps the trace."""

    def __init__(self, seed: int) -> None:
        self.random, self.trace, self.steps = random.Random(seed), list[Tree](), 0

    def ask(self, *event: object) -> int:
        self.trace.append(event)
        if len(self.trace) >= EVENT_LIMIT:
            raise Exhausted
        return self.random.choice((0, 0, 0, 1, 1, 2, 3))

    def step(self) -> None:
        self.steps += 1
        if self.steps > STEP_LIMIT:
            raise Exhausted


BINARY: dict[str, Callable[[int, int], int]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "&": lambda x, y: x & y,
    "|": lambda x, y: x | y,
    "==": lambda x, y: int(x == y),
    "!=": lambda x, y: int(x != y),
    "<": lambda x, y: int(x < y),
}


class Break(Exception):
    pass


class Continue(Exception):
    pass


class Goto(Exception):
    pass


class Return(Exception):
    pass


def _holds(s: Any, target: Tree) -> bool:
    """Whether the statement holds the label or case; expressions hold neither."""
    if not isinstance(s, tuple) or not s:
        return False
    if s[0] == "label" and target == ("label", s[1]):
        return True
    if s[0] in ("case", "range", "default") and target == ("case", s[1]):
        return True
    return any(_holds(part, target) for part in s)


class Direct:
    """Walks the tree. A jump to a label starts over and passes over everything until the label is met."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.env = {"a": 0, "b": 1, "c": 2, "d": 0, "e": 0}

    def run(self, program: Tree) -> None:
        target: Tree | None = None
        while True:
            try:
                self.do(program, target)
            except Goto as jump:
                target = ("label", jump.args[0])
                continue
            except Return as back:
                self.oracle.trace.append(("return", back.args[0]))
                return
            self.oracle.trace.append(("return", None))
            return

    def do(self, s: Tree | None, target: Tree | None) -> Tree | None:
        """Run a statement, or look for ``target`` in it; returns what is still looked for."""
        if s is None or (target is not None and not _holds(s, target)):
            return target
        self.oracle.step()
        return getattr(self, "do_" + s[0].replace("-", "_"))(s, target)  # type: ignore[no-any-return]

    def do_block(self, s: Tree, target: Tree | None) -> Tree | None:
        for part in s[1]:
            target = self.do(part, target)
        return target

    def do_label(self, s: Tree, target: Tree | None) -> Tree | None:
        return self.do(s[2], None if target == ("label", s[1]) else target)

    def do_case(self, s: Tree, target: Tree | None) -> None:
        return None

    def do_range(self, s: Tree, target: Tree | None) -> None:
        """The call keeps the comparison, an opaque condition, from being dropped as one that decides nothing."""
        self.oracle.ask("call", f"in_{s[0]}_{s[1]}", ())

    do_default = do_range

    def do_expr(self, s: Tree, target: Tree | None) -> None:
        self.eval(s[1])

    def do_bug_on(self, s: Tree, target: Tree | None) -> None:
        if self.eval(s[1]):
            raise Stop

    def do_decl(self, s: Tree, target: Tree | None) -> None:
        self.env[s[1]] = 0 if s[2] is None else self.eval(s[2])

    def do_goto(self, s: Tree, target: Tree | None) -> None:
        raise Goto(s[1])

    def do_break(self, s: Tree, target: Tree | None) -> None:
        raise Break

    def do_continue(self, s: Tree, target: Tree | None) -> None:
        raise Continue

    def do_return(self, s: Tree, target: Tree | None) -> None:
        raise Return(None if s[1] is None else self.eval(s[1]))

    def do_if(self, s: Tree, target: Tree | None) -> None:
        if target is None:
            self.do(s[2] if self.eval(s[1]) else s[3], None)
        else:
            self.do(s[2] if _holds(s[2], target) else s[3], target)

    def do_macro_if(self, s: Tree, target: Tree | None) -> None:
        if target is None:
            self.eval(s[1])
        self.do(s[2], target)

    def loop(self, body: Tree, target: Tree | None, test: Callable[[], bool], update: Callable[[], object], first: bool) -> None:
        if target is None and first and not test():
            return
        while True:
            self.oracle.step()
            try:
                self.do(body, target)
            except Break:
                return
            except Continue:
                pass
            target = None
            update()
            if not test():
                return

    def do_while(self, s: Tree, target: Tree | None) -> None:
        self.loop(s[2], target, lambda: bool(self.eval(s[1])), lambda: None, True)

    def do_do(self, s: Tree, target: Tree | None) -> None:
        self.loop(s[1], target, lambda: bool(self.eval(s[2])), lambda: None, False)

    def do_for(self, s: Tree, target: Tree | None) -> None:
        if target is None and s[1] is not None:
            self.eval(s[1])
        self.loop(s[4], target, lambda: s[2] is None or bool(self.eval(s[2])), lambda: s[3] is not None and self.eval(s[3]), True)

    def do_macro_loop(self, s: Tree, target: Tree | None) -> None:
        changed = [*s[1], *([s[2][1]] if s[2][0] == "var" else [])]

        def test() -> bool:
            self.env.update(dict.fromkeys(changed, 7))
            return bool(self.oracle.ask("?"))

        if target is None:
            self.eval(s[2])
        self.loop(s[3], target, test, lambda: None, True)

    def do_switch(self, s: Tree, target: Tree | None) -> None:
        if target is None:
            target = self.chosen(self.eval(s[2]), s[3])
        if target is not None:
            try:
                self.do(s[3], target)
            except Break:
                return

    def chosen(self, subject: int, body: Tree) -> Tree | None:
        fallback = None
        for label in _cases(body):
            if label[0] == "default":
                fallback = ("case", label[1])
            elif self.oracle.ask("?") if label[0] == "range" else subject == label[2]:
                return ("case", label[1])
        return fallback

    def eval(self, e: Tree) -> int:
        kind = e[0]
        if kind == "num":
            return int(e[1])
        if kind == "var":
            return self.env[e[1]]
        if kind == "call":
            return self.oracle.ask("call", e[1], tuple([self.eval(part) for part in e[2]]))
        if kind == "and":
            return int(bool(self.eval(e[1])) and bool(self.eval(e[2])))
        if kind == "or":
            return int(bool(self.eval(e[1])) or bool(self.eval(e[2])))
        if kind == "elvis":
            return self.eval(e[1]) or self.eval(e[2])
        if kind == "cond":
            return self.eval(e[2]) if self.eval(e[1]) else self.eval(e[3])
        if kind == "bin":
            return BINARY[e[1]](self.eval(e[2]), self.eval(e[3]))
        if kind == "comma":
            self.eval(e[1])
            return self.eval(e[2])
        if kind in ("not", "neg", "cast"):
            inner = self.eval(e[1])
            return int(not inner) if kind == "not" else -inner if kind == "neg" else inner
        return self.eval(e[2]) if kind == "likely" else self.writing(e)

    def writing(self, e: Tree) -> int:
        kind = e[0]
        if kind == "assign":
            right = self.eval(e[3])
            self.env[e[1]] = BINARY[e[2]](self.env[e[1]], right) if e[2] else right
            return self.env[e[1]]
        if kind == "block-value":
            for part in e[1]:
                self.do(part, None)
            return self.eval(e[2])
        name, sign = (e[1], e[2]) if kind == "step" else (e[2], e[3])
        old = self.env[name]
        self.env[name] = new = old + (1 if sign == "++" else -1)
        if kind == "late":
            return self.oracle.ask("call", e[1], (old,))
        return new if e[3] == "before" else old


def _cases(s: Any) -> list[Tree]:
    """The cases of a switch body in source order; not those of a switch inside it."""
    if not isinstance(s, tuple) or not s or s[0] == "switch":
        return []
    if s[0] in ("case", "range", "default"):
        return [s]
    return [label for part in s for label in _cases(part)]
