"""TLB202: predicates of the checked tree that are wrong, as findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from tlblint.app.predicates import Data, chosen, reading, shipped
from tlblint.findings.own import RuleInfo, own_finding
from tlblint.io.errors import InputError
from tlblint.io.tree import Tree
from tlblint.model.finding import Finding
from tlblint.predicates import survey
from tlblint.predicates.errors import DataError
from tlblint.predicates.profile import Profile
from tlblint.predicates.survey import ACCESSIBLE, PAIRS, Row
from tlblint.predicates.unit import Read, Shelf

CODE = "TLB202"
WHERE = ("include/asm/tlbflush.h", "include/asm/pgtable.h", "include/asm/book3s/64/tlbflush.h", "include/asm/pgtable_64.h")
"""Where architectures define their predicates."""
_DEFINES = re.compile(rb"\b(?:" + b"|".join(name.encode() for name, _ in (*PAIRS, (ACCESSIBLE, ""))) + rb")\s*\(")
_ALONE = "x86-64"


def in_tree(tree: Tree, inside: Callable[[str], bool], rules: Mapping[str, RuleInfo], models: Collection[str] = ()) -> tuple[list[Finding], dict[str, bytes]]:
    """Findings at definitions in files that are ``inside``, and the bytes of those files. Nothing is read unless such a file is.

    ``models`` are flush profiles: only their machines count. None means all.
    """
    read = reading(tree)
    ships = shipped()
    shelf = Shelf(read)
    found: list[Finding] = []
    for profile in ships.profiles:
        places = [f"arch/{profile.arch}/{where}" for where in WHERE]
        if models and profile.flush_profile not in models:
            continue
        if any(inside(path) and _DEFINES.search(read(path) or b"") for path in places) and read("include/linux/mm.h") is not None:
            found += _of(shelf, read, profile, ships, inside, rules[CODE])
    sources = {finding.path: raw for finding in found if (raw := read(finding.path)) is not None}
    return list({finding.fingerprint: finding for finding in found}.values()), sources


def in_file(path: str, raw: bytes, rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """Findings in one file that stands alone, read as 64-bit x86 has it."""
    if CODE not in rules or not _DEFINES.search(raw):
        return []
    ships = shipped()
    (profile,) = chosen((_ALONE,), ships.profiles)
    read = {"include/linux/mm.h": raw}.get
    found = _of(Shelf(read), read, profile, ships, lambda _: True, rules[CODE])
    return [own_finding(rules[CODE], path, f.line, f.column, f.function, f.message, f.function) for f in found]


def _of(shelf: Shelf, read: Read, profile: Profile, ships: Data, inside: Callable[[str], bool], rule: RuleInfo) -> list[Finding]:
    seen = survey.reader(shelf, read, profile, ships.modelled, ships.sizes)
    try:
        rows = survey.predicates(seen)
    except DataError as error:
        raise InputError(f"rules/predicates/{profile.name}.toml", str(error)) from None
    return [_finding(row, rule) for row in rows if row.refuted is not None and inside(row.path)]


def _finding(row: Row, rule: RuleInfo) -> Finding:
    verdict = row.refuted
    assert verdict is not None
    old, new = ("|".join(bits) or "0" for bits in (verdict.old, verdict.new))
    if row.name == ACCESSIBLE:
        what = f"{row.name}() says that {old} is in no TLB, and it may be"
    else:
        what = f"{row.name}() asks for no flush from {old} to {new}, and one is needed"
    count = f"{verdict.count} assignments of the entry bits of {row.profile} are wrong so."
    advice = f" It would have to flush where {', and where '.join(row.edit.words)}." if row.edit is not None and row.edit.mended else ""
    return own_finding(rule, row.path, row.line, 1, row.name, f"{what}. {count}{advice}", row.profile, row.path)
