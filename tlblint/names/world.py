"""A tree as each architecture and configuration sees it, for a set of names: units built from slices, and what is seen in them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from posixpath import basename

import msgspec

from tlblint.names.index import Index, Read, Texts
from tlblint.names.kconfig import generic, of_arch
from tlblint.names.makefile import Makefiles
from tlblint.names.pieces import Piece
from tlblint.names.scan import Known, Seen, scan
from tlblint.names.settings import Settings, free
from tlblint.names.slices import sliced
from tlblint.names.symbols import Kconfig
from tlblint.names.tokens import Macro
from tlblint.names.unit import Found, Places, Shelf, build
from tlblint.names.view import View

ROOTS = (
    "<linux/kconfig.h>", "<linux/mm_types_task.h>", "<linux/mm_types.h>", "<linux/mm.h>", "<linux/pgtable.h>", "<asm/pgtable.h>", "<linux/huge_mm.h>",
    "<linux/hugetlb.h>", "<linux/mm_inline.h>", "<linux/rmap.h>", "<asm/mmu_context.h>", "<linux/mmu_context.h>", "<asm/cacheflush.h>", "<asm/tlbflush.h>",
    "<asm/tlb.h>",
)  # fmt: skip
"""The headers that say what flushes and entries are, in the order in which files of memory management come to them."""
_FOLLOWED = re.compile(r"tlb|pgtable|pgalloc|p[gum4]d|pte|mmu|huge|flush|swap|rmap|page|highmem|hash|radix|fixmap|threads|internal|paravirt|kconfig|^mm")
_ROUNDS = 8
_FREE = 7
_FIRST = frozenset(("MMU", "SMP", "64BIT", "TRANSPARENT_HUGEPAGE"))
"""What is turned over first when there is much to choose."""
_PRODUCT = 3
_WRAPPERS = 3


class Machine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the compiler defines for an architecture: always, with 64-bit and with 32-bit words; symbols that are chosen; more directories."""

    name: str
    chosen: tuple[str, ...] = ()
    always: dict[str, str] = {}
    wide: dict[str, str] = {}
    narrow: dict[str, str] = {}
    directories: tuple[str, ...] = ()


