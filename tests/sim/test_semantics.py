"""What each op does, in models of a few steps."""

from __future__ import annotations

import pytest

from tlblint.sim import Bounds, Check, Model, Outcome, Page, Profile, Thread, Va, explore, step

X86 = Profile("x86", skip_lazy=True)
PARAVIRT = Profile("paravirt", shootdown="hypercall", skip_lazy=True)
ARM = Profile("arm", shootdown="broadcast", leaf_only=True)
SOFT = Profile("soft", store_needs="writable", hw_dirty=False, shootdown="broadcast")
XEN = Profile("xen", shootdown="hypercall", lazy_mmu="queue", modify="read")
HASH = Profile("hash", store_needs="writable", hw_dirty=False, entries="hash", lazy_mmu="batch", implied_flush=True, empty_flush=True)
SPARC = Profile("sparc", store_needs="writable", hw_dirty=False, lazy_mmu="batch", batch_step=True, implied_flush=True, empty_flush=True)
S390 = Profile("s390", store_needs="writable", hw_dirty=False, implied_flush=True, empty_flush=True)


def run(*threads: str, profile: Profile = X86, a: str = "P|W|D|pfn(1)", b: str | None = None, **more: object) -> Outcome:
    """Explore threads given as steps with ``/`` between them; the last of several runs on CPU 1, the others on CPU 0."""
    made = []
    for at, text in enumerate(threads):
        lines = tuple(step(part.strip()) for part in text.split("/"))
        kind = "daemon" if text.startswith("tlbi_complete") else "thread"
        made.append(Thread(f"t{at}", int(0 < at == len(threads) - 1), lines, kind))
    vas = (Va("a", a), *([Va("b", b)] if b is not None else []))
    bounds = more.pop("bounds", None)
    assert bounds is None or isinstance(bounds, Bounds)
    return explore(Model("test", profile, tuple(made), more.pop("cpus", 2), vas, ("l",), **more), bounds)  # type: ignore[arg-type]


def says(*threads: str, **more: object) -> tuple[str, int | None]:
    outcome = run(*threads, **more)  # type: ignore[arg-type]
    return outcome.verdict, outcome.length


STORE = "store(a)"


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("xchg_pte(a, 0) / free_page(1)", ("uaf-store", 3)),
        ("xchg_pte(a, 0) / flush(a) / free_page(1)", ("safe", None)),
        ("flush(a) / xchg_pte(a, 0) / free_page(1)", ("uaf-store", 4)),
        ("free_page(1)", ("uaf-store", 2)),
        ("set_pte(a, P|D|pfn(1)) / returns(write=a)", ("contract", 3)),
        ("set_pte(a, P|D|pfn(1)) / flush(a) / returns(write=a)", ("safe", None)),
        ("set_pte(a, P|D|pfn(1)) / flush(a) / returns(read=a)", ("safe", None)),
        ("copy_page(1)", ("stable", 2)),
        ("io_start(1) / io_end(1)", ("stable", 2)),
        ("stable(1) / unstable(1)", ("stable", 2)),
        ("flush_cpu(0) / returns(write=a)", ("contract", 3)),
        ("xchg_pte(a, 0) / flush_cpu(0) / free_page(1)", ("uaf-store", 4)),
        ("xchg_pte(a, 0) / flush_cpu(1, a) / free_page(1)", ("safe", None)),
        ("xchg_pte(a, 0) / trust_unmapped(a)", ("false-pending", 2)),
        ("set_pte(a, P|D|pfn(1)) / trust_readonly(a)", ("false-pending", 2)),
        ("set_pte(a, P|D|pfn(1)) / flush_mm() / trust_readonly(a)", ("safe", None)),
        ("set_pte(a, P|D|pfn(1)) / flush_mm() / trust_unmapped(a)", ("false-pending", 3)),
        ("r = cmpxchg_pte(a, 0, 0); fail_if(r, contract)", ("safe", None)),
        ("r = cmpxchg_pte(a, P|W|D|pfn(1), 0); fail_if(r, contract)", ("contract", 1)),
        ("old = read_pte(a) / fail_if(old.pfn == 1 and old.W and not old.N, lost-dirty)", ("lost-dirty", 2)),
        ("old = xchg_pte(a, 0) / put_page(old.pfn)", ("uaf-store", 3)),
        ("get_page(1) / put_page(1)", ("safe", None)),
        ("put_page(1) / put_page(1)", ("unbalanced", 2)),
        ("xchg_pte(a, 0) / flush(a) / put_page(1) / put_page(1)", ("unbalanced", 4)),
    ],
)
def test_stores_meet_stale_translations(kernel: str, expected: tuple[str, int | None]) -> None:
    assert says(kernel, STORE, pages=(Page(1, {"ref": 1}),)) == expected


