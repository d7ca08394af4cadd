"""The one way in which hooks have a series judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """``text`` is what a person should read, "" for nothing. ``errors``: findings of level error that the series introduces. ``patches`` it has."""

    text: str
    errors: int
    patches: int


class Judge(Protocol):
    """Judges mails (paths) or a range ("base..tip") of the repository at ``top``. Raises InputError when it cannot."""

    def __call__(self, top: str, words: Sequence[str], base: str | None, /) -> Verdict: ...


def judge_series(top: str, words: Sequence[str], base: str | None) -> Verdict:
    """What ``tlblint series`` finds, with the settings of the tree."""
    from tlblint.io.errors import InputError

    raise InputError("tlblint series", "not in this version", "")
