"""From the text of rules/api/*.toml to a table of roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from tlblint.model.roles import Effect, Role
from tlblint.roles.decode import RoleError, decode, holds, locate
from tlblint.roles.kinds import FLAG, KINDS, LEVELS, OPERAND, WHENS
from tlblint.roles.table import RoleTable


class RawEffect(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One inline table of ``effects``: the kind, what refines it, and one key for each object it binds."""

    kind: str
    when: str = "always"
    attrs: tuple[str, ...] = ()
    ptl: str | None = None
    pte: str | None = None
    pmd: str | None = None
    pud: str | None = None
    mm: str | None = None
    vma: str | None = None
    value: str | None = None
    old: str | None = None
    origin: str | None = msgspec.field(name="from", default=None)
    flags: str | None = None
    flag: str | None = None
    bit: str | None = None
    addr: str | None = None
    end: str | None = None
    tlb: str | None = None
    page: str | None = None
    lock: str | None = None
    range: str | None = None
    ops: str | None = None
    private: str | None = None

    def bind(self) -> tuple[tuple[str, str], ...]:
        """The bound objects in a fixed order."""
        # The struct's own tuples: asking for fields() evaluates its annotations anew, which took most of the start of a run.
        pairs = zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True)
        return tuple((name, operand) for name, field in pairs if name not in ("kind", "when", "attrs") and (operand := getattr(self, field)) is not None)


class RawRole(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One ``[[role]]``: names that mean the same, the argument counts it holds for (none: any), and what a call does."""

    names: tuple[str, ...]
    effects: tuple[RawEffect, ...]
    level: str = ""
    arity: tuple[int, ...] = ()
    requires: str = ""
    unless: str = ""
    since: str = ""
    until: str = ""
    source: str = ""
    note: str = ""


class RawFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A whole file of roles."""

    role: tuple[RawRole, ...] = ()


def load_roles(texts: Mapping[str, str], features: frozenset[str]) -> RoleTable:
    """Build the table for a kernel with ``features`` from ``texts`` (file name -> TOML text).

    Texts without any ``[[role]]`` are other people's (contracts, lists of pure calls) and passed over.
    Raises ``RoleError`` at the first thing that is wrong, also in roles that ``features`` switches off.
    """
    found: list[Role] = []
    seen: dict[tuple[str, int | None], list[RawRole]] = {}
    for file in sorted(file for file in texts if holds(file, texts[file], "role")):
        for index, raw in enumerate(decode(file, texts[file], RawFile).role):
            _check_role(file, texts[file], index, raw)
            for name, arity in _keys(raw):
                _check_duplicate(file, texts[file], index, name, arity, raw, seen)
                if _active(raw, features):
                    found.append(_role(name, arity, raw))
    return RoleTable.of(found)


def _keys(raw: RawRole) -> Iterator[tuple[str, int | None]]:
    for name in raw.names:
        yield from ((name, arity) for arity in raw.arity or (None,))


def _active(raw: RawRole, features: frozenset[str]) -> bool:
    return (not raw.requires or raw.requires in features) and (not raw.unless or raw.unless not in features)


def _role(name: str, arity: int | None, raw: RawRole) -> Role:
    effects = tuple(Effect(item.kind, item.bind(), frozenset(item.attrs), item.when) for item in raw.effects)
    return Role(name, arity, raw.level, effects, raw.note)


def _check_duplicate(
    file: str, text: str, index: int, name: str, arity: int | None, raw: RawRole, seen: dict[tuple[str, int | None], list[RawRole]]
) -> None:
    """The same name and argument count may come twice only where one feature chooses between the two."""
    others = seen.setdefault((name, arity), [])
    for other in others:
        if not ((raw.requires and raw.requires == other.unless) or (raw.unless and raw.unless == other.requires)):
            count = "any number of" if arity is None else str(arity)
            raise RoleError(file, *locate(text, "role", index, name), f"{name} with {count} arguments is described twice")
    others.append(raw)


def _check_role(file: str, text: str, index: int, raw: RawRole) -> None:
    def fail(needle: str, message: str) -> RoleError:
        return RoleError(file, *locate(text, "role", index, needle), message)

    for name in raw.names:
        if not name.isidentifier():
            raise fail("names", f"{name!r} is not a C identifier")
    if not raw.names:
        raise fail("names", "a role needs at least one name")
    if not raw.effects and not raw.note:
        raise fail("effects", "a role without effects needs a note that says why")
    if raw.level not in LEVELS:
        raise fail(raw.level, f"unknown level {raw.level!r}")
    if any(not 0 <= arity <= 15 for arity in raw.arity):
        raise fail("arity", "an argument count is 0 to 15")
    for effect in raw.effects:
        problem = _problem(effect, min(raw.arity, default=16))
        if problem:
            raise fail(*problem)


def _problem(effect: RawEffect, arity: int) -> tuple[str, str] | None:
    """What is wrong with an effect: the word to point at and the message."""
    kind = KINDS.get(effect.kind)
    if kind is None:
        return effect.kind, f"unknown effect kind {effect.kind!r}"
    if effect.when not in WHENS and FLAG.fullmatch(effect.when) is None:
        return effect.when, f"unknown outcome {effect.when!r}, known are {', '.join(sorted(WHENS))}"
    for word in effect.attrs:
        if word not in kind.attrs:
            return word, f"{effect.kind} does not take the attribute {word!r}"
    bound = dict(effect.bind())
    for name in sorted(kind.needs - bound.keys()):
        return effect.kind, f"{effect.kind} must bind {name}"
    for name, operand in bound.items():
        if name not in kind.needs | kind.may:
            return name, f"{effect.kind} does not bind {name}"
        shape = OPERAND.fullmatch(operand)
        if shape is None:
            return f'"{operand}"', f"bad operand {operand!r} for {name}"
        if int(shape["index"] or shape["pointed"] or 0) >= max(arity, 1):
            return f'"{operand}"', f"operand {operand!r} for {name} is past the last of {arity} arguments"
    return None
