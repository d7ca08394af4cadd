"""C types as far as execution needs them: integers by width and sign, pointers, everything else by name."""

from __future__ import annotations

import msgspec

_SIZES = {"char": 8, "short": 16, "int": 32, "long": 64, "_Bool": 8, "bool": 8, "signed": 32, "unsigned": 32, "__int128": 128}
PRIMITIVE = frozenset((*_SIZES, "void", "float", "double"))
FIXED = {
    **{f"{p}u{n}": (n, False) for p in ("", "__") for n in (8, 16, 32, 64)},
    **{f"{p}s{n}": (n, True) for p in ("", "__") for n in (8, 16, 32, 64)},
    **{f"uint{n}_t": (n, False) for n in (8, 16, 32, 64)},
    **{f"int{n}_t": (n, True) for n in (8, 16, 32, 64)},
    **{f"__{e}{n}": (n, False) for e in ("be", "le") for n in (16, 32, 64)},
    "__u128": (128, False), "u128": (128, False), "unsigned_long": (64, False), "__int128_t": (128, True), "__uint128_t": (128, False),
}  # fmt: skip


class CType(msgspec.Struct, frozen=True):
    """``kind``: int, pointer, void, struct (by value; ``name`` says which), auto (whatever the value is)."""

    kind: str
    width: int = 0
    signed: bool = False
    boolean: bool = False
    name: str = ""


AUTO = CType("auto")
VOID = CType("void")
POINTER = CType("pointer", 64)
BOOL = CType("int", 8, False, True, "bool")
INT = CType("int", 32, True)


def primitive(words: list[str], long_bits: int) -> CType:
    """The type that a list of C's own type words spells."""
    if "void" in words:
        return VOID
    if "bool" in words or "_Bool" in words:
        return BOOL
    signed = "unsigned" not in words
    if "char" in words:
        return CType("int", 8, (signed and "signed" in words) or signed)
    if "short" in words:
        return CType("int", 16, signed)
    if "__int128" in words:
        return CType("int", 128, signed)
    longs = words.count("long")
    return CType("int", 64 if longs > 1 else long_bits if longs else 32, signed)
