"""Facts of a text that was made from a file, told in the offsets of the file."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from tlblint.model.ir import Block, FileFacts, Function, Instr

Origin = Callable[[int], int]


def moved(facts: FileFacts, origin: Origin) -> FileFacts:
    """``facts`` with each offset ``origin`` of what it was. Newlines are left out of it."""
    return replace(
        facts,
        functions=tuple(_function(function, origin) for function in facts.functions),
        tables=tuple(replace(table, pos=origin(table.pos)) for table in facts.tables),
        not_analysed=tuple(dict.fromkeys(replace(miss, pos=origin(miss.pos)) for miss in facts.not_analysed)),
    )


def _function(function: Function, origin: Origin) -> Function:
    blocks = tuple(_block(block, origin) for block in function.blocks)
    return replace(function, start=origin(function.start), end=origin(function.end), blocks=blocks)


def _block(block: Block, origin: Origin) -> Block:
    return replace(block, instrs=tuple(_instr(instr, origin) for instr in block.instrs), pos=origin(block.pos))


def _instr(instr: Instr, origin: Origin) -> Instr:
    return (*instr[:-1], origin(instr[-1]))
