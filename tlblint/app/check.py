"""``tlblint check``: open what is asked for. Processes look at its files while this one imports what it takes to judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tlblint.app import reader as readers
from tlblint.app import scope
from tlblint.io import cache, config, processors, snapshot
from tlblint.io.stamp import recall
from tlblint.io.tree import Tree, look_ahead, open_tree
from tlblint.model.store import NOTHING, Store

if TYPE_CHECKING:
    from tlblint.app.request import Outcome, Request
    from tlblint.app.spine import Loader


class Opened(NamedTuple):
    """What a run begins with. ``roots``: what to report on, from the top; () for all."""

    tree: Tree
    settings: config.Settings
    roots: tuple[str, ...]
    store: Store
    reader: readers.Reader | None = None
    """Ready for files that were edited since the last run."""


def check(request: Request, loader: Loader | None = None) -> Outcome:
    """Run a check. Raises InputError."""
    reader = None
    tree = open_tree(request.cwd, request.tree, request.revision)
    try:
        settings = config.load(tree, tree.top, request.flags)
        roots = scope.roots(tree, request.cwd, request.paths, request.tree is not None)
        store = cache.open_cache(settings["cache"].value, request.note)
        recall(store)
        seen = snapshot.last(tree, store)
        if seen is not None and seen.touched and _several(settings, request):
            reader = readers.take()
        readers.stop()
        look_ahead(tree, scope.context(tree, roots), states=store is not NOTHING, last=seen)
        request.stage("loading")
        from tlblint.app.checking import checked

        outcome = checked(Opened(tree, settings, roots, store, reader), request, loader)
        request.stage("keeping")
        cache.close(store)
        request.stage("printing")
        return outcome
    finally:
        if reader is not None:
            reader.close()
        tree.close()


def _several(settings: config.Settings, request: Request) -> bool:
    """Whether there is a processor for more than the walk."""
    return (settings["jobs"].value or processors.count()) > 1 and not request.executor
