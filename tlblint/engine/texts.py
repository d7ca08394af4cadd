"""What a function says by its text alone, in one pass over its instructions: whether it is worth running, what it calls, which flags it speaks of.

Everything here may be asked where the file is read, and be kept with its facts: it rests on the function and the tables, on no other function.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache, partial

from tlblint.calls.walks import assigned, handing, struct_of
from tlblint.engine import announced, members
from tlblint.engine.compile import ENTRY_NAME, PTL_NAME, SPINLOCK, flagged, may_wait
from tlblint.engine.marks import FLUSHY, IGNORES, NUMBERS, gather, is_live, kept_name, last, of_space, reads
from tlblint.engine.said import Flags, Text
from tlblint.model.ir import Block, Expr, Function, Instr
from tlblint.model.roles import Effect, Role

CARRYING = (
    "ptl.acquire", "ptl.release", "lazy.", "entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "section.", "pending.",
    "gather.begin", "gather.end", "notifier.", "unmap.batch", "generation.take",
)
"""Effects that create or end state which outlives the call."""

MATTERING = (*CARRYING, "gather.", "flush.", "unmap.", "generation.", "page.dirty", "page.copy", "table.free", "rmap.unlock", "entry.install", "batch.")
"""Effects for which a helper is worth following into."""

_STORED = frozenset({"entry.install", "value.stale"})
"""What ``*pte = ...`` raises."""

_TO_ENTRIES = frozenset({"pte_t *", "pmd_t *", "pud_t *"})
_SWITCHES = frozenset({"flag.clear", "flag.swap"})
_WIDEN = {"min": "addr", "min_t": "addr", "umin": "addr", "max": "end", "max_t": "end", "umax": "end"}
_COMMON = frozenset({"start", "end"})
"""Fields of too many structures to be told apart by their name."""
_ORDERED = frozenset({"generation.take", "cpus.read"})
"""Who takes the number of a TLB generation and asks which CPUs an address space is on has to do it in the right order."""
_READING = frozenset({"v", "op", "!", "~", "-"})
"""Expressions that read a path."""
_NONE: frozenset[str] = frozenset()


class _Call:
    """What a call of a name with so many arguments means. ``events`` and ``effects`` are kinds, the former as the rules hear of them; ``walk``: the
    effect that starts a walk; ``switches``: effects that take flags back; ``flushes``: the numbered operands of each that flushes at once."""

    def __init__(self, role: Role | None) -> None:
        self.role = role
        effects = role.effects if role is not None else ()
        kinds = [effect.kind for effect in effects]
        self.effects = frozenset(kinds)
        if any(e.kind == "value.derive" and "clean" in e.attrs for e in effects):
            kinds.append("value.clean")
        self.events = _events(kinds)
        self.lock = any(kind.startswith("lock.") for kind in kinds)
        self.carries = self.lock or any(kind.startswith(CARRYING) for kind in kinds)
        self.matters = self.lock or any(kind.startswith(MATTERING) for kind in kinds)
        self.walk = next((e for e in effects if e.kind == "walk.range"), None)
        self.switches = [e for e in effects if e.kind in _SWITCHES]
        self.flushes = [[(what, int(how)) for what, how in e.bind if how.isdigit()] for e in effects if e.kind == "flush.now"]


class Texts:
    """Asks functions. ``slots``: (struct, slot) of the tables whose callbacks are walked."""

    def __init__(self, roles: Callable[[str, int], Role | None], slots: Collection[tuple[str, str]]) -> None:
        self._roles = roles
        self.slots = slots
        self.structs = {struct for struct, _ in slots}
        self._calls: dict[tuple[str, int], _Call] = {}

    def of(self, fn: Function) -> Text:
        """The answers of a function."""
        return _Reading(self, fn).text()

    def call(self, name: str, nargs: int) -> _Call:
        """What a call means."""
        known = self._calls.get((name, nargs))
        if known is None:
            known = self._calls[name, nargs] = _Call(self._roles(name, nargs))
        return known

    def role(self, name: str, nargs: int) -> Role | None:
        """The role of a call."""
        return self.call(name, nargs).role

    def walk(self, instr: Instr) -> Effect | None:
        """The effect of a call that starts a walk."""
        return self.call(instr[2], len(instr[3])).walk


def _events(kinds: list[str]) -> frozenset[str]:
    """The events that effects raise: spinlock operations may be PTL operations, a clear or a store makes earlier reads stale."""
    out = set(kinds)
    if "lock.acquire" in out:
        out.add("ptl.acquire")
    if "lock.release" in out:
        out.add("ptl.release")
    if not out.isdisjoint(("entry.clear", "entry.start", "entry.install")):
        out.add("value.stale")
    if "entry.commit" in out:
        out.add("value.commit")
    return frozenset(out)


class _Reading:
    """One function, instruction by instruction."""

    def __init__(self, texts: Texts, fn: Function) -> None:
        self._texts, self._fn = texts, fn
        self._given = {name for name, type_ in fn.params if type_ == SPINLOCK} if fn.static else set()
        self._pointed = [("v", "*" + name) for name, type_ in fn.params if type_.removeprefix("const ") in _TO_ENTRIES]
        self._params = {name for name, _ in fn.params}
        self._carries = self._matters = self._clears = self._stores = self._fills = self._generations = False
        self._gathers = any("mmu_gather" in type_ for _, type_ in fn.params)
        self._names: dict[str, None] = {}
        self._walking: list[Instr] = []
        self._kinds: set[str] = set()
        self._effects: set[str] = set()
        self._taken: set[str] = set()
        self._widened: set[str] = set()
        self._written: set[str] = set()
        self._sure: set[str] = set()
        self._reads: set[str] = set()
        self._raised: set[str] = set()
        self._cleared: set[str] = set()
        self._flushes: list[list[tuple[str, Expr]]] = []
        for block in fn.blocks:
            self._block(block)

    def text(self) -> Text:
        """What came of it."""
        fn, texts = self._fn, self._texts
        answers = self._stores or any(block.kind == "return" and block.cond is not None for block in fn.blocks)
        hands = any("fn" in effect.attrs for instr in self._walking if (effect := texts.walk(instr)) is not None)
        return Text(
            self._carries, self._matters, frozenset(self._kinds), tuple(self._names), tuple(self._walking), tuple(handing(fn, texts.walk)) if hands else (),
            tuple(assigned(fn, texts.slots)) if self._fills else (), answers, texts.role(fn.name, len(fn.params)) is not None, frozenset(self._taken),
            frozenset(self._widened), self._clears, self._words(), self._flags(),
        )  # fmt: skip

    def _words(self) -> frozenset[str]:
        fn = self._fn
        words = members.told(fn) if self._gathers or self._generations else _NONE
        if not self._effects.isdisjoint(announced.FLUSHES):
            words |= announced.told(fn, self._texts.role, partial(_announcing, fn))
        ignored = {IGNORES + name for name in self._written if not is_live(fn, name)}
        return words | ignored | ({NUMBERS} if self._effects >= _ORDERED else _NONE)

    def _flags(self) -> Flags | None:
        binds = [bind for some in self._flushes for bind in some]
        kept = frozenset(f"{kept_name(expr[1], self._fn)}/{what}" for what, expr in binds if what in ("addr", "end") and expr[0] == "v")
        if len(self._flushes) > 1:
            self._sure.add("flush.twice")
        if not (self._sure or self._reads or self._raised or self._cleared or kept):
            return None
        return Flags(frozenset(self._sure), frozenset(self._reads), frozenset(self._raised), frozenset(self._cleared), kept)

    def _block(self, block: Block) -> None:
        calls: dict[int, Instr] = {}
        for instr in block.instrs:
            tag = instr[0]
            if tag == "call":
                calls[instr[1]] = instr
                self._call(instr)
            elif tag == "set":
                self._set(instr, calls)
            elif tag == "decl":
                self._gathers |= "mmu_gather" in instr[2]
                self._fills |= struct_of(instr[2]) in self._texts.structs
            elif tag == "icall":
                self._generations |= any((arg[0] == "v" or arg[0] == "&") and "gen" in arg[1] for arg in instr[3])
        if block.kind == "branch" and block.cond is not None and block.cond[0] in _READING:
            self._read(block.cond)

    def _call(self, instr: Instr) -> None:
        args = instr[3]
        known = self._texts.call(instr[2], len(args))
        for arg in args:
            tag = arg[0]
            if tag == "v" or tag == "&":
                if "gen" in arg[1]:
                    self._generations = True
            elif tag == "k" and known.role is None and may_wait(arg):
                self._kinds.add("sleep")
        if known.role is None:
            self._names[instr[2]] = None
            return
        if known.walk is not None:
            self._walking.append(instr)
        if not known.lock or any(arg[0] in "v&" and (PTL_NAME.search(arg[1]) or arg[1] in self._given) for arg in args):
            self._carries |= known.carries
            self._matters |= known.matters
        self._kinds |= known.events if "unmap.batch" not in known.events else _events([e.kind for e in known.role.effects if flagged(self._fn, e.when, args)])
        if "entry.read" not in self._kinds and any(_is_entry(arg) or arg in self._pointed for arg in args):
            self._kinds.add("entry.read")
        self._effects |= known.effects
        self._flushes += [[(what, args[at]) for what, at in flush] for flush in known.flushes]
        for effect in known.switches:
            self._switch(effect, instr)

    def _switch(self, effect: Effect, instr: Instr) -> None:
        """A call that takes a flag back."""
        bind = dict(effect.bind)
        path = _operand(bind["flag"], instr[3])
        if path and of_space(path, self._fn) and _speaks_of_flush(path, bind.get("bit", ""), instr):
            self._taken.add(last(path))
            self._clears = True

    def _set(self, instr: Instr, calls: dict[int, Instr]) -> None:
        _, path, expr, _ = instr
        tag = expr[0]
        if path in self._params:
            self._written.add(path)
        if path[0] == "*":
            self._stores = True
            if ENTRY_NAME.search(path):
                self._kinds |= _STORED
                self._matters = True
        if tag == "v" or tag == "&":
            if "gen" in expr[1]:
                self._generations = True
            if tag == "v" and expr[1][0] == "*" and ENTRY_NAME.search(expr[1]):
                self._kinds.add("entry.read")
        elif tag == "t":
            self._widen(path, calls.get(expr[1]))
        if "gen" in path:
            self._generations = True
        if tag in _READING:
            self._read(expr)
        if path[-1] == "]" and tag in "tv":
            self._sure.add("value.kept")
        if "->" in path:
            self._stores = True
            if tag == "n" and of_space(path, self._fn):
                self._switched(last(path), expr)
        if ("." in path or "->" in path) and expr != ("n", 0) and gather(path, self._fn) is not None:
            self._sure.add("gather.mark")

    def _switched(self, flag: str, expr: Expr) -> None:
        """A flag of an address space is given a number."""
        (self._raised if expr[1] else self._cleared).add(flag)
        if expr == ("n", 0) and _is_flushy(flag):
            self._taken.add(flag)

    def _widen(self, path: str, made: Instr | None) -> None:
        if made is not None and made[2] in _WIDEN and ("v", path) in made[3] and last(path) not in _COMMON:
            self._widened.add(kept_name(path, self._fn) + "/" + _WIDEN[made[2]])

    def _read(self, expr: Expr) -> None:
        """What an expression asks."""
        for path in reads(expr):
            if "->" in path and of_space(path, self._fn):
                self._reads.add(last(path))
            if ("." in path or "->" in path) and not path.endswith("fullmm") and gather(path, self._fn) is not None:
                self._sure.add("gather.read")


def _is_entry(expr: Expr) -> bool:
    """Whether an expression is what a pointer to an entry points to."""
    return bool(expr[0] == "v" and expr[1][0] == "*" and ENTRY_NAME.search(expr[1]))


def _announcing(fn: Function, path: str) -> bool:
    """Whether a flag at ``path`` is called like one that stands for a flush, and is everybody's."""
    return _is_flushy(announced.name_of(path)) and (of_space(path, fn) or announced.shared(path, fn))


@lru_cache(maxsize=65536)
def _is_flushy(name: str) -> bool:
    """Whether a flag is called like one that stands for a flush."""
    return FLUSHY.search(name) is not None


def _operand(how: str, args: tuple[Expr, ...]) -> str:
    return str(args[int(how)][1]) if how.isdigit() and int(how) < len(args) and args[int(how)][0] == "&" else ""


def _speaks_of_flush(path: str, bit: str, instr: Instr) -> bool:
    """Whether the name of a flag, or of the bit that is operand ``bit`` of the call, says that it is about a flush."""
    named = instr[3][int(bit)] if bit.isdigit() else None
    return bool(FLUSHY.search(last(path)) or (named is not None and named[0] == "k" and FLUSHY.search(named[1])))
