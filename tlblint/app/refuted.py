"""TLB202: predicates of the checked tree that are wrong, as findings.

To execute them takes all the headers behind them, and longer than the rest of a run. So what came of a machine is remembered together with the
files that it was made from, those included that were looked for and are not there: as long as these stay as they are, so does the answer.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from tlblint.app.predicates import Data, chosen, reading, shipped
from tlblint.findings.own import RuleInfo, own_finding
from tlblint.io import data, pool
from tlblint.io.errors import InputError
from tlblint.io.marks import mark, still
from tlblint.io.stamp import stamp
from tlblint.io.tree import Tree
from tlblint.model.finding import Finding
from tlblint.model.store import NOTHING, Store, key
from tlblint.predicates import survey
from tlblint.predicates.errors import DataError
from tlblint.predicates.profile import Profile
from tlblint.predicates.survey import ACCESSIBLE, PAIRS, Row
from tlblint.predicates.unit import Read, Shelf

CODE = "TLB202"
KIND = "predicate"
WHERE = ("include/asm/tlbflush.h", "include/asm/pgtable.h", "include/asm/book3s/64/tlbflush.h", "include/asm/pgtable_64.h")
"""Where architectures define their predicates."""
_DEFINES = re.compile(rb"\b(?:" + b"|".join(name.encode() for name, _ in (*PAIRS, (ACCESSIBLE, ""))) + rb")\s*\(")
_ALONE = "x86-64"
_KERNEL = "include/linux/mm.h"


class Wrong(msgspec.Struct, frozen=True, array_like=True):
    """A predicate that is refuted: where it is defined, what is to be said of it, and for which machine."""

    path: str
    line: int
    function: str
    message: str
    machine: str


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What came of one machine. ``files``: what was read and looked for, with what it was then. ``error``: why nothing came of it."""

    wrong: tuple[Wrong, ...]
    files: dict[bytes, bytes]
    error: str = ""


def in_tree(
    tree: Tree, inside: Callable[[str], bool], rules: Mapping[str, RuleInfo], models: Collection[str] = (), store: Store = NOTHING, jobs: int = 1
) -> tuple[list[Finding], dict[str, bytes]]:
    """Findings at definitions in files that are ``inside``, and the bytes of those files. Nothing is read unless such a file is.

    ``models`` are flush profiles: only their machines count. None means all. Raises InputError.
    """
    read = reading(tree)
    if read(_KERNEL) is None:
        return [], {}
    ships = shipped()
    asked = [profile for profile in machines(ships, models) if any(inside(path) and _DEFINES.search(read(path) or b"") for path in places(profile))]
    found = [wrong for told in tell(tree, ships, asked, store, jobs) for wrong in told.wrong if inside(wrong.path)]
    findings = {finding.fingerprint: finding for finding in (as_finding(wrong, rules[CODE]) for wrong in found)}
    return list(findings.values()), {path: raw for path in sorted({wrong.path for wrong in found}) if (raw := read(path)) is not None}


def machines(ships: Data, models: Collection[str]) -> list[Profile]:
    """The machines of some flush profiles of which it is known when they need a flush."""
    return [one for one in ships.profiles if (one.bit or one.accessible) and (not models or one.flush_profile in models)]


def places(profile: Profile) -> list[str]:
    """The files in which a machine's predicates may be defined."""
    return [f"arch/{profile.arch}/{where}" for where in WHERE]


