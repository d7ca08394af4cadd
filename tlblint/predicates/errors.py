"""Why something of a tree could not be executed."""

from __future__ import annotations


class Inconclusive(Exception):
    """Execution cannot go on: a name that is not known, a construct that is not read, a bound that was met.

    ``blocker`` is the short form that tables show ("unknown name foo_bar"); ``where`` is path:line or empty.
    """

    def __init__(self, blocker: str, where: str = "") -> None:
        super().__init__(blocker)
        self.blocker = blocker
        self.where = where


class DataError(Exception):
    """A shipped or given data file (profile, oracle) is not well formed. The text names file and key."""
