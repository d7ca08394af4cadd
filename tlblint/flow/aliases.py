"""A local pointer that is only ever the address of one local object is another name for that: *p is x, p->f is x.f."""

from __future__ import annotations

import re

from tlblint.flow.context import Context
from tlblint.model.ir import Expr, Instr

_OBJECT = re.compile(r"([A-Za-z_]\w*)(?:\.\w+)*")
_THROUGH = re.compile(r"\**([A-Za-z_]\w*)(?:->|\Z)")


def unalias(ctx: Context, parameters: frozenset[str]) -> None:
    """Give what such pointers of the finished graph lead to its own name."""
    objects = _objects(ctx, parameters)
    if not objects:
        return
    for instrs in ctx.graph.instrs:
        instrs[:] = [_instr(instr, objects) for instr in instrs]
    ctx.graph.conds[:] = [None if cond is None else _expr(cond, objects) for cond in ctx.graph.conds]


def _objects(ctx: Context, parameters: frozenset[str]) -> dict[str, str]:
    """Pointer -> object."""
    found: dict[str, str] = {}
    for instrs in ctx.graph.instrs:
        for instr in instrs:
            if instr[0] == "set" and instr[2][0] == "&" and _is_local(instr[1], ctx, parameters) and _is_object(instr[2][1], ctx, parameters):
                found.setdefault(instr[1], instr[2][1])
    if found:
        for instrs in ctx.graph.instrs:
            for instr in instrs:
                _drop_changed(found, instr)
    return {pointer: name for pointer, name in found.items() if name.split(".")[0] not in found}


def _is_local(path: str, ctx: Context, parameters: frozenset[str]) -> bool:
    return path in ctx.locals and path not in parameters


def _is_object(path: str, ctx: Context, parameters: frozenset[str]) -> bool:
    match = _OBJECT.fullmatch(path)
    return match is not None and _is_local(match[1], ctx, parameters)


def _drop_changed(found: dict[str, str], instr: Instr) -> None:
    """Forget pointers that are given anything else, or whose own address goes anywhere."""
    if instr[0] in ("set", "havoc") and instr[1] in found and (instr[0] == "havoc" or instr[2] != ("&", found[instr[1]])):
        del found[instr[1]]
    for expr in instr[3] if instr[0] in ("call", "icall") else instr[2:3] if instr[0] == "set" else ():
        if expr[0] == "&":
            found.pop(expr[1], None)


def _instr(instr: Instr, objects: dict[str, str]) -> Instr:
    if instr[0] in ("call", "icall"):
        target = _path(instr[2], objects) if instr[0] == "icall" else instr[2]
        args = tuple(("&", objects[arg[1]]) if arg[0] == "v" and arg[1] in objects else _expr(arg, objects) for arg in instr[3])
        return instr if target == instr[2] and args == instr[3] else (*instr[:2], target, args, *instr[4:])
    if instr[0] == "set":
        return ("set", _path(instr[1], objects), _expr(instr[2], objects), *instr[3:])
    return (instr[0], _path(instr[1], objects), *instr[2:]) if instr[0] == "havoc" else instr


def _expr(expr: Expr, objects: dict[str, str]) -> Expr:
    if expr[0] in "v&" and len(expr) == 2:
        return (expr[0], _path(expr[1], objects))
    return tuple(_expr(part, objects) if type(part) is tuple else part for part in expr)


def _path(path: str, objects: dict[str, str]) -> str:
    match = _THROUGH.match(path)
    name = objects.get(match[1]) if match is not None else None
    if match is None or name is None:
        return path
    stars, rest = path[: match.start(1)], path[match.end() :]
    if rest:
        return f"{stars}{name}.{rest}"
    return stars[1:] + name if stars else path
