"""Which flush a thread passed by when it took a branch."""

from __future__ import annotations

from tlblint.sim.ir import Alt, Branch, Code, Step, ahead, names_in
from tlblint.sim.naive import value


def skipped_flush(code: Code, node: int, alt: Alt, after: dict[str, int]) -> tuple[str, set[str]] | None:
    """(text of the flush, variables that decided) if, by the alternative taken or a branch right after it, a flush was left out.

    ``after`` are the values behind the step.
    """
    step = code.nodes[node]
    if isinstance(step, Step) and len(step.alts) == 2 and not alt.role:
        other = next(one for one in step.alts if one is not alt)
        found = _only(code, other.goto, alt.goto)
        if found is not None and alt.guard is not None:
            return found, names_in(alt.guard)
    at = alt.goto
    while at < len(code.nodes):
        branch = code.nodes[at]
        if not isinstance(branch, Branch):
            return None
        taken, left = (branch.then, branch.other) if value(branch.cond, after) else (branch.other, branch.then)
        found = _only(code, left, taken)
        if found is not None:
            return found, names_in(branch.cond)
        at = taken
    return None


def _only(code: Code, left: int, taken: int) -> str | None:
    """The first flush that can be come to from ``left`` and not from ``taken``."""
    for at in sorted(ahead(code, left) - ahead(code, taken)):
        step = code.nodes[at]
        if isinstance(step, Step):
            for alt in step.alts:
                if alt.flush:
                    return alt.text
    return None