def test_loads_are_bound_by_reading_only() -> None:
    assert says("xchg_pte(a, 0) / returns(read=a)", "load(a)") == ("contract", 3)
    assert says("xchg_pte(a, 0) / returns(write=a)", "load(a)") == ("safe", None)
    assert says("xchg_pte(a, 0) / free_page(1)", "load(a)") == ("uaf-load", 3)
    assert says("xchg_pte(a, 0) / returns(access=a)", "any()") == ("contract", 3)
    assert says("xchg_pte(b, 0) / returns(read=b)", "any()", b="P|pfn(2)") == ("contract", 3), "the most general client reaches every va"


def test_a_clean_entry_is_walked_again_where_hardware_sets_dirty() -> None:
    kernel = "set_pte(a, P|pfn(1)) / returns(write=a)"
    assert says(kernel, STORE, a="P|W|pfn(1)") == ("safe", None)
    assert says(kernel, STORE, a="P|W|pfn(1)", profile=SOFT) == ("contract", 3)
    assert says("nop()", f"{STORE} / fail_if(pte[a].D, lost-dirty)", a="P|W|pfn(1)") == ("lost-dirty", 2), "the store set D"
    assert says("nop()", f"{STORE} / fail_if(pte[a].D, lost-dirty)", a="P|W|pfn(1)", profile=SOFT) == ("safe", None)


def test_a_user_may_always_fault() -> None:
    assert says("nop()", STORE, a="0") == ("safe", None)


def test_locks_exclude_and_deadlock() -> None:
    assert says("lock(l) / x = 1 / x = 0 / unlock(l)", "lock(l) / fail_if(x, leak) / unlock(l)", variables={"x": 0}) == ("safe", None)
    assert says("x = 1 / x = 0", "lock(l) / fail_if(x, leak) / unlock(l)", variables={"x": 0}) == ("leak", 3)
    assert says("lock(l)", "lock(l)") == ("deadlock", 1)
    assert says("lock_read(l) / unlock_read(l)", "lock_read(l) / unlock_read(l)") == ("safe", None)
    assert says("lock_read(l)", "lock(l)") == ("deadlock", 1)
    assert says("lock(l)", "lock_read(l)") == ("deadlock", 1)
    assert says("unlock(l)") == ("unbalanced", 1)
    assert says("lock(l) / unlock_read(l)") == ("unbalanced", 2)


def test_a_daemon_need_not_finish_and_others_must() -> None:
    assert says("nop()", "tlbi_complete()", profile=ARM) == ("safe", None)
    assert says("nop()", "await x", variables={"x": 0}) == ("deadlock", 1)


def test_flushes_by_ipi_wait_for_interrupts() -> None:
    kernel = "xchg_pte(a, 0) / flush(a) / free_page(1)"
    off = "irq_off() / lock(l) / unlock(l) / irq_on()"
    assert says(f"lock(l) / {kernel} / unlock(l)", off) == ("deadlock", 3)
    assert says(f"lock(l) / {kernel} / unlock(l)", off, profile=PARAVIRT) == ("safe", None)
    assert says(f"lock(l) / {kernel.replace('flush(a)', 'ipi_cpu(1)')} / unlock(l)", off, profile=ARM) == ("deadlock", 3)
    assert says("lock(l) / grace() / unlock(l)", off, profile=ARM) == ("deadlock", 2)


def test_walks_by_software_are_waited_for_by_ipi_only() -> None:
    kernel, walk = "pmd_clear(T) / flush_mm(tables) / free_table(T)", "irq_off() / gup_read(T) / gup_done(T) / irq_on()"
    assert says(kernel, walk, tables=("T",)) == ("safe", None)
    assert says(kernel, walk, tables=("T",), profile=PARAVIRT) == ("uaf-walk", 5)
    assert says(kernel.replace("/ free", "/ grace() / free"), walk, tables=("T",), profile=PARAVIRT) == ("safe", None)
    assert says("flush_mm(tables) / pmd_clear(T) / free_table(T)", tables=("T",)) == ("uaf-walk", 3), "the walk cache fills again"


