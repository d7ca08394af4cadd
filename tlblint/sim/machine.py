"""The machine under a program: which bytes there are, what a TLB may hold after each write, what a flush leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tlblint.sim.errors import ScenarioError
from tlblint.sim.ir import TRUE, Bin, Const, Effect, Expr, Fail, Look, Not, Set, Var, When, code_of, conj, eq
from tlblint.sim.model import Model

P, W, D, N, A = 1, 2, 4, 8, 64
BITS = {"P": P, "W": W, "D": D, "N": N, "A": A}
PAGES = (1, 2, 3)


def pfn(value: int) -> int:
    """The page number in an entry."""
    return value >> 4 & 3


def reads(page: int) -> int:
    """The bit of a set of translations: loads reach ``page``."""
    return 1 << (page - 1)


def writes(page: int) -> int:
    """The bit of a set of translations: stores reach ``page`` and leave the entry alone."""
    return 8 << (page - 1)


def _visible(needs: int) -> bytes:
    table = bytearray(256)
    for value in range(256):
        if value & P and pfn(value):
            table[value] = reads(pfn(value)) | (writes(pfn(value)) if value & needs == needs else 0)
    return bytes(table)


VISIBLE = {"dirty": _visible(P | W | D), "writable": _visible(P | W)}
"""What an entry lets a CPU cache, by what a store needs."""

PFN = bytes(pfn(value) for value in range(256))
FLIP = bytes(255 - value for value in range(256))
BIT = {name: bytes(int(bool(value & bit)) for value in range(256)) for name, bit in BITS.items()}
ASSIST = {page: bytes(int(pfn(value) == page and value & (P | W | D) == P | W) for value in range(256)) for page in PAGES}
"""Hardware may set D and let a store through to this page."""
WRITABLE = {page: bytes(int(pfn(value) == page and value & (P | W) == P | W) for value in range(256)) for page in PAGES}
READABLE = {page: bytes(int(pfn(value) == page and bool(value & P)) for value in range(256)) for page in PAGES}
DIRTY = {page: bytes(int(pfn(value) == page and bool(value & D)) for value in range(256)) for page in PAGES}

STARTS = {"loaded": 1, "irq": 1, "lgen": 1, "pmd": 1, "pwc": 1}
SCALARS = {"gen": 1, "done": 1, "batched": 0, "pending": 0, "tlbi": 0}
"""Bytes of the mm and their start."""

ELEMENTS = {
    "pte": "v", "tlb": "cv", "dev": "v", "hpt": "v", "hashed": "v", "wforbid": "v", "rforbid": "v", "dforbid": "v", "dseen": "v",
    "pmd": "t", "freed": "t", "pwc": "ct", "walk": "ct",
    "free": "p", "ref": "p", "pd": "p", "gd": "p", "cp": "p", "io": "p", "stable": "p", "mapped": "p", "loaded": "c", "lazy": "c", "irq": "c", "lgen": "c",
}  # fmt: skip
"""Bytes of a va, CPU, page or page table: what stands between the brackets."""
PAGE_FIELDS = tuple(name for name, kinds in ELEMENTS.items() if kinds == "p")
Asked = tuple[str, str, object]
"""(need, has, page or pages; of what; the answer)"""


class Machine:
    """The bytes that a model has so far, and the effects of what hardware does to them.

    Bytes come into being when an op first needs them; ``has`` is complete only when lowering was done once before.
    ``fill``: translations are cached by steps of their own instead of all at once (a check of the quicker way).
    """

    def __init__(self, model: Model, known: dict[str, int], pages: Collection[int], fill: bool = False) -> None:
        self.model = model
        self.profile = model.profile
        self.init = dict(known)
        self.asked: list[Asked] | None = None
        """What is asked for, where somebody wants to know."""
        self._pages = set(pages)
        self.fill = fill
        self.vas = [va.name for va in model.vas]
        self.explicit = {va.name for va in model.vas if va.explicit}
        self.tlb_cpus = tuple(model.tlbs) if model.tlbs is not None else tuple(range(model.cpus))
        self.visible = VISIBLE[self.profile.store_needs]

    # -- bytes

    def need(self, name: str) -> Var:
        """The byte ``name``, made if there is none."""
        if self.asked is not None:
            self.asked.append(("need", name, None))
        if name not in self.init:
            base = name.partition("[")[0]
            if base in ("dev", "hpt", "tlb"):
                self.init[name] = self.cached_at_start(name)
            elif base == "hashed":
                self.init[name] = int(self.cached_at_start(name) > 0)
            else:
                self.init[name] = SCALARS.get(name, STARTS.get(base, 0))
        return Var(name)

    def cached_at_start(self, name: str) -> int:
        """What a set of translations holds at the start: what the entry allows; nothing while walks are steps."""
        va = name.rstrip("]").replace("[", ",").split(",")[-1]
        return 0 if va in self.explicit else self.visible[self.init[f"pte[{va}]"]]

    def has(self, name: str) -> bool:
        """Whether there is a byte ``name``."""
        if self.asked is not None:
            self.asked.append(("has", name, name in self.init))
        return name in self.init

    @property
    def pages(self) -> frozenset[int]:
        """The pages that the model has."""
        found = frozenset(self._pages)
        if self.asked is not None:
            self.asked.append(("pages", "", found))
        return found

    @property
    def fixed(self) -> tuple[object, ...]:
        """All else that code depends on."""
        model = self.model
        names = (tuple(self.vas), frozenset(self.explicit), model.tables, model.locks, frozenset(model.variables), frozenset(model.counters))
        return (self.profile, self.fill, model.cpus, self.tlb_cpus, *names)

    def page(self, number: int) -> int:
        """A page, noted as one that the model has. Raises ScenarioError."""
        if number not in PAGES:
            raise ScenarioError(f"page {number} does not exist: expected 1, 2 or 3")
        if self.asked is not None:
            self.asked.append(("page", str(number), None))
        self._pages.add(number)
        return number

    # -- translations

    def saturate(self, va: str) -> list[Effect]:
        """The entry of ``va`` was written: all that it allows may be cached from now on by every CPU that has the mm."""
        found: list[Effect] = []
        seen = Look(self.visible, Var(f"pte[{va}]"))
        if self.profile.entries == "tlb" and not self.fill and va not in self.explicit:
            for cpu in self.tlb_cpus:
                name = f"tlb[{cpu},{va}]"
                found += self._if_loaded(cpu, Set(name, Bin("|", Var(name), seen)))
        if self.has(f"dev[{va}]"):
            fill: Effect = Set(f"dev[{va}]", Bin("|", Var(f"dev[{va}]"), seen))
            found.append(When(eq(f"held[{va}]", 0), (fill,)) if self.has(f"held[{va}]") else fill)
        return found

    def load(self, cpu: int) -> list[Effect]:
        """A CPU has the mm from now on."""
        if self.profile.entries != "tlb" or self.fill or cpu not in self.tlb_cpus:
            return []
        names = [(f"tlb[{cpu},{va}]", va) for va in self.vas if va not in self.explicit]
        return [Set(name, Bin("|", Var(name), Look(self.visible, Var(f"pte[{va}]")))) for name, va in names]

    def _if_loaded(self, cpu: int, effect: Effect) -> list[Effect]:
        return [When(Var(f"loaded[{cpu}]"), (effect,))] if self.has(f"loaded[{cpu}]") else [effect]

    def drop(self, cpu: int, vas: Iterable[str]) -> list[Effect]:
        """A CPU's translations go, but what the entries allow may be cached again at once if the mm is loaded."""
        found: list[Effect] = []
        if self.profile.entries != "tlb" or cpu not in self.tlb_cpus:
            return found
        for va in vas:
            name = f"tlb[{cpu},{va}]"
            if self.fill or va in self.explicit:
                found.append(Set(name, Const(0)))
                continue
            found.append(Set(name, Look(self.visible, Var(f"pte[{va}]"))))
            if self.has(f"loaded[{cpu}]"):
                found.append(When(Not(Var(f"loaded[{cpu}]")), (Set(name, Const(0)),)))
        return found

    def drop_walks(self, cpu: int) -> list[Effect]:
        """A CPU's walk caches go; tables still linked may be cached again."""
        return [Set(f"pwc[{cpu},{table}]", Var(f"pmd[{table}]")) for table in self.model.tables if self.has(f"pwc[{cpu},{table}]")]

    def shoot(self, vas: Iterable[str], tables: Expr | None) -> list[Effect]:
        """A flush of ``vas`` on all CPUs. ``tables``: whether page tables were freed (None: no)."""
        vas = list(vas)
        found: list[Effect] = []
        for cpu in range(self.model.cpus):
            here = self.drop(cpu, vas)
            walks = self.drop_walks(cpu)
            if walks and self.profile.leaf_only:
                walks = [] if tables is None else [When(tables, tuple(walks))]
            here += walks
            if self.profile.skip_lazy and self.has(f"lazy[{cpu}]"):
                awake: Expr = Not(Var(f"lazy[{cpu}]"))
                here = [When(awake if tables is None else Bin("or", awake, tables), tuple(here))]
            found += here
        if self.profile.entries == "hash":
            found += [Set(f"hpt[{va}]", Const(0)) for va in vas if self.has(f"hpt[{va}]")]
        return found

    def acknowledged(self, own: int) -> list[Expr]:
        """What a flush from CPU ``own`` waits for."""
        if self.profile.shootdown != "ipi":
            return []
        return [Var(f"irq[{cpu}]") for cpu in range(self.model.cpus) if cpu != own and self.has(f"irq[{cpu}]")]

    # -- pages

    def lost(self, page: int) -> Expr | None:
        """Whether data of a page is neither on disk nor marked dirty anywhere; None when that is not followed."""
        if not (self.has(f"gd[{page}]") and self.has(f"pd[{page}]")):
            return None
        return conj([Var(f"gd[{page}]"), Not(Var(f"pd[{page}]")), *(Not(Look(DIRTY[page], Var(f"pte[{va}]"))) for va in self.vas)])

    def stored(self, va: str, page: int) -> list[Effect]:
        """A store through a translation of ``va`` reaches ``page``."""
        found: list[Effect] = []
        for violation, name in (("uaf-store", f"free[{page}]"), ("contract", f"wforbid[{va}]")):
            if self.has(name):
                found.append(Fail(code_of(violation), Var(name)))
        if self.has(f"dforbid[{va}]"):
            told = Bin("or", self.need(f"dseen[{va}]"), Look(DIRTY[page], Var(f"pte[{va}]")))
            found.append(Fail(code_of("unrecorded"), Bin("and", Var(f"dforbid[{va}]"), Not(told))))
        found += [Fail(code_of("stable"), Var(name)) for name in (f"cp[{page}]", f"io[{page}]", f"stable[{page}]") if self.has(name)]
        if self.has(f"gd[{page}]"):
            found.append(Set(f"gd[{page}]", TRUE))
        return found

    def loaded_from(self, va: str, page: int) -> list[Effect]:
        """A load through a translation of ``va`` reaches ``page``."""
        pairs = (("uaf-load", f"free[{page}]"), ("contract", f"rforbid[{va}]"))
        return [Fail(code_of(violation), Var(name)) for violation, name in pairs if self.has(name)]
