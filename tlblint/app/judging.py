"""The one way in which hooks have a series judged."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

import msgspec

from tlblint.io import term
from tlblint.report.formats import FORMATS
from tlblint.report.health import closing
from tlblint.report.view import Style, brought, counts


class Verdict(msgspec.Struct, frozen=True):
    """``text`` is what a person should read, "" for nothing. ``errors``: findings of level error that the series introduces. ``patches`` it has."""

    text: str
    errors: int
    patches: int


class Judge(Protocol):
    """Judges mails (paths) or a range ("base..tip") of the repository at ``top``. Raises InputError when it cannot."""

    def __call__(self, top: str, words: Sequence[str], base: str | None, /) -> Verdict: ...


def judge_series(top: str, words: Sequence[str], base: str | None) -> Verdict:
    """What ``tlblint series`` finds, with the settings of the tree. All that it introduces at level error counts, also what a later patch mends."""
    from tlblint.app.series import Request, series

    outcome = series(Request(top, tuple(words), base))
    report = outcome.report
    color = term.wants_color(outcome.settings["color"].value, sys.stderr)
    style = Style(color=color, unicode=term.speaks_unicode(sys.stderr), width=term.width())
    text = FORMATS["full"].render(report, style) if brought(report, style) else closing(report, style)
    return Verdict(text, counts(report)["error"], len(report.series.patches) if report.series is not None else 1)
