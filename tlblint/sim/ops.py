"""The ops that are one step: what each does to the bytes of the machine."""

from __future__ import annotations

from tlblint.sim.draft import Draft
from tlblint.sim.entries import EntryOps
from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import TRUE, VIOLATIONS, Bin, Const, Effect, Expr, Fail, Look, Not, Set, Var, When, code_of, eq
from tlblint.sim.syntax import Binary, Call, Name, Raw

HELD = 128
"""A lock held for writing; less: so many readers."""


class Ops(EntryOps):
    """The ops of one thread: those of entries, and locks, plain bytes, pages, tables, devices and promises."""

    # -- locks and interrupts

    def lock(self, draft: Draft, call: Call) -> None:
        name = self.scope.lock(self.args(call, 1)[0], call.column)
        draft.guards.append(eq(name, 0))
        draft.effects.append(Set(name, Const(HELD)))

    def unlock(self, draft: Draft, call: Call) -> None:
        name = self.scope.lock(self.args(call, 1)[0], call.column)
        draft.effects += [Fail(code_of("unbalanced"), Bin("!=", Var(name), Const(HELD))), Set(name, Const(0))]

    def lock_read(self, draft: Draft, call: Call) -> None:
        name = self.scope.lock(self.args(call, 1)[0], call.column)
        draft.guards.append(Bin("<", Var(name), Const(HELD - 1)))
        draft.effects.append(Set(name, Bin("+", Var(name), TRUE)))

    def unlock_read(self, draft: Draft, call: Call) -> None:
        name = self.scope.lock(self.args(call, 1)[0], call.column)
        held = Bin("and", Var(name), Bin("<", Var(name), Const(HELD)))
        draft.effects += [Fail(code_of("unbalanced"), Not(held)), When(held, (Set(name, Bin("-", Var(name), TRUE)),))]

    def irq_off(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.effects.append(Set(self.machine.need(f"irq[{self.cpu}]").name, Const(0)))

    def irq_on(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.effects.append(Set(self.machine.need(f"irq[{self.cpu}]").name, TRUE))

    # -- plain bytes

    def nop(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)

    def assume(self, draft: Draft, call: Call) -> None:
        draft.effects.append(Fail(255, Not(self.value(self.args(call, 1)[0]))))

    def fail_if(self, draft: Draft, call: Call) -> None:
        self.args(call, 2)
        draft.effects.append(Fail(violation(call.args[1], call.column), self.value(call.args[0])))

    def inc(self, draft: Draft, call: Call) -> None:
        name = self._byte(self.args(call, 1)[0], call).name
        draft.effects.append(Set(name, Bin("+", Var(name), TRUE)))

    def dec(self, draft: Draft, call: Call) -> None:
        self._down(draft, self._byte(self.args(call, 1)[0], call).name)

    def cmpxchg(self, draft: Draft, call: Call) -> Expr:
        target, old, new = self.args(call, 3)
        name = self._byte(target, call).name
        same = self._result("swapped_", self.value(new))
        draft.effects += [Set(same.name, Bin("==", Var(name), self.value(old))), When(same, (Set(name, self.value(new)),))]
        return same

    # -- pages

    def free_page(self, draft: Draft, call: Call) -> None:
        self._per_page(draft, call, self._freed)

    def _freed(self, page: int) -> list[Effect]:
        lost = self.machine.lost(page)
        return [*([] if lost is None else [Fail(code_of("lost-dirty"), lost)]), Set(self.machine.need(f"free[{page}]").name, TRUE)]

    def get_page(self, draft: Draft, call: Call) -> None:
        self._per_page(draft, call, lambda page: self._add(f"ref[{page}]", "+"))

    def put_page(self, draft: Draft, call: Call) -> None:
        def put(page: int) -> list[Effect]:
            name = self.machine.need(f"ref[{page}]").name
            return [Fail(code_of("unbalanced"), eq(name, 0)), *self._add(f"ref[{page}]", "-"), When(eq(name, 0), tuple(self._freed(page)))]

        self._per_page(draft, call, put)

    def _mark(self, draft: Draft, call: Call, field_: str, value: int) -> None:
        self._per_page(draft, call, lambda page: [Set(self.machine.need(f"{field_}[{page}]").name, Const(value))])

    def set_dirty(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "pd", 1)

    def snapshot(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "pd", 0)
        self._mark(draft, call, "gd", 0)

    def clear_dirty_for_io(self, draft: Draft, call: Call) -> None:
        def clean(page: int) -> list[Effect]:
            dirty, data = self.machine.need(f"pd[{page}]"), self.machine.need(f"gd[{page}]")
            return [When(dirty, (Set(dirty.name, Const(0)), Set(data.name, Const(0))))]

        self._per_page(draft, call, clean)

    def copy_page(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "cp", 1)

    def io_start(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "io", 1)

    def io_end(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "io", 0)

    def stable(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "stable", 1)

    def unstable(self, draft: Draft, call: Call) -> None:
        self._mark(draft, call, "stable", 0)

    def rmap_add(self, draft: Draft, call: Call) -> None:
        self._per_page(draft, call, lambda page: self._add(f"mapped[{page}]", "+"))

    def rmap_del(self, draft: Draft, call: Call) -> None:
        self._per_page(
            draft, call, lambda page: [Fail(code_of("unbalanced"), eq(self.machine.need(f"mapped[{page}]").name, 0)), *self._add(f"mapped[{page}]", "-")]
        )

    # -- page tables and walks

    def _table(self, call: Call) -> str:
        return self.scope.table(self.args(call, 1)[0], call.column)

    def pmd_clear(self, draft: Draft, call: Call) -> None:
        draft.effects.append(Set(self.machine.need(f"pmd[{self._table(call)}]").name, Const(0)))

    def free_table(self, draft: Draft, call: Call) -> None:
        table = self._table(call)
        for cpu in range(self.machine.model.cpus):
            for name in (f"pwc[{cpu},{table}]", f"walk[{cpu},{table}]"):
                if self.machine.has(name):
                    draft.effects.append(Fail(code_of("uaf-walk"), Var(name)))
        draft.effects.append(Set(self.machine.need(f"freed[{table}]").name, TRUE))

    def gup_read(self, draft: Draft, call: Call) -> None:
        table = self._table(call)
        walk = self.machine.need(f"walk[{self.cpu},{table}]")
        draft.effects.append(Set(walk.name, self.machine.need(f"pmd[{table}]")))

    def gup_done(self, draft: Draft, call: Call) -> None:
        draft.effects.append(Set(self.machine.need(f"walk[{self.cpu},{self._table(call)}]").name, Const(0)))

    def grace(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.guards += [Var(f"irq[{cpu}]") for cpu in range(self.machine.model.cpus) if self.machine.has(f"irq[{cpu}]")]

    # -- secondary MMU

    def mn_start(self, draft: Draft, call: Call) -> None:
        for raw in self.args(call, 1, 99):
            va = self.va(raw, call)
            draft.effects += [*self._add(f"held[{va}]", "+"), Set(self.machine.need(f"dev[{va}]").name, Const(0))]

    def mn_end(self, draft: Draft, call: Call) -> None:
        for raw in self.args(call, 1, 99):
            va = self.va(raw, call)
            held = self.machine.need(f"held[{va}]").name
            self._down(draft, held)
            draft.effects.append(When(eq(held, 0), tuple(self.machine.saturate(va))))

    def mn_inval(self, draft: Draft, call: Call) -> None:
        for raw in self.args(call, 1, 99):
            va = self.va(raw, call)
            name = self.machine.need(f"dev[{va}]").name
            again: Expr = Look(self.machine.visible, Var(f"pte[{va}]"))
            draft.effects.append(Set(name, Const(0)))
            refill = Set(name, again)
            draft.effects.append(When(eq(f"held[{va}]", 0), (refill,)) if self.machine.has(f"held[{va}]") else refill)

    # -- what the kernel promises or relies on

    def returns(self, draft: Draft, call: Call) -> None:
        self.args(call, 0, 0, ("write", "read", "access", "clean"))
        if not call.words:
            raise ScenarioError("returns takes write=, read=, access= or clean= and a va", 0, call.column)
        for key, raw in call.words:
            va, kinds = self.va(raw, call), {"write": "w", "read": "r", "access": "rw", "clean": "d"}[key]
            draft.effects += [Set(self.machine.need(f"{kind}forbid[{va}]").name, TRUE) for kind in kinds]

    def trust_readonly(self, draft: Draft, call: Call) -> None:
        self._trust(draft, call, 56)

    def trust_unmapped(self, draft: Draft, call: Call) -> None:
        self._trust(draft, call, 63)

    def _trust(self, draft: Draft, call: Call, mask: int) -> None:
        va = self.va(self.args(call, 1)[0], call)
        if self.machine.profile.entries == "hash":
            names = [self.machine.need(f"hpt[{va}]").name]
        else:
            names = [f"tlb[{cpu},{va}]" for cpu in self.machine.tlb_cpus]
        draft.effects += [Fail(code_of("false-pending"), Bin("&", Var(name), Const(mask))) for name in names]


def violation(raw: Raw, column: int) -> int:
    """The code of a violation that is written as a name; ``uaf-store`` reads as a difference of two names."""
    text = _dashed(raw)
    try:
        return code_of(text)
    except ValueError:
        raise ScenarioError(f'no violation "{text}"{nearest(text, VIOLATIONS)}', 0, getattr(raw, "column", column)) from None


def _dashed(raw: Raw) -> str:
    if isinstance(raw, Binary):
        return f"{_dashed(raw.x)}{raw.op}{_dashed(raw.y)}"
    return raw.text if isinstance(raw, Name) else "?"


SIMPLE = frozenset(name for part in (EntryOps, Ops) for name in vars(part) if not name.startswith("_")) - {"write", "insert"}
"""Names of the ops."""
VALUED = frozenset({"cmpxchg", "read_pte", "xchg_pte", "start_pte", "cmpxchg_pte", "inc_gen", "flush_pending", "nested"})
"""Ops that give a value."""
