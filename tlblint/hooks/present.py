"""A tree as it is: faults in what has to do with flushes, on all architectures."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from posixpath import dirname

import msgspec

from tlblint.hooks import static, symbols
from tlblint.hooks.essence import Essence, within
from tlblint.hooks.judge import Answer, Fault, faults, judged
from tlblint.hooks.surface import STEMS, Listing, surface
from tlblint.names.index import Index, Read, Texts
from tlblint.names.view import View
from tlblint.names.world import ROOTS, Machines, World, arches, wrappers

KCONFIGS = ("Kconfig", "arch/Kconfig", "mm/Kconfig", "init/Kconfig")
"""Where the symbols are declared that hooks hang on."""
USERS = ("mm", "fs/proc")
_ALONE = "x86"
_BESIDE = ("Kconfig.debug", "Kconfig.cpu", "mm/Kconfig", "mm/Kconfig.debug")
"""What generic Kconfig files ask of an architecture, or only some do: a look that may save the one at all files."""
_DEEP = 4
"""Macros within macros that are followed."""
_HEAD = re.compile(rb"^(?:[A-Za-z_][\w \t*]*[ \t*])?([A-Za-z_]\w*)[ \t]*\(", re.MULTILINE)


def told(index: Index, machines: Machines, known: Sequence[str], listing: Listing) -> tuple[list[Fault], dict[str, str], Essence]:
    """(faults, path -> why something was not looked at, what they rest on in C files) of a tree. Headers are asked first, on all architectures
    and in all configurations; C files only about names that some of these lack."""
    world = World(index.read, machines, index.texts)
    read = world.read
    there = arches(read, machines, known)
    views = {id(one): one for arch in there for one in world.reached(arch, ROOTS).values()}
    names = {name for one in views.values() for name in _made(one) if surface(name)}
    answer = judged(world, there, names, lambda arch: ())
    out = {(fault.kind, fault.name): fault for fault in faults(world, answer, (), lambda place: 0)}
    lacking = {name for name in answer.known() if any(name in said.absent for said in answer.said)}
    rests = Essence()
    if lacking:
        homes = [path for path in listing(USERS) if path.endswith(".c") and dirname(path) in USERS]
        rests = _rests(read, homes, lacking, [*views.values()], world)
        users = [path for path in homes if rests.files.get(path)]
        more = judged(world, there, _spoken(lacking, [*views.values()], users, world), lambda arch: users)
        if any(said.missing or said.twice for said in more.said):  # what is said of it may speak of the others
            more = judged(world, there, lacking, lambda arch: users)
        out |= {(fault.kind, fault.name): fault for fault in faults(world, more, (), lambda place: 0)}
        answer = Answer([*answer.said, *more.said], {**answer.gaps, **more.gaps})
    unknown, gaps = _undeclared(world, there, known)
    found = [*out.values(), *_never(world, views.values()), *unknown]
    for path in (*KCONFIGS, *(f"arch/{arch}/Kconfig" for arch in there)):
        raw = read(path)
        found += static.kconfig(path, raw) if raw is not None else []
    return sorted(found, key=lambda fault: (fault.path, fault.line, fault.kind, fault.name)), answer.gaps | gaps, rests


def _spoken(names: Collection[str], views: Iterable[View], users: Sequence[str], world: World) -> set[str]:
    """Those of ``names`` that C files speak of, themselves or through macros."""
    own = [one for path in users if (one := world.file(path)) is not None]
    words = frozenset().union(*(one.words for one in own))
    macros = [item for one in (*views, *own) if not one.words.isdisjoint(names) for item in one.macros]
    for _ in range(_DEEP):
        more = frozenset().union(*(body for name, body in macros if name in words and not body <= words))
        if not more:
            break
        words |= more
    return set(words.intersection(names))


def _rests(read: Read, homes: Sequence[str], lacking: Collection[str], views: list[View], world: World) -> Essence:
    """What C files say of ``lacking`` names and of the macros that speak of them, also those of the files themselves."""
    texts = {path: raw for path in homes if (raw := read(path)) is not None}
    own = {path: one for path, raw in texts.items() if within(raw, lacking) and (one := world.file(path)) is not None}
    names = set(lacking)
    wrappers([*views, *own.values()], names)
    held = Essence(tuple(sorted(lacking)), frozenset(names))
    pieces, words = world.texts.pieces, lambda raw: world.texts.of(raw).words
    return msgspec.structs.replace(held, files={path: held.of_spoken(raw, pieces, words) if path in own else b"" for path, raw in texts.items()})


def alone(path: str, raw: bytes, machines: Machines) -> list[Fault]:
    """The faults of one file that stands alone, every CONFIG_ name of it free."""
    files = {path: raw, f"arch/{_ALONE}/Kconfig": _free(raw)}
    world = World(files.get, machines, Texts())
    view = world.file(path)
    assert view is not None
    names = {name for name in _defined(view) if surface(name)}
    found = faults(world, judged(world, [_ALONE], names, lambda arch: [path]), (), lambda place: 0)
    return [*found, *_never(world, [view], path)]


def _undeclared(world: World, there: Sequence[str], known: Sequence[str]) -> tuple[list[Fault], dict[str, str]]:
    """Symbols of flushes that a file which was read names and nobody declares. That nobody does is asked of all Kconfig files only where these
    do not say otherwise."""
    if not there:
        return [], {"arch": "no architecture has a Kconfig file: hooks are looked for on none"}
    kconfigs = [world.kconfig(arch) for arch in there]
    names = [(path, name, at) for path, some in _named(world, {path for one in kconfigs for path in one.files}) for name, at in some.items()]
    left = [(path, name, at) for path, name, at in names if not any(name in one.symbols for one in kconfigs)]
    beside = (f"arch/{arch}/{name}" for arch in there for name in _BESIDE) if left else ()
    near = frozenset().union(*(symbols.in_file(raw) for path in beside if (raw := world.read(path)) is not None))
    left = [(path, name, at) for path, name, at in left if name not in near]
    if not left:
        return [], {}
    all_of_them = symbols.declared(world.read, known)
    if all_of_them.gap is not None:
        return [], dict([all_of_them.gap])
    return [symbols.fault(path, name, at, all_of_them.names) for path, name, at in left if name not in all_of_them.names], {}


def _named(world: World, kconfigs: Collection[str]) -> Iterable[tuple[str, dict[str, symbols.Mention]]]:
    """The symbols of flushes that files name which were read, by file."""
    for path in sorted(kconfigs):
        raw = world.read(path)
        if raw is not None and symbols.asks_for_own(raw):
            yield path, _own(symbols.in_kconfig(raw, symbols.OWN_TEXT))
    for path, view in world.files.items():
        if view is not None and path not in kconfigs and symbols.speaks_of_own(view.raw):
            yield path, _own(symbols.in_code(view, symbols.OWN_TEXT))


def _own(found: dict[str, symbols.Mention]) -> dict[str, symbols.Mention]:
    return {plain: at for name, at in found.items() if symbols.own(plain := name.removesuffix("_MODULE"))}


def _free(raw: bytes) -> bytes:
    names = sorted({word[7:] for word in Texts().of(raw).words if word.startswith("CONFIG_")})
    return "".join(f'config {name}\n\tbool "{name}"\n' for name in names).encode()


def _defined(view: View) -> Collection[str]:
    return {name for name, _ in view.macros} | view.words


def _made(view: View) -> Collection[str]:
    """The macros of a file, and what stands before a bracket on a line that begins in its first column: functions. None of a file that speaks of
    no flushes."""
    if not any(word in view.raw for word in STEMS):
        return ()
    return {head for head, part in zip(view.heads, view.parts, strict=True) if part.word == "define"} | {name.decode() for name in _HEAD.findall(view.raw)}


def _never(world: World, views: Iterable[View], only: str = "") -> list[Fault]:
    """Tests that no definition makes true, in the files that were reached."""
    views = list(views)
    wanted = {name for view in views for name in static.asked(view)}
    if not wanted:
        return []
    made = static.bodies(views, {name for name in wanted if surface(name)})
    paths = {id(one): path for path, one in world.files.items()}
    return [fault for view in views if static.asked(view) for fault in static.never(only or paths[id(view)], view, made)]
