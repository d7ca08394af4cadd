"""What a series does to parts that belong together: prototypes and definitions, overrides and who asks for them, conditions and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from posixpath import dirname

import msgspec

from tlblint.hooks import agreement, static
from tlblint.hooks.changed import Outline
from tlblint.hooks.judge import Fault
from tlblint.hooks.surface import HOME, Changes, Listing, generic, near, surface
from tlblint.names.world import ROOTS, Machines, World, arches


class Context(msgspec.Struct, frozen=True):
    """What is known of a series: files that it touches, what of them holds in which state, names that headers define otherwise, functions with
    another head."""

    touched: Sequence[str]
    steps: Sequence[Changes]
    of: Callable[[bytes | None], Outline | None]
    changed: Collection[str]
    signed: Collection[str]
    known_arches: Sequence[str]
    machines: Machines


def compared(context: Context, worlds: Sequence[World], listing: Listing) -> list[list[Fault]]:
    """The faults of each state, those that the base has among them."""
    one = _Comparison(context)
    parts = (one.agreements(worlds, listing), one.overrides(worlds, listing), one.conditions(worlds, listing))
    return [[fault for faults in some for fault in faults] for some in zip(*parts, strict=True)]


class _Comparison:
    def __init__(self, context: Context) -> None:
        self.context = context

    def agreements(self, worlds: Sequence[World], listing: Listing) -> list[list[Fault]]:
        """Prototypes and definitions that do not say the same, of functions whose head the series changes."""
        if not self.context.signed:
            return [[] for _ in worlds]
        words = [name.encode() for name in self.context.signed]
        near = {*self.context.touched, *self._beside(listing), *self._seen_headers(worlds[0])}
        paths = [path for path in sorted(near) if path in self.context.touched or _mentions(worlds[0], path, words)]
        return [agreement.faults(paths, partial(self._outline, world), partial(_raw, world), self.context.signed) for world in worlds]

    def _outline(self, world: World, path: str) -> Outline | None:
        return self.context.of(_raw(world, path))

    def _beside(self, listing: Listing) -> list[str]:
        """The C files in the directories of touched ones, and where what touched headers declare is usually defined."""
        places = {dirname(path) for path in self.context.touched if path.endswith(".c")}
        for path in (path for path in self.context.touched if path.endswith(".h")):
            own = path.split("/")[1] if path.startswith("arch/") else ""
            places |= {f"arch/{own}/mm", f"arch/{own}/kernel"} if own else {"mm", "kernel", "lib"}
        return [path for path in (listing(sorted(places)) if places else ()) if path.endswith(".c") and dirname(path) in places]

    def _seen_headers(self, world: World) -> set[str]:
        arches = sorted({"x86", *(path.split("/")[1] for path in self.context.touched if path.startswith("arch/"))})
        own = tuple(path for path in self.context.touched if path.endswith(".c"))
        return {path for arch in arches for path in world.reached(arch, (*ROOTS, *own)) if path.endswith(".h")}

    def overrides(self, worlds: Sequence[World], listing: Listing) -> list[list[Fault]]:
        """Hooks that generic code asks for in some state and not in a later one, while an architecture goes on to define them."""
        asked = [self._asked(world) for world in worlds]
        lost = {name for early, late in pairwise(asked) for name in early - late if name in self.context.changed or surface(name)}
        if not lost:
            return [[] for _ in worlds]
        out = []
        used = self._used_elsewhere(worlds[0], lost, listing)
        for number, world in enumerate(worlds):
            before = frozenset().union(*asked[: number + 1])
            out.append(self._orphans(world, sorted((before - asked[number]) & lost - used), asked[number]))
        return out

    def _asked(self, world: World) -> frozenset[str]:
        """Macros that touched generic headers ask about with a condition, or C files do."""
        out: set[str] = set()
        for path in self.context.touched:
            one = self.context.of(_raw(world, path)) if path.endswith((".h", ".c")) and not path.startswith("arch/") else None
            if one is not None:
                out |= {guard.split()[1] for _, _, guards in one.defined for guard in guards if guard.startswith("ifndef ")}
                out |= one.tested
        return frozenset(name for name in out if static.hook_like(name))

    def _used_elsewhere(self, world: World, names: Collection[str], listing: Listing) -> set[str]:
        """Those that generic files speak of which the series does not touch."""
        paths = {*generic(world), *(path for path in listing(HOME) if near(path))} - set(self.context.touched)
        return {name for path in paths if (raw := world.read(path)) is not None for name in names if name.encode() in raw}

    def _orphans(self, world: World, names: Sequence[str], asked: Collection[str]) -> list[Fault]:
        out: list[Fault] = []
        for name in names:
            outlines = (self.context.of(_raw(world, path)) for path in self.context.touched if not path.startswith("arch/"))
            if any(one is not None and name in one.used for one in outlines):
                continue
            for arch in arches(world.read, self.context.machines, self.context.known_arches):
                for path, view in world.reached(arch, ROOTS).items():
                    lines = [part.line for part in view.parts if part.word == "define" and part.text.split("(")[0].split()[:1] == [name]]
                    if path.startswith(f"arch/{arch}/") and lines:
                        like = get_close_matches(name, sorted(set(asked) - {name}), 1, 0.6)
                        out.append(static.orphan(arch, path, lines[0], name, like[0] if like else ""))
        return out

    def conditions(self, worlds: Sequence[World], listing: Listing) -> list[list[Fault]]:
        """Conditions of touched files that ask for a hook that nothing defines."""
        fresh: dict[str, set[str]] = {}
        for path in self.context.touched:
            if path.endswith((".c", ".h")):
                first = self.context.of(_raw(worlds[0], path))
                old = first.tested if first is not None else frozenset()
                for world in worlds[1:]:
                    one = self.context.of(_raw(world, path))
                    fresh.setdefault(path, set()).update(one.tested - old if one is not None else ())
        hooks = {name for some in fresh.values() for name in some if static.hook_like(name) and not name.startswith("CONFIG_")}
        hooks -= self._made_in_base(worlds[0], hooks, listing)
        return [self._untested(world, fresh, hooks) if hooks else [] for world in worlds]

    def _made_in_base(self, world: World, names: Collection[str], listing: Listing) -> set[str]:
        """Those that any header or Makefile of the base speaks of; this reads many files, and names are rarely new."""
        left = {name: re.compile(rb"#[ \t]*define[ \t]+" + name.encode() + rb"\b|-D[ \t]*" + name.encode() + rb"\b") for name in names}
        out: set[str] = set()
        for path in listing(("include", "arch")) if left else ():
            raw = world.read(path) if path.endswith(".h") else None
            out |= {name for name, pattern in left.items() if raw is not None and name.encode() in raw and pattern.search(raw)}
        return out

    def _untested(self, world: World, fresh: Mapping[str, set[str]], hooks: Collection[str]) -> list[Fault]:
        made = {name for path in self.context.touched if (view := world.file(path)) is not None and path.endswith((".c", ".h")) for name, _ in view.macros}
        out: list[Fault] = []
        for path, names in sorted(fresh.items()):
            view = world.file(path)
            one = self.context.of(_raw(world, path))
            if view is not None and one is not None:
                out += [static.untested(path, view, name) for name in sorted(names & one.tested) if name in hooks and name not in made]
        return out


def _raw(world: World, path: str) -> bytes | None:
    view = world.file(path)
    return None if view is None else view.raw


def _mentions(world: World, path: str, words: Iterable[bytes]) -> bool:
    raw = world.read(path)
    return raw is not None and any(word in raw for word in words)
