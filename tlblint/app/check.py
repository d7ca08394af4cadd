"""``tlblint check``: open what is asked for. Processes look at its files while this one imports what it takes to judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tlblint.app import scope
from tlblint.io import cache, config, snapshot
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


def check(request: Request, loader: Loader | None = None) -> Outcome:
    """Run a check. Raises InputError."""
    tree = open_tree(request.cwd, request.tree, request.revision)
    try:
        settings = config.load(tree, tree.top, request.flags)
        roots = scope.roots(tree, request.cwd, request.paths, request.tree is not None)
        store = cache.open_cache(settings["cache"].value, request.note)
        look_ahead(tree, scope.context(tree, roots), states=store is not NOTHING, last=snapshot.last(tree, store))
        request.stage("loading")
        from tlblint.app.checking import checked

        outcome = checked(Opened(tree, settings, roots, store), request, loader)
        request.stage("keeping")
        cache.close(store)
        request.stage("printing")
        return outcome
    finally:
        tree.close()