def test_walk_caches_go_with_freed_tables() -> None:
    assert says("pmd_clear(T) / flush(a) / free_table(T)", tables=("T",)) == ("safe", None)
    assert says("pmd_clear(T) / flush(a) / free_table(T)", tables=("T",), profile=ARM) == ("uaf-walk", 3)
    assert says("pmd_clear(T) / flush(a, tables) / free_table(T)", tables=("T",), profile=ARM) == ("safe", None)
    assert says("pmd_clear(T) / flush(a, tables=x) / free_table(T)", tables=("T",), profile=ARM, variables={"x": 1}) == ("safe", None)
    assert says("pmd_clear(T) / flush(a, tables=x) / free_table(T)", tables=("T",), profile=ARM, variables={"x": 0}) == ("uaf-walk", 3)


def test_lazy_cpus_are_left_out() -> None:
    lazy = "enter_lazy_tlb() / leave_lazy_tlb()"
    assert says("pmd_clear(T) / flush_mm() / free_table(T)", lazy, tables=("T",)) == ("uaf-walk", 4)
    assert says("pmd_clear(T) / flush_mm(tables) / free_table(T)", lazy, tables=("T",)) == ("safe", None)
    assert says("pmd_clear(T) / flush_mm() / free_table(T)", lazy, tables=("T",), profile=XEN) == ("safe", None)
    assert says("xchg_pte(a, 0) / flush(a) / free_page(1)", f"{lazy} / store(a)") == ("safe", None), "it flushes when it comes back"


def test_generations() -> None:
    user = "switch_out() / switch_in() / store(a)"
    good = "set_pte(a, P|D|pfn(1)) / g = inc_gen() / flush_gen(1, g) / returns(write=a)"
    early = "g = inc_gen() / set_pte(a, P|D|pfn(1)) / flush_gen(1, g) / returns(write=a)"
    assert says(good, user) == ("safe", None)
    assert says(early, user) == ("contract", 8)
    assert says(good.replace("g = inc_gen() / ", "g = gen / "), user) == ("contract", 8)
    assert says("g = inc_gen() / mark_done(g) / mark_done(1) / fail_if(done != 2, leak)") == ("safe", None)


def test_counters_and_batches_must_come_out_even() -> None:
    assert says("inc(n)", counters={"n": 0}) == ("leak", 1)
    assert says("dec(n)", counters={"n": 0}) == ("unbalanced", 1)
    assert says("pending_inc() / r = flush_pending() / s = nested() / fail_if(s or not r, contract) / pending_dec()") == ("safe", None)
    assert says("pending_dec()") == ("unbalanced", 1)
    assert says("defer()") == ("leak", 1)
    assert says("defer() / ubc_flush()") == ("safe", None)
    assert says("gather()") == ("leak", 1)
    assert says("gather() / xchg_pte(a, 0); gather_add(a) / gather_flush() / free_page(1) / gather_finish()", STORE) == ("safe", None)
    assert says("gather() / xchg_pte(a, 0); gather_add(a) / gather_finish() / free_page(1)", STORE) == ("safe", None)
    assert says("gather() / xchg_pte(a, 0) / gather_finish() / free_page(1)", STORE) == ("uaf-store", 7)
    assert says("batch_add(a)") == ("leak", 1)


def test_a_nested_gather_flushes_for_the_other() -> None:
    one = "gather() / lock(l) / r = xchg_pte(a, 0); if r.P: gather_add(a) / unlock(l) / gather_finish() / returns(write=a)"
    assert says(one, one, STORE) == ("safe", None)


def test_reclaims_batch() -> None:
    reclaim = "lock(l) / xchg_pte(a, 0) / defer() / unlock(l) / ubc_flush() / free_page(1)"
    unaware = "lock(l) / r = read_pte(a) / unlock(l); if r.P goto end / returns(write=a)"
    assert says(reclaim, unaware, STORE) == ("contract", 9)
    assert says(reclaim, unaware.replace("r = read", "flush_batched() / r = read"), STORE) == ("safe", None)
    assert says("flush_batched() / fail_if(batched, leak)", "batched = 1") == ("leak", 3)


def test_lost_data() -> None:
    page = (Page(1, {"pd": 0, "gd": 1}),)
    assert says("xchg_pte(a, 0) / flush(a)", pages=page) == ("lost-dirty", 2)
    assert says("r = xchg_pte(a, 0); if r.D: set_dirty(1) / flush(a)", pages=page) == ("safe", None)
    assert says("r = xchg_pte(a, 0); if r.D: set_dirty(1) / clear_dirty_for_io(1) / flush(a)", STORE, pages=page) == ("lost-dirty", 4)
    assert says("page_mkclean(a, 1) / clear_dirty_for_io(1)", STORE, pages=page) == ("safe", None)
    assert says("set_dirty(1) / clear_dirty_for_io(1) / xchg_pte(a, 0)", pages=page) == ("safe", None)
    assert says("xchg_pte(a, 0) / flush(a) / free_page(1) / nop()", pages=page) == ("lost-dirty", 3), "where the page is freed, not at the end"


