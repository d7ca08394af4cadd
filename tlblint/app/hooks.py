"""TLB201: hooks that some architecture or configuration lacks, has twice, or cannot have, as findings.

What came of a tree is remembered together with the files that were read for it, those included that were looked for and are not there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tlblint.app.naming import index_of
from tlblint.app.reading import Reading
from tlblint.findings.own import RuleInfo, own_finding
from tlblint.io import data, prefilter
from tlblint.io.aside import Aside
from tlblint.io.errors import Unreadable
from tlblint.io.marks import NONE, Still, mark
from tlblint.io.stamp import stamp
from tlblint.io.tree import PlainDir, Tree, Worktree
from tlblint.io.walk import walk
from tlblint.model.finding import Finding
from tlblint.model.ir import NotAnalysed
from tlblint.model.store import NOTHING, Store, key
from tlblint.names.index import Index

CODE = "TLB201"
KIND = "hooks"
KERNEL = "include/linux/mm_types.h"
GENERIC = "include/asm-generic/tlb.h"
"""Where flush hooks are asked for: a tree is looked at when this is among what is checked."""


class Misfit(msgspec.Struct, frozen=True, array_like=True):
    """Something that does not fit together. ``kind`` and ``name`` tell it from the others of a tree."""

    kind: str
    name: str
    path: str
    line: int
    message: str


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What came of the states of a tree, one of them for a check. ``gaps``: (state, path, why). ``files``: what was read, with what it was then;
    ``rests``: an Essence of some of them, encoded. ``listed`` and ``sought``: places that were listed and words that were looked for in the whole tree,
    each with a digest of the files that came of it: another one may be there another day."""

    wrong: tuple[tuple[Misfit, ...], ...]
    gaps: tuple[tuple[int, str, str], ...]
    files: dict[bytes, bytes]
    rests: bytes = b""
    listed: tuple[tuple[tuple[str, ...], bytes], ...] = ()
    sought: tuple[tuple[tuple[str, ...], bytes], ...] = ()


if TYPE_CHECKING:  # what is remembered needs none of it
    from tlblint.app.states import State
    from tlblint.hooks.judge import Fault
    from tlblint.io.apply import Applied
    from tlblint.names.world import Machines

Listing = Callable[[Sequence[str]], Sequence[str]]
Gap = tuple[int, str, str]
Brought = tuple[tuple[tuple[Misfit, ...], ...], tuple[Gap, ...], bytes]
Search = Callable[[Collection[str]], Sequence[str]]
Work = Callable[[Index, Listing, Search], Brought]


class Asked:
    """What comes of a tree, looked for on a processor of its own where ``several`` may be used. Close it."""

    def __init__(self, tree: Tree, state: bytes, work: Work, store: Store, several: bool) -> None:
        self._store = store
        self._name = _name(tree, state)
        self._told = _known(tree, store, self._name)
        self._aside: Aside | None = None
        if self._told is None:
            self._aside = Aside(lambda: msgspec.msgpack.encode(_made(tree, work)), several)

    def told(self) -> Told:
        """The answer. Raises InputError."""
        if self._told is None:
            assert self._aside is not None
            row = self._aside.result()
            self._store.put(KIND, {self._name: row})
            self._told, self._aside = msgspec.msgpack.decode(row, type=Told), None
        return self._told

    def close(self) -> None:
        """End the process that nobody waits for any more."""
        if self._aside is not None:
            self._aside.close()


def asked(tree: Tree, inside: Callable[[str], bool], store: Store = NOTHING, several: bool = False) -> Asked | None:
    """Begin to look at a tree as it is; None when what is ``inside`` is no part of a kernel that asks for hooks."""
    if not inside(GENERIC) or tree.holds(KERNEL) != "file" or tree.holds(GENERIC) != "file":
        return None
    return Asked(tree, b"", _present, store, several)


def in_tree(tree: Tree, inside: Callable[[str], bool], rules: Mapping[str, RuleInfo], asked: Asked | None) -> tuple[
    list[Finding], dict[str, bytes], list[NotAnalysed]]:  # fmt: skip
    """(findings in files that are ``inside``, the bytes of these files, what was not looked at). Raises InputError."""
    if asked is None:
        return [], {}, []
    told = asked.told()
    wrong = [one for one in told.wrong[0] if inside(one.path)]
    sources = {path: raw for path in sorted({one.path for one in wrong}) if (raw := _read(tree, path)) is not None}
    gaps = [NotAnalysed(path, "", 0, f"{CODE}: {why}") for _, path, why in told.gaps if inside(path)]
    return [as_finding(one, rules[CODE]) for one in wrong], sources, gaps


def begun(tree: Tree, applied: Sequence[Applied], store: Store = NOTHING, several: bool = False) -> Asked | None:
    """Begin to look at what a series brings; None for one that touches nothing of the kind."""
    if tree.holds(KERNEL) != "file" or not any(_counts(path) for step in applied for path in step.changed):
        return None
    state = key(*(part for step in applied for path, raw in sorted(step.changed.items()) for part in (path, raw if raw is not None else b"")))
    return Asked(tree, state, lambda index, listing, search: _brought(index, listing, search, applied), store, several)


def judge(tree: Tree, applied: Sequence[Applied], found: Sequence[State], asked: Asked | None) -> None:
    """Tell each state of a series what it lacks. Raises InputError."""
    if asked is None:
        return
    told = asked.told()
    for number, state in enumerate(found):
        state.hooks = told.wrong[number]
        state.notes += tuple(f"{path}: {CODE}: {why}" for at, path, why in told.gaps if at == number)
        for path in sorted({one.path for one in state.hooks} - state.contents.keys()):
            raw = next((step.changed[path] for step in reversed(applied[:number]) if path in step.changed), None) or _read(tree, path)
            state.contents.update({path: raw} if raw is not None else {})


