"""Designated initialisers that put functions into a table: ``const struct mm_walk_ops x = { .pte_entry = f }``."""

from __future__ import annotations

import re

from tlblint.model.ir import OpsTable
from tlblint.syntax.clean import strip
from tlblint.syntax.slicer import Span, index_functions

_TABLE = re.compile(rb"struct\s{1,80}+(\w+_ops|rmap_walk_control)\s{1,80}+([A-Za-z_]\w*+)[^\n;={}(),]{0,80}+=\s{0,80}+\{")
_BRACE = re.compile(rb"[{}]")
_SLOT = re.compile(rb"\.\s*([A-Za-z_]\w*)\s*=\s*&?\s*([A-Za-z_]\w*)\s*(?=[,}])")
_NOT_A_FUNCTION = frozenset((b"NULL", b"true", b"false"))
_LONGEST = 65536


def _closing(buf: bytearray, opening: int) -> int:
    depth = 0
    for match in _BRACE.finditer(buf, opening):
        depth += 1 if match.group() == b"{" else -1
        if not depth:
            return match.end()
    return 0


def find_tables(path: str, raw: bytes) -> tuple[OpsTable, ...]:
    """All such tables of a file; a slot is (field, identifier). Local ones name the function that holds them."""
    found = []
    functions: list[Span] | None = None
    done = 0
    for match in _TABLE.finditer(raw):
        if match.start() < done:
            continue
        floor = max(0, match.start() - 400)
        before = raw[max(raw.rfind(b"\n", floor, match.start()) + 1, floor) : match.start()]
        if before[:1] == b"#" or before.lstrip()[:2] in (b"/*", b"* ", b"//"):
            continue
        slots, done = _slots(raw, match.end() - 1)
        if not slots:
            continue
        owner = ""
        if before[:1] in (b" ", b"\t"):
            functions = index_functions(raw) if functions is None else functions
            owner = next((n for n, low, high in functions if low < match.start() < high), "")
        found.append(OpsTable(path, match.group(2).decode(), match.group(1).decode(), slots, owner, match.start()))
    return tuple(found)


def _slots(raw: bytes, opening: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """The slots of the initialiser that opens there, and the offset after it."""
    likely = raw.find(b"\n}", opening, opening + _LONGEST) + 2  # most are not in a function
    buf = bytearray(raw[opening : likely if likely > 1 else opening + _LONGEST])
    strip(buf, 0, len(buf))
    end = _closing(buf, 0)
    if not end and likely > 1:
        buf = bytearray(raw[opening : opening + _LONGEST])
        strip(buf, 0, len(buf))
        end = _closing(buf, 0)
    pairs = _SLOT.findall(buf, 0, end)
    slots = tuple((a.decode(), b.decode()) for a, b in pairs if b not in _NOT_A_FUNCTION)
    return slots, opening + (end or len(buf))