def test_xen_queues_writes_and_not_exchanges() -> None:
    at_once = "flush_cpu(0, a) / flush_cpu(1, a)"
    assert says(f"lazy_enter() / set_pte(a, P|D|pfn(1)) / {at_once} / lazy_leave() / returns(write=a)", STORE, profile=XEN) == ("contract", 7)
    assert says("lazy_enter() / set_pte(a, P|D|pfn(1)) / lazy_leave() / flush(a) / returns(write=a)", STORE, profile=XEN) == ("safe", None)
    assert says("lazy_enter() / xchg_pte(a, 0) / flush(a) / lazy_leave() / returns(write=a)", STORE, profile=XEN) == ("safe", None)
    assert says("lazy_enter() / set_pte(a, 0)", profile=XEN) == ("leak", 2)


def test_xen_queues_flushes_behind_the_writes() -> None:
    assert says("lazy_enter() / set_pte(a, P|D|pfn(1)) / flush(a) / lazy_leave() / returns(write=a)", STORE, profile=XEN) == ("safe", None)
    assert says("lazy_enter() / xchg_pte(a, 0) / flush(a) / returns(write=a) / lazy_leave()", STORE, profile=XEN) == ("contract", 5)
    assert says("lazy_enter() / xchg_pte(a, 0) / flush(a)", profile=XEN) == ("leak", 3)
    assert says("xchg_pte(a, 0) / flush(a) / returns(write=a)", STORE, profile=XEN) == ("safe", None), "outside of the mode at once"


def test_a_modification_takes_the_entry_out_or_only_reads_it() -> None:
    between = "r = start_pte(a) / fail_if(pte[a] == 0, contract) / commit_pte(a, r & ~W)"
    assert says(between) == ("contract", 2)
    assert says(between, profile=XEN) == ("safe", None)
    clean = (Page(1, {"pd": 0, "gd": 0}),)
    slow = "r = start_pte(a) / commit_pte(a, r)"
    for profile in (X86, XEN):
        assert says(slow, STORE, a="P|W|pfn(1)", pages=clean, profile=profile) == ("safe", None)
        assert says(f"lazy_enter() / {slow} / lazy_leave()", STORE, a="P|W|pfn(1)", pages=clean, profile=profile) == ("safe", None)
    plain = slow.replace("commit_pte", "set_pte")
    assert says(plain, STORE, a="P|W|pfn(1)", pages=clean, profile=XEN) == ("lost-dirty", 3), "a plain write keeps nothing"


def test_a_cleaned_entry_records_who_writes_next() -> None:
    clean = "r = xchg_pte(a, 0) / set_pte(a, r & ~D)"
    assert says(f"{clean} / returns(clean=a)", STORE) == ("unrecorded", 4)
    assert says(f"{clean} / flush(a) / returns(clean=a)", STORE) == ("safe", None)
    assert says(f"{clean} / returns(clean=a) / flush(a)", STORE) == ("unrecorded", 4)
    again = f"{clean} / flush(a) / returns(clean=a) / assume(dseen[a]) / xchg_pte(a, 0)"
    assert says(again, f"{STORE} / {STORE}") == ("safe", None), "what the first store has set tells of the second, too"
    assert says(again.replace("assume(dseen[a])", "assume(not dseen[a])"), f"{STORE} / {STORE}") == ("safe", None), "flushed: no store that sets nothing"


def test_elsewhere_there_is_no_queue() -> None:
    assert says("lazy_enter() / set_pte(a, P|D|pfn(1)) / flush(a) / lazy_leave() / returns(write=a)", STORE) == ("safe", None)


