"""The reference: guarded commands interpreted one by one over a dictionary. Slow, and short enough to believe."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tlblint.sim.ir import PRUNED, VIOLATIONS, Alt, Bin, Branch, Code, Const, Effect, Expr, Fail, Look, Not, Program, Set, Step, Var, code_of

Values = dict[str, int]


def value(expr: Expr, values: Values) -> int:
    """What an expression is worth."""
    if isinstance(expr, Const):
        return expr.value
    if isinstance(expr, Var):
        return values[expr.name]
    if isinstance(expr, Not):
        return int(not value(expr.x, values))
    if isinstance(expr, Look):
        return expr.table[value(expr.x, values)]
    return _binary(expr, value(expr.x, values), value(expr.y, values))


def _binary(expr: Bin, x: int, y: int) -> int:
    results = {
        "and": bool(x) and bool(y), "or": bool(x) or bool(y), "==": x == y, "!=": x != y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y,
        "|": x | y, "&": x & y, "+": x + y & 255, "-": x - y & 255,
    }  # fmt: skip
    return int(results[expr.op])


def perform(effects: tuple[Effect, ...], values: Values) -> int:
    """Do ``effects``; the code of the first violation, 0 for none."""
    first = 0
    for effect in effects:
        if isinstance(effect, Set):
            values[effect.var] = value(effect.value, values)
        elif isinstance(effect, Fail):
            first = first or (effect.code if value(effect.cond, values) else 0)
        elif value(effect.cond, values):
            inner = perform(effect.effects, values)
            first = first or inner
    return first


def settle(code: Code, at: int, values: Values) -> int:
    """Where a thread that comes to node ``at`` stands after the branches there."""
    while at < len(code.nodes):
        node = code.nodes[at]
        if not isinstance(node, Branch):
            break
        at = node.then if value(node.cond, values) else node.other
    return at


def enabled(program: Program, pcs: tuple[int, ...], values: Values) -> Iterator[tuple[int, int, Alt]]:
    """(thread, number of the alternative, alternative) of all that can happen."""
    for thread, code in enumerate(program.codes):
        node = code.nodes[pcs[thread]] if pcs[thread] < len(code.nodes) else None
        if isinstance(node, Step):
            for number, alt in enumerate(node.alts):
                if alt.guard is None or value(alt.guard, values):
                    yield thread, number, alt


class Found(msgspec.Struct, frozen=True):
    """``verdict``, length of the shortest witness (None when safe), states visited."""

    verdict: str
    length: int | None
    states: int


def search(program: Program, bound: int = 200_000) -> Found:
    """Breadth first, a layer at a time, as the explorer does it. Raises OverflowError beyond ``bound`` states."""
    layer = [(tuple(settle(code, 0, program.init) for code in program.codes), program.init)]
    seen = {_key(*layer[0])}
    depth = 0
    worst: dict[int, set[int]] = {}
    _always(program, layer[0][1], 0, worst)
    while layer and not worst:
        following = []
        for pcs, values in layer:
            moved = False
            for thread, _, alt in enabled(program, pcs, values):
                moved = True
                after = dict(values)
                code = perform(alt.effects, after)
                if code:
                    if code != PRUNED:
                        worst.setdefault(depth + 1, set()).add(code)
                    continue
                onward = (*pcs[:thread], settle(program.codes[thread], alt.goto, after), *pcs[thread + 1 :])
                if _key(onward, after) not in seen:
                    seen.add(_key(onward, after))
                    following.append((onward, after))
            end = ending(program, pcs, values, moved)
            if end:
                worst.setdefault(depth, set()).add(end)
        if len(seen) > bound:
            raise OverflowError(bound)
        depth += 1
        for _, values in following:
            _always(program, values, depth, worst)
        layer = following
    if not worst:
        return Found("safe", None, len(seen))
    length = min(worst)
    return Found(" or ".join(sorted(VIOLATIONS[code - 1] for code in worst[length])), length, len(seen))


def ending(program: Program, pcs: tuple[int, ...], values: Values, moved: bool) -> int:
    """The violation of a state as an end, 0 for none."""
    if any(pc < len(code.nodes) and not code.daemon for pc, code in zip(pcs, program.codes, strict=True)):
        return 0 if moved else code_of("deadlock")
    return next((fail.code for fail in program.final if value(fail.cond, values)), 0)


def _always(program: Program, values: Values, depth: int, worst: dict[int, set[int]]) -> None:
    for expr, code in program.always:
        if not value(expr, values):
            worst.setdefault(depth, set()).add(code)


def _key(pcs: tuple[int, ...], values: Values) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return pcs, tuple(values.values())
