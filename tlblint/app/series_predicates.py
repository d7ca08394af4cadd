"""TLB202 under a series: predicates are executed anew after each patch that changes what they are made from, and only then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tlblint.app import refuted
from tlblint.app.refuted import Machine, Told
from tlblint.app.states import State
from tlblint.io.apply import Applied
from tlblint.io.errors import Unreadable
from tlblint.io.overlay import Overlay
from tlblint.io.tree import Tree
from tlblint.model.store import Store, key

if TYPE_CHECKING:
    from tlblint.app.executed import Executing


def judge(tree: Tree, applied: Sequence[Applied], found: Sequence[State], models: Collection[str], store: Store) -> None:
    """Tell each state which of its predicates are wrong, and which nobody could execute. Nothing is read for a series without headers.

    ``models``: as in refuted.in_tree(). Raises InputError.
    """
    changed = [frozenset(path for path in step.changed if _counts(path)) for step in applied]
    if not any(changed) or tree.holds(refuted.KERNEL) != "file":
        return
    about = refuted.about()
    trees = _trees(tree, applied)
    known = [one for one in refuted.machines(about, store) if not models or one.flush_profile in models]
    asked = [one for one in known if any(one.defined_in(_read(each, path)) for each, new in zip(trees, [None, *changed], strict=True)
                                         for path in one.places if new is None or path in new)]  # fmt: skip
    states = _States(trees, applied)
    told = dict(zip((one.name for one in asked), refuted.tell(tree, about, asked, store, begun=partial(states.at, 0)), strict=True))
    touched = frozenset().union(*changed)
    asked = [one for one in asked if _rests(told[one.name], touched)]
    name = b""
    for number, state in enumerate(found):
        if number:
            anew = [one for one in asked if _rests(told[one.name], changed[number - 1])]
            name = key(name, *(part for path, raw in sorted(applied[number - 1].changed.items()) for part in (path, raw if raw is not None else b"")))
            told |= dict(zip((one.name for one in anew), refuted.tell(trees[number], about, anew, store, name, partial(states.at, number)), strict=True))
        _take(state, trees[number], asked, told)
        lost = state.unclear - found[number - 1].unclear if number else frozenset()
        state.notes += tuple(f"{path}: {function}() cannot be executed any more, so nobody knows whether it is right" for path, function in sorted(lost))


class _States:
    """Executes in one state after the other."""

    def __init__(self, trees: Sequence[Tree], applied: Sequence[Applied]) -> None:
        self._trees = trees
        self._applied = applied
        self._last: tuple[int, Executing] | None = None

    def at(self, number: int) -> Executing:
        """What executes after ``number`` patches; asked for in order."""
        from tlblint.app.executed import Executing

        before, last = self._last if self._last is not None else (number, None)
        changed = frozenset().union(*(step.changed for step in self._applied[before:number]))
        self._last = number, Executing(self._trees[number], last, changed)
        return self._last[1]


def _take(state: State, tree: Tree, asked: Sequence[Machine], told: Mapping[str, Told]) -> None:
    state.wrong = tuple(wrong for one in asked for wrong in told[one.name].wrong)
    state.unclear = frozenset(name for one in asked for name in told[one.name].unclear)
    for path in sorted({wrong.path for wrong in state.wrong} - state.contents.keys()):
        state.contents[path] = _read(tree, path)


def _counts(path: str) -> bool:
    """Whether a predicate may rest on a file: on headers, and on what an architecture selects."""
    return path.endswith(".h") or (path.startswith("arch/") and path.endswith("/Kconfig"))


def _rests(told: Told, paths: Collection[str]) -> bool:
    return any(refuted.name_of(path) in told.files for path in paths)


def _trees(tree: Tree, applied: Sequence[Applied]) -> list[Tree]:
    """The base, and the tree after each patch."""
    out = [tree]
    for step in applied:
        out.append(Overlay(out[-1], step.changed) if step.changed else out[-1])
    return out


def _read(tree: Tree, path: str) -> bytes:
    try:
        return tree.read(path)
    except Unreadable:
        return b""