def test_batches_of_invalidations() -> None:
    late = "lock(l) / lazy_enter() / xchg_pte(a, 0) / free_page(1) / lazy_leave() / unlock(l)"
    good = "lock(l) / lazy_enter() / xchg_pte(a, 0) / lazy_leave() / free_page(1) / unlock(l)"
    assert says(late, STORE, profile=HASH) == ("uaf-store", 5)
    assert says(late, STORE, profile=SPARC) == ("uaf-store", 6)
    for profile in (HASH, SPARC):
        assert says(good, STORE, profile=profile) == ("safe", None)
        assert says("lazy_enter() / xchg_pte(a, 0) / flush(a) / free_page(1) / lazy_leave()", STORE, profile=profile)[0] == "uaf-store", "flushes are empty"
        assert says("xchg_pte(a, 0) / free_page(1)", STORE, profile=profile) == ("safe", None), "outside of lazy mode the write invalidates"
    assert says("lazy_enter() / set_pte(a, P|pfn(1)) / lazy_leave() / returns(write=a)", STORE, profile=HASH) == ("safe", None)
    assert says("set_pte(a, P|pfn(1)) / returns(write=a)", STORE, profile=S390) == ("safe", None)


def test_an_entry_knows_whether_the_hash_table_has_it() -> None:
    late = "lazy_enter() / r = xchg_pte(a, 0) / set_pte(a, r & ~W) / lock(l) / unlock(l) / lazy_leave()"
    zap = "await pte[a] == 33 / lock(l) / xchg_pte(a, 0) / flush(a) / unlock(l) / returns(access=a)"
    assert says(late, zap.replace("33", "P|D|pfn(1)"), STORE, profile=HASH)[0] == "contract", "built anew it says no, and the zap invalidates nothing"
    kept = late.replace("r = xchg_pte(a, 0) / set_pte(a, r & ~W)", "set_pte(a, P|D|pfn(1))")
    assert says(kept, zap.replace("33", "P|D|pfn(1)"), STORE, profile=HASH) == ("safe", None), "changed in place it still says yes"


def test_one_hash_entry_for_an_address() -> None:
    again = "set_pte(a, P|W|pfn(2)) / hash_insert(a)"
    assert says(f"lazy_enter() / xchg_pte(a, 0) / {again} / lazy_leave()", profile=HASH) == ("dup-hash", 4)
    assert says(f"xchg_pte(a, 0) / {again}", profile=HASH) == ("safe", None)
    assert says("lazy_enter() / xchg_pte(a, 0) / set_pte(a, P|W|pfn(2)) / lazy_leave()", STORE, profile=HASH) == ("dup-hash", 4), "a hash fault inserts"


def test_broadcasts_by_hand() -> None:
    assert says("xchg_pte(a, 0) / tlbi(a) / free_page(1)", "tlbi_complete()", STORE, profile=ARM) == ("uaf-store", 4)
    assert says("xchg_pte(a, 0) / tlbi(a) / dsb() / free_page(1)", "tlbi_complete()", STORE, profile=ARM) == ("safe", None)
    assert says("xchg_pte(b, 0) / tlbi(a) / dsb() / free_page(2)", "tlbi_complete()", "store(b)", b="P|W|D|pfn(2)", profile=ARM) == ("uaf-store", 6)


def test_devices_keep_their_own_translations() -> None:
    kernel = "xchg_pte(a, 0) / flush(a) / free_page(1)"
    assert says(kernel, "dev_store(a)") == ("uaf-device", 4)
    assert says(kernel, "dev_load(a)") == ("uaf-device", 4)
    assert says(kernel.replace("/ free", "/ mn_inval(a) / free"), "dev_store(a)") == ("safe", None)
    assert says("mn_inval(a) / xchg_pte(a, 0) / free_page(1)", "dev_store(a)") == ("uaf-device", 4), "it fills again"
    assert says("mn_start(a) / xchg_pte(a, 0) / free_page(1) / mn_end(a)", "dev_store(a)") == ("safe", None)
    assert says("mn_start(a) / mn_end(a) / xchg_pte(a, 0) / free_page(1)", "dev_store(a)") == ("uaf-device", 5)


def test_explicit_walks_set_the_accessed_bit() -> None:
    def found(kernel: str) -> str:
        threads = (Thread("k", 0, tuple(step(part) for part in kernel.split(" / "))), Thread("u", 1, (step("walk(a)"), step("cached_store(a)"))))
        return explore(Model("test", X86, threads, 2, (Va("a", "P|W|D|pfn(1)", explicit=True),))).verdict

    assert found("r = xchg_pte(a, 0) / if not r.A goto l / flush(a) / l: free_page(1)") == "safe"
    assert found("r = read_pte(a) / set_pte(a, 0) / if not r.A goto l / flush(a) / l: free_page(1)") == "uaf-store"


