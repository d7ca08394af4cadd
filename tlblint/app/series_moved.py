"""Contracts of functions that a series carries to another file or calls otherwise: what they kept quiet there is not new here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import msgspec

from tlblint.app.spine import Contracts, Spine
from tlblint.app.states import Name, State, named, renamed, same_text
from tlblint.engine.asked import in_order
from tlblint.model.finding import Finding
from tlblint.model.store import NOTHING, Store
from tlblint.report.view import is_new


class Moved(msgspec.Struct, frozen=True):
    """Functions with a contract, by what patches make of them -> what they were in the base, (path, name). ``whole``: those that only moved, or
    were only renamed: what is promised of them still holds, while a function that is changed on the way is entered as it was and no more."""

    names: Mapping[Name, Name] = msgspec.field(default_factory=dict)
    whole: frozenset[Name] = frozenset()


NOWHERE = Moved()
"""Nothing moves."""


def followed(contracts: Contracts | None, found: Sequence[State]) -> Moved:
    """What becomes of functions with contracts."""
    names: dict[Name, Name] = {}
    whole: set[Name] = set()
    for last, state in pairwise(found) if contracts is not None else ():
        pairs = renamed(last, state)
        old, new = (named(of, {*state.touched}) if pairs else {} for of in (last, state))
        for here, there in pairs.items():
            if (here not in names or here in whole) and same_text(old[here], new[there]):
                whole.add(there)
            names[there] = names.get(here, here)
    kept = {there: here for there, here in names.items() if here != there and contracts is not None and contracts.known(*here)}
    return Moved(kept, frozenset(whole & kept.keys()))


def left_behind(moved: Moved) -> tuple[str, ...]:
    """Sentences on the contracts of functions that are no longer what these name."""
    return tuple(sorted({_sentence(here, there) for there, here in moved.names.items() if there in moved.whole}))


def without_kept_quiet(spine: Spine, found: Sequence[State], findings: Sequence[Finding], store: Store = NOTHING) -> tuple[list[Finding], tuple[str, ...]]:
    """(``findings`` without those that a contract kept quiet until a patch moved its function, sentences on contracts that were left behind).

    A contract says what the callers do, and these are the same. Only as many findings of a rule go as the function has before the patch
    when it is judged without contracts: what the patch adds stays. Looks only at moved functions, so most series cost nothing here.
    """
    if spine.contracts is None:
        return list(findings), ()
    dropped: set[int] = set()
    notes: dict[str, None] = {}
    for number in range(1, len(found)):
        new = [finding for finding in findings if finding.patch is not None and is_new(finding) and finding.patch.index == number]
        origins = _origins(spine.contracts, found[number - 1], found[number]) if new else {}
        if not origins:
            continue
        before = {id(finding): origins.get((finding.path, finding.function), (finding.path, finding.function)) for finding in new}
        quiet = _bare(spine, spine.contracts, found[number - 1], {path for path, _ in before.values()}.__contains__, store)
        for finding in new:  # a caller, too, can rest on the contract of what it calls
            key = finding.rule, *before[id(finding)]
            if quiet[key]:
                quiet[key] -= 1
                dropped.add(id(finding))
                notes.update(dict.fromkeys(_sentence(here, there) for there, here in origins.items()))
    return [finding for finding in findings if id(finding) not in dropped], tuple(sorted(notes))


def _origins(contracts: Contracts, last: State, state: State) -> dict[Name, Name]:
    """Functions that have lost a contract by their new name -> what they were."""
    return {there: here for here, there in renamed(last, state).items() if contracts.reason(*here) and not contracts.reason(*there)}


def _sentence(here: Name, there: Name) -> str:
    if here[0] == there[0]:
        return f"the contract of {here[1]}() was taken to hold for {there[1]}()"
    return f"contracts for {here[0]} were taken to hold for what moves to {there[0]}"


def _bare(spine: Spine, contracts: Contracts, state: State, only: Callable[[str], bool], store: Store) -> Counter[tuple[str, str, str]]:
    """How many findings of (rule, path, function) there are without contracts."""
    return Counter((raw.rule, raw.path, raw.function) for raw in contracts.bare(state.whole(), only, in_order, store).findings if raw.rule in spine.active)