class Machines(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The data of rules/hooks. ``chosen`` holds for all architectures; those in ``skipped`` are not looked at."""

    chosen: tuple[str, ...]
    predefined: dict[str, str]
    skipped: tuple[str, ...]
    arch: tuple[Machine, ...]

    def of(self, name: str) -> Machine:
        """The data of an architecture; one that is not named has none of its own."""
        return next((machine for machine in self.arch if machine.name == name), Machine(name))


class Variant(msgspec.Struct, frozen=True):
    """A configuration: ``differs`` names the symbols that are not as in the first one, with their values; ``active``: the values of the symbols
    that it is about, but for those that are off."""

    settings: Settings
    differs: tuple[tuple[str, bool], ...] = ()
    active: dict[str, str] = {}

    def on(self, name: str) -> bool:
        """Whether a CONFIG_ name is set."""
        return self.settings.value(name.removeprefix("CONFIG_")) not in ("n", "")


class World(Index):
    """One state of a tree, as each architecture and configuration sees it. ``also``: headers that are followed whatever they are called."""

    def __init__(self, read: Read, machines: Machines, texts: Texts | None = None, also: Collection[str] = ()) -> None:
        super().__init__(read, texts)
        self.machines = machines
        self.also = tuple(sorted(also))
        self.followed = frozenset(basename(path) for path in also)
        self.macros: dict[tuple[str, int], Macro | None] = {}
        self.follows: dict[str, bool] = {}
        self.paths: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
        self.found: dict[str, Found] = {}
        """By architecture."""
        self.makefiles = Makefiles(self.read)
        self.digests: dict[int, tuple[tuple[Piece, ...], int]] = {}
        self.kconfigs: dict[str, Kconfig] = {}
        self.variants: dict[tuple[str, frozenset[str]], list[Variant]] = {}
        self.configured: dict[tuple[str, tuple[tuple[str, bool], ...]], Settings] = {}
        self.built: dict[tuple[str, tuple[bool, ...]], bool] = {}

    def digest(self, parts: tuple[Piece, ...]) -> int:
        """A number for what some pieces say, wherever they stand. ``parts`` stay: they are known by their identity."""
        found = self.digests.get(id(parts))
        if found is None or found[0] is not parts:
            found = self.digests[id(parts)] = parts, hash(tuple((part.word, part.text) for part in parts))
        return found[1]

    def kconfig(self, arch: str) -> Kconfig:
        """The symbols of an architecture."""
        if arch not in self.kconfigs:
            if "" not in self.kconfigs:
                self.kconfigs[""] = generic(self.read)
            self.kconfigs[arch] = of_arch(self.read, arch, self.kconfigs[""])
        return self.kconfigs[arch]

    def settings(self, arch: str, differs: tuple[tuple[str, bool], ...]) -> Settings:
        """A configuration of an architecture, by what is chosen otherwise than in the first one."""
        found = self.configured.get((arch, differs))
        if found is None:
            base = dict.fromkeys((*self.machines.chosen, *self.machines.of(arch).chosen), True)
            first = self.settings(arch, ()) if differs else None
            found = self.configured[arch, differs] = Settings(self.kconfig(arch), {**base, **dict(differs)}, first)
        return found

    def follow(self, name: str) -> bool:
        """Whether what a header of this name includes and defines can matter."""
        found = self.follows.get(name)
        if found is None:
            found = self.follows[name] = bool(_FOLLOWED.search(basename(name))) or basename(name) in self.followed
        return found

    def places(self, arch: str) -> Places:
        """Where headers are looked for."""
        more = self.machines.of(arch).directories
        return Places((f"arch/{arch}/include", *more, "include", f"arch/{arch}/include/uapi", "include/uapi", "."))

    def reached(self, arch: str, roots: tuple[str, ...]) -> dict[str, View]:
        """The followed files that ``roots`` may lead to, whatever conditions say, by path."""
        key = (arch, roots)
        if key not in self.paths:
            known = self.paths.get((arch, ROOTS), ()) if roots[: len(ROOTS)] == ROOTS else ()
            rest, found = roots[len(ROOTS) :] if known else roots, self.found.setdefault(arch, {})
            self.paths[key] = self.lead_to(self.places(arch), rest, self.follow, None, known, found)
        return {path: one for path in self.paths[key] if (one := self.file(path)) is not None}


class Sight(msgspec.Struct):
    """An architecture cut down to some names: ``held`` are slices by path, ``atoms`` the CONFIG_ names that their conditions hang on."""

    world: World
    arch: str
    roots: tuple[str, ...]
    files: dict[str, View]
    held: dict[str, tuple[Piece, ...] | None] = msgspec.field(default_factory=dict)
    atoms: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    tested: frozenset[str] = frozenset()
    shelf: Shelf | None = None
    known: Known = msgspec.field(default_factory=dict)
    compiled: dict[tuple[tuple[str, bool], ...], tuple[str, ...]] = msgspec.field(default_factory=dict)

    def variants(self) -> list[Variant]:
        """Configurations to look at."""
        key = (self.arch, self.atoms)
        if key not in self.world.variants:
            self.world.variants[key] = self._variants()
        return self.world.variants[key]

    def _variants(self) -> list[Variant]:
        """Configurations that differ in what the slices hang on: all of a few free symbols, else each of them turned over."""
        first = self.world.settings(self.arch, ())
        symbols = free(first, sorted((name.removeprefix("CONFIG_") for name in self.atoms), key=lambda name: (name not in _FIRST, name)), _FREE)
        now = {name: first.value(name) == "y" for name in symbols}
        if len(symbols) <= _PRODUCT:
            flips = [some for size in range(len(symbols) + 1) for some in itertools.combinations(symbols, size)]
        else:
            flips = [(), *((name,) for name in symbols), symbols]
        out: dict[tuple[str, ...], Variant] = {}
        names = [*(name.removeprefix("CONFIG_") for name in sorted(self.atoms)), "64BIT"]
        for some in flips:
            differs = tuple((name, not now[name]) for name in some)
            settings = self.world.settings(self.arch, differs)
            values = settings.values(names)
            out.setdefault(values, Variant(settings, differs, {name: value for name, value in zip(names, values, strict=True) if value not in ("n", "")}))
        return list(out.values())

    def chosen(self, variant: Variant) -> tuple[str, ...]:
        """What a configuration compiles: the headers, and the C files that it builds."""
        if variant.differs not in self.compiled:
            self.compiled[variant.differs] = self._chosen(variant)
        return self.compiled[variant.differs]

    def _chosen(self, variant: Variant) -> tuple[str, ...]:
        states: dict[frozenset[str], tuple[bool, ...]] = {}
        return tuple(root for root in self.roots if root[0] == "<" or self._built(root, variant, states))

    def _built(self, root: str, variant: Variant, states: dict[frozenset[str], tuple[bool, ...]]) -> bool:
        """``states``: what the configuration says of symbols; many files are built by the same."""
        symbols = self.world.makefiles.asked_by(root)
        if symbols not in states:
            states[symbols] = tuple(map(variant.on, sorted(symbols)))
        key = (root, states[symbols])
        if key not in self.world.built:
            self.world.built[key] = self.world.makefiles.builds(root, variant.on)
        return self.world.built[key]

    def seen(self, variant: Variant) -> Seen:
        """What a configuration makes of the names."""
        assert self.shelf is not None
        unit = build(self.shelf, self.chosen(variant), self.predefined(variant), self.world.places(self.arch), self.world.found.setdefault(self.arch, {}))
        return scan(unit, self.names, self.known)

    def likeness(self) -> tuple[object, ...]:
        """Two architectures, or states of one, for which this is the same see the same when configured alike, but for paths and lines."""
        own = f"arch/{self.arch}/"
        return tuple((path.replace(own, "arch/*/", 1), self.world.digest(parts or ())) for path, parts in self.held.items())

    def predefined(self, variant: Variant) -> dict[str, str]:
        """The macros before the first line."""
        machine = self.world.machines.of(self.arch)
        wide = variant.on("64BIT")
        out = {**self.world.machines.predefined, **machine.always, **(machine.wide if wide else machine.narrow)}
        out |= {"BITS_PER_LONG": "64", "__LP64__": "1"} if wide else {"BITS_PER_LONG": "32"}
        out = {name: value for name, value in out.items() if name in self.tested}
        for plain, value in variant.active.items():
            if (name := f"CONFIG_{plain}") in self.atoms:
                out[name] = "1" if value == "y" else value
        return out


def sights(world: World, arches: Sequence[str], names: set[str], users: Callable[[str], Sequence[str]]) -> list[Sight]:
    """Each architecture cut down to ``names``, to which macros are added whose bodies use them. ``users``: C files of an architecture."""
    out = []
    for arch in arches:
        roots = (*ROOTS, *users(arch))
        there = world.reached(arch, roots)
        more = tuple(f"<{include}>" for path in world.also if path not in there and (include := _included(path)))
        roots = (*ROOTS, *more, *users(arch))  # what nobody who is followed includes is seen by all
        out.append(Sight(world, arch, roots, world.reached(arch, roots)))
    views = {id(one): one for sight in out for one in sight.files.values()}
    wrappers(views.values(), names)
    slices, tested = _slices(world, views, frozenset(names))
    for sight in out:
        sight.names, sight.tested = frozenset(names), tested
        cuts = [(path, slices[id(one)]) for path, one in sight.files.items()]
        sight.held = {path: parts for path, (parts, _) in cuts}
        sight.atoms = frozenset(macro for _, (_, macros) in cuts for macro in macros if macro.startswith("CONFIG_"))
    all_held = {path: parts for sight in out for path, parts in sight.held.items()}
    shelf = Shelf(lambda path: None, all_held, world.macros, dict.fromkeys(all_held, ""))  # views have no guards any more
    known: Known = {}
    for sight in out:
        sight.shelf, sight.known = shelf, known
    return out


def _slices(world: World, views: Mapping[int, View], names: frozenset[str]) -> tuple[dict[int, tuple[tuple[Piece, ...], frozenset[str]]], frozenset[str]]:
    """All files cut, and the macros that conditions hang on: cutting brings conditions in, and these the macros that they test."""
    out: dict[int, tuple[tuple[Piece, ...], frozenset[str]]] = {}
    tested: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    for turn in range(_ROUNDS):
        for number, one in views.items():
            if not turn or not one.defines.isdisjoint(fresh):
                out[number] = sliced(one, names, tested, world.follow)
        fresh = frozenset(macro for _, macros in out.values() for macro in macros if not macro.startswith("CONFIG_")) - tested
        if not fresh:
            break
        tested |= fresh
    return out, tested


def _included(path: str) -> str:
    """How a header is included: "linux/mm.h", "asm/tlb.h"; "" for one that lies beside those that use it."""
    parts = path.split("/")
    if parts[0] == "include":
        return "/".join(parts[1:])
    return "/".join(parts[3:]) if parts[0] == "arch" and parts[2:3] == ["include"] else ""


def wrappers(views: Iterable[View], names: set[str]) -> None:
    """Add to ``names`` the macros whose bodies speak of one of them."""
    views = tuple(views)
    for _ in range(_WRAPPERS):
        some = (one for one in views if not one.words.isdisjoint(names))
        more = {name for one in some for name, words in one.macros if name not in names and not words.isdisjoint(names)}
        if not more:
            break
        names |= more


def arches(read: Read, machines: Machines, known: Iterable[str]) -> list[str]:
    """The architectures of a tree that are looked at."""
    return [name for name in known if name not in machines.skipped and read(f"arch/{name}/Kconfig") is not None]


__all__ = ["Machine", "Machines", "Mapping", "Sight", "Variant", "World", "arches", "sights", "wrappers"]
