"""The functions of all files, found by name as C finds them: a static of the same file first, then the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from tlblint.model.ir import Blocks, FileFacts, Function, OpsTable

Fact = TypeVar("Fact")


class Program:
    """An index over FileFacts. ``functions`` is in file order; an index into it names a function everywhere."""

    def __init__(self, facts: Sequence[FileFacts]) -> None:
        ordered = sorted(facts, key=lambda f: f.path)
        self.functions: list[Function] = [fn for f in ordered for fn in f.functions]
        self.tables: tuple[OpsTable, ...] = tuple(t for f in ordered for t in f.tables)
        self._local: dict[str, dict[str, int]] = {}
        """By path and name."""
        self._global: dict[str, list[int]] = {}
        variants: dict[tuple[str, str], list[int]] = {}
        for index, fn in enumerate(self.functions):
            if fn.variant:
                variants.setdefault((fn.path, fn.name), []).append(index)
                continue
            self._prefer(fn, index)
            if not fn.static or fn.path.endswith(".h"):
                self._global.setdefault(fn.name, []).append(index)

        self._variants = variants
        self._said: dict[object, dict[int, Any]] = {}
        self._meant: dict[tuple[str, str], int | None] = {}
        """What a name means in a file that has no function of it, by name and architecture of the file."""

    def once(self, what: object, index: int, make: Callable[[], Fact]) -> Fact:
        """What ``make`` says of the text of a function and nothing else; ``what`` names it."""
        known = self._said.setdefault(what, {})
        if index not in known:
            known[index] = make()
        return known[index]  # type: ignore[no-any-return]

    def each(self, what: object, make: Callable[[Function], Fact]) -> list[Fact]:
        """The same of every function, by index."""
        known = self._said.setdefault(what, {})
        if len(known) < len(self.functions):
            known.update({index: make(fn) for index, fn in enumerate(self.functions) if index not in known})
        return list(map(known.__getitem__, range(len(self.functions))))

    def tell(self, what: object, first: int, answers: Sequence[object]) -> None:
        """What ``once`` is to answer of the functions from ``first`` on."""
        self._said.setdefault(what, {}).update(enumerate(answers, first))

    def add(self, function: Function) -> int:
        """Take in a function that stands in no file and that no call finds by its name. Returns its index."""
        self.functions.append(function)
        return len(self.functions) - 1

    def placed(self) -> Sequence[Function]:
        """The functions with their place in the files as these are now."""
        return self.functions

    def twins(self, index: int) -> Sequence[int]:
        """The other variants of a function; none for one that is itself such a variant."""
        fn = self.functions[index]
        return () if fn.variant else self._variants.get((fn.path, fn.name), ())

    def _prefer(self, fn: Function, index: int) -> None:
        """#ifdef twins: the one that does more is the real one, the other a stub."""
        local = self._local.setdefault(fn.path, {})
        old = local.get(fn.name)
        if old is None or does_more(fn, self.functions[old]):
            local[fn.name] = index

    def resolve(self, name: str, path: str) -> int | None:
        """The function that a call of ``name`` in file ``path`` means, or None when it is not among the facts.

        Several global definitions: the architecture of the caller, then a generic one, then none (ambiguous).
        """
        found = self._local.get(path, {}).get(name)
        return self._elsewhere(name, path) if found is None and name in self._global else found

    def resolved(self, names: Iterable[str], path: str) -> set[int]:
        """The functions that calls of several names mean."""
        local, known = self._local.get(path, {}), self._global
        found = {local[name] if name in local else self._elsewhere(name, path) for name in names if name in local or name in known}
        found.discard(None)
        return found  # type: ignore[return-value]

    def _elsewhere(self, name: str, path: str) -> int | None:
        place = (name, arch_of(path))
        if place not in self._meant:
            self._meant[place] = self._choose(self._global[name], place[1])
        return self._meant[place]

    def _choose(self, candidates: Sequence[int], home: str) -> int | None:
        same = [i for i in candidates if arch_of(self.functions[i].path) == home]
        generic = [i for i in candidates if not arch_of(self.functions[i].path)]
        for group in (same, generic):
            if group:
                return max(group, key=lambda i: (size(self.functions[i]), -i)) if len(group) > 1 else group[0]
        return None

    def by_name(self, name: str) -> Iterable[int]:
        """All functions of that name, variants excluded."""
        return (i for i, fn in enumerate(self.functions) if fn.name == name and not fn.variant)


@cache
def arch_of(path: str) -> str:
    """The architecture a path belongs to ("x86" for arch/x86/mm/tlb.c), "" for generic code."""
    parts = path.split("/")
    return parts[parts.index("arch") + 1] if "arch" in parts[:-1] else ""


def does_more(fn: Function, other: Function) -> bool:
    """Whether of two functions of one name in a file the second one is the stub."""
    return size(fn) > size(other)


def size(fn: Function) -> int:
    """How much a function does: by this the real one of several is told from its stubs."""
    blocks = fn.blocks
    return blocks.size if isinstance(blocks, Blocks) else sum(len(block.instrs) for block in blocks) + len(blocks)
