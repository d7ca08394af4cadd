"""``tlblint hook install`` and ``uninstall``: plans that say what they will do, and then do it or not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlblint.app.hook_text import NAMES, script
from tlblint.io import hooks
from tlblint.io.errors import InputError
from tlblint.io.hooks import ASIDE, Place


class Plan(msgspec.Struct, frozen=True):
    """What is to be done about one hook. ``act`` is "write", "chain" (move the foreign one aside, then write), "remove" or ""; ``says`` are lines."""

    name: str
    act: str
    says: tuple[str, ...]


def install(cwd: str, names: Sequence[str], dry: bool, shared: bool) -> list[str]:
    """Install hooks, all of ``NAMES`` when none is named; what was done, or would be. Raises InputError before anything is changed."""
    place = hooks.place(cwd)
    if place.shared and not shared:
        where = f"core.hooksPath ({place.scope})"
        raise InputError(where, f"{place.directory} serves other repositories as well", "add --shared to install the hooks for all of them")
    plans = [_installing(place, name) for name in _known(names)]
    lines = [line for plan in plans for line in plan.says]
    if place.tracked and any(plan.act for plan in plans):
        lines.append(f"{place.directory} lies in the work tree: git will show the hooks as changes there")
    return _carried_out(place, plans, lines, dry)


def uninstall(cwd: str, names: Sequence[str], dry: bool) -> list[str]:
    """Take hooks away and put back what was there before; what was done, or would be. Raises InputError before anything is changed."""
    place = hooks.place(cwd)
    plans = [_leaving(place, name) for name in _known(names)]
    return _carried_out(place, plans, [line for plan in plans for line in plan.says], dry)


def _known(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in NAMES:
            raise InputError(name, "tlblint has no such hook", "choose from " + ", ".join(NAMES))
    return tuple(name for name in NAMES if name in names or not names)


def _installing(place: Place, name: str) -> Plan:
    path = place.of(name)
    kind, waiting = hooks.owner(path), hooks.waiting(path) == "other"
    if kind == "changed":
        raise InputError(path, "this is tlblint's hook with changes by someone else", "move it away, or take the changes out")
    if kind == "foreign" and waiting:
        raise InputError(path, f"neither this hook nor {name}{ASIDE} beside it is tlblint's", "put them together, or move one of them away")
    if kind == "ours":
        same = hooks.read(path) == script(name)
        return Plan(name, "" if same else "write", (f"{path}: is there already" if same else f"{path}: replace the hook of another tlblint",))
    if kind == "foreign":
        says = [f"{path}: move aside to {name}{ASIDE}, write a hook that runs it first"]
        if hooks.asks_its_name(path):
            says.append(f"{path}: seems to look at its own name, which will be {name}{ASIDE}; see that it still works")
        return Plan(name, "chain", tuple(says))
    also = f"; it will run {name}{ASIDE}, which is there" if waiting else ""
    return Plan(name, "write", (f"{path}: write{also}",))


def _leaving(place: Place, name: str) -> Plan:
    path = place.of(name)
    kind, waiting = hooks.owner(path), hooks.waiting(path) == "other"
    if kind == "changed":
        before = f"; {name}{ASIDE} was there before" if waiting else ""
        raise InputError(path, "this is tlblint's hook with changes by someone else", f"take it away by hand{before}")
    if kind != "ours":
        left = f"; {name}{ASIDE} is left as it is" if waiting else ""
        return Plan(name, "", (f"{path}: not tlblint's{left}" if kind else f"{path}: there is none{left}",))
    return Plan(name, "remove", (f"{path}: put back {name}{ASIDE}" if waiting else f"{path}: remove",))


def _carried_out(place: Place, plans: Sequence[Plan], lines: list[str], dry: bool) -> list[str]:
    for plan in plans if not dry else ():
        path = place.of(plan.name)
        if plan.act == "chain":
            hooks.aside(path)
        if plan.act in ("chain", "write"):
            hooks.write(path, script(plan.name))
        elif plan.act == "remove":
            hooks.remove(path)
    return [f"would do: {line}" for line in lines] if dry else lines
