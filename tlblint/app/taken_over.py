"""Facts of one version of a file after another: what a patch does not touch is the same object in both, so that hundreds of them fit into memory."""

from __future__ import annotations

from array import array

from msgspec.structs import replace

from tlblint.model.ir import Block, FileFacts, Function, Instr


def taken_over(last: FileFacts | None, facts: FileFacts) -> FileFacts:
    """``facts``, made of parts of ``last`` as far as they are equal to these. A function that has only moved shares all but its places."""
    newlines = array("I", facts.newlines)  # a tenth of the numbers in a tuple
    if last is None:
        return replace(facts, newlines=newlines)
    before = {(fn.name, fn.variant): fn for fn in last.functions}
    return replace(facts, functions=tuple(_function(before.get((fn.name, fn.variant)), fn) for fn in facts.functions), newlines=newlines, said=b"")


def _function(old: Function | None, new: Function) -> Function:
    if old is None or old == new:
        return old or new
    if len(old.blocks) != len(new.blocks):
        return new
    return replace(
        new, name=old.name, path=old.path, params=old.params if old.params == new.params else new.params,
        advanced=old.advanced if old.advanced == new.advanced else new.advanced,
        blocks=tuple(_block(one, other) for one, other in zip(old.blocks, new.blocks, strict=True)),
    )  # fmt: skip


def _block(old: Block, new: Block) -> Block:
    if len(old.instrs) != len(new.instrs):
        return new
    instrs = tuple(_instr(one, other) for one, other in zip(old.instrs, new.instrs, strict=True))
    return Block(instrs, new.kind, old.cond if old.cond == new.cond else new.cond, old.succs if old.succs == new.succs else new.succs, new.pos)


def _instr(old: Instr, new: Instr) -> Instr:
    if old == new:
        return old
    return (*old[:-1], new[-1]) if old[:-1] == new[:-1] else new
