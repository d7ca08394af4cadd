"""``tlblint cache``: what earlier runs have left, and getting rid of it."""

from __future__ import annotations

import os

from tlblint.io import cache
from tlblint.io.errors import InputError
from tlblint.report.text import clean

MEANING = {
    "blobs": "files of revisions that hold nothing of interest",
    "facts": "what was read of files, and what functions say by themselves",
    "hooks": "what hooks of trees and series lack",
    "generation": "which kernels headers were found to be of",
    "held": "which facts the last run over a tree rested on",
    "judged": "what was found from groups of functions on",
    "names": "what trees were found to mean by names",
    "nodes": "what functions were when they were judged last",
    "rules": "the shipped rules as they were read",
    "predicate": "what flush predicates of trees were found to be",
    "run": "what was found in whole trees",
    "stamp": "which analysis is installed",
    "state": "what was found in states of trees under a series",
    "roles": "what the shipped tables say of functions",
    "toml": "the shipped tables of roles and profiles",
    "tree": "which files of a tree hold something of interest, and when those were changed",
    "verdict": "what the simulation said of findings",
}
"""Kinds of rows in words."""


def info() -> str:
    """Where the cache lies and what is in it. Raises InputError."""
    path = _file()
    if not os.path.exists(path):
        return f"{clean(path)}: nothing yet\n"
    try:
        kinds = cache.kinds(path)
        size = os.path.getsize(path)
    except OSError as error:
        raise InputError(path, f"cannot be read: {(error.strerror or str(error)).lower()}", "'tlblint cache clear' removes it") from None
    lines = [f"{clean(path)}: {sum(kind.rows for kind in kinds):,} rows in {_megabytes(size)}; at most {cache.LIMIT >> 20} MB are kept\n"]
    wide = max((len(kind.name) for kind in kinds), default=0)
    lines += [f"  {clean(kind.name):<{wide}}  {kind.rows:>7,} rows  {_megabytes(kind.size):>9}  {MEANING.get(kind.name, '')}".rstrip() + "\n" for kind in kinds]
    return "".join(lines)


def clear() -> str:
    """Delete the cache, that of other versions too; what was done in words. Raises InputError."""
    place = os.path.dirname(_file())
    try:
        files = sorted(name for name in os.listdir(place) if name.startswith("rows-") and name.endswith(".sqlite"))
    except OSError:
        files = []
    freed = sum(cache.remove(os.path.join(place, name)) for name in files)
    left = [name for name in files if os.path.lexists(os.path.join(place, name))]
    if left:
        raise InputError(os.path.join(place, left[0]), "cannot be removed", "remove it by hand")
    return f"{clean(place)}: removed {_megabytes(freed)}\n" if files else f"{clean(place)}: nothing to remove\n"


def _file() -> str:
    place = cache.directory()
    if place is None:
        raise InputError("cache", "there is no home directory to keep one in", "set XDG_CACHE_HOME")
    return os.path.join(place, cache.NAME)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
