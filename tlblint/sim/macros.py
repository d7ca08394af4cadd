"""Ops that are several steps by nature, as steps. Names that end in ``_`` are labels and registers of the expansion."""

from __future__ import annotations

MACROS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "flush_batched": (
        (),
        (
            'if not batched goto done_ "nothing is deferred / a flush is deferred"',
            'flush_mm() "flushes"',
            'batched = 0 "takes the flag back"',
            "done_:",
        ),
    ),
    "switch_in": (
        (),
        (
            'loaded[cpu] = 1; next_ = gen "mm loaded, reads its generation"',
            'if lgen[cpu] < next_: flush_cpu(cpu); lgen[cpu] = next_ "flush if behind"',
        ),
    ),
    "gather_finish": (
        (),
        (
            'nested_ = nested() "mm_tlb_flush_nested()"',
            'if gathered or nested_: flush_mm(); gathered = 0 "flushes if something was gathered or another flush is pending"',
            'pending_dec() "dec_tlb_flush_pending()"',
        ),
    ),
    "page_mkclean": (
        ("va", "page"),
        (
            'seen_ = read_pte(va) "reads the entry"',
            "if not (seen_.P and (seen_.W or seen_.D)) goto done_",
            'old_ = xchg_pte(va, 0) "clears it"',
            'flush(va) "flushes"',
            'set_pte(va, old_ & ~(W|D)); if old_.D: set_dirty(page) "puts it back clean and read-only, D goes to the page"',
            "done_:",
        ),
    ),
}
"""Name -> (parameters, lines of the scenario language)."""
