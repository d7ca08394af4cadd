"""What comes of the flush predicates of a tree when they are executed. Imported only when something is: most runs find it remembered."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from tlblint.app.naming import index_of
from tlblint.app.predicates_data import Data, chosen, shipped
from tlblint.app.predicates_said import view_of
from tlblint.app.reading import Reading
from tlblint.app.refuted import KERNEL, Machine, Told, Wrong, name_of
from tlblint.io.errors import InputError
from tlblint.io.tree import Tree
from tlblint.names.index import Read
from tlblint.names.unit import Shelf
from tlblint.predicates import survey
from tlblint.predicates.errors import DataError
from tlblint.predicates.profile import Profile
from tlblint.predicates.survey import ACCESSIBLE, PAIRS, Row

NAMES = (*(name for name, _ in PAIRS), ACCESSIBLE)
_ALONE = "x86-64"


def machines() -> tuple[Machine, ...]:
    """Those of which it is known when they need a flush. Raises InputError."""
    return tuple(Machine(one.name, one.arch, one.flush_profile, NAMES) for one in shipped().profiles if one.bit or one.accessible)


class Executing:
    """Executes for one machine after the other what a tree has. Most headers are the same for all of them, and in each state of a series."""

    def __init__(self, tree: Tree, before: Executing | None = None, changed: Collection[str] = ()) -> None:
        """``before``: of another state of the tree, in which but for ``changed`` paths all is the same. Raises InputError."""
        self._ships = shipped()
        self._read: Reading = Reading(tree, before._read if before is not None else None, changed)
        self._shelf: Shelf = index_of(tree).branch(self._read).shelf() if before is None else before._shelf.after(self._read, changed)

    def __call__(self, machine: Machine) -> Told:
        return told(self._read, self._ships, machine, self._shelf)


def told(source: Reading, ships: Data, machine: Machine, shelf: Shelf) -> Told:
    """What comes of a machine, and the files that this rests on."""
    shelf.asked = {KERNEL, *machine.places}  # by these it is asked

    def read(path: str) -> bytes | None:
        shelf.asked.add(path)
        return source(path)

    (profile,) = chosen((machine.name,), ships.profiles)
    try:
        rows = _of(shelf, read, profile, ships)
    except DataError as error:
        return Told((), {}, error=str(error))
    unclear = tuple((row.path, row.name) for row in rows if row.blocker and not row.blocker.startswith("no oracle"))
    return Told(_wrong(rows), {name_of(path): source.mark(path) for path in sorted(shelf.asked)}, unclear, judged=tuple(map(view_of, rows)))


def alone(raw: bytes) -> tuple[Wrong, ...]:
    """The same of one file that stands alone, read as 64-bit x86 has it. Raises InputError."""
    ships = shipped()
    (profile,) = chosen((_ALONE,), ships.profiles)
    read = {KERNEL: raw}.get
    try:
        return _wrong(_of(Shelf(read), read, profile, ships))
    except DataError as error:
        raise InputError(f"rules/predicates/{profile.name}.toml", str(error)) from None


def _of(shelf: Shelf, read: Read, profile: Profile, ships: Data) -> tuple[Row, ...]:
    """What headers say; a profile names .c files, too, but what these define no other file can use. Raises DataError."""
    headers = msgspec.structs.replace(profile, roots=tuple(root for root in profile.roots if not root.endswith(".c")))
    seen = survey.reader(shelf, read, headers, ships.modelled, ships.sizes)
    return survey.predicates(seen)


def _wrong(rows: Sequence[Row]) -> tuple[Wrong, ...]:
    return tuple(_refuted(row) for row in rows if row.refuted is not None)


def _refuted(row: Row) -> Wrong:
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
