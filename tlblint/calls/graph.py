"""The call graph around functions that change page table entries: who calls whom, how, and with which locks held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from tlblint.calls.held import CALLER, ENTRY, PTL_NAME, Roles, State, held_at_calls
from tlblint.calls.macros import Macros
from tlblint.calls.pointers import Handings, by_slot
from tlblint.calls.program import Program, arch_of
from tlblint.model.ir import Function, Instr

CHANGES = frozenset({"entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "entry.install", "entry.promote", "entry.young"})
"""Effects on the entry itself."""

SHOWN = ("entry.", "ptl.", "lazy.", "flush.", "unmap.", "gather.", "pending.", "section.", "walk.", "notifier.", "page.dirty", "rmap.drop", "table.free")
MATTERS = ("ptl.acquire", "ptl.release", "lazy.", "flush.", "unmap.", "gather.", "pending.inc", "pending.dec", "section.", *sorted(CHANGES))
"""Effects for which a callee is worth showing."""

Key = tuple[str, str]
"""Path and name: what makes a node. The path of what has no definition is ""."""


class Held(msgspec.Struct, frozen=True, order=True):
    """Something held when a function is entered. ``what``: "PTL", "lazy MMU mode" or another word of the contracts; ``by``: "walker"
    (whoever calls through that slot), "contract", "callers" (all known ones), "some callers"."""

    what: str
    by: str


class Node(msgspec.Struct, frozen=True):
    """A function, with all its #ifdef twins. ``pos``: byte offset of the definition that counts. ``effects``: kinds of what it does itself,
    sorted. ``role``: it is an API function whose calls count as effects. ``slots``: the tables that it stands in. ``kind``: "function",
    "pointer" (a call through a pointer that nobody resolved) or "undefined" (no definition among the files). ``overrides``: other
    definitions of the name, by architecture or weak ones."""

    name: str
    path: str
    pos: int
    kind: str = "function"
    variants: int = 1
    weak: bool = False
    inline: bool = False
    role: bool = False
    outside: bool = False
    effects: tuple[str, ...] = ()
    enters: tuple[Held, ...] = ()
    slots: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it changes page table entries itself."""
        return any(kind in CHANGES for kind in self.effects)

    @property
    def matters(self) -> bool:
        """Whether it does anything itself that has to do with entries, their locks or flushes."""
        return any(kind.startswith(MATTERS) for kind in self.effects)


class Edge(msgspec.Struct, frozen=True):
    """``caller`` calls ``callee`` (node numbers). ``kind``: "direct", "table", "macro" or "unresolved"; ``pos``: byte offset of the first such
    call in the caller's file; ``sites``: how many; ``via``: the slot and table, or the macro; ``held``: what may be held there."""

    caller: int
    callee: int
    kind: str
    pos: int
    sites: int = 1
    via: str = ""
    held: tuple[str, ...] = ()


