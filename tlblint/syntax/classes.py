"""Definitions of objects that clean up after themselves, written out as the functions that they define.

``DEFINE_CLASS()``, ``DEFINE_GUARD()`` and their kin of cleanup.h each make a function that begins an object and one that ends it. Here these
take and return what is guarded itself, where the macros wrap a lock into a structure.
"""

from __future__ import annotations

import re

from tlblint.syntax.expand import Expansion, arguments
from tlblint.syntax.patterns import places

_DEFINITION = re.compile(rb"(?:DEFINE_(CLASS|FREE|GUARD|LOCK_GUARD_0|LOCK_GUARD_1)|EXTEND_(CLASS))(?=\()")
_NAME = re.compile(rb"\w+\Z")
_GUARDED = re.compile(rb"\b_T->lock\b")
_FEWEST = {b"CLASS": 4, b"FREE": 3, b"GUARD": 4, b"LOCK_GUARD_0": 3, b"LOCK_GUARD_1": 4}


def classes(raw: bytes) -> tuple[Expansion, frozenset[bytes]] | None:
    """The file with such definitions written out, and the names of the functions; None if there are none."""
    starts = [at + 1 for at in places(raw, b"\nDEFINE_")]
    if not starts:
        return None
    starts = [0, *starts, *(at + 1 for at in places(raw, b"\nEXTEND_"))]
    pieces: list[bytes] = []
    cuts: list[tuple[int, int, int]] = []
    ends: list[int] = []
    names: set[bytes] = set()
    last = size = 0
    for match in filter(None, (_DEFINITION.match(raw, at) for at in sorted(starts))):
        taken = arguments(raw, match.end()) if match.start() >= last else None
        made = _functions(match.group(1) or b"EXTEND", taken[0]) if taken is not None else []
        if not made or taken is None:
            continue
        pieces.append(raw[last : match.start()])
        size += match.start() - last
        last = taken[1]
        for at, (name, text) in enumerate(made):
            names.add(name)
            pieces.append(text)
            cuts.append((size, size + len(text), match.start() + at))
            ends.append(last)
            size += len(text)
    return (Expansion(b"".join((*pieces, raw[last:])), tuple(cuts), tuple(ends)), frozenset(names)) if cuts else None


def _functions(word: bytes, args: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    """(name, definition) of the functions that a definition makes; [] if it is not understood."""
    if len(args) < _FEWEST.get(word, 3) or not _NAME.match(args[0]):
        return []
    name = args[0]
    if word == b"FREE":
        return [_function(b"void", b"__free_" + name, args[1] + b" _T", args[2])]
    if word == b"CLASS":
        return _pair(name, args[1], b", ".join(args[4:]), args[1] + b" t = " + args[3] + b"; return t", args[1], args[2])
    if word == b"EXTEND":
        kind = b"class_" + name
        inner = kind + b"_destructor(_T)"
        return _pair(name + args[1], kind + b"_t", b", ".join(args[3:]), kind + b"_t t = " + args[2] + b"; return t", kind + b"_t", inner)
    if word == b"LOCK_GUARD_0":
        return _pair(name, b"void", b"", args[1], b"", args[2])
    if word == b"GUARD":
        return _pair(name, args[1], args[1] + b" _T", args[2] + b"; return _T", args[1], args[3])
    lock, unlock = (_GUARDED.sub(b"_T", arg) for arg in args[2:4])
    return _pair(name, args[1] + b" *", args[1] + b" *_T", lock + b"; return _T", args[1] + b" *", unlock)


def _pair(name: bytes, returns: bytes, params: bytes, begin: bytes, kind: bytes, end: bytes) -> list[tuple[bytes, bytes]]:
    made = _function(returns, b"class_" + name + b"_constructor", params or b"void", begin)
    return [made, _function(b"void", b"class_" + name + b"_destructor", kind + b" _T" if kind else b"void", end)]


def _function(returns: bytes, name: bytes, params: bytes, body: bytes) -> tuple[bytes, bytes]:
    return name, b"static " + returns + b" " + name + b"(" + params + b")\n{\n\t" + body + b";\n}\n"
