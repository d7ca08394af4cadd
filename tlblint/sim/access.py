"""Ops that are a choice of ways: what a user, a device or a hardware walk may do next."""

from __future__ import annotations

from tlblint.sim.draft import Draft
from tlblint.sim.errors import ScenarioError
from tlblint.sim.ir import Bin, Const, Effect, Expr, Fail, Look, Not, Set, Var, code_of
from tlblint.sim.machine import ASSIST, BIT, READABLE, WRITABLE, A, D, Machine, reads, writes
from tlblint.sim.ops import Ops
from tlblint.sim.scope import Scope

ACCESSES = {"store": 1, "load": 1, "any": 0, "walk": 1, "cached_store": 1, "dev_store": 1, "dev_load": 1}
"""Name -> number of vas it takes."""


class Accesses:
    """Ops that are a choice of ways: what a user, a device or a walker may do next."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.machine: Machine = scope.machine
        self.cpu = scope.cpu

    def _running(self) -> list[Expr]:
        return [Var(f"loaded[{self.cpu}]")] if self.machine.has(f"loaded[{self.cpu}]") else []

    def store(self, va: str) -> list[Draft]:
        machine, found = self.machine, []
        for page in sorted(machine.pages):
            found.append(
                Draft(
                    [*self._running(), self._cached(va, writes(page))],
                    machine.stored(va, page),
                    text=f"stores to {va}: cached translation, page {page}",
                    role="store",
                )
            )
            found += self._assisted(va, page)
        return [*found, Draft(text=f"stores to {va}: faults", role="fault")]

    def _cached(self, va: str, bit: int) -> Expr:
        machine = self.machine
        if machine.profile.entries == "tlb" and self.cpu not in machine.tlb_cpus:
            raise ScenarioError(f"CPU {self.cpu} has no TLB in this model: no user can run there")
        name = machine.need(f"hpt[{va}]").name if machine.profile.entries == "hash" else f"tlb[{self.cpu},{va}]"
        return Bin("&", Var(name), Const(bit))

    def _assisted(self, va: str, page: int) -> list[Draft]:
        """The store walks: hardware sets D, or a hash fault puts the entry in."""
        machine, entry = self.machine, Var(f"pte[{va}]")
        if machine.profile.entries == "hash":
            made = Draft([Look(WRITABLE[page], entry), Not(self._cached(va, writes(page)))], text=f"stores to {va}: hash fault, page {page}", role="store")
            Ops(self.scope).insert(made, va)
        elif machine.profile.hw_dirty and va not in machine.explicit:
            made = Draft([*self._running(), Look(ASSIST[page], entry)], text=f"stores to {va}: walks, hardware sets D, page {page}", role="store")
            made.effects = [Set(entry.name, Bin("|", entry, Const(D))), *machine.saturate(va)]
            if machine.has(f"dseen[{va}]"):
                made.effects.append(Set(f"dseen[{va}]", Const(1)))
        else:
            return []
        made.effects += machine.stored(va, page)
        return [made]

    def load(self, va: str) -> list[Draft]:
        machine, found = self.machine, []
        for page in sorted(machine.pages):
            found.append(
                Draft(
                    [*self._running(), self._cached(va, reads(page))],
                    machine.loaded_from(va, page),
                    text=f"loads from {va}: cached translation, page {page}",
                    role="load",
                )
            )
            if machine.profile.entries == "hash":
                made = Draft(
                    [Look(READABLE[page], Var(f"pte[{va}]")), Not(self._cached(va, reads(page)))], text=f"loads from {va}: hash fault, page {page}", role="load"
                )
                Ops(self.scope).insert(made, va)
                made.effects += machine.loaded_from(va, page)
                found.append(made)
        return [*found, Draft(text=f"loads from {va}: faults", role="fault")]

    def any(self) -> list[Draft]:
        ways = [way for va in self.machine.vas for way in (*self.store(va), *self.load(va)) if way.role != "fault"]
        return [*ways, Draft(text="faults", role="fault")]

    def walk(self, va: str) -> list[Draft]:
        machine, entry = self.machine, Var(f"pte[{va}]")
        if va not in machine.explicit:
            raise ScenarioError(f'va {va} is not "explicit": its walks are no steps')
        if machine.profile.entries != "tlb" or self.cpu not in machine.tlb_cpus:
            raise ScenarioError(f"CPU {self.cpu} has no TLB in this model: nothing walks there")
        cached = Var(f"tlb[{self.cpu},{va}]")
        effects: list[Effect] = [Set(entry.name, Bin("|", entry, Const(A))), Set(cached.name, Bin("|", cached, Look(machine.visible, entry)))]
        return [
            Draft([*self._running(), Look(BIT["P"], entry)], effects, text=f"walks {va}: sets A, caches the translation", role="load"),
            Draft(text="no access", role="fault"),
        ]

    def cached_store(self, va: str) -> list[Draft]:
        return [way for way in self.store(va) if "walks" not in way.text]

    def dev_store(self, va: str) -> list[Draft]:
        return self._device(va, "store", "stores to", True)

    def dev_load(self, va: str) -> list[Draft]:
        return self._device(va, "load", "loads from", False)

    def _device(self, va: str, role: str, verb: str, store: bool) -> list[Draft]:
        machine, found = self.machine, []
        held = machine.need(f"dev[{va}]")
        for page in sorted(machine.pages):
            name = machine.need(f"free[{page}]")
            effects: list[Effect] = [Fail(code_of("uaf-device"), name), *(machine.stored(va, page) if store else [])]
            bit = writes(page) if store else reads(page)
            found.append(Draft([Bin("&", held, Const(bit))], effects, text=f"device {verb} {va}: its own translation, page {page}", role=role))
        return [*found, Draft(text=f"device {verb} {va}: faults", role="fault")]
