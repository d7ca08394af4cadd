"""Calls that mean something else in one file than in the rest of a tree: given the name of what they mean, before anything is judged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from tlblint.model.ir import Block, Expr, FileFacts, Function, Instr
from tlblint.names.signatures import type_of
from tlblint.roles.declared import fits
from tlblint.roles.meant import Meant
from tlblint.roles.table import RoleTable

Call = tuple[str, tuple[Expr, ...]]
"""A name and arguments."""


def own(facts: FileFacts, table: RoleTable) -> frozenset[Meant]:
    """The functions that a C file has for itself under a name with a role, of other types than the objects of the role have."""
    if not facts.path.endswith(".c"):
        return frozenset()
    out = set()
    for function in facts.functions:
        role = table.resolve(function.name, len(function.params)) if function.static else None
        if role is not None and not fits(role, [type_of(f"{kind} {name}") for name, kind in function.params]):
            out.add(Meant(function.name, len(function.params), ""))
    return frozenset(out)


def renamed(facts: FileFacts, meant: Collection[Meant]) -> FileFacts:
    """The facts of a file with those calls named for what they are."""
    names = {one.name: [other for other in meant if other.name == one.name] for one in meant}

    def call(name: str, args: tuple[Expr, ...]) -> Call:
        one = next((one for one in names.get(name, ()) if one.arity in (None, len(args))), None)
        if one is None:
            return name, args
        if not one.like:
            return f"{name}@{one.arch or 'file'}", args  # no table has such a name
        return one.like, args if one.given is None else tuple(_argument(operand, args) for operand in one.given)

    return replace(facts, functions=tuple(_function(function, call, names) for function in facts.functions)) if names else facts


def _function(function: Function, call: Callable[[str, tuple[Expr, ...]], Call], names: Collection[str]) -> Function:
    if not any(instr[0] == "call" and instr[2] in names for block in function.blocks for instr in block.instrs):
        return function
    return replace(function, blocks=tuple(replace(block, instrs=_instrs(block, call)) for block in function.blocks))


def _instrs(block: Block, call: Callable[[str, tuple[Expr, ...]], Call]) -> tuple[Instr, ...]:
    return tuple((*instr[:2], *call(instr[2], instr[3]), *instr[4:]) if instr[0] == "call" else instr for instr in block.instrs)


def _argument(operand: str, args: Sequence[Expr]) -> Expr:
    index, *fields = operand.split(".")
    if not index.isdigit() or int(index) >= len(args):
        return ("?",)
    found = args[int(index)]
    if not fields:
        return found
    return ("v", "->".join((found[1], *fields))) if found[0] == "v" else ("?",)
