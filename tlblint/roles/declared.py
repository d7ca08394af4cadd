"""What a tree makes of the names in the tables: it may declare one with other parameters, mean something else by it, or give it another name.

A role holds for a name and a number of arguments. What headers declare, as the index of names has it for an architecture and its
configuration, is held against that:

* parameters whose types are not those of the objects that the role binds: the name is something else here, and has no role;
* a number of parameters that the table does not know: the role is taken with its objects where their types stand now, if each has one place;
* a macro that is no more than a call of a name with a role: it has that role, the arguments where the macro puts them.

What all architectures agree on that declare the name at all holds for the tree, anything else for the code of one architecture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from tlblint.model.roles import Effect, Role
from tlblint.names.conditions import Meaning
from tlblint.names.heads import Head
from tlblint.names.index import Index
from tlblint.names.signatures import type_of
from tlblint.roles.kinds import KINDS, OPERAND
from tlblint.roles.meant import Meant
from tlblint.roles.table import RoleTable

ROOTS = ("<asm/pgtable.h>", "<asm/tlbflush.h>", "<asm/tlb.h>", "<linux/pgtable.h>", "<linux/mm.h>", "<linux/huge_mm.h>", "<linux/hugetlb.h>")
"""Where names with a role are declared."""
_FOLLOWED = re.compile(r"tlb|pgtable|pte|huge|flush|paravirt")
_ENTRY = {"pte": "pte_t", "pmd": "pmd_t", "pud": "pud_t", "huge": "pte_t"}
_OBJECTS = {
    "mm": "struct mm_struct*", "vma": "struct vm_area_struct*", "tlb": "struct mmu_gather*", "range": "struct mmu_notifier_range*", "ptl": "spinlock_t*",
    "pmd": "pmd_t*", "pud": "pud_t*",
}  # fmt: skip
_VALUES = frozenset(("value", "old", "from"))
_QUALIFIER = re.compile(r"\b(?:const|volatile)\s+")
_CALL = re.compile(r"\(*\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?[\s);]*", re.DOTALL)
_ROUNDS = 3


def follow(header: str) -> bool:
    """Whether what a header of this name declares is looked at."""
    return _FOLLOWED.search(header.rsplit("/", 1)[-1]) is not None


def meant(table: RoleTable, index: Index, headers: Mapping[str, Sequence[str]], config: Callable[[str], Meaning]) -> tuple[Meant, ...]:
    """What a tree means otherwise than the table. ``headers``: architecture -> paths; ``config``: its configuration."""
    looking = _Looking(table, index)
    paths = {path for some in headers.values() for path in some}
    for _ in range(_ROUNDS):
        names = looking.odd(paths, looking.names(paths))
        told = {arch: looking.arch(some, names, config(arch)) for arch, some in headers.items()}
        out = tuple(sorted(set(_agreed(told)), key=repr))
        more = frozenset(one for one in out if one.like != one.name and not one.arch)
        if more <= looking.known:
            break
        looking.known |= more
        looking.table, looking.said = told_by(table, out), {}
    return out


def _agreed(told: Mapping[str, Mapping[str, frozenset[Meant]]]) -> Iterator[Meant]:
    """What holds for the tree, and what for one architecture. Each of those that declare a name is in ``told`` with it."""
    for name in sorted({name for some in told.values() for name in some}):
        ways = {arch: some[name] for arch, some in told.items() if name in some}
        if len(set(ways.values())) == 1:
            yield from next(iter(ways.values()))
        else:
            yield from (msgspec.structs.replace(one, arch=arch) for arch, some in ways.items() for one in some)


class _Looking:
    """Declarations of names of the table, and macros that call one of them."""

    def __init__(self, table: RoleTable, index: Index) -> None:
        self.first, self.table, self.index = table, table, index
        self.known: frozenset[Meant] = frozenset()
        self.said: dict[int, frozenset[Meant]] = {}
        """What declarations say, as long as the table stays: most are the same for all architectures."""

    def names(self, paths: Iterable[str]) -> set[str]:
        """The names with a role that matters, and the macros that may be no more than a call of one."""
        out = {name.decode() for name in self.table.relevant()}
        for path in paths:
            heads = self.index.heads(path)
            out |= heads.calling(out) if heads is not None else set()
        return out

    def odd(self, paths: Iterable[str], wanted: set[str]) -> set[str]:
        """Those that something in any configuration says otherwise than the table."""
        found = ((heads, heads.names & wanted) for path in paths if (heads := self.index.heads(path)) is not None)
        return {name for heads, names in found for name in names if any(map(self.one, heads.of(name)))}

    def arch(self, paths: Sequence[str], wanted: set[str], names: Meaning) -> dict[str, frozenset[Meant]]:
        """Name -> what an architecture means by it otherwise than the table; an empty set for what it declares as the table has it."""
        places: dict[str, list[str]] = {}
        for path in paths:
            heads = self.index.heads(path)
            for name in heads.names & wanted if heads is not None else ():
                places.setdefault(name, []).append(path)
        found = {name: [self.one(head) for head in _first(list(self.index.declared(name, some, names)))] for name, some in places.items()}
        return {name: some[0] for name, some in found.items() if len(set(some)) == 1}

    def one(self, head: Head) -> frozenset[Meant]:
        """What a declaration says otherwise than the table."""
        if id(head) not in self.said:
            self.said[id(head)] = self._one(head)
        return self.said[id(head)]

    def _one(self, head: Head) -> frozenset[Meant]:
        if head.kind == "macro":
            return frozenset(self.macro(head))
        if head.arity is None or head.name not in self.first.entries:
            return frozenset()
        types = tuple(map(type_of, head.params or ()))
        role = self.first.resolve(head.name, head.arity)
        if role is not None:
            return frozenset() if fits(role, types) else frozenset((Meant(head.name, head.arity, ""),))
        given = next((given for role in self.first.entries[head.name].values() if (given := placed(role, types)) is not None), None)
        return frozenset((Meant(head.name, head.arity, head.name, given),) if given is not None else ())

    def macro(self, head: Head) -> Iterator[Meant]:
        call = _CALL.fullmatch(head.text)
        target = call[1] if call is not None else ""
        if call is None or target == head.name or target not in self.table.entries or (head.params is None) != (call[2] is None):
            return
        if head.params is None:
            if head.name not in self.first.entries:
                yield from (Meant(head.name, arity, target) for arity in self.table.entries[target])
            return
        given = tuple(_operand(argument, head.params) for argument in _arguments(call[2]))
        role = self.table.resolve(target, len(given)) if self.first.resolve(head.name, len(head.params)) is None else None
        if role is not None and moved(role, head.name, len(head.params), given) is not None:
            yield Meant(head.name, len(head.params), target, given)


def _first(found: Sequence[tuple[str, Head]]) -> list[Head]:
    """Those of the architecture where it has any: generic ones stand back."""
    own = [head for path, head in found if path.startswith("arch/")]
    heads = own or [head for _, head in found]
    return [head for head in heads if head.text != head.name] or heads  # "#define f f" only says that f is there


def _operand(argument: str, params: Sequence[str]) -> str:
    plain = re.sub(r"[\s()]", "", argument)
    name, *fields = re.split(r"->|\.", plain)
    return ".".join((str(params.index(name)), *fields)) if name in params and all(map(str.isidentifier, fields)) else ""


def _arguments(text: str) -> list[str]:
    out, depth = [""], 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth:
            out.append("")
        else:
            out[-1] += c
    return out if text.strip() else []


def _wanted(name: str, operand: str, level: str) -> str:
    """The type that an argument has to have for an object to be found at an operand; "" for any."""
    if not operand.removeprefix("*").isdigit():
        return ""
    kind = f"{_ENTRY[level]}*" if name == "pte" and level in _ENTRY else _OBJECTS.get(name, "")
    return f"{kind}*" if kind and operand[0] == "*" else kind


def _bound(role: Role) -> Iterator[tuple[str, str]]:
    """(object, operand) of all effects."""
    for effect in role.effects:
        yield from effect.bind


def _plain(kind: str) -> str:
    return _QUALIFIER.sub("", kind)


def fits(role: Role, types: Sequence[str]) -> bool:
    """Whether the objects of a role are where parameters of these types are; "" and void* are any type."""
    for name, operand in _bound(role):
        want = _wanted(name, operand, role.level)
        at = int(operand.removeprefix("*")) if want else 0
        if want and at < len(types) and _plain(types[at]) not in (want, "", "void*"):
            return False
    return True


def placed(role: Role, types: Sequence[str]) -> tuple[str, ...] | None:
    """Where the arguments of a role are among parameters of other types, as Meant.given has it; None where that cannot be told."""
    wanted: dict[int, str] = {}
    for name, operand in _bound(role):
        if operand == "ret":
            continue
        index = int(re.sub(r"\D.*", "", operand.removeprefix("*")))
        kind = _wanted(name, operand, role.level)
        if "." in operand and name == "mm" and operand.endswith(".vm_mm"):
            kind = _OBJECTS["vma"]
        elif name in _VALUES and role.level in _ENTRY:
            kind = _ENTRY[role.level]
        wanted[index] = kind or wanted.get(index, "")
    given = [""] * max([*(index + 1 for index in wanted), role.arity or 0])
    for kind in {kind for kind in wanted.values() if kind}:
        old = sorted(index for index, one in wanted.items() if one == kind)
        new = [at for at, one in enumerate(types) if _plain(one) == kind]
        if len(old) != len(new):
            return None
        for index, at in zip(old, new, strict=True):
            given[index] = str(at)
    sure = any(given)
    return tuple(given) if sure and moved(role, role.name, len(types), given) is not None else None


def moved(role: Role, name: str, arity: int | None, given: Sequence[str]) -> Role | None:
    """A role under another name, its operands where the arguments are now; None when one that it cannot do without is nowhere. What may be left
    out is left out, but not the object that says whose entries are meant."""
    effects = []
    for effect in role.effects:
        kind = KINDS[effect.kind]
        bind = tuple((what, there) for what, operand in effect.bind if (there := _there(operand, given)))
        lost = {what for what, _ in effect.bind} - {what for what, _ in bind}
        if lost & (kind.needs | {"mm", "vma"}) or effect.when.startswith("flag:"):
            return None
        effects.append(Effect(effect.kind, bind, effect.attrs, effect.when))
    return Role(name, arity, role.level, tuple(effects), role.note)


def _there(operand: str, given: Sequence[str]) -> str:
    found = OPERAND.fullmatch(operand)
    if operand == "ret" or found is None:
        return operand
    index = int(found["index"] or found["pointed"])
    there = given[index] if index < len(given) else ""
    if not there:
        return ""
    if found["pointed"]:
        return f"*{there}" if there.isdigit() else ""
    return there + operand[len(found["index"]) :]


def told_by(table: RoleTable, more: Collection[Meant]) -> RoleTable:
    """The table as a tree has it. What only one architecture means is left out: names are not resolved by architecture here."""
    entries = {name: dict(found) for name, found in table.entries.items()}
    out = RoleTable(entries, table.gone | {(one.name, one.arity) for one in more if not one.like and not one.arch})
    left = [one for one in more if one.like and not one.arch]
    for _ in range(_ROUNDS):  # a name of a name
        for one in left:
            if (made := _made(one, out)) is not None:
                entries.setdefault(one.name, {}).setdefault(one.arity, made)
    return out


def _made(one: Meant, table: RoleTable) -> Role | None:
    if one.given is None:
        role = table.entries.get(one.like, {}).get(one.arity)
        return None if role is None else msgspec.structs.replace(role, name=one.name)
    role = table.resolve(one.like, len(one.given))
    return None if role is None else moved(role, one.name, one.arity, one.given)
