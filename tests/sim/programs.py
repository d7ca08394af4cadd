"""Random models: small, of every op that can stand among others, on machines with TLBs."""

from __future__ import annotations

import random

from tlblint.sim import Model, Page, Profile, Thread, Va, step
from tlblint.sim.syntax import Line

ENTRIES = ("P|W|D|pfn(1)", "P|W|pfn(1)", "P|D|pfn(2)", "P|W|D|pfn(2)", "0", "N|pfn(1)")


def machine(rng: random.Random) -> Profile:
    """A machine with TLBs and a random choice of everything else."""
    dirty = rng.random() < 0.6
    return Profile(
        "random",
        store_needs="dirty" if dirty else "writable",
        hw_dirty=dirty,
        shootdown=rng.choice(("ipi", "hypercall", "broadcast")),
        skip_lazy=rng.random() < 0.5,
        leaf_only=rng.random() < 0.5,
        lazy_mmu=rng.choice(("nothing", "nothing", "queue", "batch")),
        implied_flush=rng.random() < 0.15,
        empty_flush=rng.random() < 0.1,
        modify=rng.choice(("clear", "read")),
    )


def kernel_step(rng: random.Random) -> str:
    """A step of a kernel thread. What needs a partner is rare here: see ``PAIRS``."""
    va, other = rng.choice(("ab", "ba"))
    page = rng.choice((1, 2))
    if rng.random() < 0.04:
        return rng.choice(("unlock(l)", "lock(m)", "inc(n)", "dec(n)", "pending_dec()", "defer()", "gather_finish()", "irq_off()", f"put_page({page})"))
    return rng.choice(
        (
            f"r = read_pte({va})", f"r = xchg_pte({va}, 0)", f"r = xchg_pte({va}, 0)", f"set_pte({va}, r & ~W)", f"set_pte({va}, {rng.choice(ENTRIES[:4])})",
            f"set_pte({other}, r)", f"r = start_pte({va})", f"commit_pte({va}, r & ~W)", f"returns(clean={va})",
            f"s = cmpxchg_pte({va}, r, r & ~(W|D))", f"flush({va})", f"flush({va})", "flush_mm()",
            f"flush_cpu(1, {va})", "ipi_cpu(1)",
            f"free_page({page})", f"free_page({page})", f"returns(write={va})", f"returns(access={va})", f"returns(read={va})", f"trust_readonly({va})",
            f"trust_unmapped({va})", f"copy_page({page})", f"set_dirty({page})", f"snapshot({page})", f"clear_dirty_for_io({page})",
            "flush_batched()", "q = flush_pending()", "x = x + 1", "g = inc_gen()", "flush_gen(1, g)", "pmd_clear(T)", "free_table(T)", "flush_mm(tables)",
            f"if r.P: flush({va})", f"if r.W: set_pte({va}, r & ~W)", "if x: x = 0", "assume(r.P)", "gup_read(T)", "gup_done(T)", "grace()",
            f"page_mkclean({va}, {page})", f"io_start({page})", f"io_end({page})", f"mn_inval({va})",
        )
    )  # fmt: skip


PAIRS = (
    ("lock(l)", "unlock(l)"), ("lock(l)", "unlock(l)"), ("lock_read(m)", "unlock_read(m)"), ("lock(m)", "unlock(m)"), ("irq_off()", "irq_on()"),
    ("lazy_enter()", "lazy_leave()"), ("defer()", "ubc_flush()"), ("gather()", "gather_finish()"), ("pending_inc()", "pending_dec()"), ("inc(n)", "dec(n)"),
)  # fmt: skip


def user_step(rng: random.Random) -> str:
    """A step of a thread on a CPU that runs the user's program."""
    return rng.choice(
        (
            "store(a)",
            "store(b)",
            "load(a)",
            "load(b)",
            "any()",
            "store(a)",
            "switch_out()",
            "switch_in()",
            "enter_lazy_tlb()",
            "leave_lazy_tlb()",
            "dev_store(a)",
        )
    )


def kernel(rng: random.Random, count: int) -> tuple[Line, ...]:
    """``count`` steps within pairs of brackets, with branches forward and now and then a loop."""
    texts = [kernel_step(rng) for _ in range(count)]
    for _ in range(rng.choice((0, 1, 1, 2))):
        first, last = rng.choice(PAIRS)
        at = rng.randrange(len(texts))
        texts.insert(at, first)
        texts.insert(rng.randrange(at + 1, len(texts) + 1), last)
    lines = ["r = 0; q = 0; g = 1"]
    for at, text in enumerate(texts):
        if rng.random() < 0.15:
            lines.append(f"if {rng.choice(('not r.P', 'q', 'x', 'batched', 'r.W'))} goto l{rng.randrange(at + 1, len(texts) + 1)}")
        lines.append(f"l{at}: {text}")
    if rng.random() < 0.1:
        lines.append(f"i = i + 1; if i < 2 goto l{rng.randrange(len(texts))}")
    return tuple(step(line) for line in (*lines, f"l{len(texts)}:"))


def model(seed: int, least: int = 2, most: int = 5) -> Model:
    """The random model of a seed."""
    rng = random.Random(seed)
    threads = [Thread(f"k{at}", at % 2, kernel(rng, rng.randint(least, most))) for at in range(rng.choice((1, 2, 2)))]
    threads.append(Thread("u", 1, tuple(step(user_step(rng)) for _ in range(rng.choice((1, 1, 2)))), "user"))
    vas = (Va("a", rng.choice(ENTRIES)), Va("b", rng.choice(ENTRIES)))
    pages = (Page(1, {"ref": 1}),)
    return Model(f"random {seed}", machine(rng), tuple(threads), 2, vas, ("l", "m"), pages, ("T",), {"x": 0}, {"n": 0})