class CallGraph(msgspec.Struct, frozen=True):
    """Nodes in the order of path and position, edges in that of caller, position, callee."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class Kernel(msgspec.Struct, frozen=True):
    """What the graph must be told. ``slots``: (struct, slot) -> what is held, as contracts.toml has it; a function taker has the slot "fn".
    ``promised``: (path, name) -> words of its contract: what is held on entry, and "returns-unlocked". ``outside``: (path, name) -> not
    about page tables of user space."""

    roles: Roles
    slots: Mapping[tuple[str, str], frozenset[str]]
    promised: Callable[[str, str], frozenset[str]]
    outside: Callable[[str, str], bool]


class _Link(msgspec.Struct):
    """An edge in the making: ``at`` lists (position, what may be held there)."""

    at: list[tuple[int, State]] = msgspec.field(default_factory=list)


_WORDS = {
    "ptl": "PTL", "lazy": "lazy MMU mode", "pending": "a pending flush count", "i-mmap-read": "i_mmap_rwsem (read)", "folio-lock": "folio lock",
    "hugetlb-vma-lock": "hugetlb vma lock",
}  # fmt: skip


def build(program: Program, sources: Mapping[str, bytes], kernel: Kernel, wanted: frozenset[str] = frozenset()) -> CallGraph:
    """The graph of all functions of ``program``. ``sources``: the text of its files, for macros and ``__weak``. Calls of API
    functions are effects of their caller; only for names in ``wanted`` are they edges, too."""
    return _Builder(program, sources, kernel, wanted).graph()


class _Builder:
    def __init__(self, program: Program, sources: Mapping[str, bytes], kernel: Kernel, wanted: frozenset[str]) -> None:
        self.program, self.sources, self.kernel, self.wanted = program, sources, kernel, wanted
        self.macros = Macros(sources)
        self.handings = Handings(program, kernel.slots)
        self.behind = by_slot(program, {struct for struct, slot in kernel.slots if slot != "fn"})
        self.groups: dict[Key, list[int]] = {}
        for index, fn in enumerate(program.functions):
            self.groups.setdefault((fn.path, fn.name), []).append(index)
        self.named: dict[str, list[Function]] = {}
        for fn in program.functions:
            if not fn.variant:
                self.named.setdefault(fn.name, []).append(fn)
        self.effects: dict[Key, set[str]] = {key: set() for key in self.groups}
        self.links: dict[tuple[Key, Key, str, str], _Link] = {}
        self.pointers: dict[Key, str] = {}
        self.slots: dict[Key, dict[str, frozenset[str]]] = {}

    def graph(self) -> CallGraph:
        for index, fn in enumerate(self.program.functions):
            self._scan(index, fn)
        enters = self._entered()
        keys = sorted({*self.groups, *(key for link in self.links for key in link[:2])}, key=self._order)
        number = {key: at for at, key in enumerate(keys)}
        nodes = tuple(self._node(key, enters.get(key, ())) for key in keys)
        edges = [self._edge(number, key, link) for key, link in self.links.items()]
        return CallGraph(nodes, tuple(sorted(edges, key=lambda e: (e.caller, e.pos, e.callee, e.kind, e.via))))

    def _scan(self, index: int, fn: Function) -> None:
        key = (fn.path, fn.name)
        held = held_at_calls(fn, self.kernel.roles, lambda name: self._drops(name, fn.path))
        for instr in _instrs(fn):
            if instr[0] == "call":
                self._call(key, fn, instr, held.get(instr[4], ENTRY))
            elif instr[0] == "icall":
                target = (f"{fn.path}\n{fn.name}", instr[2])
                self.pointers[target] = instr[2]
                self._link(key, target, "unresolved", "", instr[4], held.get(instr[4], ENTRY))
        for handing in self.handings.of(index):
            self._table(key, handing.callee, handing.struct, handing.slot, handing.table, handing.pos, held)

    def _drops(self, name: str, path: str) -> bool:
        found = self.program.resolve(name, path)
        return found is not None and "returns-unlocked" in self.kernel.promised(self.program.functions[found].path, name)

    def _call(self, key: Key, fn: Function, instr: Instr, held: State) -> None:
        name, count, pos = instr[2], len(instr[3]), instr[4]
        role = self.kernel.roles(name, count)
        if role is not None:
            about_ptl = any(arg[0] in "v&" and PTL_NAME.search(str(arg[1])) for arg in instr[3])
            self.effects[key].update(_lock(effect.kind) if about_ptl else effect.kind for effect in role.effects)
            if name in self.wanted:
                for callee in self._definitions(name, fn.path) or [("", name)]:
                    self._link(key, callee, "direct", "", pos, held)
            return
        found = self._definitions(name, fn.path)
        for callee in found:
            self._link(key, callee, "direct", "", pos, held)
        if not found:
            self._expand(key, fn.path, name, pos, held)
            if name in self.wanted:
                self._link(key, ("", name), "direct", "", pos, held)

    def _definitions(self, name: str, path: str) -> list[Key]:
        """What a call can mean: one function as a rule; where only architectures define it, each of them."""
        found = self.program.resolve(name, path)
        if found is not None:
            return [(self.program.functions[found].path, name)]
        public = (fn for fn in self.named.get(name, ()) if not fn.static or fn.path.endswith(".h"))
        return sorted({(fn.path, name) for fn in public}) if not arch_of(path) else []

    def _expand(self, key: Key, path: str, macro: str, pos: int, held: State) -> None:
        for name, count in self.macros.calls(macro, path):
            role = self.kernel.roles(name, count)
            if role is not None:
                self.effects[key].update(effect.kind for effect in role.effects)
            if role is None or name in self.wanted:
                for callee in self._definitions(name, path) or ([("", name)] if name in self.wanted else []):
                    self._link(key, callee, "macro", macro, pos, held)

    def _table(self, key: Key, index: int, struct: str, slot: str, table: str, pos: int, held: Mapping[int, State]) -> None:
        fn = self.program.functions[index]
        callee = (fn.path, fn.name)
        place = f"{struct}.{slot}" if table else f"argument of {struct}()"
        via = f"{place} of {table}" if table else place
        holds = self.kernel.slots.get((struct, slot))
        if holds is None and table:
            return
        self._link(key, callee, "table", via, pos, held.get(pos, frozenset()))
        if holds is not None:
            self.slots.setdefault(callee, {})[place] = holds

    def _link(self, caller: Key, callee: Key, kind: str, via: str, pos: int, held: State) -> None:
        self.links.setdefault((caller, callee, kind, via), _Link()).at.append((pos, held))

    def _entered(self) -> Mapping[Key, tuple[Held, ...]]:
        """What each function is entered with: from contracts and slots, and from call sites up to a fixed point."""
        fixed: dict[Key, set[Held]] = {}
        for key in self.groups:
            words = self.kernel.promised(*key)
            fixed[key] = {Held(_WORDS.get(word, word), "contract") for word in words if word != "returns-unlocked"}
            for holds in self.slots.get(key, {}).values():
                fixed[key] |= {Held(_WORDS.get(word, word), "walker") for word in holds if word != "walker"}
        calls: dict[Key, list[tuple[Key, State]]] = {}
        for (caller, callee, kind, _), link in self.links.items():
            # Calls of API functions are no edges, so what those are entered with is not known.
            if kind in ("direct", "macro") and caller != callee and callee in self.groups and not self._is_role(caller):
                calls.setdefault(callee, []).extend((caller, state) for _, state in link.at)
        found = {key: set(held) for key, held in fixed.items()}
        for what in ("ptl", "lazy"):
            self._spread(what, fixed, calls, found)
        return {key: tuple(sorted(held)) for key, held in found.items()}

    def _spread(self, kind: str, fixed: Mapping[Key, set[Held]], calls: Mapping[Key, list[tuple[Key, State]]], found: dict[Key, set[Held]]) -> None:
        word = _WORDS[kind]
        known = {key for key, held in fixed.items() if any(item.what == word for item in held)}

        def holds(caller: Key, state: State, entered: Iterable[Key]) -> bool:
            return any(token.kind == kind and (token.name != CALLER or caller in entered) for token in state)

        may = set(known)
        changed = True
        while changed:
            new = {key for key, sites in calls.items() if key not in may and any(holds(caller, state, may) for caller, state in sites)}
            changed = bool(new)
            may |= new
        must = set(may)  # the largest set in which every call of a member holds it
        changed = True
        while changed:
            lost = {key for key in must - known if not all(holds(caller, state, must) for caller, state in calls[key]) or key in self.slots}
            changed = bool(lost)
            must -= lost
        for key in may - known:
            found[key].add(Held(word, "callers" if key in must else "some callers"))

    def _edge(self, number: Mapping[Key, int], key: tuple[Key, Key, str, str], link: _Link) -> Edge:
        caller, callee, kind, via = key
        names = {"lazy MMU mode" if token.kind == "lazy" else token.name for _, state in link.at for token in state if token.name != CALLER}
        return Edge(number[caller], number[callee], kind, min(pos for pos, _ in link.at), len({pos for pos, _ in link.at}), via, tuple(sorted(names)))

    def _order(self, key: Key) -> tuple[str, int, str]:
        group = self.groups.get(key)
        return (key[0], self.program.functions[self._main(group)].start if group else -1, key[1])

    def _main(self, group: Iterable[int]) -> int:
        """The twin that does most."""
        functions = self.program.functions
        return max(group, key=lambda index: (not functions[index].variant, sum(len(b.instrs) for b in functions[index].blocks), -index))

    def _node(self, key: Key, enters: tuple[Held, ...]) -> Node:
        path, name = key
        group = self.groups.get(key)
        if group is None:
            if key in self.pointers:
                return self._pointer(key)
            return Node(name, path, 0, "undefined", role=True)
        fn = self.program.functions[self._main(group)]
        header = self._header(fn)
        effects = tuple(sorted(kind for kind in self.effects[key] if kind.startswith(SHOWN)))
        return Node(name, path, fn.start, "function", len(group), b"__weak" in header.split(), fn.path.endswith(".h"), self._is_role(key),
                    self.kernel.outside(path, name), effects, enters, tuple(sorted(self.slots.get(key, ()))), self._overrides(fn))

    def _is_role(self, key: Key) -> bool:
        fn = self.program.functions[self._main(self.groups[key])]
        return self.kernel.roles(fn.name, len(fn.params)) is not None

    def _pointer(self, key: Key) -> Node:
        field_ = key[1].replace("->", ".").rpartition(".")[2]
        count = self.behind.get(field_, 0)
        note = (f"one of {count} functions or more in tables",) if count else ()
        return Node(key[1], "", 0, "pointer", slots=note)

    def _overrides(self, fn: Function) -> tuple[str, ...]:
        """Files with another definition that takes this one's place in some build: other architectures, weak ones."""
        if fn.static and not fn.path.endswith(".h"):
            return ()
        return tuple(sorted({other.path for other in self.named[fn.name] if other.path != fn.path and (not other.static or other.path.endswith(".h"))}))

    def _header(self, fn: Function) -> bytes:
        raw = self.sources.get(fn.path, b"")
        return raw[raw.rfind(b"\n", 0, fn.start) + 1 : max(raw.find(b"{", fn.start), fn.start)]


def _lock(kind: str) -> str:
    """A spinlock call on a page table lock is as good as one of the functions for those."""
    return f"ptl.{kind.removeprefix('lock.')}" if kind.startswith("lock.") else kind


def _instrs(fn: Function) -> Iterator[Instr]:
    return (instr for block in fn.blocks for instr in block.instrs)
