"""What a chain of comparisons is about: the result of a call that several branches compare with constants, ``switch`` above all.

Ways to such a chain that have different results must not meet before its end: each leads into an arm of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlblint.model.ir import Block, Expr, Function


def subjects(fn: Function) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The variables and temps ("%n") that hold such a result, and of each block those that nothing behind it reads."""
    compared: dict[str, set[Expr]] = {}
    for block in fn.blocks:
        if block.cond is not None and (name := _compared(block.cond)) is not None:
            compared.setdefault(name, set()).add(block.cond[3])
    names = {name for name, with_what in compared.items() if len(with_what) > 1}
    if names:
        names -= _mixed(fn, names)
    if not names:
        return (), ()
    return tuple(sorted(names)), _dead(fn.blocks, names)


def _compared(cond: Expr) -> str | None:
    if cond[0] != "op" or cond[1] not in ("==", "!=") or cond[3][0] not in "kn":
        return None
    return f"%{cond[2][1]}" if cond[2][0] == "t" else str(cond[2][1]) if cond[2][0] == "v" and cond[2][1].isidentifier() else None


def _mixed(fn: Function, names: set[str]) -> set[str]:
    """Those that are something else, too: assigned otherwise, handed on by address, or returned."""
    out: set[str] = {name for name, _ in fn.params}
    for block in fn.blocks:
        if block.kind == "return" and block.cond is not None:
            out.update(_paths(block.cond))
        for instr in block.instrs:
            if instr[0] == "set" and instr[1] in names and instr[2][0] != "t":
                out.add(instr[1])
            elif instr[0] in ("call", "icall"):
                out.update(arg[1] for arg in instr[3] if arg[0] == "&")
    return out


def _dead(blocks: Sequence[Block], names: set[str]) -> tuple[tuple[str, ...], ...]:
    reads: list[set[str]] = []
    kills: list[set[str]] = []
    for block in blocks:
        killed: set[str] = set()
        read: set[str] = set()
        for instr in block.instrs:
            exprs = (instr[2],) if instr[0] == "set" else instr[3] if instr[0] in ("call", "icall") else ()
            read |= {path for expr in exprs for path in _paths(expr) if path in names} - killed
            if instr[0] in ("set", "havoc", "decl"):
                killed.add(instr[1])
            elif instr[0] in ("call", "icall"):
                killed.add(f"%{instr[1]}")
        if block.cond is not None:
            read |= {path for path in _paths(block.cond) if path in names} - killed
        reads.append(read)
        kills.append(killed)
    live = [set[str]() for _ in blocks]
    changed = True
    while changed:
        changed = False
        for at in range(len(blocks) - 1, -1, -1):
            now = reads[at] | (set().union(*(live[to] for to in blocks[at].succs)) - kills[at])
            if now != live[at]:
                live[at], changed = now, True
    return tuple(tuple(sorted(names.difference(*(live[to] for to in block.succs)))) for block in blocks)


def _paths(expr: Expr) -> Iterator[str]:
    if expr[0] == "t":
        yield f"%{expr[1]}"
    elif expr[0] in ("v", "&"):
        yield expr[1]
    else:
        for part in expr[1:]:
            if type(part) is tuple:
                yield from _paths(part)
