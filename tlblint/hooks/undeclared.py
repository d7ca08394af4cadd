"""Symbols that a series takes away while others go on to name them, and those that it names and nobody declares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from posixpath import basename, dirname

from tlblint.hooks.judge import Fault
from tlblint.hooks.surface import Changes, is_kconfig
from tlblint.hooks.symbols import Declared, Mention, declared, fault, in_file, mentioned
from tlblint.names.index import Read
from tlblint.names.world import World

Search = Callable[[Collection[str]], Sequence[str]]
"""The C files of the base that hold any of some words."""
Gap = tuple[int, str, str]
"""(state, path, why)."""
_MAKE = ("Makefile", "Kbuild")
_MOST = 60
"""Symbols that are told of one file."""


def found(worlds: Sequence[World], steps: Sequence[Changes], known_arches: Sequence[str], search: Search) -> tuple[list[list[Fault]], list[Gap]]:
    """(the faults of each state, what could not be looked at)."""
    touched = sorted({path for step in steps for path in step if _counts(path)})
    named = {path: [_names(world, path) for world in worlds] for path in touched}
    fresh = {path: frozenset().union(*states) - states[0] for path, states in named.items()}
    lost = _lost(worlds, touched)
    gaps: list[Gap] = []
    nothing: list[list[Fault]] = [[] for _ in worlds]
    if not lost and not any(fresh.values()):
        return nothing, []
    states = _states(worlds, steps, known_arches)
    unknown = next((one.gap for one in states if one.gap is not None), None)
    if unknown is not None:
        first = next((n for n in range(1, len(worlds)) if any(some[n] - some[0] for some in named.values())), 1)
        return nothing, [(first, *unknown)]
    once: set[str] = set(states[0].names)
    paths = _users(worlds[0].read, states[0], lost & once, search) if lost & once else set()
    out = []
    for number, (world, state) in enumerate(zip(worlds, states, strict=True)):
        gone = (lost & once) - state.names
        came = state.names - states[0].names
        once |= state.names
        faults = {}
        for path in sorted({*touched, *(paths if gone else ())}):
            wanted = (fresh.get(path, frozenset()) | gone) - state.names
            view = world.file(path) if wanted else None
            here: dict[str, Mention] = {}
            for name, at in mentioned(path, view).items() if view is not None else ():
                plain = name if name in wanted or name in state.names else name.removesuffix("_MODULE")
                if plain in wanted and name.removesuffix("_MODULE") not in state.names:
                    here.setdefault(plain, at)
            if len(here) > _MOST:
                gaps.append((number, path, f"names {len(here)} symbols that no Kconfig file declares, {_MOST} of them are told"))
            for plain in list(here)[:_MOST]:
                one = fault(path, plain, here[plain], state.names, came, plain in gone)
                faults[one.name, path] = one
        out.append(list(faults.values()))
    return out, gaps


def _counts(path: str) -> bool:
    return path.endswith((".c", ".h")) or is_kconfig(path) or basename(path) in _MAKE


def _names(world: World, path: str) -> frozenset[str]:
    view = world.file(path)
    return frozenset(mentioned(path, view)) if view is not None else frozenset()


def _lost(worlds: Sequence[World], touched: Iterable[str]) -> frozenset[str]:
    """What a touched Kconfig file declares in one state and not in a later one."""
    out: set[str] = set()
    for path in touched:
        if is_kconfig(path):
            before: set[str] = set()
            for world in worlds:
                view = world.file(path)
                now = in_file(view.raw) if view is not None else frozenset()
                out |= before - now
                before |= now
    return frozenset(out)


def _states(worlds: Sequence[World], steps: Sequence[Changes], known_arches: Sequence[str]) -> list[Declared]:
    """What each state declares; most patches touch no Kconfig file."""
    out: list[Declared] = []
    for number, world in enumerate(worlds):
        if number and not any(is_kconfig(path) for path in steps[number - 1]):
            out.append(out[-1])
        else:
            out.append(declared(world.read, known_arches))
    return out


def _users(read: Read, base: Declared, names: Collection[str], search: Search) -> set[str]:
    """The files of the base that name any of some symbols: Kconfig files, the Makefiles beside them, and C files."""
    words = [name.encode() for name in names]
    make = {f"{dirname(path)}/{name}".lstrip("/") for path in base.files for name in _MAKE}
    out = {path for path in (*base.files, *sorted(make)) if (raw := read(path)) is not None and any(word in raw for word in words)}
    return out | set(search([form for name in sorted(names) for form in (f"CONFIG_{name}", f"CONFIG_{name}_MODULE")]))
