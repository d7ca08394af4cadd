"""What the front end hands to the lowering."""

from __future__ import annotations

import msgspec
from tree_sitter import Node

from tlblint.model.ir import NotAnalysed, OpsTable


class ParsedFunction(msgspec.Struct, frozen=True):
    """A function definition in scope, parsed.

    ``text`` is the normalised file: as long as the original, so every offset is one of the original file. ``health``
    is empty for a function that was understood whole; a remark there means that a token was missing but nothing was lost.
    """

    name: str
    start: int
    end: int
    node: Node
    text: bytes
    variant: int
    assumed: tuple[str, ...]
    health: tuple[str, ...]


class ParsedFile(msgspec.Struct, frozen=True):
    """All that the front end knows of one file. Nodes keep their trees alive.

    ``total`` counts functions in scope (twins under #if count each, variants do not), ``partial`` those with remarks.
    """

    path: str
    raw: bytes
    functions: tuple[ParsedFunction, ...]
    tables: tuple[OpsTable, ...]
    not_analysed: tuple[NotAnalysed, ...]
    total: int
    partial: int
