"""The control-flow graph while it is being built: open blocks that are filled in any order."""

from __future__ import annotations

from tlblint.model.ir import Expr, Instr


class Graph:
    """Growing blocks. ``here`` is the block being filled and ``out`` its instruction list.

    Closing a block does not open another: the caller enters the next one. What follows a goto or return goes
    into a fresh block that nothing reaches, which the clean-up drops.
    """

    __slots__ = ("conds", "here", "instrs", "kinds", "out", "positions", "succs")

    def __init__(self) -> None:
        self.instrs: list[list[Instr]] = [[]]
        self.kinds: list[str] = ["stop"]
        self.conds: list[Expr | None] = [None]
        self.succs: list[tuple[int, ...]] = [()]
        self.positions: list[int] = [0]
        self.here = 0
        self.out = self.instrs[0]

    def fresh(self) -> int:
        """A new empty block; it ends in "stop" until it is closed."""
        self.instrs.append([])
        self.kinds.append("stop")
        self.conds.append(None)
        self.succs.append(())
        self.positions.append(0)
        return len(self.kinds) - 1

    def enter(self, block: int) -> None:
        """Go on in ``block``."""
        self.here = block
        self.out = self.instrs[block]

    def emit(self, instr: Instr) -> None:
        """Append to the current block."""
        self.out.append(instr)

    def jump(self, to: int, pos: int) -> None:
        """Close the current block with a jump."""
        here = self.here
        self.kinds[here] = "jump"
        self.succs[here] = (to,)
        self.positions[here] = pos

    def fork(self, cond: Expr, yes: int, no: int, pos: int) -> None:
        """Close the current block with a branch; ``!`` swaps the ways and a constant takes one of them."""
        while cond[0] == "!":
            cond, yes, no = cond[1], no, yes
        if cond[0] == "n":
            self.jump(yes if cond[1] else no, pos)
            return
        here = self.here
        self.kinds[here] = "branch"
        self.conds[here] = cond
        self.succs[here] = (yes, no)
        self.positions[here] = pos

    def leave(self, kind: str, cond: Expr | None, pos: int) -> None:
        """Close the current block with "return" or "stop" and go on where nothing reaches."""
        here = self.here
        self.kinds[here] = kind
        self.conds[here] = cond
        self.positions[here] = pos
        self.enter(self.fresh())

    def goto(self, to: int, pos: int) -> None:
        """Jump away and go on where nothing reaches."""
        self.jump(to, pos)
        self.enter(self.fresh())
