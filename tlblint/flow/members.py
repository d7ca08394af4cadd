"""Objects inside of objects: a local structure that holds a gather or a range by value declares that, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from tlblint.model.ir import Block, Function, Instr
from tlblint.syntax.patterns import WORD, places

PAIRED = frozenset({"struct mmu_gather", "struct mmu_notifier_range"})
"""Types of which rules ask that their use begins and ends in whoever declares them."""
_PAIR = re.compile(rb"struct mmu_(?:gather|notifier_range)\s+\w+\s*;")
"""A member or variable of one of them."""
assert all(_PAIR.match(name.encode() + b" x;") for name in PAIRED)
_STRUCT = re.compile(rb"struct\s+(\w+)\s*\{([^{}]*)\}")
_MEMBER = re.compile(rb"(?:^|;)\s*struct\s+(\w+)\s+(\w+)\s*(?=;)")
_FIELD = re.compile(rb"(?:(?:const|unsigned|struct|enum|union|long|short|volatile)\s+)*\w+\s*((?<=[\s*])\**\s*\w+(?:\s*,\s*\**\s*\w+)*)")
_COMMENT = re.compile(rb"/\*.*?(?:\*/|\Z)|//[^\n]*", re.S)
_DEPTH = 4

Members = Mapping[str, tuple[tuple[str, str], ...]]
"""By type the (path of the member, its type) that it holds by value: {"struct wp_walk": (("range", "struct mmu_notifier_range"),)}."""


def members_of(raw: bytes) -> Members:
    """The paired objects in the structures that a file defines. Structures with structures defined inside are passed over."""
    if not any(_PAIR.match(raw, at) for at in places(raw, b"struct mmu_")):
        return {}
    plain = _COMMENT.sub(b" ", raw)
    fields = {f"struct {found[1].decode()}": [(name.decode(), f"struct {type_.decode()}") for type_, name in _MEMBER.findall(found[2])]
              for found in _STRUCT.finditer(plain) if not found.start() or plain[found.start() - 1] not in WORD}
    return {struct: held for struct in sorted(fields) if (held := _held(struct, fields, _DEPTH))}


@lru_cache(maxsize=4)
def fields_of(raw: bytes) -> Mapping[str, tuple[str, ...]]:
    """The members of the structures that a file defines, in order. A structure with a member that is no plain object is passed over."""
    out: dict[str, tuple[str, ...]] = {}
    for found in _STRUCT.finditer(_COMMENT.sub(b" ", raw)):
        rows = [_FIELD.fullmatch(row.strip()) for row in found[2].split(b";") if row.strip()]
        if rows and all(rows):
            names = [name.strip(b" *\t\n").decode() for row in rows if row is not None for name in row[1].split(b",")]
            out[f"struct {found[1].decode()}"] = tuple(names)
    return out


def _held(struct: str, fields: Mapping[str, list[tuple[str, str]]], depth: int) -> tuple[tuple[str, str], ...]:
    out: list[tuple[str, str]] = []
    for name, type_ in fields.get(struct, ()) if depth else ():
        if type_ in PAIRED:
            out.append((name, type_))
        else:
            out += [(f"{name}.{below}", what) for below, what in _held(type_, fields, depth - 1)]
    return tuple(out)


def declaring(fn: Function, members: Members) -> Function:
    """The function with a declaration of each paired member behind that of the object it is in."""
    if not any(instr[0] == "decl" and instr[2] in members for block in fn.blocks for instr in block.instrs):
        return fn
    return replace(fn, blocks=tuple(_declared(block, members) for block in fn.blocks))


def _declared(block: Block, members: Members) -> Block:
    instrs: list[Instr] = []
    for instr in block.instrs:
        instrs.append(instr)
        if instr[0] == "decl":
            instrs += [("decl", f"{instr[1]}.{name}", type_, instr[3]) for name, type_ in members.get(instr[2], ())]
    return replace(block, instrs=tuple(instrs)) if len(instrs) > len(block.instrs) else block
