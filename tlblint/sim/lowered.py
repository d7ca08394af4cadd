"""What threads were lowered to, for other models that have the same ones: the adversaries of a path are the same beside many."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlblint.sim.ir import Code
from tlblint.sim.machine import Asked, Machine
from tlblint.sim.model import Thread
from tlblint.sim.threads import ThreadLowering, registers_of

MOST = 4000
Key = tuple[object, ...]


class Known(msgspec.Struct, frozen=True):
    """A thread that was lowered: what it asked of its machine on the way, in order, and what came of it."""

    thread: Thread
    asked: tuple[Asked, ...]
    code: Code


class Lowered:
    """Lowers threads. A lowering asks its machine for bytes and pages and for nothing else that changes: where the answers are the same, so is the code."""

    def __init__(self) -> None:
        self._codes: dict[Key, list[Known]] = {}
        self._registers: dict[Key, tuple[Thread, frozenset[str]]] = {}

    def code(self, machine: Machine, thread: Thread) -> Code:
        """The thread's guarded commands. Raises ScenarioError."""
        known = self._codes.setdefault(_key(machine, thread), [])
        for one in known:
            if _again(machine, one.asked):
                return one.code
        machine.asked = []
        try:
            code = ThreadLowering(machine, thread).code()
            known.append(Known(thread, tuple(_shortened(machine.asked)), code))
        finally:
            machine.asked = None
        if len(self._codes) > MOST:
            self._codes.clear()
        return code

    def registers(self, machine: Machine, thread: Thread) -> frozenset[str]:
        """The registers of a thread."""
        key = _key(machine, thread)
        if key not in self._registers:
            if len(self._registers) > MOST:
                self._registers.clear()
            self._registers[key] = thread, registers_of(machine, thread)
        return self._registers[key][1]


def _key(machine: Machine, thread: Thread) -> Key:
    """The thread and what of a model does not change while it is lowered. Lines are told apart by identity: they are kept as long as the answer is."""
    return (*machine.fixed, thread.name, thread.cpu, thread.kind, *map(id, thread.steps))


def _again(machine: Machine, asked: Sequence[Asked]) -> bool:
    """Ask a machine the same. Up to the first other answer a lowering would have done just that, so nothing is lost where it comes to one."""
    for what, name, answer in asked:
        if what == "has":
            if machine.has(name) != answer:
                return False
        elif what == "need":
            machine.need(name)
        elif what == "page":
            machine.page(int(name))
        elif machine.pages != answer:
            return False
    return True


def _shortened(asked: Sequence[Asked]) -> list[Asked]:
    """Without questions whose answer is known from earlier ones: bytes and pages only ever come to be."""
    out: list[Asked] = []
    there: set[tuple[str, str]] = set()
    said: dict[tuple[str, str], object] = {}
    for what, name, answer in asked:
        if what in ("need", "page"):
            if (what, name) not in there:
                there.add((what, name))
                out.append((what, name, answer))
        elif said.get((what, name)) != answer and ("need", name) not in there:
            said[what, name] = answer
            out.append((what, name, answer))
    return out