def tell(tree: Tree, ships: Data, asked: Sequence[Profile], store: Store, jobs: int) -> list[Told]:
    """What comes of some machines, in order; of those that the store knows nothing is executed. Raises InputError."""
    base = key(stamp(), repr(data.files(os.path.join(data.root("rules"), "predicates"), ".toml")), tree.kind, os.fsencode(tree.top))
    names = {profile.name: key(base, profile.name) for profile in asked} if store is not NOTHING and asked else {}
    rows = store.get(KIND, list(names.values()))
    same: dict[tuple[bytes, bytes], bool] = {}
    held = {name: told for name, row in names.items() if row in rows and (told := _still(tree, rows[row], same)) is not None}
    missing = [profile for profile in asked if profile.name not in held]
    execute = partial(_told, tree, ships)
    fresh = {profile.name: told for profile, told in zip(missing, pool.map_ordered(execute, missing, jobs, execute, most=1), strict=True)}
    for name, told in fresh.items():
        if told.error:
            raise InputError(f"rules/predicates/{name}.toml", told.error)
    store.put(KIND, {names[name]: msgspec.msgpack.encode(told) for name, told in fresh.items() if name in names})
    return [held.get(profile.name) or fresh[profile.name] for profile in asked]


def _still(tree: Tree, row: bytes, same: dict[tuple[bytes, bytes], bool]) -> Told | None:
    """What a row says, when all the files that it rests on are what they were. ``same``: what is known of these already."""
    with suppress(msgspec.DecodeError, ValueError):
        told = msgspec.msgpack.decode(row, type=Told)
        for item in told.files.items():
            if item not in same:
                same[item] = still(tree, os.fsdecode(item[0]), item[1])
            if not same[item]:
                return None
        return told
    return None


def _told(tree: Tree, ships: Data, profile: Profile) -> Told:
    """Execute what a tree has for one machine."""
    files: dict[str, bytes] = {}
    plain = reading(tree)

    def read(path: str) -> bytes | None:
        files.setdefault(path, mark(tree, path))
        return plain(path)

    for path in (_KERNEL, *places(profile)):  # by these it is asked
        files.setdefault(path, mark(tree, path))
    try:
        wrong = _of(Shelf(read), read, profile, ships)
    except DataError as error:
        return Told((), {}, str(error))
    gc.collect()  # nobody else does, and there is the next machine
    return Told(tuple(wrong), {os.fsencode(path): what for path, what in files.items()})


def in_file(path: str, raw: bytes, rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """Findings in one file that stands alone, read as 64-bit x86 has it. Raises InputError."""
    if CODE not in rules or not _DEFINES.search(raw):
        return []
    ships = shipped()
    (profile,) = chosen((_ALONE,), ships.profiles)
    read = {_KERNEL: raw}.get
    try:
        found = _of(Shelf(read), read, profile, ships)
    except DataError as error:
        raise InputError(f"rules/predicates/{profile.name}.toml", str(error)) from None
    return [own_finding(rules[CODE], path, wrong.line, 1, wrong.function, wrong.message, wrong.function) for wrong in found]


def _of(shelf: Shelf, read: Read, profile: Profile, ships: Data) -> list[Wrong]:
    """What headers say; a profile names .c files, too, but what these define no other file can use. Raises DataError."""
    headers = msgspec.structs.replace(profile, roots=tuple(root for root in profile.roots if not root.endswith(".c")))
    seen = survey.reader(shelf, read, headers, ships.modelled, ships.sizes)
    return [_wrong(row) for row in survey.predicates(seen) if row.refuted is not None]


def _wrong(row: Row) -> Wrong:
    verdict = row.refuted
    assert verdict is not None
    old, new = ("|".join(bits) or "0" for bits in (verdict.old, verdict.new))
    if row.name == ACCESSIBLE:
        what = f"{row.name}() says that {old} is in no TLB, and it may be"
    else:
        what = f"{row.name}() asks for no flush from {old} to {new}, and one is needed"
    count = f"{verdict.count} assignments of the entry bits of {row.profile} are wrong so."
    advice = f" It would have to flush where {', and where '.join(row.edit.words)}." if row.edit is not None and row.edit.mended else ""
    return Wrong(row.path, row.line, row.name, f"{what}. {count}{advice}", row.profile)


def as_finding(wrong: Wrong, rule: RuleInfo) -> Finding:
    """A refuted predicate as a finding."""
    return own_finding(rule, wrong.path, wrong.line, 1, wrong.function, wrong.message, wrong.machine, wrong.path)
