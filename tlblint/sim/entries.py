"""Ops on entries and translations: writes, flushes, what puts them off and what counts them."""

from __future__ import annotations

from tlblint.sim.draft import Base, Draft
from tlblint.sim.errors import ScenarioError
from tlblint.sim.ir import TRUE, Bin, Const, Effect, Expr, Fail, Look, Not, Set, Var, When, code_of, eq
from tlblint.sim.machine import BIT, PAGES, READABLE, D, reads, writes
from tlblint.sim.syntax import Call, Number, Raw

PLAIN, KEEPING = 1, 2
"""What waits in the queue for an entry: a value, or one that keeps what hardware has set in the entry since."""


def _keeps_dirty(va: str, value: Expr) -> Expr:
    return Bin("|", value, Bin("&", Var(f"pte[{va}]"), Const(D)))


class EntryOps(Base):
    """Each method takes the draft to add to and the call; it returns the value of the op, if it has one."""

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
        self._put(draft, name, self.value(value), self.value(value), PLAIN)

    def start_pte(self, draft: Draft, call: Call) -> Expr | None:
        (va,) = self.args(call, 1)
        if self.machine.profile.modify == "read":
            return Var(f"pte[{self.va(va, call)}]")
        return self.xchg_pte(draft, Call(call.name, (va, Number(0)), (), call.into, call.column))

    def commit_pte(self, draft: Draft, call: Call) -> None:
        va, value = self.args(call, 2)
        name, new = self.va(va, call), self.value(value)
        if self.machine.profile.modify == "read":
            self._put(draft, name, _keeps_dirty(name, new), new, KEEPING)
        else:
            self._put(draft, name, new, new, PLAIN)

    def _put(self, draft: Draft, va: str, value: Expr, queued: Expr, how: int) -> None:
        """Write ``value``; in a mode that queues writes, note ``queued`` for later instead."""
        if not self._queues():
            return self.write(draft, va, value)
        now = Draft()
        self.write(now, va, value)
        later = (Set(self.own(f"queued_{va}").name, Const(how)), Set(self.own(f"queue_{va}").name, queued))
        lazy = self.own("lazy_")
        draft.effects += [When(lazy, later), When(Not(lazy), tuple(now.effects))]
        return None

    def _queues(self) -> bool:
        """Whether the thread may be in a mode that queues what it does."""
        return self.machine.profile.lazy_mmu == "queue" and self.machine.has(f"{self.thread}.lazy_")

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
            present = self._hashed(va) if profile.entries == "hash" else Look(BIT["P"], entry)
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
        if profile.entries == "hash":  # an entry that is built anew does not know of what the table holds
            draft.effects.append(When(Not(Look(BIT["P"], entry)), (Set(self._hashed(va).name, Const(0)),)))
        if not (isinstance(value, Const) and not self.machine.visible[value.value]):
            draft.effects += self.machine.saturate(va)

    def _hashed(self, va: str) -> Var:
        """Whether the entry says that the hash table has it: what a change of the entry goes by."""
        self.machine.need(f"hpt[{va}]")
        return self.machine.need(f"hashed[{va}]")

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
        if self.machine.profile.empty_flush:
            return
        draft.guards += self.machine.acknowledged(self.cpu)
        if not self._queues():
            draft.effects += self.machine.shoot(vas, tables)
            return
        lazy = self.own("lazy_")
        later = tuple(Set(self.own(f"waits_{va}").name, TRUE) for va in vas)
        draft.effects += [When(Not(lazy), tuple(self.machine.shoot(vas, tables))), When(lazy, later)]

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
                queued, value = self.own(f"queued_{va}"), self.own(f"queue_{va}")
                for how, new in ((PLAIN, value), (KEEPING, _keeps_dirty(va, value)))[: 2 if self.machine.profile.modify == "read" else 1]:
                    now = Draft()
                    self.write(now, va, new)
                    draft.effects.append(When(eq(queued.name, how), (*now.effects, Set(queued.name, Const(0)))))
        for va in self.machine.vas:  # flushes stand in the queue behind the writes that they are for
            if self.machine.has(f"{self.thread}.waits_{va}"):
                waits = self.own(f"waits_{va}")
                draft.flush = True
                draft.effects.append(When(waits, (*self.machine.shoot([va], None), Set(waits.name, Const(0)))))
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
        draft.effects.append(Set(self._hashed(va).name, TRUE))
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
