"""Calls through a pointer that can only be one function: a local variable, a field of a local object, a slot of a constant table."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tlblint.flow.context import Context
from tlblint.model.ir import Expr, Instr, OpsTable

_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_BASE = re.compile(r"([A-Za-z_]\w*)(->|\.|\Z)")


def slots_of(raw: bytes, tables: tuple[OpsTable, ...], function: str) -> dict[str, str]:
    """``table.slot`` -> function, for the constant tables of a file and those that are local to ``function``."""
    found: dict[str, str] = {}
    for table in tables:
        if table.owner in ("", function) and b"const" in raw[raw.rfind(b"\n", 0, table.pos) + 1 : raw.find(b"{", table.pos)].split():
            found.update((f"{table.name}.{slot}", target) for slot, target in table.slots)
    return found


def settle(ctx: Context, parameters: frozenset[str], slots: Mapping[str, str]) -> None:
    """Turn such calls of the finished graph into calls of the function."""
    calls = [(instrs, at) for instrs in ctx.graph.instrs for at, instr in enumerate(instrs) if instr[0] == "icall"]
    known: dict[str, str] = {}
    for instrs, at in calls:
        instr = instrs[at]
        path = instr[2]
        if path not in known:
            known[path] = _only(ctx, path, parameters, slots)
        if known[path]:
            instrs[at] = ("call", instr[1], known[path], instr[3], instr[4])


def _only(ctx: Context, path: str, parameters: frozenset[str], slots: Mapping[str, str]) -> str:
    """The one function that ``path`` holds wherever it is called, or ""."""
    head = _BASE.match(path)
    if head is None:
        return ""
    base, joint = head.group(1), head.group(2)
    if base not in ctx.locals:
        return slots.get(path, "")
    if base in parameters:
        return ""
    if joint == "->":
        target = _assigned(ctx, base)
        return _only(ctx, f"{target[1]}.{path[head.end() :]}", parameters, slots) if target is not None and target[0] == "&" else ""
    value = _assigned(ctx, path)
    if value is None:
        return slots.get(path, "") if joint == "." and not _written(ctx, base) else ""
    name = str(value[1]) if value[0] in "v&" else ""
    return name if _NAME.match(name) and name not in ctx.locals else ""


def _assigned(ctx: Context, path: str) -> Expr | None:
    """The one value that a local path is ever given; None if there are others, none, or its object is handed to somebody by address."""
    base = path.split(".")[0]
    values: set[Expr] = set()
    for instrs in ctx.graph.instrs:
        for instr in instrs:
            if _gives_away(instr, base) or (instr[0] == "havoc" and instr[1] in (path, base)):
                return None
            if instr[0] == "set" and (instr[1] == path or (instr[1] == base and instr[2] != ("?",))):
                values.add(instr[2])
    return values.pop() if len(values) == 1 else None


def _written(ctx: Context, base: str) -> bool:
    below = f"{base}."
    return any(i[0] in ("set", "decl", "havoc") and (i[1] == base or i[1].startswith(below)) for instrs in ctx.graph.instrs for i in instrs)


def _gives_away(instr: Instr, base: str) -> bool:
    given = ("&", base)
    if instr[0] in ("call", "icall"):
        return any(arg == given for arg in instr[3])
    return bool(instr[0] == "set" and instr[2] == given and instr[1] != base)
