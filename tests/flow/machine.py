"""An interpreter of the intermediate representation, and the checks of its shape that every function must pass."""

from __future__ import annotations

from tests.flow.direct import BINARY, Oracle, Stop
from tlblint.model.ir import Block, Expr, Function


def check_shape(function: Function) -> None:
    """Fails unless the blocks are numbered in reverse postorder, all reached, merged and free of forbidden conditions."""
    preds: dict[int, int] = {0: 1}
    for block in function.blocks:
        assert len(block.succs) == {"jump": 1, "branch": 2, "return": 0, "stop": 0}[block.kind]
        assert len(set(block.succs)) == len(block.succs)
        assert (block.cond is not None) if block.kind == "branch" else (block.cond is None or block.kind == "return")
        for target in block.succs:
            preds[target] = preds.get(target, 0) + 1
        if block.kind == "branch":
            assert block.cond is not None
            assert block.cond[0] not in ("!", "n")
            assert not {"&&", "||", "?:"} & set(_operators(block.cond))
    assert sorted(preds) == list(range(len(function.blocks)))
    assert _reverse_postorder(function.blocks) == list(range(len(function.blocks)))
    for at, block in enumerate(function.blocks):
        if block.kind == "jump":
            assert block.succs[0] == at or preds[block.succs[0]] > 1
            assert block.instrs or at == 0 or block.succs[0] == at


def _operators(expr: Expr) -> list[str]:
    if expr[0] == "op":
        return [expr[1], *_operators(expr[2]), *_operators(expr[3])]
    return _operators(expr[1]) if expr[0] in ("!", "~", "-") else []


def _reverse_postorder(blocks: tuple[Block, ...]) -> list[int]:
    seen: set[int] = set()
    order: list[int] = []

    def visit(at: int) -> None:
        seen.add(at)
        for target in reversed(blocks[at].succs):
            if target not in seen:
                visit(target)
        order.append(at)

    visit(0)
    return order[::-1]


class Machine:
    """Runs a function; paths are plain names here, so the environment is flat."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.env = {"a": 0, "b": 1, "c": 2, "d": 0, "e": 0}
        self.temps: dict[int, int] = {}

    def run(self, function: Function) -> None:
        at = 0
        while True:
            self.oracle.step()
            block = function.blocks[at]
            for instr in block.instrs:
                self.obey(instr)
            if block.kind == "return":
                self.oracle.trace.append(("return", None if block.cond is None else self.eval(block.cond)))
                return
            if block.kind == "stop":
                raise Stop
            at = block.succs[0 if block.kind == "jump" or self.eval(block.cond) else 1]

    def obey(self, instr: tuple) -> None:  # type: ignore[type-arg]
        kind = instr[0]
        if kind == "call":
            self.temps[instr[1]] = self.oracle.ask("call", instr[2], tuple([self.eval(arg) for arg in instr[3]]))
        elif kind == "set":
            self.env[instr[1]] = self.eval(instr[2])
        else:
            self.env[instr[1]] = {"havoc": 7, "decl": 0}[kind]

    def eval(self, e: Expr | None) -> int:
        assert e is not None
        tag = e[0]
        if tag == "n":
            return int(e[1])
        if tag == "v":
            return self.env[e[1]]
        if tag == "t":
            return self.temps[e[1]]
        if tag == "?":
            return self.oracle.ask("?")
        if tag == "op":
            return BINARY[e[1]](self.eval(e[2]), self.eval(e[3]))
        inner = self.eval(e[1])
        return {"!": int(not inner), "-": -inner, "~": ~inner}[tag]
