"""Why something of a tree could not be worked out."""

from __future__ import annotations


class Inconclusive(Exception):
    """It cannot go on: a name that is not known, a construct that is not read, a bound that was met.

    ``blocker`` is the short form that tables show ("unknown name foo_bar"); ``where`` is path:line or empty.
    """

    def __init__(self, blocker: str, where: str = "") -> None:
        super().__init__(blocker)
        self.blocker = blocker
        self.where = where
