"""``tlblint check --shard``: one part of a check, written to standard output for ``tlblint merge``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tlblint.app import baselines, shard
from tlblint.app.check import check
from tlblint.app.request import Outcome, Request
from tlblint.app.spine import Loader
from tlblint.io import config
from tlblint.io.errors import InputError
from tlblint.io.output import write_stdout
from tlblint.io.tree import open_tree


def run(request: Request, words: Sequence[str], loader: Loader | None = None) -> None:
    """Check the part that ``request.shard`` names and print it. ``words``: the command line without the option. Raises InputError."""
    if request.update_baseline:
        raise InputError("--update-baseline", "a shard does not see every finding", "give it to tlblint merge")
    if request.flags.get("format"):
        raise InputError("-f", "a shard has a form of its own", "give -f to tlblint merge")
    tree = open_tree(request.cwd, request.tree, request.revision)
    try:  # a baseline that cannot be read should not cost a run
        baseline = baselines.raw(config.load(tree, tree.top, request.flags)["baseline"].value, request.cwd)
    finally:
        tree.close()
    outcome = check(request, loader)
    write_stdout(shard.dump(document(outcome, request, words, baseline)))


def document(outcome: Outcome, request: Request, words: Sequence[str], baseline: bytes | None) -> shard.Part:
    """The shard of an outcome."""
    assert outcome.rest is not None and request.shard is not None
    asked = {"preview": request.preview, "verbose": request.excused}
    command = shlex.join(["tlblint", *words])
    return shard.part(outcome.report, outcome.rest, outcome.settings, request.shard, outcome.top, request.cwd, asked, baseline, command)
