"""A tree under a series: the faults that are there after each patch and were not there before the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import pairwise
from posixpath import basename

import msgspec

from tlblint.hooks import static, undeclared
from tlblint.hooks.changed import Outline, functions, names, outline
from tlblint.hooks.comparison import Context, compared
from tlblint.hooks.judge import Answer, Fault, Memory, faults, judged
from tlblint.hooks.surface import HOME, Changes, Listing, generic, is_header, is_kconfig, near, surface
from tlblint.hooks.undeclared import Search
from tlblint.names.index import Read, Texts
from tlblint.names.scan import Place
from tlblint.names.signatures import parameters
from tlblint.names.view import View
from tlblint.names.world import ROOTS, Machines, World, arches

_OUTER = re.compile(rb"[A-Za-z_]|[ \t]*#")
_LABEL = re.compile(rb"\w+:[ \t]*")
_FLUSHING = re.compile(rb"tlb|gather|pending|accessible|flush|lazy_mmu")
_MOST = 400
"""Names that are looked into."""


class Told(msgspec.Struct):
    """The faults of each state, the base first, and what could not be looked at: (state, path, why)."""

    faults: list[list[Fault]] = msgspec.field(default_factory=list)
    gaps: list[tuple[int, str, str]] = msgspec.field(default_factory=list)


def told(read: Read, steps: Sequence[Changes], machines: Machines, known: Sequence[str], listing: Listing, search: Search) -> Told:
    """Follow a series. ``read``: files of the base; ``known``: names of architectures; ``listing``: C files of the base, ``search``: those that
    hold some word."""
    history = _History(read, steps, machines, known)
    out = Told([[] for _ in range(len(steps) + 1)])
    if not history.matters():
        return out
    history.run(out, listing, search)
    return out


class _History:
    """Outlines of all versions of touched files, and what follows from them."""

    def __init__(self, read: Read, steps: Sequence[Changes], machines: Machines, known: Sequence[str]) -> None:
        self.base, self.steps, self.machines, self.texts = read, steps, machines, Texts()
        self.touched = sorted({path for step in steps for path in step})
        self.known_arches = tuple(dict.fromkeys((*known, *(path.split("/")[1] for path in self.touched if path.startswith("arch/") and path.count("/") > 1))))
        self.outlines: dict[bytes, Outline] = {}
        self.changed: set[str] = set()
        self.used: set[str] = set()
        self.signed: set[str] = set()
        self.symbols: set[str] = set()
        self._look()

    def of(self, raw: bytes | None) -> Outline | None:
        """The outline of a file version."""
        if raw is None:
            return None
        if raw not in self.outlines:
            self.outlines[raw] = outline(self.texts.of(raw))
        return self.outlines[raw]

    def versions(self, path: str) -> list[bytes | None]:
        """What a file holds in each state."""
        out = [self.base(path)]
        for step in self.steps:
            out.append(step.get(path, out[-1]))
        return out

    def _look(self) -> None:
        """Collect names: those that headers define otherwise, those that they or flushing code newly use, functions with another head."""
        for path in self.touched:
            header = is_header(path)
            if not header and not path.endswith((".c", ".h")):
                if is_kconfig(path):
                    self._symbols(path)
                continue
            found = self.versions(path)
            for before, after in pairwise(found):
                if before == after or (not header and before is not None and after is not None and _inner(before, after)):
                    continue
                differ, more = names(self.of(before), self.of(after))
                if header:
                    self.changed |= differ
                    self.used |= more
                else:
                    old = self.of(before)
                    self.used |= {name for name in more if surface(name) and (old is None or name not in old.used)}
                self.signed |= self._signed(self.of(before), self.of(after), differ)
        for path in self.touched if self.changed else ():
            if path.endswith(".c") and not is_header(path):
                for raw in self.versions(path):
                    one = self.of(raw)
                    self.used |= self.changed & set(one.used) if one is not None else set()

    def _signed(self, before: Outline | None, after: Outline | None, differ: Collection[str]) -> set[str]:
        """Functions that others can call and whose parameters change, or that are new."""
        out = set()
        before_it, after_it = (functions(one, differ) for one in (before, after))
        for name, heads in after_it.items():
            old, new = ({parameters(head, name) for _, head in some if not _static(head)} for some in (before_it.get(name, ()), heads))
            if new and old != new:
                out.add(name)
        return out

    def _symbols(self, path: str) -> None:
        found = self.versions(path)
        for before, after in pairwise(found):
            lines = [set((raw or b"").decode("latin-1").split("\n")) for raw in (before, after)]
            for line in lines[0] ^ lines[1]:
                words = line.split()
                if len(words) > 1 and words[0] in ("config", "menuconfig", "select", "depends", "default", "def_bool", "imply"):
                    self.symbols.update(word.strip("!()") for word in words[1:] if word.strip("!()").isupper())

    def matters(self) -> bool:
        """Whether the series touches anything that this is about."""
        return bool(self.changed or self.signed or self.symbols or any(is_header(path) or is_kconfig(path) for path in self.touched) or self.used)

    def run(self, out: Told, listing: Listing, search: Search) -> None:
        """Fill in ``out``."""
        worlds = list(self._worlds())
        hooks = self._hooks(worlds[0])
        per_state: list[list[Fault]] = [[] for _ in worlds]
        if hooks:
            self._units(worlds, hooks, listing, per_state, out)
        known: dict[tuple[str, str], frozenset[str]] = {}
        for number, world in enumerate(worlds):
            per_state[number] += self._static(world)
        context = Context(self.touched, self.steps, self.of, self.changed, self.signed, self.known_arches, self.machines)
        unknown, gaps = undeclared.found(worlds, self.steps, self.known_arches, search)
        out.gaps += gaps
        per_state = [[*one, *more, *less] for one, more, less in zip(per_state, compared(context, worlds, listing), unknown, strict=True)]
        for fault in per_state[0]:
            known[fault.kind, fault.name] = known.get((fault.kind, fault.name), frozenset()) | fault.arches | {""}
        for number, found in enumerate(per_state):
            out.faults[number] = [f for f in found if number and ((f.kind, f.name) not in known or f.arches - known[f.kind, f.name])]

    def _worlds(self) -> Iterable[World]:
        """The tree in each state; what a patch leaves alone is shared with the state before."""
        overlay: dict[str, bytes | None] = {}
        last: World | None = None
        for step in ({}, *self.steps):
            overlay = {**overlay, **step}
            world = World(partial(_overlaid, self.base, overlay), self.machines, self.texts, [path for path in self.touched if is_header(path)])
            if last is not None:
                world.same_as(last, step)
                if all(_includes(last.file(path)) == _includes(world.file(path)) for path in step):
                    world.paths = last.paths
                if not any(is_kconfig(path) for path in step):
                    world.kconfigs, world.variants = last.kconfigs, last.variants
                    if not any(basename(path) in ("Makefile", "Kbuild") for path in step):
                        world.built, world.makefiles.held = last.built, last.makefiles.held
            last = world
            yield world

    def _hooks(self, world: World) -> set[str]:
        """What is looked into: what headers define otherwise, and of what is newly used that which not every configuration has."""
        hooks = {name for name in self.changed if len(name) > 3} | {name for name in self.used if surface(name)}
        hooks |= self._conditional(world, {name for name in self.used - hooks if len(name) > 3 and not name.isupper() and not name.startswith("_PAGE")})
        if self.symbols:
            hooks |= self._guarded(world)
        if len(hooks) > _MOST:
            hooks = {name for name in hooks if surface(name)}
        return set(sorted(hooks)[:_MOST])

    def _conditional(self, world: World, wanted: set[str]) -> set[str]:
        """Those that generic headers define, and only under some condition that is not about the name itself."""
        guarded: set[str] = set()
        plain: set[str] = set()
        for path in generic(world) if wanted else ():
            view = world.file(path)
            if view is not None and not view.words.isdisjoint(wanted):
                for name, _, guards in self.of(view.raw).defined:  # type: ignore[union-attr]
                    if name in wanted:
                        (guarded if any(_conditions(guards)) else plain).add(name)
        return guarded - plain

    def _guarded(self, world: World) -> set[str]:
        """Names of the flush surface that generic headers define under the symbols of a changed Kconfig file."""
        words = {f"CONFIG_{name}" for name in self.symbols}
        out = set()
        for path in generic(world):
            view = world.file(path)
            if view is not None and not view.words.isdisjoint(words):
                for name, _, guards in self.of(view.raw).defined:  # type: ignore[union-attr]
                    if surface(name) and any(word in guard for guard in guards for word in words):
                        out.add(name)
        return out

    def _units(self, worlds: Sequence[World], hooks: set[str], listing: Listing, per_state: list[list[Fault]], out: Told) -> None:
        picked = self._arches(worlds[-1])
        users = self._users(worlds[0], hooks, listing, picked)
        memory: Memory = {}
        once: set[str] = set()
        answers: list[Answer] = []
        for number, world in enumerate(worlds):
            if number and not self._relevant(number, users):
                answers.append(answers[-1])
                per_state[number] += per_state[number - 1]
                continue
            answer = judged(world, picked, hooks, users, memory)
            touched = frozenset(self.steps[number - 1]) if number else frozenset()
            found = faults(world, answer, once, partial(_rank, touched))
            once |= set(answer.known())
            answers.append(answer)
            per_state[number] += found
            out.gaps += [(number, path, why) for path, why in answer.gaps.items()]

    def _relevant(self, number: int, users: Callable[[str], Sequence[str]]) -> bool:
        """Whether a patch touches anything that the answer rests on."""
        generic = users("")
        for path in self.steps[number - 1]:
            if path.endswith(".h") or is_kconfig(path) or basename(path) in ("Makefile", "Kbuild") or path in generic:
                return True
            if path.endswith(".c") and path.startswith("arch/") and path in users(path.split("/")[1]):
                return True
        return False

    def _arches(self, world: World) -> list[str]:
        """Those that the series can make a difference to."""
        there = arches(world.read, self.machines, self.known_arches)
        own = {path.split("/")[1] for path in self.touched if path.startswith("arch/")}
        if any(not path.startswith("arch/") and (path.endswith((".c", ".h")) or is_kconfig(path)) for path in self.touched):
            return there
        return [arch for arch in there if arch in own]

    def _users(self, world: World, hooks: set[str], listing: Listing, picked: Sequence[str]) -> Callable[[str], Sequence[str]]:
        """The C files that speak of any of ``hooks``: of the homes of generic code, of an architecture's memory management, and touched ones."""
        words = [name.encode() for name in hooks]
        listed = [path for path in listing([*HOME, *(f"arch/{arch}/mm" for arch in picked)]) if path.endswith(".c") and near(path)]
        paths = sorted({*listed, *(path for path in self.touched if path.endswith(".c"))})
        found = []
        for path in paths:
            versions = [*self.versions(path)] if path in self.touched else [world.read(path)]
            if any(raw is not None and any(word in raw for word in words) for raw in versions):
                found.append(path)
        generic = tuple(path for path in found if not path.startswith("arch/"))
        return lambda arch: (*generic, *(path for path in found if path.startswith(f"arch/{arch}/")))

    # what needs no configuration

    def _static(self, world: World) -> list[Fault]:
        out: list[Fault] = []
        for path in self.touched:
            raw = world.read(path)
            if raw is None:
                continue
            if is_kconfig(path):
                out += static.kconfig(path, raw)
            elif path.endswith((".c", ".h")):
                out += self._conditions(world, path, self.texts.of(raw))
        return out

    def _conditions(self, world: World, path: str, view: View) -> list[Fault]:
        wanted = static.asked(view)
        if not wanted:
            return []
        near = [one for arch in arches(world.read, self.machines, self.known_arches) for one in world.reached(arch, (*ROOTS, path)).values()]
        return static.never(path, view, static.bodies({id(one): one for one in near}.values(), wanted))


def _includes(view: View | None) -> object:
    return None if view is None else view.includes


def _inner(before: bytes, after: bytes) -> bool:
    """Whether two versions of a C file differ only inside of functions, and not in what they say of flushes."""
    lines = set(before.split(b"\n")) ^ set(after.split(b"\n"))
    return not any((_OUTER.match(line) and not _LABEL.fullmatch(line)) or _FLUSHING.search(line) for line in lines)


def _overlaid(base: Read, overlay: Changes, path: str) -> bytes | None:
    return overlay[path] if path in overlay else base(path)


def _rank(touched: Collection[str], place: Place) -> int:
    return 0 if place[0] in touched else 1


def _static(head: str) -> bool:
    return "static" in head.split("(", 1)[0].split()


def _conditions(guards: Sequence[str]) -> list[str]:
    """The guards that are about more than whether something is defined already."""
    return [guard for guard in guards if not re.fullmatch(r"ifn?def (?:_\w+|[a-z]\w*|__KERNEL__|__ASSEMBLY__|__ASSEMBLER__)(?: else )?", guard)]