def test_control_flow() -> None:
    assert says("x = 3 / if x == 3 goto l / fail_if(1, leak) / l: nop()") == ("safe", None)
    assert says("l: x = x + 1 / if x < 4 goto l / fail_if(x == 4, leak)") == ("leak", 5), "loops count their steps"
    assert says("goto end / fail_if(1, leak)") == ("safe", None)
    assert says("r = 1 / assume(r == 2) / fail_if(1, leak)") == ("safe", None)
    assert says("if y goto l / fail_if(1, leak) / l: nop()", variables={"y": 1}) == ("safe", None)
    assert run("if y goto l / l: nop()", variables={"y": 1}).states == 3, "a test of a shared variable is a step"
    assert run("r = 0 / if r goto l / l: nop()").states == 3, "one of a register is none"
    assert says("if y: y = 0; fail_if(y, leak)", variables={"y": 1}) == ("safe", None)
    assert says("if y: if z: fail_if(1, leak)", variables={"y": 1, "z": 1}) == ("leak", 1)
    assert says("y = 5; z = y + 255 / fail_if(z != 4 or y & 1 != 1 or ~y != 250, leak)", variables={"y": 0, "z": 0}) == ("safe", None)
    assert says("r = cmpxchg(y, 0, 7) / s = cmpxchg(y, 0, 9) / fail_if(not r or s or y != 7, leak)", variables={"y": 0}) == ("safe", None)


def test_alternatives() -> None:
    def with_ways(*others: str) -> Outcome:
        return explore(Model("test", X86, (Thread("t", 0, (step("either x = 1", alternatives=others), step("l: fail_if(x == 2, leak)"))),), variables={"x": 0}))

    assert with_ways("x = 3").verdict == "safe"
    assert with_ways("x = 3", "x = 2").length == 2
    assert with_ways("x = 2; goto end").verdict == "safe"
    assert with_ways("await x == 9; x = 2").verdict == "safe"


def test_properties_of_all_states_and_of_some() -> None:
    checks = (Check("never two", "x != 2", "leak"),)
    assert says("x = 1 / x = 2 / x = 3", variables={"x": 0}, checks=checks) == ("leak", 2)
    some = (Check("one", "x == 1"), Check("nine", "x == 9"), Check("held", "t0.r == 4"))
    assert run("x = 1 / r = 4", variables={"x": 0}, checks=some).sometimes == {"one": True, "nine": False, "held": True}


def test_a_bound_stops_the_search_with_its_figures() -> None:
    # Counters that all threads write: nothing for the reduction to take alone.
    busy = " / ".join(["x = x + 1", "y = y + x"] * 6)
    outcome = run(busy, busy, busy, variables={"x": 0, "y": 0}, bounds=Bounds(500))
    assert outcome.verdict == "inconclusive: bound"
    assert outcome.length is None
    assert 500 < outcome.states < 600
    assert outcome.transitions > 500


def test_steps_that_nobody_notices_are_taken_alone_when_it_is_too_big() -> None:
    alone = " / ".join(f"r{at} = {at}" for at in range(1, 12))
    assert run(alone, alone, alone, bounds=Bounds(3000)).states == 12**3
    outcome = run(alone, alone, alone, bounds=Bounds(1000))
    assert (outcome.verdict, outcome.states) == ("safe", 34)


def test_a_thread_that_goes_round_does_not_put_others_off() -> None:
    assert says("l: r = 1 / goto l", "x = 1 / fail_if(x, leak)", variables={"x": 0}, bounds=Bounds(1))[0] in ("leak", "inconclusive: bound")
    from tlblint.sim.explore import Explorer
    from tlblint.sim.lower import lower

    threads = (Thread("round", 0, (step("l: r = 1 - r"), step("goto l"))), Thread("bad", 0, (step("x = 1"), step("fail_if(x, leak)"))))
    program = lower(Model("test", X86, threads, variables={"x": 0}))
    assert Explorer(program, reduced=True).run(100).length is not None


def test_coverage_and_usefulness_are_counted_by_step() -> None:
    outcome = run("flush(a) / xchg_pte(a, 0) / flush(a) / if y goto l / free_page(1) / l: nop()", variables={"y": 1})
    assert outcome.usefulness == {("t0", 0): (0, 1), ("t0", 2): (1, 1)}
    assert ("t0", 4) not in outcome.coverage
    assert outcome.coverage["t0", 5] == 1


def test_switches_are_the_fewest_among_the_shortest() -> None:
    outcome = run("nop() / nop() / x = 1", "nop() / nop() / await x; fail_if(1, leak)", variables={"x": 0})
    assert (outcome.length, outcome.switches) == (6, 1)
