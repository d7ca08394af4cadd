"""A step in the making, and what all ops share: their arguments and the commonest effects."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import TRUE, Bin, Const, Effect, Expr, Fail, Set, Var, When, code_of, eq, names_in
from tlblint.sim.machine import Machine
from tlblint.sim.scope import Scope
from tlblint.sim.syntax import Call, Raw


class Draft(msgspec.Struct):
    """A step in the making, or one way of it."""

    guards: list[Expr] = msgspec.field(default_factory=list)
    effects: list[Effect] = msgspec.field(default_factory=list)
    flush: bool = False
    goto: str | None = None
    text: str = ""
    role: str = ""


class Base:
    """What all ops of a thread share."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.machine: Machine = scope.machine
        self.thread = scope.thread
        self.cpu = scope.cpu
        self.into: Var | None = None
        """Where the value of the call at hand goes: for ops that must put it there before they write."""

    # -- arguments

    def args(self, call: Call, least: int, most: int | None = None, words: tuple[str, ...] = ()) -> tuple[Raw, ...]:
        """The positional arguments, when their number is right and there are no unknown named ones."""
        most = least if most is None else most
        if not least <= len(call.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}" if most < 99 else f"{least} or more"
            raise ScenarioError(f"{call.name} takes {wanted} argument{'' if wanted == '1' else 's'}, got {len(call.args)}", 0, call.column)
        for key, _ in call.words:
            if key not in words:
                raise ScenarioError(f'{call.name} has no argument "{key}"{nearest(key, words)}', 0, call.column)
        return call.args

    def value(self, raw: Raw) -> Expr:
        return self.scope.resolve(raw)

    def va(self, raw: Raw, call: Call) -> str:
        return self.scope.va(raw, call.column)

    def own(self, name: str) -> Var:
        """A byte of the thread that no other sees."""
        return self.machine.need(f"{self.thread}.{name}")

    def _byte(self, raw: Raw, call: Call) -> Var:
        found = self.value(raw)
        if not isinstance(found, Var):
            raise ScenarioError(f"expected a variable as argument of {call.name}", 0, call.column)
        return found

    def _per_page(self, draft: Draft, call: Call, make: Callable[[int], list[Effect]]) -> None:
        """Effects for the page that the argument names, known now (a number) or only when it runs (a register)."""
        value = self.value(self.args(call, 1)[0])
        if isinstance(value, Const):
            draft.effects += make(self.scope.page(call.args[0], call.column))
            return
        draft.effects += [When(Bin("==", value, Const(page)), tuple(make(page))) for page in sorted(self.machine.pages)]

    # -- effects

    def _down(self, draft: Draft, name: str) -> None:
        draft.effects += [Fail(code_of("unbalanced"), eq(name, 0)), Set(name, Bin("-", Var(name), TRUE))]

    def _add(self, name: str, sign: str) -> list[Effect]:
        byte = self.machine.need(name)
        return [Set(name, Bin(sign, byte, TRUE))]

    def _result(self, name: str, value: Expr) -> Var:
        """Where the op leaves its value before it writes ``value``: the target itself, unless ``value`` still needs what is in it."""
        return self.into if self.into is not None and self.into.name not in names_in(value) else self.own(name)
