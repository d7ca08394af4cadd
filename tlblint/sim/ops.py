"""The ops that are one step: what each does to the bytes of the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import TRUE, VIOLATIONS, Bin, Const, Effect, Expr, Fail, Look, Not, Set, Var, When, code_of, eq, names_in
from tlblint.sim.machine import BIT, PAGES, READABLE, Machine, reads, writes
from tlblint.sim.scope import Scope
from tlblint.sim.syntax import Binary, Call, Name, Raw

HELD = 128
"""A lock held for writing; less: so many readers."""


@dataclass(slots=True)
class Draft:
    """A step in the making, or one way of it."""

    guards: list[Expr] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    flush: bool = False
    goto: str | None = None
    text: str = ""
    role: str = ""


class Ops:
    """The ops of one thread. Each method takes the draft to add to and the call; it returns the value of the op, if it has one."""

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

    def _down(self, draft: Draft, name: str) -> None:
        draft.effects += [Fail(code_of("unbalanced"), eq(name, 0)), Set(name, Bin("-", Var(name), TRUE))]

    def cmpxchg(self, draft: Draft, call: Call) -> Expr:
        target, old, new = self.args(call, 3)
        name = self._byte(target, call).name
        same = self._result("swapped_", self.value(new))
        draft.effects += [Set(same.name, Bin("==", Var(name), self.value(old))), When(same, (Set(name, self.value(new)),))]
        return same

    def _result(self, name: str, value: Expr) -> Var:
        """Where the op leaves its value before it writes ``value``: the target itself, unless ``value`` still needs what is in it."""
        return self.into if self.into is not None and self.into.name not in names_in(value) else self.own(name)

    # -- entries

    def read_pte(self, draft: Draft, call: Call) -> Expr:
        return Var(f"pte[{self.va(self.args(call, 1)[0], call)}]")

    def xchg_pte(self, draft: Draft, call: Call) -> Expr | None:
        va, value = self.args(call, 2)
        name = self.va(va, call)
        if call.into is None:
            self.write(draft, name, self.value(value))
            return None
        old = self._result("swapped_", self.value(value))
        draft.effects.append(Set(old.name, Var(f"pte[{name}]")))
        self.write(draft, name, self.value(value))
        return old

    def set_pte(self, draft: Draft, call: Call) -> None:
        va, value = self.args(call, 2)
        name = self.va(va, call)
        if self.machine.profile.lazy_mmu != "queue" or not self.machine.has(f"{self.thread}.lazy_"):
            return self.write(draft, name, self.value(value))
        now = Draft()
        self.write(now, name, self.value(value))
        later = (Set(self.own(f"queued_{name}").name, TRUE), Set(self.own(f"queue_{name}").name, self.value(value)))
        lazy = self.own("lazy_")
        draft.effects += [When(lazy, later), When(Not(lazy), tuple(now.effects))]
        return None

    def cmpxchg_pte(self, draft: Draft, call: Call) -> Expr:
        va, old, new = self.args(call, 3)
        name = self.va(va, call)
        same = self._result("swapped_", self.value(new))
        inner = Draft()
        self.write(inner, name, self.value(new))
        draft.effects += [Set(same.name, Bin("==", Var(f"pte[{name}]"), self.value(old))), When(same, tuple(inner.effects))]
        return same

    def write(self, draft: Draft, va: str, value: Expr) -> None:
        """The entry of ``va`` becomes ``value``; what the machine does by itself then."""
        profile, entry = self.machine.profile, Var(f"pte[{va}]")
        if profile.implied_flush:
            present = Look(BIT["P"], entry)
            purge: tuple[Effect, ...] = tuple(self._purge(va))
            if profile.lazy_mmu == "batch" and self.machine.has(f"{self.thread}.lazy_"):
                lazy = self.own("lazy_")
                if not profile.batch_step:
                    noted = Set(self.own(f"batch_{va}").name, TRUE)
                    draft.effects.append(When(Bin("and", present, lazy), (noted,)))
                draft.effects.append(When(Bin("and", present, Not(lazy)), purge))
            else:
                draft.effects.append(When(present, purge))
        draft.effects.append(Set(entry.name, value))
        if not (isinstance(value, Const) and not self.machine.visible[value.value]):
            draft.effects += self.machine.saturate(va)

    def _purge(self, va: str) -> list[Effect]:
        """Translations go as the entry is about to change: what it allows after that is added then."""
        if self.machine.profile.entries == "hash":
            return [Set(self.machine.need(f"hpt[{va}]").name, Const(0))]
        return [Set(f"tlb[{cpu},{va}]", Const(0)) for cpu in self.machine.tlb_cpus]

    # -- flushes

    def _tables(self, call: Call, least: int) -> tuple[tuple[Raw, ...], Expr | None]:
        """Arguments without the word ``tables``, and the condition that it stands for."""
        given = [raw for raw in call.args if getattr(raw, "text", "") != "tables"]
        found: Expr | None = TRUE if len(given) < len(call.args) else None
        rest = Call(call.name, tuple(given), call.words, call.into, call.column)
        for key, raw in call.words:
            if key == "tables":
                found = self.value(raw)
        return self.args(rest, least, 99 if least else 0, ("tables",)), found

    def flush(self, draft: Draft, call: Call) -> None:
        args, tables = self._tables(call, 1)
        self._shoot(draft, [self.va(raw, call) for raw in args], tables)

    def flush_mm(self, draft: Draft, call: Call) -> None:
        _, tables = self._tables(call, 0)
        self._shoot(draft, self.machine.vas, tables)

    def _shoot(self, draft: Draft, vas: list[str], tables: Expr | None) -> None:
        draft.flush = True
        if not self.machine.profile.empty_flush:
            draft.guards += self.machine.acknowledged(self.cpu)
            draft.effects += self.machine.shoot(vas, tables)

    def flush_cpu(self, draft: Draft, call: Call) -> None:
        args = self.args(call, 1, 99)
        cpu = self.scope.cpu_of(args[0], call.column)
        vas = [self.va(raw, call) for raw in args[1:]] or self.machine.vas
        draft.flush = True
        draft.effects += [*self.machine.drop(cpu, vas), *self.machine.drop_walks(cpu)]

    def ipi_cpu(self, draft: Draft, call: Call) -> None:
        self.flush_cpu(draft, call)
        draft.guards.append(self.machine.need(f"irq[{self.scope.cpu_of(call.args[0], call.column)}]"))

    # -- generations and lazy TLB mode

    def inc_gen(self, draft: Draft, call: Call) -> Expr:
        self.args(call, 0)
        gen = self.machine.need("gen")
        draft.effects.append(Set(gen.name, Bin("+", gen, TRUE)))
        return gen

    def flush_gen(self, draft: Draft, call: Call) -> None:
        which, wanted = self.args(call, 2)
        cpu = self.scope.cpu_of(which, call.column)
        mine = self.machine.need(f"lgen[{cpu}]")
        cond: Expr = Bin("<", mine, self.value(wanted))
        if self.machine.has(f"loaded[{cpu}]"):
            cond = Bin("and", Var(f"loaded[{cpu}]"), cond)
        work = (*self.machine.drop(cpu, self.machine.vas), *self.machine.drop_walks(cpu), Set(mine.name, self.machine.need("gen")))
        draft.flush = True
        draft.effects.append(When(cond, work))

    def mark_done(self, draft: Draft, call: Call) -> None:
        value = self.value(self.args(call, 1)[0])
        done = self.machine.need("done")
        draft.effects.append(When(Bin("<", done, value), (Set(done.name, value),)))

    def switch_out(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.effects.append(Set(self.machine.need(f"loaded[{self.cpu}]").name, Const(0)))

    def enter_lazy_tlb(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.effects.append(Set(self.machine.need(f"lazy[{self.cpu}]").name, TRUE))

    def leave_lazy_tlb(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        lazy = self.machine.need(f"lazy[{self.cpu}]")
        draft.flush = True
        draft.effects += [Set(lazy.name, Const(0)), *self.machine.drop(self.cpu, self.machine.vas), *self.machine.drop_walks(self.cpu)]

    # -- reclaim's batch, pending counts, gathers

    def defer(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.effects += [Set(self.machine.need("batched").name, TRUE), Set(self.own("owed").name, TRUE)]

    def ubc_flush(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        self._if_noted(draft, "owed")

    def _if_noted(self, draft: Draft, name: str) -> None:
        noted, inner = self.own(name), Draft()
        self._shoot(inner, self.machine.vas, None)
        draft.flush = True
        draft.guards += [Bin("or", Not(noted), guard) for guard in inner.guards]
        draft.effects.append(When(noted, (*inner.effects, Set(noted.name, Const(0)))))

    def pending_inc(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        name = self.machine.need("pending").name
        draft.effects.append(Set(name, Bin("+", Var(name), TRUE)))

    gather = pending_inc

    def pending_dec(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        self._down(draft, self.machine.need("pending").name)

    def flush_pending(self, draft: Draft, call: Call) -> Expr:
        self.args(call, 0)
        return Bin(">", self.machine.need("pending"), Const(0))

    def nested(self, draft: Draft, call: Call) -> Expr:
        self.args(call, 0)
        return Bin(">", self.machine.need("pending"), Const(1))

    def gather_add(self, draft: Draft, call: Call) -> None:
        for raw in self.args(call, 0, 99):
            self.va(raw, call)
        draft.effects.append(Set(self.own("gathered").name, TRUE))

    def gather_flush(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        self._if_noted(draft, "gathered")

    # -- lazy MMU mode

    def lazy_enter(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        if self.machine.profile.lazy_mmu != "nothing":
            draft.effects.append(Set(self.own("lazy_").name, TRUE))

    def lazy_leave(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        if self.machine.profile.lazy_mmu == "batch":
            self._drain(draft)
        for va in self.machine.vas:
            if self.machine.has(f"{self.thread}.queued_{va}"):
                now, queued = Draft(), self.own(f"queued_{va}")
                self.write(now, va, self.own(f"queue_{va}"))
                draft.effects.append(When(queued, (*now.effects, Set(queued.name, Const(0)))))
        if self.machine.profile.lazy_mmu != "nothing":
            draft.effects.append(Set(self.own("lazy_").name, Const(0)))

    def batch_add(self, draft: Draft, call: Call) -> None:
        draft.effects.append(Set(self.own(f"batch_{self.va(self.args(call, 1)[0], call)}").name, TRUE))

    def batch_flush(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        self._drain(draft)

    def _drain(self, draft: Draft) -> None:
        draft.flush = True
        for va in self.machine.vas:
            name = f"{self.thread}.batch_{va}"
            if self.machine.has(name):
                draft.effects.append(When(Var(name), (*self.machine.shoot([va], None), Set(name, Const(0)))))

    def hash_insert(self, draft: Draft, call: Call) -> None:
        va = self.va(self.args(call, 1)[0], call)
        if self.machine.profile.entries != "hash":
            raise ScenarioError(f"profile {self.machine.profile.name} has no hash table", 0, call.column)
        self.insert(draft, va)

    def insert(self, draft: Draft, va: str) -> None:
        """The entry of ``va`` goes into the hash table."""
        table, entry = self.machine.need(f"hpt[{va}]"), Var(f"pte[{va}]")
        seen = Look(self.machine.visible, entry)
        for page in PAGES:
            others = Const(63 & ~(reads(page) | writes(page)))
            draft.effects.append(Fail(code_of("dup-hash"), Bin("and", Look(READABLE[page], entry), Bin("&", table, others))))
        draft.effects.append(Set(table.name, Bin("|", table, seen)))

    # -- broadcast by hand

    def tlbi(self, draft: Draft, call: Call) -> None:
        mask = 0
        for raw in self.args(call, 1, 8):
            mask |= 1 << self.machine.vas.index(self.va(raw, call))
        name = self.machine.need("tlbi").name
        draft.effects.append(Set(name, Bin("|", Var(name), Const(mask))))

    def dsb(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        draft.guards.append(eq(self.machine.need("tlbi").name, 0))

    def tlbi_complete(self, draft: Draft, call: Call) -> None:
        self.args(call, 0)
        issued = self.machine.need("tlbi")
        draft.guards.append(issued)
        draft.flush = True
        for number, va in enumerate(self.machine.vas):
            draft.effects.append(When(Bin("&", issued, Const(1 << number)), tuple(self.machine.shoot([va], None))))
        draft.effects.append(Set(issued.name, Const(0)))

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

    def _add(self, name: str, sign: str) -> list[Effect]:
        byte = self.machine.need(name)
        return [Set(name, Bin(sign, byte, TRUE))]

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
        self.args(call, 0, 0, ("write", "read", "access"))
        if not call.words:
            raise ScenarioError("returns takes write=, read= or access= and a va", 0, call.column)
        for key, raw in call.words:
            va = self.va(raw, call)
            draft.effects += [Set(self.machine.need(f"{kind}forbid[{va}]").name, TRUE) for kind in {"write": "w", "read": "r", "access": "rw"}[key]]

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


SIMPLE = frozenset(name for name in vars(Ops) if not name.startswith("_") and name not in ("args", "value", "va", "own", "write", "insert"))
VALUED = frozenset({"cmpxchg", "read_pte", "xchg_pte", "cmpxchg_pte", "inc_gen", "flush_pending", "nested"})
"""Ops that give a value."""
