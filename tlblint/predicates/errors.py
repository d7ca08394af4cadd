"""Why something of a tree could not be executed."""

from __future__ import annotations

from tlblint.names.errors import Inconclusive


class DataError(Exception):
    """A shipped or given data file (profile, oracle) is not well formed. The text names file and key."""


__all__ = ["DataError", "Inconclusive"]
