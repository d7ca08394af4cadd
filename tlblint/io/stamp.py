"""A name for the code that is running: results of other code must not be taken for those of this one."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from importlib import util

from tlblint.io import data
from tlblint.model.digest import blake2b
from tlblint.model.store import NOTHING, Store, key

LAYERS = ("app", "calls", "crosscheck", "engine", "findings", "flow", "hooks", "model", "names", "predicates", "roles", "rulefile", "sim", "syntax")
"""The parts of the package that what is remembered may depend on."""


KIND = "stamp"
MARGIN = 2_000_000_000
"""Nanoseconds. A file that was changed so shortly ago may change once more without a trace."""
_known: list[str] = []


@cache
def stamp() -> str:
    """16 hexadecimal digits that change with any change to the analysis, to the parser under it, or to Python."""
    if _known:
        return _known[0]
    text = blake2b(repr((sys.version_info[:3], sys.implementation.cache_tag, _parser())).encode(), digest_size=8)
    package = data.package()
    for layer in LAYERS:
        _add(text, os.path.join(package, layer), ".py", layer)
    return text.hexdigest()


def recall(store: Store) -> None:
    """Have the stamp at hand when ``store`` knows that of files with these sizes and times; to read them all takes longer than most of what follows."""
    if _known or store is NOTHING or stamp.cache_info().currsize or (states := _states()) is None:
        return
    name = key(*states)
    row = store.get(KIND, [name]).get(name)
    if row is not None and len(row) == 16:
        _known.append(row.decode("ascii", "replace"))
    else:
        store.put(KIND, {name: stamp().encode()})


def _states() -> list[str] | None:
    """What the file system says of all that a stamp rests on; None while it cannot be trusted."""
    late = time.time_ns() - MARGIN
    found = [repr((sys.version_info[:3], sys.implementation.cache_tag, _parser())), data.package()]
    for layer in LAYERS:
        with os.scandir(os.path.join(data.package(), layer)) as entries:
            files = sorted((entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py"))
        if any(max(state.st_mtime_ns, state.st_ctime_ns) > late for _, state in files):
            return None
        found += [layer, *(f"{name} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}" for name, state in files)]
    return found


@cache
def portable() -> str:
    """16 hexadecimal digits that are the same wherever the same analysis is installed with the same rules and roles above the same parser."""
    from importlib import metadata  # slow to load, and rarely needed

    parser = [metadata.version(name) for name in ("tree-sitter", "tree-sitter-c")]
    text = blake2b(repr((sys.version_info[:2], parser)).encode(), digest_size=8)
    package, rules = data.package(), data.root("rules")
    for layer in LAYERS:
        _add(text, os.path.join(package, layer), ".py", layer)
    for folder, suffix in (("", ".md"), ("api", ".toml"), ("profiles", ".toml")):
        _add(text, os.path.join(rules, folder), suffix, f"rules/{folder}")
    return text.hexdigest()


def _add(text: blake2b, folder: str, suffix: str, name: str) -> None:
    for file, raw in data.files(folder, suffix).items():
        text.update(f"\0{name}/{file}\0".encode() + raw)


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