def in_file(path: str, raw: bytes, rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """Findings in one file that stands alone, every CONFIG_ name of it free."""
    if CODE not in rules or b"#if" not in raw:
        return []
    from tlblint.hooks import present

    return [as_finding(_misfit(fault), rules[CODE]) for fault in present.alone(path, raw, _machines())]


def as_finding(wrong: Misfit, rule: RuleInfo) -> Finding:
    """A fault as a finding."""
    return own_finding(rule, wrong.path, wrong.line, 1, wrong.name, wrong.message, wrong.kind, wrong.name)


def _counts(path: str) -> bool:
    return path.endswith((".h", ".c")) or os.path.basename(path).startswith(("Kconfig", "Kbuild", "Makefile"))


def _machines() -> Machines:
    from tlblint.names.world import Machines

    return msgspec.toml.decode(data.read(os.path.join(data.root("rules"), "hooks", "machines.toml")), type=Machines)


def _name(tree: Tree, state: bytes) -> bytes:
    return key(stamp(), data.read(os.path.join(data.root("rules"), "hooks", "machines.toml")), tree.kind, os.fsencode(tree.top), state)


def _known(tree: Tree, store: Store, name: bytes) -> Told | None:
    row = store.get(KIND, [name]).get(name)
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            told = msgspec.msgpack.decode(row, type=Told)
            changed = Still(tree).changed(told.files)
            now = {os.fsencode(path): mark(tree, path) for path in changed}
            if any(_digest(_files(tree, places)) != before for places, before in told.listed) or (changed and not _same(tree, told, changed)):
                return None
            if any(_digest(_holding(tree, words)) != before for words, before in told.sought):
                return None
            if changed:  # so that the next run need not take them apart once more
                store.put(KIND, {name: msgspec.msgpack.encode(replace(told, files={**told.files, **now}))})
            return told
    return None


def _same(tree: Tree, told: Told, changed: Sequence[str]) -> bool:
    """Whether all that an answer rests on is in ``changed`` files still what it was, and nothing that it says of them has moved. Most edits of
    a C file have nothing to do with hooks. Raises msgspec.DecodeError."""
    if not told.rests:
        return False
    from tlblint.hooks.essence import Essence

    rests = msgspec.msgpack.decode(told.rests, type=Essence)
    said = [text for found in told.wrong for one in found for text in (one.path, one.message)]
    return all(
        path in rests.files and not any(path in text for text in said) and (raw := _read(tree, path)) is not None and rests.same(path, raw)
        for path in changed
    )


def _made(tree: Tree, work: Work) -> Told:
    files: dict[str, bytes] = {}
    known, source = index_of(tree), Reading(tree)

    def read(path: str) -> bytes | None:
        if path not in files:
            files[path] = source.mark(path)
        if files[path] == NONE:
            return None
        return known.raws[path] if path in known.raws else source(path)

    listed: dict[tuple[str, ...], bytes] = {}
    sought: dict[tuple[str, ...], bytes] = {}

    def listing(places: Sequence[str]) -> Sequence[str]:
        listed[tuple(places)] = _digest(_files(tree, places))
        return tree.list(tuple(place for place in places if tree.holds(place) == "directory")).paths

    def search(words: Collection[str]) -> Sequence[str]:
        found = _holding(tree, words)
        sought[tuple(sorted(words))] = _digest(found)
        return found

    wrong, gaps, rests = work(Index(read, known.texts.branch()), listing, search)
    marks = {os.fsencode(path): before for path, before in files.items()}
    return Told(wrong, gaps, marks, rests, tuple(listed.items()), tuple(sought.items()))


def _files(tree: Tree, places: Sequence[str]) -> Sequence[str]:
    """The C files below some places; in a git work tree also those that git ignores, of which it would have to be asked."""
    there = [place for place in places if tree.holds(place) == "directory"]
    if not there:
        return ()
    return sorted(walk(tree.top, there, states=False).files) if isinstance(tree, (Worktree, PlainDir)) else tree.list(tuple(there)).paths


def _holding(tree: Tree, words: Collection[str]) -> Sequence[str]:
    """The C files in which any of some words is."""
    return prefilter.survivors(tree, tree.list(()).paths, [word.encode() for word in sorted(words)])


def _digest(paths: Iterable[str]) -> bytes:
    return key(*map(os.fsencode, paths))


def _present(index: Index, listing: Listing, search: Search) -> Brought:
    from tlblint.hooks import present

    machines = _machines()
    found, gaps, rests = present.told(index, machines, [one.name for one in machines.arch], listing)
    return (tuple(_misfit(fault) for fault in found),), tuple((0, path, why) for path, why in gaps.items()), msgspec.msgpack.encode(rests)


def _brought(index: Index, listing: Listing, search: Search, applied: Sequence[Applied]) -> Brought:
    from tlblint.hooks import history

    machines = _machines()
    told = history.told(index.read, [step.changed for step in applied], machines, [one.name for one in machines.arch], listing, search)
    return tuple(tuple(_misfit(fault) for fault in found) for found in told.faults), tuple(told.gaps), b""


def _misfit(fault: Fault) -> Misfit:
    return Misfit(fault.kind, fault.name, fault.path, fault.line, fault.message)


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except Unreadable:
        return None
