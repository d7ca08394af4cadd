"""Contracts: what the world around a function promises, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from tlblint.model.roles import Contract
from tlblint.roles.decode import RoleError, decode, locate
from tlblint.roles.kinds import LEVELS, OPERAND

IMPLIED: dict[str, frozenset[str]] = {
    # the caller flushes the whole mm, whatever was present
    "caller-flushes-mm": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # a flush of the whole range follows, absent entries too
    "walker-flushes-range": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # whoever calls flushes what the function changed
    "caller-flushes": frozenset({"flush-elsewhere"}),
    # the page table is out of the tree and flushed
    "table-detached": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # entries only gain permission
    "promotion-only": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # the caller holds i_mmap_rwsem for writing until after the flush
    "i-mmap-write": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # only accessed bits are cleared
    "young-only": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # absent entries are none of the function's promises
    "no-batched-pending": frozenset({"flushes-none-too"}),
    "installs-over-none": frozenset({"flushes-none-too"}),
    # the PTL is held on entry
    "caller-holds-ptl": frozenset(),
    # ... and dropped on every exit
    "returns-unlocked": frozenset(),
    # dirtiness goes to another place than the page's flag
    "dirty-elsewhere": frozenset({"dirty-settled"}),
    # contents are copied, moved along, dropped by request, or already known dirty
    "dirty-not-needed": frozenset({"dirty-settled"}),
    # entries that stay keep their dirtiness, so that copies need none
    "dirty-stays": frozenset({"dirty-settled"}),
    # what was changed on the promise of a later flush must be flushed when this function returns
    "settles": frozenset(),
    # what was unmapped and not moved is mapped again as it was
    "puts-back": frozenset(),
    "kernel-tables": frozenset({"flush-elsewhere", "flushes-none-too"}),
    # raises a count of pending flushes that whoever calls lowers in the end
    "opens-for-caller": frozenset(),
    # what was given up of shared tables must be flushed when this function returns, and nothing else
    "unshares": frozenset(),
    # whoever calls has raised the count of pending flushes
    "counted": frozenset(),
    # lowers the count that whoever calls has raised, when it has flushed
    "closes-for-caller": frozenset(),
}
"""What a contract may say, and the plainer words that rules ask for and that follow from it."""

SAYS = frozenset(IMPLIED)
HOLDS = frozenset({"ptl", "lazy", "walker", "pending", "i-mmap-read", "folio-lock", "hugetlb-vma-lock"})
BINDS = frozenset({"pte", "pmd", "mm", "vma", "private"})
ENTRY_KEYS = frozenset({"ptl", "pte", "pmd", "lazy", "pending", "given"})


class SlotContract(msgspec.Struct, frozen=True):
    """How functions in a slot of an operations table are entered.

    ``holds`` names what is held: "ptl", "lazy", "pending" (a count of pending flushes is open), "walker" (the PTL belongs to a
    walk that calls once for each entry). ``bind`` names parameters by operand ("pte" -> "0", "mm" -> "3.mm").
    ``unless`` is the exception: "init_mm" (the mm is the kernel's), "no_vma", or empty.
    """

    struct: str
    slot: str
    level: str
    holds: frozenset[str]
    bind: tuple[tuple[str, str], ...]
    says: tuple[str, ...]
    unless: str
    reason: str


class FunctionContract(msgspec.Struct, frozen=True):
    """A contract of a function, and the parameters it must have to be the one that is meant (none: any)."""

    contract: Contract
    params: frozenset[str]


class ContractTable(msgspec.Struct, frozen=True, dict=True):
    """Contracts of slots and of single functions."""

    slots: tuple[SlotContract, ...]
    functions: tuple[FunctionContract, ...]

    @cached_property
    def _named(self) -> dict[str, list[FunctionContract]]:
        out: dict[str, list[FunctionContract]] = {}
        for item in self.functions:
            out.setdefault(item.contract.function, []).append(item)
        return out

    @cached_property
    def names(self) -> frozenset[str]:
        """Functions of which something is promised, wherever they are."""
        return frozenset(item.contract.function for item in self.functions)

    @cached_property
    def _read(self) -> dict[str, frozenset[bytes]]:
        out: dict[str, set[bytes]] = {"": set()}
        for item in self.functions:
            if item.contract.path or "settles" in item.contract.says:
                out.setdefault(item.contract.path, set()).add(item.contract.function.encode())
        return {path: frozenset(names) for path, names in out.items()}

    def read(self, path: str) -> frozenset[bytes]:
        """Functions that are to be read in ``path`` whatever they mention: those that are named there, and those that settle something anywhere."""
        return self._read[""] | self._read.get(path, frozenset())

    def slot(self, struct: str, slot: str) -> SlotContract | None:
        """The contract of ``.slot`` in a table of type ``struct`` (with or without "struct "), or None."""
        plain = struct.removeprefix("const ").removeprefix("struct ")
        return next((item for item in self.slots if (item.struct, item.slot) == (plain, slot)), None)

    def function(self, name: str, path: str, params: Iterable[str] | None = None) -> Contract | None:
        """The contract of function ``name`` in file ``path`` (relative to the tree), or None.

        ``params`` are the function's parameter names; None takes the first spelling. A named file wins over any file.
        """
        named = self._named.get(name)
        if named is None:
            return None
        given = None if params is None else frozenset(params)
        found = [
            item.contract
            for item in named
            if item.contract.path in ("", path) and (given is None or item.params <= given)
        ]
        return max(found, key=lambda item: len(item.path), default=None)

    def says(self, path: str, name: str) -> frozenset[str]:
        """What is promised around function ``name`` in ``path``, implied words included; empty if nothing."""
        found = self.function(name, path)
        return words(found.says) if found else frozenset()


def words(says: Iterable[str]) -> frozenset[str]:
    """``says`` with everything that follows from it."""
    return frozenset(says).union(*(IMPLIED[word] for word in says))


class _Slot(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    struct: str
    slot: str
    reason: str
    level: str = ""
    holds: tuple[str, ...] = ()
    bind: dict[str, str] = {}
    says: tuple[str, ...] = ()
    unless: str = ""
    source: str = ""


class _Function(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    function: tuple[str, ...]
    reason: str
    file: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    entry: dict[str, str] = {}
    params: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    slot: tuple[_Slot, ...] = ()
    contract: tuple[_Function, ...] = ()


def load_contracts(text: str, file: str = "contracts.toml") -> ContractTable:
    """Read contracts from TOML ``text``. Raises ``RoleError``."""
    raw = decode(file, text, _File)
    slots = tuple(_slot(file, text, index, item) for index, item in enumerate(raw.slot))
    functions = tuple(made for index, item in enumerate(raw.contract) for made in _functions(file, text, index, item))
    _check_once(file, text, raw)
    return ContractTable(slots, functions)


def _check_once(file: str, text: str, raw: _File) -> None:
    slots = [("slot", index, item.slot, (item.struct, item.slot)) for index, item in enumerate(raw.slot)]
    functions = [
        ("contract", index, name, (name, path, *sorted(item.params)))
        for index, item in enumerate(raw.contract)
        for name in item.function
        for path in item.file or ("",)
    ]
    seen: set[tuple[str, ...]] = set()
    for table, index, needle, key in [*slots, *functions]:
        if (table, *key) in seen:
            raise RoleError(file, *locate(text, table, index, needle), f"{' '.join(part for part in key if part)} is described twice")
        seen.add((table, *key))


def _slot(file: str, text: str, index: int, raw: _Slot) -> SlotContract:
    _check_words(file, text, "slot", index, raw.says, SAYS)
    _check_words(file, text, "slot", index, raw.holds, HOLDS)
    _check_words(file, text, "slot", index, tuple(raw.bind), BINDS)
    if raw.level not in LEVELS:
        raise RoleError(file, *locate(text, "slot", index, raw.level), f"unknown level {raw.level!r}")
    for operand in raw.bind.values():
        if OPERAND.fullmatch(operand) is None:
            raise RoleError(file, *locate(text, "slot", index, f'"{operand}"'), f"bad operand {operand!r}")
    if not raw.reason.strip():
        raise RoleError(file, *locate(text, "slot", index, "reason"), "a contract needs a reason")
    return SlotContract(raw.struct, raw.slot, raw.level, frozenset(raw.holds), tuple(raw.bind.items()), raw.says, raw.unless, raw.reason)


def _functions(file: str, text: str, index: int, raw: _Function) -> list[FunctionContract]:
    _check_words(file, text, "contract", index, raw.says, SAYS)
    _check_words(file, text, "contract", index, tuple(raw.entry), ENTRY_KEYS)
    if not raw.reason.strip():
        raise RoleError(file, *locate(text, "contract", index, "reason"), "a contract needs a reason")
    if not raw.says and not raw.entry:
        raise RoleError(file, *locate(text, "contract", index), "a contract needs to say something")
    entry, params = tuple(raw.entry.items()), frozenset(raw.params)
    return [FunctionContract(Contract(name, path, raw.says, entry, raw.reason), params) for name in raw.function for path in raw.file or ("",)]


def _check_words(file: str, text: str, table: str, index: int, words: tuple[str, ...], known: frozenset[str]) -> None:
    for word in words:
        if word not in known:
            raise RoleError(file, *locate(text, table, index, word), f"unknown word {word!r}, known are {', '.join(sorted(known))}")
