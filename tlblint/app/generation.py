"""Which kernel a tree is: the headers that tell, and the name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from tlblint.app.naming import index_of
from tlblint.io.stamp import stamp
from tlblint.io.tree import Tree
from tlblint.model.store import Store, key
from tlblint.names.index import Texts, of_files
from tlblint.roles import HEADERS, Generation, detect
from tlblint.roles.generation import UNKNOWN

KIND = "generation"


def headers(tree: Tree) -> dict[str, bytes]:
    """The files of a tree by which its generation is told, those that it has."""
    found, index = {}, index_of(tree)
    for path in HEADERS:
        if tree.holds(path) == "file" and (raw := index.read(path)) is not None:
            found[path] = raw
    return found


def told(files: Mapping[str, bytes], texts: Texts | None, store: Store) -> Generation:
    """What these headers tell, remembered; ``texts``: what has been taken apart of them."""
    name = key(stamp(), *(part for path, raw in sorted(files.items()) for part in (path, raw)))
    row = store.get(KIND, [name]).get(name)
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            return msgspec.msgpack.decode(row, type=Generation)
    found = detect(of_files(files, texts))
    store.put(KIND, {name: msgspec.msgpack.encode(found)})
    return found


def name(files: Mapping[str, bytes]) -> str | None:
    """"6.12", "6.9+"; None for what is no kernel tree."""
    found = detect(files).name
    return None if found == UNKNOWN else found


def stand_in(release: str) -> dict[str, bytes]:
    """Headers that make a lone file pass for a part of a release such as "6.12"; of the newest one when it is no release."""
    version, dot, level = release.partition(".")
    if not (dot and version.isdigit() and level.isdigit()):
        return {}
    return {"Makefile": f"VERSION = {version}\nPATCHLEVEL = {level}\n".encode()}
