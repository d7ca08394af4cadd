"""Which part of a tree a run reports on."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tlblint.io.errors import InputError, Unreadable
from tlblint.io.tree import Listing, Tree, below, is_c


def roots(tree: Tree, cwd: str, paths: Sequence[str], tree_given: bool) -> tuple[str, ...]:
    """PATHs of the command line as paths from the top, sorted, without doubles; () for the whole tree. Raises InputError.

    A PATH is relative to the current directory; one that names nothing there is taken from the top of a tree that
    was given with --tree.
    """
    if "" in paths:
        raise InputError("PATH", "an empty one", "name a file or directory; '.' is the current directory")
    found = {_root(tree, cwd, path, tree_given) for path in paths}
    return () if "" in found else tuple(sorted(found))


def _root(tree: Tree, cwd: str, path: str, tree_given: bool) -> str:
    bases = [cwd, tree.top] if tree_given else [cwd]
    outside = True
    for base in bases:
        place = tree.place(os.path.join(base, path))
        if place is None:
            continue
        outside = False
        kind = tree.holds(place)
        if kind == "file" and not is_c(place):
            raise InputError(path, "not a C file", "name .c or .h files, or directories")
        if kind == "file" or kind == "directory":
            return place
    if outside:
        raise InputError(path, f"outside of the tree {tree.top}", "name paths in the tree, or another tree with --tree")
    raise InputError(path, "no such file or directory" + (f" in {tree.revision[:12]}" if tree.revision else ""))


CORE = ("mm", "fs/proc", "kernel/events", "kernel/fork.c", "include/linux", "include/asm-generic")
CORE_OF_ARCH = ("mm", "include/asm")


def context(tree: Tree, paths: tuple[str, ...]) -> tuple[str, ...]:
    """What to read for a report on ``paths``: in a kernel tree also the core of memory management, so that its functions are
    called and callers are known whichever PATHs were asked for. Sorted; () for the whole tree."""
    if not paths or tree.holds("mm") != "directory" or tree.holds("include/linux") != "directory":
        return paths
    # Generic code means its own architecture-independent helpers; an architecture's matter where its code is reported on.
    architectures = sorted({path.split("/")[1] for path in tree.list(("arch",)).paths if path.count("/") > 1}) if _names_arch(paths) else []
    core = [*CORE, *(f"arch/{name}/{part}" for name in architectures for part in CORE_OF_ARCH)]
    wanted = {*paths, *(place for place in core if tree.holds(place) in ("directory", "file"))}
    return tuple(sorted(place for place in wanted if not any(below(place, [other]) for other in wanted - {place})))


def _names_arch(paths: tuple[str, ...]) -> bool:
    return any(path == "arch" or path.startswith("arch/") for path in paths)


def require_files(tree: Tree, listing: Listing, wanted: Sequence[str]) -> None:
    """Raise InputError when there is nothing to check, or when a file that was named cannot be read or is no part of the tree."""
    modules = tree.list().submodules if wanted and tree.kind != "directory" else ()
    for path in wanted:
        if module := next((module for module in modules if below(path, (module,))), None):
            raise InputError(path, f"in the submodule {module}, a repository of its own", f"name it with --tree {module}")
    if not listing.paths and not listing.refused and not any(tree.holds(path) == "file" for path in wanted):
        raise InputError(wanted[0] if wanted else tree.top, "no .c or .h files here", "name a kernel source tree or a part of one")
    listed = frozenset(listing.paths) if wanted else frozenset()
    for path in wanted:
        if tree.holds(path) == "file":
            try:
                tree.read(path)
            except Unreadable as error:
                raise InputError(path, f"cannot be read: {error.why}") from None
            if path not in listed:
                raise InputError(path, "no part of the tree: git ignores it", "name its directory with --tree to check it as it is")
