"""A name for the code that is running: results of other code must not be taken for those of this one."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from importlib import resources, util

LAYERS = ("app", "calls", "crosscheck", "engine", "findings", "flow", "model", "roles", "rulefile", "sim", "syntax")
"""The parts of the package that what is remembered may depend on."""


@cache
def stamp() -> str:
    """16 hexadecimal digits that change with any change to the analysis, to the parser under it, or to Python."""
    text = hashlib.blake2b(repr((sys.version_info[:3], sys.implementation.cache_tag, _parser())).encode(), digest_size=8)
    package = str(resources.files("tlblint"))
    for layer in LAYERS:
        folder = os.path.join(package, layer)
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py"):
                with open(os.path.join(folder, name), "rb") as file:
                    text.update(f"\0{layer}/{name}\0".encode() + file.read())
    return text.hexdigest()


def _parser() -> list[tuple[str, int, int]]:
    """The compiled parts of the parser, by size and time: they are large, and not ours."""
    found = []
    for name in ("tree_sitter", "tree_sitter_c"):
        place = util.find_spec(name)
        folder = os.path.dirname(place.origin) if place is not None and place.origin else ""
        for entry in sorted(os.listdir(folder)) if folder else []:
            if entry.endswith((".so", ".pyd", ".dylib")):
                state = os.stat(os.path.join(folder, entry))
                found.append((f"{name}/{entry}", state.st_size, state.st_mtime_ns))
    return found
