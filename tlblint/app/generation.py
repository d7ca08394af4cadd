"""Which kernel a tree is: the headers that tell, and the name."""

from __future__ import annotations

from collections.abc import Mapping

from tlblint.app.naming import index_of
from tlblint.io.tree import Tree
from tlblint.roles import HEADERS, detect
from tlblint.roles.generation import UNKNOWN


def headers(tree: Tree) -> dict[str, bytes]:
    """The files of a tree by which its generation is told, those that it has."""
    found, index = {}, index_of(tree)
    for path in HEADERS:
        if tree.holds(path) == "file" and (raw := index.read(path)) is not None:
            found[path] = raw
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
