"""TLB202: predicates of the checked tree that are wrong, as findings.

To execute them takes all the headers behind them, and longer than the rest of a run. So what came of a machine is remembered together with the
files that it was made from, those included that were looked for and are not there: as long as these stay as they are, so does the answer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

import msgspec

from tlblint.findings.own import RuleInfo, own_finding
from tlblint.io import data
from tlblint.io.errors import InputError, Unreadable
from tlblint.io.marks import Still
from tlblint.io.stamp import stamp
from tlblint.io.tree import Tree
from tlblint.model.finding import Finding
from tlblint.model.store import NOTHING, Store, key
from tlblint.report.predicates_view import PredicateView

CODE = "TLB202"
KIND = "predicate"
WHERE = ("include/asm/tlbflush.h", "include/asm/pgtable.h", "include/asm/book3s/64/tlbflush.h", "include/asm/pgtable_64.h")
"""Where architectures define their predicates."""
KERNEL = "include/linux/mm.h"
"""A tree without it is no kernel."""


class Machine(msgspec.Struct, frozen=True, array_like=True):
    """A machine of rules/predicates, the flush profile that it is one of, and the names of predicates."""

    name: str
    arch: str
    flush_profile: str
    predicates: tuple[str, ...]

    @property
    def places(self) -> list[str]:
        """The files in which its predicates may be defined."""
        return [f"arch/{self.arch}/{where}" for where in WHERE]

    def defined_in(self, raw: bytes) -> bool:
        """Whether a file may define one."""
        return re.search(rb"\b(?:" + "|".join(self.predicates).encode() + rb")\s*\(", raw) is not None


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
    unclear: tuple[tuple[str, str], ...] = ()
    """(path, function) of predicates that cannot be executed."""
    error: str = ""
    judged: tuple[PredicateView, ...] = ()


Execute = Callable[[Machine], Told]


def in_tree(
    tree: Tree, inside: Callable[[str], bool], rules: Mapping[str, RuleInfo], models: Collection[str] = (), store: Store = NOTHING
) -> tuple[list[Finding], dict[str, bytes], tuple[PredicateView, ...]]:
    """Findings at definitions in files that are ``inside``, the bytes of those files, and what was executed there. Nothing is read unless such a file is.

    ``models`` are flush profiles: only their machines count. None means all. Raises InputError.
    """
    held: dict[str, bytes] = {}

    def read(path: str) -> bytes:
        if path not in held:
            try:
                held[path] = tree.read(path)
            except Unreadable:
                held[path] = b""
        return held[path]

    if tree.holds(KERNEL) != "file":
        return [], {}, ()
    code = about()
    known = [one for one in machines(code, store) if not models or one.flush_profile in models]
    asked = [one for one in known if any(inside(path) and one.defined_in(read(path)) for path in one.places)]
    all_told = tell(tree, code, asked, store)
    found = [wrong for told in all_told for wrong in told.wrong if inside(wrong.path)]
    findings = {finding.fingerprint: finding for finding in (as_finding(wrong, rules[CODE]) for wrong in found)}
    judged = tuple(view for told in all_told for view in told.judged if inside(view.path))
    return list(findings.values()), {path: read(path) for path in sorted({wrong.path for wrong in found})}, judged


def about() -> bytes:
    """The name of the code and the data that predicates are executed with."""
    return key(stamp(), repr(data.files(os.path.join(data.root("rules"), "predicates"), ".toml")))


def machines(code: bytes, store: Store) -> Sequence[Machine]:
    """Those of which it is known when they need a flush."""
    row = store.get(KIND, [code]).get(code)
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            return msgspec.msgpack.decode(row, type=tuple[Machine, ...])
    from tlblint.app import executed

    known = executed.machines()
    store.put(KIND, {code: msgspec.msgpack.encode(known)})
    return known


def tell(tree: Tree, code: bytes, asked: Sequence[Machine], store: Store, state: bytes = b"", begun: Callable[[], Execute] | None = None) -> list[Told]:
    """What comes of some machines, in order; of those that the store knows nothing is executed. Raises InputError.

    ``code``: what about() says. ``state``: a name for what is laid over a tree, so that rows for it do not take the place of others. ``begun``
    gives what executes. One process does it all: most is to read headers that are the same for all machines.
    """
    base = key(code, tree.kind, os.fsencode(tree.top), state)
    names = {machine.name: key(base, machine.name) for machine in asked}
    rows = store.get(KIND, list(names.values())) if names else {}
    same = Still(tree)
    held = {name: told for name, row in names.items() if row in rows and (told := _still(rows[row], same)) is not None}
    missing = [machine for machine in asked if machine.name not in held]
    fresh = dict(zip((machine.name for machine in missing), _executed(tree, missing, begun), strict=True)) if missing else {}
    for name, told in fresh.items():
        if told.error:
            raise InputError(f"rules/predicates/{name}.toml", told.error)
    store.put(KIND, {names[name]: msgspec.msgpack.encode(told) for name, told in fresh.items()})
    return [held.get(machine.name) or fresh[machine.name] for machine in asked]


def _executed(tree: Tree, machines: Sequence[Machine], begun: Callable[[], Execute] | None) -> list[Told]:
    from tlblint.app.executed import Executing

    return list(map(Executing(tree) if begun is None else begun(), machines))


def _still(row: bytes, same: Still) -> Told | None:
    """What a row says, when all the files that it rests on are what they were."""
    with suppress(msgspec.DecodeError, ValueError):
        told = msgspec.msgpack.decode(row, type=Told)
        return told if same.all(told.files) else None
    return None


def name_of(path: str) -> bytes:
    """A path as Told.files has it: file names need not be text."""
    return os.fsencode(path)


def in_file(path: str, raw: bytes, rules: Mapping[str, RuleInfo]) -> list[Finding]:
    """Findings in one file that stands alone. Raises InputError."""
    if CODE not in rules or not any(machine.defined_in(raw) for machine in machines(about(), NOTHING)):
        return []
    from tlblint.app.executed import alone

    return [own_finding(rules[CODE], path, wrong.line, 1, wrong.function, wrong.message, wrong.function) for wrong in alone(raw)]


def as_finding(wrong: Wrong, rule: RuleInfo) -> Finding:
    """A refuted predicate as a finding."""
    return own_finding(rule, wrong.path, wrong.line, 1, wrong.function, wrong.message, wrong.machine, wrong.path)
