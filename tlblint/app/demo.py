"""``tlblint demo``: a check of the shipped miniature tree. No kernel needed."""

from __future__ import annotations

from tlblint.app.check import check
from tlblint.app.request import Outcome, Progress, Request, silent
from tlblint.app.spine import Loader
from tlblint.io import data


def demo(flags: dict[str, object], progress: Progress = silent, loader: Loader | None = None, preview: bool = False, excused: bool = False) -> Outcome:
    """Check the miniature tree as the plain directory that it is, whatever repository it happens to lie in."""
    top = data.root("fixtures/demo")
    return check(Request(cwd=top, tree=top, flags=flags, progress=progress, preview=preview, excused=excused), loader)
