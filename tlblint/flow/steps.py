"""Which lvalues are stepped inside a loop: the mark of a walk over entries.

Loops are the cycles of the graph, so one made of gotos counts, and a step on a way out of a loop does not.
"""

from __future__ import annotations

from tlblint.model.ir import Block, Expr, Instr


def advanced(blocks: tuple[Block, ...]) -> frozenset[str]:
    """Paths assigned themselves plus or minus something in a block that can run again, or there the sum of something and such a path."""
    stepped: dict[int, set[str]] = {}
    sums: list[tuple[int, str, Expr]] = []
    for at, block in enumerate(blocks):
        for instr in block.instrs:
            if instr[0] == "set" and _is_step(instr):
                stepped.setdefault(at, set()).add(instr[1])
            elif instr[0] == "set" and instr[2][0] == "op" and instr[2][1] == "+":
                sums.append((at, instr[1], instr[2]))
    if not stepped or not _has_back_edge(blocks):
        return frozenset()
    found = {path for at, paths in stepped.items() if _on_cycle(blocks, at) for path in paths}
    steps = {("v", path) for path in found}
    return frozenset(found.union(path for at, path, expr in sums if not steps.isdisjoint(expr[2:4]) and _on_cycle(blocks, at)))


def _is_step(instr: Instr) -> bool:
    expr = instr[2]
    if expr[0] != "op":
        return False
    here: Expr = ("v", instr[1])
    return bool((expr[1] in ("+", "-") and expr[2] == here) or (expr[1] == "+" and expr[3] == here))


def _has_back_edge(blocks: tuple[Block, ...]) -> bool:
    return any(target <= at for at, block in enumerate(blocks) for target in block.succs)


def _on_cycle(blocks: tuple[Block, ...], start: int) -> bool:
    seen, stack = set(), list(blocks[start].succs)
    while stack:
        at = stack.pop()
        if at == start:
            return True
        if at not in seen:
            seen.add(at)
            stack.extend(blocks[at].succs)
    return False
